//! Files whose bytes git would not give back: what line ends, filters and encodings take away on the way into a tree.
//!
//! Such files are kept a second time, byte for byte.

use super::entries::{self, Entry, Watch};
use super::snapshot::{Index, Site, draft};
use crate::disk;
use crate::disk::failed;
use ao_slots::{Answer, Fault};
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Writing changed files once more, through filters.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// Those of `files` that a checkout of what `index` holds would make otherwise, as they are now. `all` of them when they are
/// in it without the filters that a checkout would apply.
pub(super) async fn unlike(site: &Site, index: &Index, files: &[PathBuf], all: bool) -> Answer<Vec<Entry>> {
    let is_file =
        |path: &&PathBuf| fs::symlink_metadata(site.files.join(path)).is_ok_and(|about| about.file_type().is_file());
    let files: Vec<PathBuf> = files.iter().filter(is_file).cloned().collect();
    if files.is_empty() {
        return Ok(Vec::new());
    }
    if all {
        return kept(site, files).await;
    }
    let wanted: HashSet<&Path> = files.iter().map(PathBuf::as_path).collect();
    let listed = entries::list(&index.git).await?;
    let known: HashMap<&Path, &Entry> =
        listed.iter().filter(|e| wanted.contains(e.path.as_path())).map(|e| (e.path.as_path(), e)).collect();
    let objects = entries::objects(&site.git, &files, false).await?;
    let mut other: Vec<PathBuf> = files
        .into_iter()
        .zip(objects)
        .filter(|(path, object)| known.get(path.as_path()).is_none_or(|entry| entry.object != *object))
        .map(|(path, _)| path)
        .collect();
    if other.is_empty() {
        return Ok(Vec::new());
    }
    let made = draft(site, "bytes");
    let compared = differing(site, index, &made, other).await;
    disk::delete(&made).await?;
    other = compared?;
    kept(site, other).await
}

/// Files as objects with their bytes.
async fn kept(site: &Site, files: Vec<PathBuf>) -> Answer<Vec<Entry>> {
    let objects = entries::objects(&site.git, &files, true).await?;
    let entry = |(path, object): (PathBuf, String)| {
        let about = fs::symlink_metadata(site.files.join(&path));
        let executable = about.is_ok_and(|about| about.permissions().mode() & 0o100 != 0);
        let mode = if executable { "100755" } else { "100644" };
        Entry { watch: Watch::Watched, mode: mode.to_owned(), object, stage: 0, path }
    };
    Ok(files.into_iter().zip(objects).map(entry).collect())
}

/// Lets git write the files of `index` below `made`, and compares them with those that are there.
async fn differing(site: &Site, index: &Index, made: &Path, files: Vec<PathBuf>) -> Answer<Vec<PathBuf>> {
    fs::create_dir_all(made).map_err(|error| failed(made, &error))?;
    let mut prefix = OsString::from("--prefix=");
    prefix.push(made);
    prefix.push("/");
    let mut names = Vec::new();
    for file in &files {
        names.extend_from_slice(file.as_os_str().as_bytes());
        names.push(0);
    }
    // A filter that fails, or is not installed, gives nothing back: then there is no file to compare with.
    index
        .git
        .call(["checkout-index", "--ignore-skip-worktree-bits", "-z", "--stdin"])
        .arg(prefix)
        .stdin(names)
        .env("GIT_LFS_SKIP_SMUDGE", "1")
        .limit(LIMIT)
        .ask()
        .await?;
    let (made, there) = (made.to_owned(), site.files.clone());
    let work = move || {
        files.into_iter().filter(|file| !is_same(&made.join(file), &there.join(file)).unwrap_or(false)).collect()
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| Fault::unavailable("comparing files was given up"))
}

fn is_same(one: &Path, other: &Path) -> io::Result<bool> {
    let (mut one, mut other) = (BufReader::new(File::open(one)?), BufReader::new(File::open(other)?));
    loop {
        let (left, right) = (one.fill_buf()?, other.fill_buf()?);
        if left.is_empty() || right.is_empty() {
            return Ok(left.is_empty() && right.is_empty());
        }
        let count = left.len().min(right.len());
        if left.get(..count) != right.get(..count) {
            return Ok(false);
        }
        one.consume(count);
        other.consume(count);
    }
}
