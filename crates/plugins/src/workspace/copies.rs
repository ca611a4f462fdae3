//! Folders that git does not hold, copied from the main checkout into a workspace.
//!
//! By sharing blocks where the file system can, so that a copy of gigabytes takes no time and no space; never by hard links,
//! through which one session would change the files of all.

use crate::disk;
use crate::disk::failed;
use ao_core::workspace::Dependency;
use ao_slots::{Answer, Fault};
use std::fs::{self, File, FileTimes};
use std::io;
use std::path::{Path, PathBuf};

/// Brings one folder in. What the main checkout does not have, and what is there already, is left alone.
pub(super) async fn bring(repository: &Path, place: &Path, relative: &Path, how: Dependency) -> Answer<()> {
    let (source, target) = (disk::inside(repository, relative)?, disk::inside(place, relative)?);
    if how == Dependency::Leave || !disk::exists(&source) || disk::exists(&target) {
        return Ok(());
    }
    if how == Dependency::Symlink {
        return link_one(repository, place, relative);
    }
    // Whole or not at all: a folder that a kill cut short would never be finished.
    let mut draft = target.clone().into_os_string();
    draft.push(".ao-copy");
    let draft = PathBuf::from(draft);
    disk::delete(&draft).await?;
    let (from, to, end) = (source.clone(), draft.clone(), target.clone());
    let work = move || {
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        copy(&from, &to, how)?;
        fs::rename(&to, &end)
    };
    let copied = tokio::task::spawn_blocking(work).await.map_err(|_| Fault::unavailable("copying was given up"))?;
    match copied {
        Ok(()) => Ok(()),
        Err(error) => {
            disk::delete(&draft).await?;
            if how == Dependency::Reflink && cannot_share(&error) {
                tracing::info!(path = %target.display(), "left out: the file system cannot share blocks of files");
                return Ok(());
            }
            Err(failed(&target, &error))
        }
    }
}

/// Links one path of the main checkout into the workspace.
pub(super) fn link_one(repository: &Path, place: &Path, relative: &Path) -> Answer<()> {
    let (source, target) = (disk::inside(repository, relative)?, disk::inside(place, relative)?);
    if fs::read_link(&target).is_ok_and(|there| there == source) {
        return Ok(());
    }
    if disk::exists(&target) {
        return Err(Fault::conflict(format!("{} is there already and was kept", target.display()))
            .hint("take it out of `symlinks`, or out of the repository"));
    }
    if !disk::exists(&source) {
        tracing::warn!(path = %source.display(), "nothing to link: the main checkout does not have it");
        return Ok(());
    }
    let link = || {
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        std::os::unix::fs::symlink(&source, &target)
    };
    link().map_err(|error| failed(&target, &error))
}

/// Copies a file, a link, or everything below a directory, with modes and the files' times: builds compare these.
fn copy(from: &Path, to: &Path, how: Dependency) -> io::Result<()> {
    let about = fs::symlink_metadata(from)?;
    if about.is_symlink() {
        return std::os::unix::fs::symlink(fs::read_link(from)?, to);
    }
    if about.is_dir() {
        fs::create_dir(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()), how)?;
        }
        return fs::set_permissions(to, about.permissions());
    }
    if !about.is_file() {
        // Sockets and pipes belong to a process.
        return Ok(());
    }
    let (source, target) = (File::open(from)?, File::create(to)?);
    match share(&source, &target) {
        Err(error) if how == Dependency::Copy && cannot_share(&error) => drop(fs::copy(from, to)?),
        shared => shared?,
    }
    target.set_times(FileTimes::new().set_modified(about.modified()?))?;
    fs::set_permissions(to, about.permissions())
}

/// Lets a new file share the blocks of another one.
#[cfg(target_os = "linux")]
fn share(from: &File, to: &File) -> io::Result<()> {
    Ok(rustix::fs::ioctl_ficlone(to, from)?)
}

/// Lets a new file share the blocks of another one: not built here.
#[cfg(not(target_os = "linux"))]
fn share(_: &File, _: &File) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether it is the file system that cannot do it: it never can, or not between these two places.
fn cannot_share(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let known = [Errno::OPNOTSUPP, Errno::XDEV, Errno::INVAL, Errno::NOTTY, Errno::NOSYS];
    error.kind() == io::ErrorKind::Unsupported
        || known.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    #[tokio::test]
    async fn a_folder_is_copied_whole_with_times_and_modes_and_never_by_hard_links() {
        let dir = tempfile::tempdir().unwrap();
        let (main, place) = (dir.path().join("main"), dir.path().join("place"));
        fs::create_dir_all(main.join("deps/bin")).unwrap();
        fs::create_dir(&place).unwrap();
        fs::write(main.join("deps/bin/tool"), "tool").unwrap();
        fs::set_permissions(main.join("deps/bin/tool"), fs::Permissions::from_mode(0o555)).unwrap();
        std::os::unix::fs::symlink("bin/tool", main.join("deps/link")).unwrap();
        bring(&main, &place, Path::new("deps"), Dependency::Copy).await.unwrap();
        let (one, other) = (main.join("deps/bin/tool"), place.join("deps/bin/tool"));
        assert_eq!(fs::read_to_string(&other).unwrap(), "tool");
        let (one, other) = (fs::metadata(one).unwrap(), fs::metadata(other).unwrap());
        assert_eq!((one.modified().unwrap(), one.mode()), (other.modified().unwrap(), other.mode()));
        assert!(one.ino() != other.ino() && other.nlink() == 1);
        assert_eq!(fs::read_link(place.join("deps/link")).unwrap(), Path::new("bin/tool"));
        fs::write(main.join("deps/new"), "later").unwrap();
        bring(&main, &place, Path::new("deps"), Dependency::Copy).await.unwrap();
        assert!(!place.join("deps/new").exists(), "what is there is left alone");
    }

    #[tokio::test]
    async fn without_shared_blocks_a_reflink_is_left_out_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (main, place) = (dir.path().join("main"), dir.path().join("place"));
        fs::create_dir_all(main.join("deps")).unwrap();
        fs::create_dir(&place).unwrap();
        fs::write(main.join("deps/file"), "x").unwrap();
        let can =
            share(&File::open(main.join("deps/file")).unwrap(), &File::create(place.join("probe")).unwrap()).is_ok();
        fs::remove_file(place.join("probe")).unwrap();
        bring(&main, &place, Path::new("deps"), Dependency::Reflink).await.unwrap();
        assert_eq!(place.join("deps/file").exists(), can);
        assert_eq!(fs::read_dir(&place).unwrap().count(), usize::from(can));
        bring(&main, &place, Path::new("deps"), Dependency::Leave).await.unwrap();
        assert_eq!(place.join("deps").exists(), can);
        assert!(bring(&main, &place, Path::new("../main"), Dependency::Copy).await.is_err());
    }
}
