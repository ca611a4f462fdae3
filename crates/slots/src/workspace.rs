//! Slot `workspace`: each session's own copy of the repository. Nothing a user wrote is ever lost here.

use crate::Answer;
use ao_core::effect::Inspection;
use ao_core::id::{CommitId, SessionId};
use ao_core::workspace::Dependency;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A workspace that is wanted.
#[derive(Clone, Debug)]
pub struct WorkspacePlan {
    /// For which session.
    pub session: SessionId,
    /// The repository's main checkout.
    pub repository: PathBuf,
    /// Where it goes; the parent exists or is created.
    pub path: PathBuf,
    /// Its branch.
    pub branch: String,
    /// The commit to start from; the target's tip when absent.
    pub base: Option<CommitId>,
    /// The branch that work lands on.
    pub target: String,
    /// Relative paths linked from the main checkout; absolute ones and `..` are refused.
    pub symlinks: Vec<String>,
    /// Patterns, as in `.gitignore`, of ignored files that are copied from the main checkout.
    pub include: Vec<String>,
    /// Relative paths of files that are copied from the main checkout; they stay out of what is committed.
    pub env_files: Vec<String>,
    /// Folders that git does not hold, by relative path, and how they come in.
    pub dependencies: BTreeMap<String, Dependency>,
    /// The rescue ref of this session whose content belongs into it, if it is made now.
    pub rescued: Option<String>,
    /// Commands to run in it, already trusted.
    pub post_create: Vec<String>,
    /// How long each of them may take.
    pub post_create_limit: Duration,
    /// Variables that they get besides the usual ones.
    pub post_create_env: BTreeMap<String, String>,
    /// Where all that they print is kept.
    pub log: Option<PathBuf>,
}

/// A workspace that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceReady {
    /// The commit that it started from.
    pub base: CommitId,
    /// The branch that it is on.
    pub branch: String,
    /// What became of [`WorkspacePlan::rescued`], when this call made the workspace.
    pub put_back: Option<PutBack>,
}

/// Rescued work that was put back, or could not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutBack {
    /// The rescue ref.
    pub name: String,
    /// The branch it is on now.
    pub branch: String,
    /// Files and index are as they were; otherwise nothing was touched.
    pub complete: bool,
    /// What is not as it was, and where it is: one phrase each.
    pub left_out: Vec<String>,
}

/// What a removal left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// The rescue ref, when there was something to save.
    pub rescue: Option<String>,
    /// What git ignores, which went with it: paths, whole directories as one, and their bytes; the largest first.
    pub ignored: Vec<(String, u64)>,
}

impl Removed {
    /// Together with what an earlier removal did, which was stopped.
    #[must_use]
    pub fn after(mut self, earlier: Self) -> Self {
        self.rescue = self.rescue.or(earlier.rescue);
        self.ignored.extend(earlier.ignored);
        self
    }
}

/// What a workspace holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// Bytes of all its files.
    pub bytes: u64,
    /// Paths that differ from the last commit.
    pub changed: u64,
    /// What git ignores there, as in [`Removed::ignored`].
    pub ignored: Vec<(String, u64)>,
}

/// What to look at, and against what.
#[derive(Clone, Debug)]
pub struct InspectPlan {
    /// For which session.
    pub session: SessionId,
    /// The repository's main checkout.
    pub repository: PathBuf,
    /// The workspace.
    pub path: PathBuf,
    /// Its branch.
    pub branch: String,
    /// The commit it started from.
    pub base: CommitId,
    /// The branch that work lands on.
    pub target: String,
    /// Name of the ref that keeps the snapshot: `refs/ao/work/{session}`.
    pub keep: String,
}

/// What to remove.
#[derive(Clone, Debug)]
pub struct RemovePlan {
    /// For which session.
    pub session: SessionId,
    /// The repository's main checkout.
    pub repository: PathBuf,
    /// The workspace.
    pub path: PathBuf,
    /// Its branch.
    pub branch: String,
}

/// Work that was kept when its workspace was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rescued {
    /// The ref, `refs/ao/rescue/{session}` or with a number when there are several.
    pub name: String,
    /// Its commit.
    pub commit: CommitId,
    /// When it was made, Unix seconds.
    pub at: i64,
    /// What it holds, in words.
    pub subject: String,
}

/// The slot's interface.
#[async_trait]
pub trait Workspace: Send + Sync {
    /// Makes sure that the workspace is there; a second call finds the first one's work.
    async fn ensure(&self, plan: &WorkspacePlan) -> Answer<WorkspaceReady>;
    /// Looks at what it holds, and keeps that as a commit without touching index, HEAD or files.
    async fn inspect(&self, plan: &InspectPlan) -> Answer<Inspection>;
    /// Saves what is in it, then removes it. A directory that is already gone is not an error. Refused as a conflict while
    /// a process works in it.
    async fn remove(&self, plan: &RemovePlan) -> Answer<Removed>;
    /// What a removal would meet: read only. One that is not there holds nothing.
    async fn measure(&self, plan: &RemovePlan) -> Answer<Measured>;
    /// Bytes that all rescued work of a session takes in a repository and that no branch, tag or remote holds as well; none
    /// when that cannot be measured.
    async fn rescued_bytes(&self, _repository: &Path, _session: &SessionId) -> Answer<Option<u64>> {
        Ok(None)
    }
    /// Lists what was kept in a repository.
    async fn rescued(&self, repository: &Path) -> Answer<Vec<Rescued>>;
    /// Puts what was kept under `name` into a new directory `to`, on a new branch named after it.
    async fn restore_rescued(&self, repository: &Path, name: &str, to: &Path) -> Answer<PutBack>;
    /// What was kept under `name`, in words: its message, and what differs from the commit that it stood on.
    async fn show_rescued(&self, repository: &Path, name: &str) -> Answer<String>;
    /// Forgets what was kept under `name`, if it still is `commit`. Git deletes it when it cleans up.
    async fn drop_rescued(&self, repository: &Path, name: &str, commit: &CommitId) -> Answer<()>;
}
