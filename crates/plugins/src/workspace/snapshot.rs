//! A picture of what a checkout holds, as a tree in the repository, made beside its index.
//!
//! Index, HEAD and files stay byte for byte as they were; nothing is committed here.

use super::entries::{self, Entry, Watch};
use super::names::without_slash;
use crate::disk;
use crate::disk::failed;
use crate::git::{Git, Said, Status, merging, status};
use ao_core::id::CommitId;
use ao_slots::Answer;
use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File, FileTimes};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
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

/// How much goes away with the checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// Only the files: branches and stashes are in a repository that stays.
    Checkout,
    /// The whole repository.
    Repository,
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
    /// The tree of the index, paths in conflict left out.
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

/// What a checkout holds, what git would not look at included.
pub(super) struct Whole {
    pub snapshot: Snapshot,
    /// The index as it was.
    pub entries: Vec<Entry>,
    /// Files that git would have to read to know them: changed, touched, or new.
    pub unread: Vec<PathBuf>,
    /// An index with all of the tree.
    pub index: Index,
    /// Filters or encodings refused a file: the unread ones are in the tree byte for byte, unfiltered.
    pub unfiltered: bool,
}

/// Takes the picture of what git would commit.
///
/// # Errors
/// When something cannot be read: nothing is left out silently.
pub(super) async fn take(site: &Site) -> Answer<Snapshot> {
    let status = status(&site.git).await?;
    let mut snapshot = begin(site, status.clone()).await?;
    if snapshot.changed == 0 && snapshot.head.is_some() {
        return Ok(snapshot);
    }
    let index = Index::beside(site).await?;
    let added = finish(&mut snapshot, &index, &status).await?;
    if added.code != 0 {
        return Err(added.fault());
    }
    snapshot.tree = index.git.call(["write-tree"]).text().await?;
    Ok(snapshot)
}

/// Takes the picture of everything: files that git was told not to look at as well.
///
/// # Errors
/// When something cannot be read: nothing is left out silently.
pub(super) async fn take_whole(site: &Site) -> Answer<Whole> {
    let index = Index::beside(site).await?;
    let entries = entries::list(&index.git).await?;
    let is_hidden = |entry: &&Entry| match entry.watch {
        Watch::Watched => false,
        Watch::Assumed => true,
        Watch::LeftOut => disk::exists(&site.files.join(&entry.path)),
    };
    let hidden: Vec<&Entry> = entries.iter().filter(is_hidden).collect();
    if !hidden.is_empty() {
        // The same lines once more have no marks, and no times that would spare reading the files.
        let call = ["-c", "core.ignoreStat=false", "update-index", "-z", "--index-info"];
        index.git.call(call).stdin(entries::index_info(hidden)).run().await?;
    }
    let status = status(&index.git).await?;
    let mut unread: Vec<PathBuf> =
        index.git.call(["diff-files", "-z", "--name-only", "--ignore-submodules=all"]).run().await?.paths().collect();
    let untracked = index.git.call(["ls-files", "-z", "--others", "--exclude-standard"]).run().await?;
    unread.extend(untracked.paths());
    let mut snapshot = begin(site, status.clone()).await?;
    let unmerged = entries.iter().any(|entry| entry.stage > 0);
    let mut unfiltered = false;
    if snapshot.changed > 0 || snapshot.head.is_none() || unmerged {
        unfiltered = finish(&mut snapshot, &index, &status).await?.code != 0;
        if unfiltered {
            add_unfiltered(site, &index, &entries, &unread).await?;
        }
        snapshot.tree = index.git.call(["write-tree"]).text().await?;
    }
    if unmerged {
        snapshot.index_tree = Some(staged_beside_conflicts(site, &entries).await?);
    }
    Ok(Whole { snapshot, entries, unread, index, unfiltered })
}

/// Adds files as they are, one by one: what a filter fails on, or an encoding does not fit, is kept all the same.
async fn add_unfiltered(site: &Site, index: &Index, entries: &[Entry], unread: &[PathBuf]) -> Answer<()> {
    let line = |mode: &str, object: String, path: &Path| Entry {
        watch: Watch::Watched,
        mode: mode.to_owned(),
        object,
        stage: 0,
        path: path.to_owned(),
    };
    // One in conflict is like any other path: its sides are kept beside, and what lies there counts.
    let is_repository = |entry: &&Entry| entry.mode == "160000" && entry.stage == 0;
    let repositories: HashSet<&Path> = entries.iter().filter(is_repository).map(|entry| entry.path.as_path()).collect();
    let (mut files, mut modes, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    for path in unread.iter().filter(|path| !repositories.contains(path.as_path())) {
        match fs::symlink_metadata(site.files.join(path)) {
            Ok(about) if about.is_file() => {
                modes.push(if about.permissions().mode() & 0o100 == 0 { "100644" } else { "100755" });
                files.push(path.clone());
            }
            Ok(about) if about.is_symlink() => {
                let target = fs::read_link(site.files.join(path)).map_err(|error| failed(path, &error))?;
                let call = site.git.call(["hash-object", "-w", "--no-filters", "--stdin"]);
                let object = call.stdin(target.as_os_str().as_bytes().to_vec()).text().await?;
                lines.push(line("120000", object, path));
            }
            // A repository inside, or a directory in the place of a file: what is in it is listed for itself.
            Ok(_) if path.as_os_str().as_bytes().ends_with(b"/") => {}
            Ok(_) | Err(_) => lines.push(line("0", "0".repeat(40), path)),
        }
    }
    let objects = entries::objects(&site.git, &files, true).await?;
    // What goes makes room for what comes in its place.
    lines.sort_by_key(|line| line.mode != "0");
    lines.extend(files.iter().zip(modes).zip(objects).map(|((path, mode), object)| line(mode, object, path)));
    index.git.call(["update-index", "-z", "--index-info"]).stdin(entries::index_info(&lines)).run().await.map(drop)
}

/// The tree of what is staged, paths in conflict left out.
async fn staged_beside_conflicts(site: &Site, entries: &[Entry]) -> Answer<String> {
    let index = Index::beside(site).await?;
    let mut gone: Vec<Entry> = entries.iter().filter(|entry| entry.stage > 0).cloned().collect();
    for entry in &mut gone {
        "0".clone_into(&mut entry.mode);
        entry.object = "0".repeat(entry.object.len());
        entry.stage = 0;
    }
    index.git.call(["update-index", "-z", "--index-info"]).stdin(entries::index_info(&gone)).run().await?;
    index.git.call(["write-tree"]).text().await
}

/// What is known without reading a file.
async fn begin(site: &Site, status: Status) -> Answer<Snapshot> {
    let (head_tree, date) = match &status.head {
        Some(head) => {
            let (tree, date) = tree_and_date(&site.git, head).await?;
            (Some(tree), date)
        }
        None => (None, "@0 +0000".to_owned()),
    };
    Ok(Snapshot {
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
    })
}

/// Makes the tree of the index, then adds everything to the copied one; what git said to that.
async fn finish(snapshot: &mut Snapshot, index: &Index, status: &Status) -> Answer<Said> {
    if status.untracked.iter().any(|path| path.as_os_str().as_encoded_bytes().ends_with(b"/")) {
        snapshot.nested = nested(&index.git).await?;
    }
    let written = index.git.call(["write-tree"]).ask().await?;
    snapshot.index_tree = match written.code {
        0 => Some(written.line()),
        _ if !snapshot.unmerged.is_empty() => None,
        _ => return Err(written.fault()),
    };
    let excluded = snapshot.nested.iter().map(|path| {
        let mut spec = OsString::from(":(exclude,top,literal)");
        spec.push(path);
        spec
    });
    // Sparse: what an agent wrote outside the part that is checked out is there as well.
    let add =
        ["-c", "core.safecrlf=false", "-c", "advice.addEmbeddedRepo=false", "add", "--all", "--sparse", "--", "."];
    index.git.call(add).args(excluded).limit(LIMIT).ask().await
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
async fn nested(git: &Git) -> Answer<Vec<PathBuf>> {
    let listed = git.call(["ls-files", "-z", "--others", "--exclude-standard"]).run().await?;
    let is_repository = |path: &PathBuf| path.as_os_str().as_encoded_bytes().ends_with(b"/");
    Ok(listed.paths().filter(is_repository).map(|path| without_slash(&path)).collect())
}

/// A tree with these files and no others.
pub(super) async fn tree(site: &Site, files: &[Entry]) -> Answer<String> {
    let index = Index::empty(site);
    index.git.call(["update-index", "-z", "--index-info"]).stdin(entries::index_info(files)).run().await?;
    index.git.call(["write-tree"]).text().await
}

/// A place of our own in a git directory.
pub(super) fn draft(site: &Site, name: &str) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    site.git_dir.join(format!("ao-{name}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)))
}

/// A copy of the index, deleted when it is dropped.
pub(super) struct Index {
    file: PathBuf,
    /// Git with this index.
    pub git: Git,
}

impl Index {
    /// One without entries.
    pub(super) fn empty(site: &Site) -> Self {
        let file = draft(site, "index");
        Self { git: site.git.clone().with("GIT_INDEX_FILE", &file), file }
    }

    pub(super) async fn beside(site: &Site) -> Answer<Self> {
        let index = Self::empty(site);
        let real = site.git_dir.join("index");
        if !disk::exists(&real) {
            // Without one every tracked file that is ignored as well would be taken for deleted.
            if let Some(head) = site.git.commit("HEAD").await? {
                index.git.call(["read-tree"]).arg(head.as_str()).run().await?;
            }
            return Ok(index);
        }
        index.copy(&real).map_err(|error| failed(&index.file, &error))?;
        Ok(index)
    }

    /// The copy keeps the time of the original: git compares it with the files' times to know which ones it must read.
    fn copy(&self, real: &Path) -> std::io::Result<()> {
        let mut from = File::open(real)?;
        let modified = from.metadata()?.modified()?;
        let mut to = File::create(&self.file)?;
        std::io::copy(&mut from, &mut to)?;
        to.set_times(FileTimes::new().set_modified(modified))
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        // What cannot be deleted lies in the workspace's own git directory and goes with it.
        let _ = fs::remove_file(&self.file);
        let mut lock = self.file.clone().into_os_string();
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
