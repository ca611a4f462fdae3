//! Everything of a checkout in one commit: files, index, and what only its repository has, repositories inside included.
//!
//! The commit is made in the checkout's own repository; bringing it elsewhere and naming it is for the caller.

use super::about::About;
use super::entries::{self, Entry, Watch};
use super::names::{shown, without_slash};
use super::snapshot::{self, Extent, Index, Site, Snapshot, Whole};
use super::{bytes, inner, tips};
use crate::disk;
use crate::exec::Environment;
use crate::git::{Git, unfinished};
use ao_core::id::CommitId;
use ao_slots::workspace::Measured;
use ao_slots::{Answer, Fault};
use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Copying objects of a repository inside a workspace.
const FETCH: Duration = Duration::from_secs(15 * 60);

/// Files in which git keeps words about what it has not finished.
const WORDS: [&str; 4] = ["MERGE_MSG", "SQUASH_MSG", "BISECT_LOG", "MERGE_MODE"];

/// What was sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sealed {
    /// The commit with everything.
    pub commit: CommitId,
    /// Its tree.
    pub tree: String,
    /// Its parents; the first one is HEAD, when there is one.
    pub parents: Vec<CommitId>,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    /// The commit; none when all of it is safe already.
    pub sealed: Option<Sealed>,
    /// What git ignores and is not kept, with its bytes.
    pub ignored: Vec<(PathBuf, u64)>,
}

/// Seals a checkout. `branch` is one that may be deleted afterwards. Of a `shallow` repository only trees are kept: its
/// history cannot be brought into one that is whole.
///
/// # Errors
/// When anything cannot be read or kept: then nothing may be removed.
pub(super) async fn seal(
    site: &Site,
    extent: Extent,
    branch: Option<&str>,
    label: &str,
    env: &Environment,
    shallow: bool,
) -> Answer<Kept> {
    let Whole { snapshot, entries, unread, index, unfiltered } = snapshot::take_whole(site).await?;
    let ignored = ignored(site, &index).await?;
    let mut about = About { branch: snapshot.branch.clone(), ..About::default() };
    about.index = index_commit(site, &snapshot).await?;
    about.conflict = conflict(site, &snapshot, &entries).await?;
    let unlike = bytes::unlike(site, &index, &unread, unfiltered).await?;
    about.bytes = tree_commit(site, &snapshot, &unlike, "Files as they were, byte for byte\n").await?;
    about.state = state(site, &snapshot).await?;
    for commit in &snapshot.merging {
        about.also(commit.clone(), "MERGE_HEAD");
    }
    for (commit, place) in tips::only_here(site, extent, &snapshot, branch).await? {
        about.also(commit, &place);
    }
    let paths: Vec<PathBuf> = ignored.iter().map(|(path, _)| path.clone()).collect();
    keep_inner(site, &paths, label, env, &mut about).await?;
    let differs = snapshot.head_tree.as_ref() != Some(&snapshot.tree);
    let held = match &snapshot.head {
        Some(head) => {
            extent == Extent::Checkout && is_held(&site.git, head).await? || is_remote(&site.git, head).await?
        }
        None => true,
    };
    if held && about.commits().next().is_none() && (!differs || is_empty(&snapshot, &entries)) {
        return Ok(Kept { sealed: None, ignored });
    }
    about.head = Some(snapshot.head.clone().filter(|_| !shallow));
    let mut parents = distinct(snapshot.head.iter().chain(about.commits()).cloned());
    if shallow {
        parents = trees_of(site, &parents, &snapshot.date).await?;
    }
    let message = about.message(&subject(&snapshot, label), &ignored);
    // Of one inside the date is that of its HEAD: sealing it again gives the same commit.
    let date = (branch.is_none()).then_some(snapshot.date.as_str());
    let commit = snapshot::commit(&site.git, &snapshot.tree, &parents, &message, date).await?;
    Ok(Kept { sealed: Some(Sealed { commit, tree: snapshot.tree, parents }), ignored })
}

/// What is there, without keeping any of it.
pub(super) async fn measure(site: &Site) -> Answer<Measured> {
    let status = crate::git::status(&site.git).await?;
    let index = Index::beside(site).await?;
    let ignored = ignored(site, &index).await?;
    let files = site.files.clone();
    let bytes = tokio::task::spawn_blocking(move || disk::size(&files)).await;
    Ok(Measured {
        bytes: bytes.map_err(|_| Fault::unavailable("measuring files was given up"))?,
        changed: (status.changed.len() + status.unmerged.len() + status.untracked.len()) as u64,
        ignored: ignored.into_iter().map(|(path, bytes)| (shown(&path), bytes)).collect(),
    })
}

/// Seals what is inside and brings it into the repository of `outer`. Ignored directories are not entered.
async fn keep_inner(
    outer: &Site,
    ignored: &[PathBuf],
    label: &str,
    env: &Environment,
    about: &mut About,
) -> Answer<()> {
    let (files, own) = (outer.files.clone(), outer.git_dir.clone());
    let skip: HashSet<PathBuf> = ignored.iter().map(|path| files.join(without_slash(path))).collect();
    let search = move || inner::search(&files, &own, &skip);
    let paths = tokio::task::spawn_blocking(search).await;
    let mut visited = HashSet::new();
    for path in paths.map_err(|_| Fault::unavailable("looking for repositories was given up"))? {
        let files = outer.files.join(&path);
        let Some(found) = inner::find(&files, env).await? else {
            about.lost(&format!("{}/.git is no repository; it was not kept", shown(&path)));
            continue;
        };
        let goes = found.git_dir.starts_with(&outer.files) || found.git_dir.starts_with(&outer.git_dir);
        let extent = if goes && found.git_dir == found.common { Extent::Repository } else { Extent::Checkout };
        let git = Git::at(&files, env).on(&found.git_dir, &files);
        let site = Site { git, git_dir: found.git_dir.clone(), files };
        visited.insert(found.git_dir);
        let label = format!("{label} in {}", if path.as_os_str().is_empty() { ".".to_owned() } else { shown(&path) });
        if let Some(commit) = Box::pin(seal_one(&site, extent, found.shallow, &label, env)).await? {
            bring(&site.git, &site.git_dir, &outer.git, &commit).await?;
            about.repository(&path, commit);
        }
    }
    for git_dir in inner::modules(&outer.git_dir) {
        if visited.contains(&git_dir) {
            continue;
        }
        // Its files are gone; branches, stashes and reflogs are not.
        let git = Git::at(&git_dir, env).with("GIT_DIR", &git_dir);
        let said = git.call(["rev-parse", "--is-shallow-repository"]).ask().await?;
        if said.code != 0 || said.line() == "true" {
            about.lost(&format!("{} was not kept", shown(&git_dir)));
            continue;
        }
        let site = Site { git: git.with("GIT_WORK_TREE", &git_dir), git_dir: git_dir.clone(), files: git_dir.clone() };
        for (commit, place) in of_bare(&site).await? {
            bring(&site.git, &git_dir, &outer.git, &commit).await?;
            about.also(
                commit,
                &format!("{place} of {}", shown(git_dir.strip_prefix(&outer.git_dir).unwrap_or(&git_dir))),
            );
        }
    }
    Ok(())
}

async fn seal_one(
    site: &Site,
    extent: Extent,
    shallow: bool,
    label: &str,
    env: &Environment,
) -> Answer<Option<CommitId>> {
    let kept = seal(site, extent, None, label, env, shallow).await?;
    Ok(kept.sealed.map(|sealed| sealed.commit))
}

/// The commits that only a repository without files has.
pub(super) async fn of_bare(site: &Site) -> Answer<Vec<(CommitId, String)>> {
    let snapshot = Snapshot {
        head: None,
        branch: None,
        head_tree: None,
        tree: String::new(),
        index_tree: None,
        merging: Vec::new(),
        unmerged: Vec::new(),
        changed: 0,
        nested: Vec::new(),
        date: String::new(),
    };
    let mut found = tips::only_here(site, Extent::Repository, &snapshot, None).await?;
    if let Some(head) = site.git.commit("HEAD").await?
        && !is_remote(&site.git, &head).await?
        && !found.iter().any(|(commit, _)| *commit == head)
    {
        found.push((head, "HEAD".to_owned()));
    }
    Ok(found)
}

/// A repository without a commit and without a file.
fn is_empty(snapshot: &Snapshot, entries: &[Entry]) -> bool {
    snapshot.head.is_none() && snapshot.changed == 0 && entries.is_empty()
}

fn subject(snapshot: &Snapshot, label: &str) -> String {
    let branch = snapshot.branch.as_deref().unwrap_or("no branch");
    let changed = match snapshot.changed {
        1 => "1 path differs".to_owned(),
        count => format!("{count} paths differ"),
    };
    format!("Rescue of {label} ({branch}): {changed}")
}

fn distinct(commits: impl IntoIterator<Item = CommitId>) -> Vec<CommitId> {
    let mut seen = BTreeSet::new();
    commits.into_iter().filter(|commit| seen.insert(commit.clone())).collect()
}

/// The index as a commit, when it holds something that HEAD does not.
async fn index_commit(site: &Site, snapshot: &Snapshot) -> Answer<Option<CommitId>> {
    let Some(tree) = snapshot.index_tree.as_ref().filter(|tree| Some(*tree) != snapshot.head_tree.as_ref()) else {
        return Ok(None);
    };
    if snapshot.head.is_none() && entries::of_tree(&site.git, tree).await?.is_empty() {
        return Ok(None);
    }
    let parents: Vec<CommitId> = snapshot.head.iter().cloned().collect();
    snapshot::commit(&site.git, tree, &parents, "What was staged\n", Some(&snapshot.date)).await.map(Some)
}

/// The sides of a conflict as a commit.
async fn conflict(site: &Site, snapshot: &Snapshot, entries: &[Entry]) -> Answer<Option<CommitId>> {
    let sides: Vec<Entry> = entries
        .iter()
        .filter(|entry| entry.stage > 0)
        .map(|entry| Entry { path: Path::new(&entry.stage.to_string()).join(&entry.path), stage: 0, ..entry.clone() })
        .collect();
    tree_commit(site, snapshot, &sides, "The sides of what was in conflict\n").await
}

/// These files as a commit; none when there are none.
async fn tree_commit(site: &Site, snapshot: &Snapshot, entries: &[Entry], what: &str) -> Answer<Option<CommitId>> {
    if entries.is_empty() {
        return Ok(None);
    }
    let tree = snapshot::tree(site, entries).await?;
    snapshot::commit(&site.git, &tree, &[], what, Some(&snapshot.date)).await.map(Some)
}

/// Git's own files about what is not finished, as a commit, and what it is in words.
async fn state(site: &Site, snapshot: &Snapshot) -> Answer<Option<(CommitId, String)>> {
    let words = match unfinished(&site.git_dir) {
        Some(what) => what.words().to_owned(),
        None if site.git_dir.join("BISECT_LOG").exists() => "a bisection".to_owned(),
        None => return Ok(None),
    };
    let mut files: Vec<PathBuf> =
        WORDS.iter().map(|name| site.git_dir.join(name)).filter(|file| file.is_file()).collect();
    for dir in tips::STATE {
        let dir = site.git_dir.join(dir);
        files.extend(tips::all_files(&dir).map_err(|error| disk::failed(&dir, &error))?);
    }
    let objects = entries::objects(&site.git, &files, true).await?;
    let entry = |(file, object): (&PathBuf, String)| Entry {
        watch: Watch::Watched,
        mode: "100644".to_owned(),
        object,
        stage: 0,
        path: file.strip_prefix(&site.git_dir).unwrap_or(file).to_owned(),
    };
    let entries: Vec<Entry> = files.iter().zip(objects).map(entry).collect();
    let commit = tree_commit(site, snapshot, &entries, "What git had not finished\n").await?;
    Ok(commit.map(|commit| (commit, words)))
}

/// Copies of commits without their history.
async fn trees_of(site: &Site, commits: &[CommitId], date: &str) -> Answer<Vec<CommitId>> {
    let mut copies = Vec::new();
    for commit in commits {
        let tree = site.git.tree(commit).await?;
        let message = format!("Files of {commit}, whose repository had no whole history\n");
        copies.push(snapshot::commit(&site.git, &tree, &[], &message, Some(date)).await?);
    }
    Ok(copies)
}

/// Whether some branch or tag holds a commit.
async fn is_held(git: &Git, commit: &CommitId) -> Answer<bool> {
    let held = git.call(["for-each-ref", "--count=1", "--contains", commit.as_str(), "refs/heads", "refs/tags"]);
    Ok(!held.text().await?.is_empty())
}

async fn is_remote(git: &Git, commit: &CommitId) -> Answer<bool> {
    let held = git.call(["for-each-ref", "--count=1", "--contains", commit.as_str(), "refs/remotes"]);
    Ok(!held.text().await?.is_empty())
}

/// Copies a commit with its history from one repository into another.
pub(super) async fn bring(from: &Git, from_dir: &Path, to: &Git, commit: &CommitId) -> Answer<()> {
    // A name of its own: what has none is not given away.
    let name = format!("refs/ao/sealed/{commit}");
    from.call(["update-ref", &name, commit.as_str()]).run().await?;
    to.call(["-c", "protocol.file.allow=always", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head"])
        .args(["--no-recurse-submodules", "--no-auto-maintenance"])
        .arg(from_dir)
        .arg(&name)
        .limit(FETCH)
        .run()
        .await?;
    match to.commit(commit.as_str()).await? {
        Some(_) => Ok(()),
        None => Err(Fault::conflict(format!("{commit} of {} was not copied", from_dir.display()))),
    }
}

/// The ignored files, which are not kept: whole directories as one, each with its bytes. What `ao` itself put there is none.
async fn ignored(site: &Site, index: &Index) -> Answer<Vec<(PathBuf, u64)>> {
    let call = ["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"];
    let mut paths: Vec<PathBuf> = index.git.call(call).run().await?.paths().collect();
    paths.retain(|path| !path.starts_with(".ao"));
    let files = site.files.clone();
    let work = move || {
        let sized = |path: PathBuf| {
            let bytes = disk::size(&files.join(&path));
            (path, bytes)
        };
        let mut all: Vec<(PathBuf, u64)> = paths.into_iter().map(sized).collect();
        // The largest first: they are what a person asks about.
        all.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        all
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| Fault::unavailable("measuring ignored files was given up"))
}
