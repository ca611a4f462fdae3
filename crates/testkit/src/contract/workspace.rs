//! What every workspace plugin must keep.
//!
//! `make` gives an implementation for a repository; with a number it stops before that step, as if the daemon were killed.

pub mod ensure;
pub mod inspect;
pub mod outfit;
pub mod recovery;
pub mod remove;
pub mod states;

use super::repo::Repo;
use ao_core::id::SessionId;
use ao_slots::workspace::{InspectPlan, RemovePlan, Workspace, WorkspacePlan, WorkspaceReady};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Makes an implementation; with a number it stops before that step.
pub type Make<'a> = &'a (dyn Fn(&Repo, Option<usize>) -> Arc<dyn Workspace> + Sync);

/// Where the session's workspace is.
#[must_use]
pub fn place(repo: &Repo) -> PathBuf {
    repo.place("data/worktrees/app-1")
}

/// The plan of session `app-1`.
#[must_use]
pub fn plan(repo: &Repo) -> WorkspacePlan {
    WorkspacePlan {
        session: SessionId::new("app-1"),
        repository: repo.path.clone(),
        path: place(repo),
        branch: "feat/x".to_owned(),
        base: None,
        target: "main".to_owned(),
        symlinks: Vec::new(),
        include: Vec::new(),
        env_files: Vec::new(),
        dependencies: BTreeMap::new(),
        rescued: None,
        post_create: Vec::new(),
        post_create_limit: Duration::from_secs(60),
        post_create_env: BTreeMap::new(),
        log: None,
    }
}

/// What to look at after [`plan`].
#[must_use]
pub fn inspection(repo: &Repo, ready: &WorkspaceReady) -> InspectPlan {
    InspectPlan {
        session: SessionId::new("app-1"),
        repository: repo.path.clone(),
        path: place(repo),
        branch: "feat/x".to_owned(),
        base: ready.base.clone(),
        target: "main".to_owned(),
        keep: "refs/ao/work/app-1".to_owned(),
    }
}

/// What to remove after [`plan`].
#[must_use]
pub fn removal(repo: &Repo) -> RemovePlan {
    RemovePlan {
        session: SessionId::new("app-1"),
        repository: repo.path.clone(),
        path: place(repo),
        branch: "feat/x".to_owned(),
    }
}

/// A workspace that was made, with its implementation.
pub struct Bench {
    /// The repository.
    pub repo: Repo,
    /// The implementation.
    pub workspace: Arc<dyn Workspace>,
    /// What it answered.
    pub ready: WorkspaceReady,
    /// Where it is.
    pub dir: PathBuf,
}

/// Makes the workspace of [`plan`] in a fresh repository.
pub async fn bench(make: Make<'_>) -> Bench {
    bench_in(Repo::new(), make).await
}

/// Makes the workspace of [`plan`].
pub async fn bench_in(repo: Repo, make: Make<'_>) -> Bench {
    let workspace = make(&repo, None);
    let ready = workspace.ensure(&plan(&repo)).await.expect("a plain plan can be carried out");
    let dir = place(&repo);
    Bench { repo, workspace, ready, dir }
}

/// Nothing of a removal or a making is left beside a workspace.
pub fn assert_nothing_beside(dir: &Path) {
    let parent = dir.parent().expect("a workspace has a parent");
    let left: Vec<_> = std::fs::read_dir(parent)
        .expect("the parent stays")
        .flatten()
        .map(|entry| entry.file_name())
        .filter(|name| Some(name.as_os_str()) != dir.file_name())
        .collect();
    assert!(left.is_empty(), "{left:?} is left");
}
