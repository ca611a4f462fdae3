//! Directories: deleted whole, moved, measured, and never left through a link.
//!
//! Nothing here decides whether something may be deleted.

use ao_slots::{Answer, Fault, Kind};
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

/// A file or directory of ours could not be written.
pub(crate) fn failed(path: &Path, error: &io::Error) -> Fault {
    let kind = match error.kind() {
        io::ErrorKind::PermissionDenied => Kind::Denied,
        io::ErrorKind::NotFound => Kind::NotFound,
        _ => Kind::StorageFailed,
    };
    Fault::new(kind, format!("{}: {error}", path.display()))
}

/// Whether something is there, a link that leads nowhere included.
pub(crate) fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Whether it is a directory without entries.
pub(crate) fn is_empty_dir(path: &Path) -> bool {
    fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

/// Deletes a directory and everything in it, away from the async threads. One that is gone is not an error.
pub(crate) async fn delete(path: &Path) -> Answer<()> {
    let path = path.to_owned();
    let work = move || match delete_tree(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(&path, &error)),
        Ok(()) | Err(_) => Ok(()),
    };
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(Fault::unavailable("a deletion was given up")))
}

fn delete_tree(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        // Caches are often made read-only, directories included: they are ours to delete.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open_up(path)?;
            fs::remove_dir_all(path)
        }
        done => done,
    }
}

/// Makes every directory below one that may be written to. Links are not followed.
fn open_up(path: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.is_dir() {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(path)? {
        open_up(&entry?.path())?;
    }
    Ok(())
}

/// Renames within one directory.
pub(crate) fn rename(from: &Path, to: &Path) -> Answer<()> {
    fs::rename(from, to).map_err(|error| failed(from, &error))
}

/// Bytes of a file, or of all files below a directory. Links are not followed.
pub(crate) fn size(path: &Path) -> u64 {
    let Ok(about) = fs::symlink_metadata(path) else { return 0 };
    if !about.is_dir() {
        return about.len();
    }
    fs::read_dir(path).map_or(0, |entries| entries.flatten().map(|entry| size(&entry.path())).sum())
}

/// `relative` below `root`, when it stays there: neither absolute nor with `..`, and no directory on the way a link.
pub(crate) fn inside(root: &Path, relative: &Path) -> Answer<PathBuf> {
    let names: Option<Vec<&OsStr>> = relative
        .components()
        .filter(|part| !matches!(part, Component::CurDir))
        .map(|part| match part {
            Component::Normal(name) => Some(name),
            Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => None,
        })
        .collect();
    let names = names.unwrap_or_default();
    let Some((last, parents)) = names.split_last() else {
        return Err(Fault::invalid(format!("{:?} is not a path below the repository", relative.display().to_string()))
            .hint("absolute paths and `..` are refused"));
    };
    let mut place = root.to_owned();
    for name in parents {
        place.push(name);
        if place.is_symlink() {
            return Err(Fault::conflict(format!("{} is a link, nothing is put behind it", place.display())));
        }
    }
    Ok(place.join(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_their_root_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        for bad in ["/etc/passwd", "../x", "a/../../x", ".", ""] {
            assert!(inside(dir.path(), Path::new(bad)).is_err(), "{bad:?}");
        }
        assert_eq!(inside(dir.path(), Path::new("./a/b")).unwrap(), dir.path().join("a/b"));
        std::os::unix::fs::symlink("/", dir.path().join("out")).unwrap();
        assert!(inside(dir.path(), Path::new("out/etc")).is_err());
        assert_eq!(inside(dir.path(), Path::new("out")).unwrap(), dir.path().join("out"));
    }

    #[tokio::test]
    async fn a_tree_of_read_only_directories_is_deleted_and_what_links_lead_to_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let kept = dir.path().join("kept");
        fs::create_dir(&kept).unwrap();
        fs::write(kept.join("file"), "x").unwrap();
        let tree = dir.path().join("tree");
        fs::create_dir_all(tree.join("a/b")).unwrap();
        fs::write(tree.join("a/b/file"), "1234").unwrap();
        std::os::unix::fs::symlink(&kept, tree.join("a/link")).unwrap();
        fs::set_permissions(tree.join("a/b"), Permissions::from_mode(0o555)).unwrap();
        fs::set_permissions(tree.join("a"), Permissions::from_mode(0o555)).unwrap();
        delete(&tree).await.unwrap();
        assert!(!exists(&tree) && kept.join("file").exists());
        delete(&tree).await.unwrap();
    }
}
