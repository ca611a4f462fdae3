//! Slot `scm`: pull requests, checks and merging, whatever the forge.

use crate::Answer;
use ao_core::effect::CandidateHead;
use ao_core::id::{CommitId, PrId};
use ao_core::project::MergeStrategy;
use async_trait::async_trait;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A candidate that is wanted.
#[derive(Clone, Debug)]
pub struct CandidatePlan {
    /// The repository's main checkout.
    pub repository: PathBuf,
    /// The branch to land on.
    pub target: String,
    /// What it holds, in order.
    pub heads: Vec<CandidateHead>,
    /// How branches become commits.
    pub strategy: MergeStrategy,
    /// Name of the ref that keeps the candidate: `refs/ao/candidate/{batch}`.
    pub keep: String,
}

/// A candidate that was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The target's value that it was built on.
    pub old: CommitId,
    /// Its tip; `old` when nothing could be added.
    pub tip: CommitId,
    /// The commit of each pull request that is in it, in order.
    pub built: Vec<(PrId, CommitId)>,
    /// Those that conflict with the target itself, with the paths.
    pub conflicts: Vec<(PrId, Vec<String>)>,
    /// Those that conflict only with others that are ahead of them.
    pub later: Vec<PrId>,
    /// Those whose change the target already has.
    pub contained: Vec<PrId>,
}

/// What became of a landing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Landing {
    /// The target has the new value (or had it already).
    Landed,
    /// The target had another value.
    Lost {
        /// The value it has.
        actual: CommitId,
    },
    /// It is checked out in a worktree that may not be touched.
    Blocked {
        /// Why, naming the worktree.
        why: String,
    },
}

/// A check that is to run.
#[derive(Clone, Debug)]
pub struct CheckPlan {
    /// Directory it runs in.
    pub dir: PathBuf,
    /// The command, for `sh -c`.
    pub command: String,
    /// How long it may take.
    pub limit: Duration,
    /// Where its whole output goes (mode 0600, at most [`MAX_CHECK_OUTPUT`] bytes, the middle left out beyond that).
    pub log: PathBuf,
    /// Its complete environment.
    pub env: std::collections::BTreeMap<String, String>,
}

/// A check that ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckRan {
    /// Exit code; none when a signal or the limit ended it.
    pub code: Option<i32>,
    /// The signal.
    pub signal: Option<i32>,
    /// The limit ended it.
    pub timed_out: bool,
    /// Standard output and error as they came, at most [`MAX_CHECK_OUTPUT`] bytes.
    pub output: String,
}

/// A check that floods is cut to this many bytes, half from its start and half from its end: more than any recorded test
/// suite prints, and little enough for memory.
pub const MAX_CHECK_OUTPUT: usize = 4 * 1024 * 1024;

/// The slot's interface.
#[async_trait]
pub trait Scm: Send + Sync {
    /// Looks at the repository that `path` lies in.
    async fn look(&self, path: &Path) -> Answer<Repository>;
    /// Makes sure that the pull request is open with this head. `local` keeps `refs/ao/pull/{number}/head`.
    async fn ensure_pull_request(&self, plan: &PullRequestPlan) -> Answer<()>;
    /// Builds a candidate without touching any checkout.
    async fn build_candidate(&self, plan: &CandidatePlan) -> Answer<Candidate>;
    /// Moves the target from `old` to `new`, both being known commits, `old` an ancestor of `new`.
    async fn land(&self, repository: &Path, target: &str, old: &CommitId, new: &CommitId) -> Answer<Landing>;
    /// The target's commit.
    async fn target(&self, repository: &Path, target: &str) -> Answer<CommitId>;
    /// Makes sure that `dir` is a scratch checkout of `commit`, without files of an earlier one that git does not ignore.
    async fn scratch(&self, repository: &Path, dir: &Path, commit: &CommitId) -> Answer<()>;
    /// Removes a scratch checkout.
    async fn remove_scratch(&self, repository: &Path, dir: &Path) -> Answer<()>;
    /// Runs a check, ending its whole process tree when it is over.
    async fn run_check(&self, plan: &CheckPlan) -> Answer<CheckRan>;
}

/// A repository as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// Top directory of the main checkout, also when asked from inside a linked worktree.
    pub root: PathBuf,
    /// The branch that is checked out in the main checkout; none when HEAD is detached.
    pub branch: Option<String>,
    /// HEAD's commit; none in a repository without commits.
    pub head: Option<CommitId>,
    /// The branch that work lands on when nobody says otherwise: the remote's default, else `main`, `master`, or the one
    /// that is checked out.
    pub default_branch: String,
    /// Paths that differ from HEAD in the main checkout, untracked ones included.
    pub dirty: u32,
}

/// A pull request that is wanted.
#[derive(Clone, Debug)]
pub struct PullRequestPlan {
    /// The repository's main checkout.
    pub repository: PathBuf,
    /// Its number.
    pub number: u32,
    /// Its head.
    pub head: CommitId,
    /// Title.
    pub title: String,
    /// Branch.
    pub branch: String,
    /// Branch to land on.
    pub target: String,
}
