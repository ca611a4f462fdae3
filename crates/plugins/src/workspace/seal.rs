//! Everything of a checkout in one commit: files, index, and what only its repository has, repositories inside included.
//!
//! The commit is made in the checkout's own repository; bringing it elsewhere and naming it is for the caller.

use super::prepare::{shown, without_slash};
use super::snapshot::{self, Site, Snapshot};
use crate::disk;
use crate::exec::Environment;
use crate::git::Git;
use ao_core::id::CommitId;
use ao_slots::{Answer, Fault};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Copying objects of a repository inside a workspace.
const FETCH: Duration = Duration::from_secs(15 * 60);

/// Most lines about ignored files in a message.
const IGNORED: usize = 100;

/// How much goes away with the checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// Only the files: branches and stashes are in a repository that stays.
    Checkout,
    /// The whole repository.
    Repository,
}

/// What was sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sealed {
    /// The commit with everything.
    pub commit: CommitId,
    /// Its tree.
    pub tree: String,
    /// Its parents; the first one is HEAD.
    pub parents: Vec<CommitId>,
}

/// Seals a checkout; nothing when all of it is safe already.
///
/// # Errors
/// When anything cannot be read or kept: then nothing may be removed.
pub(super) async fn seal(site: &Site, extent: Extent, label: &str, env: &Environment) -> Answer<Option<Sealed>> {
    let snapshot = snapshot::take(site).await?;
    let mut about = About::default();
    let index = index_commit(site, &snapshot).await?;
    let mut extra: Vec<CommitId> = snapshot.merging.clone();
    if !snapshot.merging.is_empty() {
        about.note("a merge was being made");
    }
    for path in inner(site, &snapshot).await? {
        if let Some(commit) = Box::pin(inner_commit(site, &path, label, env)).await? {
            about.note(&format!("repository {}: {commit}", shown(&path)));
            extra.push(commit);
        }
    }
    if extent == Extent::Repository {
        extra.extend(only_here(site, &snapshot, &mut about).await?);
    }
    let differs = snapshot.head_tree.as_ref() != Some(&snapshot.tree);
    let held = match &snapshot.head {
        Some(head) => {
            extent == Extent::Checkout && is_held(&site.git, head).await? || is_remote(&site.git, head).await?
        }
        None => true,
    };
    if !differs && index.is_none() && extra.is_empty() && held {
        return Ok(None);
    }
    if let Some(index) = &index {
        about.note(&format!("{INDEX}{index}"));
    }
    let parents: Vec<CommitId> = distinct(snapshot.head.iter().cloned().chain(index).chain(extra));
    let message = about.message(site, &snapshot, label).await?;
    let commit = snapshot::commit(&site.git, &snapshot.tree, &parents, &message, None).await?;
    Ok(Some(Sealed { commit, tree: snapshot.tree, parents }))
}

/// How the line of the message begins that names the commit of the index.
pub(super) const INDEX: &str = "Index: ";

fn distinct(commits: impl IntoIterator<Item = CommitId>) -> Vec<CommitId> {
    let mut seen = BTreeSet::new();
    commits.into_iter().filter(|commit| seen.insert(commit.clone())).collect()
}

/// The index as a commit, when it holds something that HEAD does not.
async fn index_commit(site: &Site, snapshot: &Snapshot) -> Answer<Option<CommitId>> {
    let Some(tree) = snapshot.index_tree.as_ref().filter(|tree| Some(*tree) != snapshot.head_tree.as_ref()) else {
        return Ok(None);
    };
    let parents: Vec<CommitId> = snapshot.head.iter().cloned().collect();
    snapshot::commit(&site.git, tree, &parents, "What was staged\n", Some(&snapshot.date)).await.map(Some)
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

/// Repositories inside: those that git lists as such, and submodules that are checked out.
async fn inner(site: &Site, snapshot: &Snapshot) -> Answer<Vec<PathBuf>> {
    let mut paths = snapshot.nested.clone();
    if disk::exists(&site.git_dir.join("modules")) || disk::exists(&site.files.join(".gitmodules")) {
        let listed = site.git.call(["ls-files", "-z", "--stage"]).run().await?;
        // Mode, object and stage, a tab, the path: 160000 is a submodule.
        paths.extend(listed.paths().filter_map(|line| {
            let bytes = line.as_os_str().as_encoded_bytes();
            let path = bytes.strip_prefix(b"160000 ")?.splitn(2, |&byte| byte == b'\t').nth(1)?;
            Some(without_slash(Path::new(std::ffi::OsStr::new(std::str::from_utf8(path).ok()?))))
        }));
    }
    paths.retain(|path| disk::exists(&site.files.join(path).join(".git")));
    Ok(paths)
}

/// The commit of a repository inside, brought into the outer one; none when its own remote has all of it.
async fn inner_commit(outer: &Site, path: &Path, label: &str, env: &Environment) -> Answer<Option<CommitId>> {
    let files = outer.files.join(path);
    let plain = Git::at(&files, env);
    let git_dir = PathBuf::from(plain.call(["rev-parse", "--absolute-git-dir"]).text().await?);
    let site = Site { git: plain.on(&git_dir, &files), git_dir: git_dir.clone(), files };
    let label = format!("{label} in {}", shown(path));
    let Some(sealed) = seal(&site, Extent::Repository, &label, env).await? else { return Ok(None) };
    bring(&site.git, &git_dir, &outer.git, &sealed.commit).await?;
    Ok(Some(sealed.commit))
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

/// Tips of branches and stashes that no remote has.
async fn only_here(site: &Site, snapshot: &Snapshot, about: &mut About) -> Answer<Vec<CommitId>> {
    let format = "--format=%(objectname) %(objecttype) %(refname)";
    let listed = site.git.call(["for-each-ref", format, "refs/heads", "refs/tags"]).text().await?;
    let mut tips: Vec<(CommitId, String)> = listed
        .lines()
        .filter_map(|line| {
            let mut parts = line.splitn(3, ' ');
            let (id, kind, name) = (parts.next()?, parts.next()?, parts.next()?);
            (kind == "commit").then(|| (CommitId::new(id), name.to_owned()))
        })
        .collect();
    let stashes = site.git.call(["rev-list", "--walk-reflogs", "refs/stash", "--"]).ask().await?;
    if stashes.code == 0 {
        tips.extend(stashes.line().lines().map(|id| (CommitId::new(id), "stash".to_owned())));
    }
    let mut found = Vec::new();
    for (tip, name) in tips {
        let call = site.git.call(["rev-list", "--max-count=1", tip.as_str()]).args(["--not", "--remotes"]);
        let call = snapshot.head.iter().filter(|head| **head != tip).fold(call, |call, head| call.arg(head.as_str()));
        if !call.text().await?.is_empty() {
            about.note(&format!("{name}: {tip}"));
            found.push(tip);
        }
    }
    Ok(found)
}

/// What a message says besides its first line.
#[derive(Debug, Default)]
struct About {
    notes: String,
}

impl About {
    fn note(&mut self, line: &str) {
        let _ = writeln!(self.notes, "{line}");
    }

    async fn message(mut self, site: &Site, snapshot: &Snapshot, label: &str) -> Answer<String> {
        let branch = snapshot.branch.as_deref().unwrap_or("no branch");
        let changed = match snapshot.changed {
            1 => "1 path differs".to_owned(),
            count => format!("{count} paths differ"),
        };
        self.note(&ignored(site).await?);
        Ok(format!("Rescue of {label} ({branch}): {changed}\n\n{}", self.notes))
    }
}

/// The ignored files, which are not kept: names and sizes.
async fn ignored(site: &Site) -> Answer<String> {
    let call = ["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"];
    let paths: Vec<PathBuf> = site.git.call(call).run().await?.paths().collect();
    if paths.is_empty() {
        return Ok(String::new());
    }
    let files = site.files.clone();
    let work = move || {
        let mut text = String::from("\nIgnored files, which were not kept:\n");
        for path in paths.iter().take(IGNORED) {
            let _ = writeln!(text, "{:>12} bytes  {}", disk::size(&files.join(path)), shown(path));
        }
        if paths.len() > IGNORED {
            let _ = writeln!(text, "and {} more", paths.len() - IGNORED);
        }
        text
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| Fault::unavailable("measuring ignored files was given up"))
}
