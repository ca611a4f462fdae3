//! Files whose bytes git would not give back: what line ends, filters and encodings take away on the way into a tree.
//!
//! Such files are kept a second time, byte for byte.

use super::entries::{self, Entry, Watch};
use super::snapshot::{Index, Site, draft};
use crate::disk;
use crate::disk::failed;
use crate::git::Git;
use ao_slots::{Answer, Fault};
use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Writing changed files once more, through filters.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// Those of `files` that a checkout of what `index` holds would make otherwise, as they are now. `all` of them when they are
/// in it without the filters that a checkout would apply.
pub(super) async fn unlike(site: &Site, index: &Index, files: &[PathBuf], all: bool) -> Answer<Vec<Entry>> {
    let listed = entries::list(&index.git).await?;
    let mut files = files.to_vec();
    if files.iter().any(|file| file.file_name() == Some(OsStr::new(".gitattributes"))) {
        // New rules change files that nobody touched.
        files.extend(listed.iter().map(|entry| entry.path.clone()));
        files.sort();
        files.dedup();
    }
    files.retain(|path| fs::symlink_metadata(site.files.join(path)).is_ok_and(|about| about.file_type().is_file()));
    if files.is_empty() {
        return Ok(Vec::new());
    }
    if all {
        return kept(site, files).await;
    }
    let wanted: HashSet<&Path> = files.iter().map(PathBuf::as_path).collect();
    let known: HashMap<&Path, &Entry> =
        listed.iter().filter(|e| wanted.contains(e.path.as_path())).map(|e| (e.path.as_path(), e)).collect();
    let objects = entries::objects(&site.git, &files, false).await?;
    let converted = converted(&index.git, &files).await?;
    let mut other: Vec<PathBuf> = files
        .iter()
        .zip(objects)
        .filter(|(path, object)| {
            converted.contains(*path) || known.get(path.as_path()).is_none_or(|entry| entry.object != *object)
        })
        .map(|(path, _)| path.clone())
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

/// Those files that git may convert on the way out.
async fn converted(git: &Git, files: &[PathBuf]) -> Answer<HashSet<PathBuf>> {
    let ends = git.call(["config", "--get-regexp", "^core\\.(autocrlf|eol)$"]).ask().await?;
    if !ends.stdout.is_empty() {
        return Ok(files.iter().cloned().collect());
    }
    let call = ["check-attr", "-z", "--stdin", "text", "eol", "crlf", "filter", "ident", "working-tree-encoding"];
    let said = git.call(call).stdin(names(files)).run().await?;
    let mut found = HashSet::new();
    let fields: Vec<&[u8]> = said.stdout.split(|&byte| byte == 0).collect();
    for line in fields.chunks_exact(3) {
        if let [path, _, value] = line
            && !matches!(*value, b"unspecified" | b"unset")
        {
            found.insert(PathBuf::from(OsString::from_vec(path.to_vec())));
        }
    }
    Ok(found)
}

/// Names, each with a NUL behind it.
fn names(files: &[PathBuf]) -> Vec<u8> {
    let mut text = Vec::new();
    for file in files {
        text.extend_from_slice(file.as_os_str().as_bytes());
        text.push(0);
    }
    text
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
    // A filter that fails, or is not installed, gives nothing back: then there is no file to compare with.
    index
        .git
        .call(["checkout-index", "--ignore-skip-worktree-bits", "-z", "--stdin"])
        .arg(prefix)
        .stdin(names(&files))
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
