//! A picture of what a checkout holds, as a tree in the repository, made beside its index.
//!
//! Index, HEAD and files stay byte for byte as they were; nothing is committed here.

use super::prepare::without_slash;
use crate::disk;
use crate::disk::failed;
use crate::git::{Git, merging, status};
use ao_core::id::CommitId;
use ao_slots::Answer;
use std::ffi::OsString;
use std::fs::{self, File, FileTimes};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Reading every changed file of a large checkout through filters takes minutes at the worst.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// A checkout: its files, and the git directory that knows them.
#[derive(Clone, Debug)]
pub(super) struct Site {
    /// Git with both of them set.
    pub git: Git,
    /// The checkout's own git directory: HEAD, index, what is going on.
    pub git_dir: PathBuf,
    /// The files.
    pub files: PathBuf,
}

/// What a checkout holds.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    /// HEAD's commit; none before the first one.
    pub head: Option<CommitId>,
    /// The branch; none when HEAD is detached.
    pub branch: Option<String>,
    /// The tree of HEAD.
    pub head_tree: Option<String>,
    /// The tree of everything that is there and not ignored.
    pub tree: String,
    /// The tree of the index; none when it cannot be one, as in the middle of a conflict.
    pub index_tree: Option<String>,
    /// Commits that are being merged in.
    pub merging: Vec<CommitId>,
    /// Paths with a conflict that is not resolved.
    pub unmerged: Vec<PathBuf>,
    /// Paths that differ.
    pub changed: usize,
    /// Repositories inside that are no submodules; not in the tree.
    pub nested: Vec<PathBuf>,
    /// When HEAD was made, as `@SECONDS +0000`.
    pub date: String,
}

/// Takes the picture.
///
/// # Errors
/// When something cannot be read: nothing is left out silently.
pub(super) async fn take(site: &Site) -> Answer<Snapshot> {
    let status = status(&site.git).await?;
    let (head_tree, date) = match &status.head {
        Some(head) => {
            let (tree, date) = tree_and_date(&site.git, head).await?;
            (Some(tree), date)
        }
        None => (None, "@0 +0000".to_owned()),
    };
    let mut snapshot = Snapshot {
        tree: head_tree.clone().unwrap_or_default(),
        index_tree: head_tree.clone(),
        changed: status.changed.len() + status.unmerged.len() + status.untracked.len(),
        head_tree,
        merging: merging(&site.git_dir),
        nested: Vec::new(),
        date,
        head: status.head,
        branch: status.branch,
        unmerged: status.unmerged,
    };
    if snapshot.changed == 0 && snapshot.head.is_some() {
        return Ok(snapshot);
    }
    if status.untracked.iter().any(|path| path.as_os_str().as_encoded_bytes().ends_with(b"/")) {
        snapshot.nested = nested(site).await?;
    }
    let index = Index::beside(site, snapshot.head.as_ref()).await?;
    let written = index.call(site, ["write-tree"]).ask().await?;
    snapshot.index_tree = (written.code == 0).then(|| written.line());
    let excluded = snapshot.nested.iter().map(|path| {
        let mut spec = OsString::from(":(exclude,top,literal)");
        spec.push(path);
        spec
    });
    let add = ["-c", "core.safecrlf=false", "-c", "advice.addEmbeddedRepo=false", "add", "--all", "--", "."];
    index.call(site, add).args(excluded).limit(LIMIT).run().await?;
    snapshot.tree = index.call(site, ["write-tree"]).text().await?;
    Ok(snapshot)
}

/// The tree of a commit and its date.
pub(super) async fn tree_and_date(git: &Git, commit: &CommitId) -> Answer<(String, String)> {
    let line = git
        .call(["rev-list", "--max-count=1", "--no-commit-header", "--format=%T %ct"])
        .arg(commit.as_str())
        .text()
        .await?;
    let (tree, seconds) = line.split_once(' ').unwrap_or((&line, "0"));
    Ok((tree.to_owned(), format!("@{seconds} +0000")))
}

/// Repositories that lie in the checkout without being submodules: git lists each as one path with a slash.
async fn nested(site: &Site) -> Answer<Vec<PathBuf>> {
    let listed = site.git.call(["ls-files", "-z", "--others", "--exclude-standard"]).run().await?;
    let is_repository = |path: &PathBuf| path.as_os_str().as_encoded_bytes().ends_with(b"/");
    Ok(listed.paths().filter(is_repository).map(|path| without_slash(&path)).collect())
}

/// A copy of the index, deleted when it is dropped.
struct Index(PathBuf);

impl Index {
    async fn beside(site: &Site, head: Option<&CommitId>) -> Answer<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("ao-index-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let index = Self(site.git_dir.join(name));
        let real = site.git_dir.join("index");
        if !disk::exists(&real) {
            // Without one every tracked file that is ignored as well would be taken for deleted.
            if let Some(head) = head {
                index.call(site, ["read-tree"]).arg(head.as_str()).run().await?;
            }
            return Ok(index);
        }
        index.copy(&real).map_err(|error| failed(&index.0, &error))?;
        Ok(index)
    }

    /// The copy keeps the time of the original: git compares it with the files' times to know which ones it must read.
    fn copy(&self, real: &Path) -> std::io::Result<()> {
        let mut from = File::open(real)?;
        let modified = from.metadata()?.modified()?;
        let mut to = File::create(&self.0)?;
        std::io::copy(&mut from, &mut to)?;
        to.set_times(FileTimes::new().set_modified(modified))
    }

    fn call<'a, S: AsRef<std::ffi::OsStr>>(
        &self,
        site: &'a Site,
        arguments: impl IntoIterator<Item = S>,
    ) -> crate::git::Call<'a> {
        site.git.call(arguments).env("GIT_INDEX_FILE", &self.0)
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        // What cannot be deleted lies in the workspace's own git directory and goes with it.
        let _ = fs::remove_file(&self.0);
        let mut lock = self.0.clone().into_os_string();
        lock.push(".lock");
        let _ = fs::remove_file(PathBuf::from(lock));
    }
}

/// Commits a tree as `ao`, at a given time or now.
pub(super) async fn commit(
    git: &Git,
    tree: &str,
    parents: &[CommitId],
    message: &str,
    date: Option<&str>,
) -> Answer<CommitId> {
    let mut call = git.call(["commit-tree", tree, "-F", "-"]).own().stdin(message.as_bytes().to_vec());
    for (n, parent) in parents.iter().enumerate() {
        // Git refuses the same parent twice with a warning: said once is enough.
        if !parents.iter().take(n).any(|earlier| earlier == parent) {
            call = call.arg("-p").arg(parent.as_str());
        }
    }
    if let Some(date) = date {
        call = call.env("GIT_AUTHOR_DATE", date).env("GIT_COMMITTER_DATE", date);
    }
    Ok(CommitId::new(call.text().await?))
}
