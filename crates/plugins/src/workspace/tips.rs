//! Commits that only a checkout knows: in its reflogs, in what it has not finished, in refs and stashes that go with it.
//!
//! Only the newest of each line are named; their history comes along.

use super::snapshot::{Extent, Site, Snapshot};
use crate::disk::failed;
use crate::git::common_of;
use ao_core::id::CommitId;
use ao_slots::Answer;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Files in a git directory, besides those that end in `_HEAD`, that hold a commit while something is going on.
const NAMES: [&str; 2] = ["MERGE_AUTOSTASH", "BISECT_EXPECTED_REV"];

/// Directories in which git keeps what it has not finished.
pub(super) const STATE: [&str; 3] = ["rebase-merge", "rebase-apply", "sequencer"];

/// Refs that each checkout has for itself.
const OWN_REFS: [&str; 3] = ["refs/bisect", "refs/worktree", "refs/rewritten"];

/// A file of state that is longer is no list of commits.
const STATE_FILE: u64 = 16 * 1024 * 1024;

/// Commits that are reachable from nothing that stays, each with where it was found. `branch` is one that may be deleted.
pub(super) async fn only_here(
    site: &Site,
    extent: Extent,
    snapshot: &Snapshot,
    branch: Option<&str>,
) -> Answer<Vec<(CommitId, String)>> {
    let mut words: BTreeMap<String, String> = BTreeMap::new();
    let mut add = |word: &str, place: &str| {
        if word.len() >= 7 && word.bytes().all(|b| b.is_ascii_hexdigit()) && word.bytes().any(|b| b != b'0') {
            words.entry(word.to_owned()).or_insert_with(|| place.to_owned());
        }
    };
    for (file, place) in state_files(site)? {
        let text = fs::read(&file).map_err(|error| failed(&file, &error))?;
        for word in String::from_utf8_lossy(&text).split_ascii_whitespace() {
            add(word, &place);
        }
    }
    for (file, place) in reflogs(site, extent, branch)? {
        let text = fs::read(&file).map_err(|error| failed(&file, &error))?;
        for line in String::from_utf8_lossy(&text).lines() {
            for word in line.split(' ').take(2) {
                add(word, &place);
            }
        }
    }
    for (word, place) in refs(site, extent).await? {
        add(&word, &place);
    }
    let commits = commits(site, words).await?;
    unheld(site, extent, snapshot, commits).await
}

/// Files of what is not finished.
fn state_files(site: &Site) -> Answer<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    let entries = fs::read_dir(&site.git_dir).map_err(|error| failed(&site.git_dir, &error))?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // What was fetched and not used is nobody's work.
        if (name.ends_with("_HEAD") && name != "FETCH_HEAD" || NAMES.contains(&name.as_str())) && entry.path().is_file()
        {
            files.push((entry.path(), name));
        }
    }
    for name in STATE {
        let below = all_files(&site.git_dir.join(name)).map_err(|error| failed(&site.git_dir.join(name), &error))?;
        let short = |file: &PathBuf| fs::metadata(file).is_ok_and(|about| about.len() <= STATE_FILE);
        files.extend(below.into_iter().filter(short).map(|file| (file, name.to_owned())));
    }
    Ok(files)
}

/// Files of reflogs that go, or may go, with the checkout.
fn reflogs(site: &Site, extent: Extent, branch: Option<&str>) -> Answer<Vec<(PathBuf, String)>> {
    let logs = site.git_dir.join("logs");
    let mut files = all_files(&logs).map_err(|error| failed(&logs, &error))?;
    files.retain(|file| !file.starts_with(logs.join("refs/remotes")) && !file.starts_with(logs.join("refs/ao")));
    if extent == Extent::Checkout {
        let heads = common_of(&site.git_dir).join("logs/refs/heads");
        files.extend(branch.map(|name| heads.join(name)).filter(|file| file.is_file()));
    }
    let place = |file: PathBuf| {
        let of = file.strip_prefix(&logs).map_or_else(|_| "branch".to_owned(), |name| name.display().to_string());
        (file, format!("reflog of {}", of.trim_start_matches("refs/")))
    };
    Ok(files.into_iter().map(place).collect())
}

/// All files below a directory; none when there is no such directory.
pub(super) fn all_files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        let entries = match fs::read_dir(&dir) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                dirs.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Objects of refs that go with the checkout; of annotated tags the commit.
async fn refs(site: &Site, extent: Extent) -> Answer<Vec<(String, String)>> {
    let call = site.git.call(["for-each-ref", "--format=%(objectname) %(*objectname) %(refname)"]);
    let call = match extent {
        Extent::Checkout => call.args(OWN_REFS),
        Extent::Repository => call,
    };
    let mut found = Vec::new();
    for line in call.text().await?.lines() {
        let mut words = line.splitn(3, ' ');
        let (Some(object), Some(tagged), Some(name)) = (words.next(), words.next(), words.next()) else { continue };
        if !name.starts_with("refs/remotes/") && !name.starts_with("refs/ao/") {
            found.push((if tagged.is_empty() { object } else { tagged }.to_owned(), name.to_owned()));
        }
    }
    if common_of(&site.git_dir).join("reftable").exists() {
        // Reflogs are in tables there, which only git reads.
        for name in ["HEAD", "refs/stash"].iter().take(if extent == Extent::Repository { 2 } else { 1 }) {
            let said = site.git.call(["rev-list", "--walk-reflogs", name, "--"]).ask().await?;
            found.extend(said.line().lines().map(|id| (id.to_owned(), format!("reflog of {name}"))));
        }
    }
    Ok(found)
}

/// Those words that are names of commits.
async fn commits(site: &Site, words: BTreeMap<String, String>) -> Answer<BTreeMap<CommitId, String>> {
    if words.is_empty() {
        return Ok(BTreeMap::new());
    }
    let (mut text, mut places) = (String::new(), Vec::new());
    for (word, place) in words {
        text.push_str(&word);
        text.push('\n');
        places.push(place);
    }
    let call = ["cat-file", "--batch-check=%(objectname) %(objecttype)"];
    let said = site.git.call(call).stdin(text.into_bytes()).run().await?.line();
    let commit = |(line, place): (&str, String)| {
        let id = line.strip_suffix(" commit")?;
        Some((CommitId::new(id), place))
    };
    Ok(said.lines().zip(places).filter_map(commit).collect())
}

/// Those that nothing which stays leads to, and no other of them.
async fn unheld(
    site: &Site,
    extent: Extent,
    snapshot: &Snapshot,
    commits: BTreeMap<CommitId, String>,
) -> Answer<Vec<(CommitId, String)>> {
    if commits.is_empty() {
        return Ok(Vec::new());
    }
    let text: String = commits.keys().map(|commit| format!("{commit}\n")).collect();
    let mut call = site.git.call(["rev-list", "--parents", "--stdin", "--not"]).stdin(text.into_bytes());
    call = match extent {
        Extent::Checkout => {
            call.args(["--branches", "--tags", "--remotes", "--glob=refs/ao/rescue", "--glob=refs/ao/pull"])
        }
        Extent::Repository => call.arg("--remotes"),
    };
    if let Some(head) = &snapshot.head {
        call = call.arg(head.as_str());
    }
    let listed = call.text().await?;
    let mut unheld = HashSet::new();
    let mut parents = BTreeSet::new();
    for line in listed.lines() {
        let mut ids = line.split(' ').map(CommitId::new);
        unheld.extend(ids.next());
        parents.extend(ids);
    }
    Ok(commits.into_iter().filter(|(id, _)| unheld.contains(id) && !parents.contains(id)).collect())
}
