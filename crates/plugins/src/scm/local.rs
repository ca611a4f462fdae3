//! `local`, the forge without a server: refs are pull requests, commands are checks, a compare-and-swap is the merge.
//!
//! Candidates are built from objects alone; the only checkout that is ever touched is a clean one of the target.

mod candidate;
mod check;
mod land;
mod merge;
mod replay;
mod scratch;
mod target;

use crate::exec::Environment;
use crate::git::{Git, facts, head_branch};
use crate::steps::Steps;
use ao_core::id::CommitId;
use ao_slots::scm::{Candidate, CandidatePlan, CheckPlan, CheckRan, Landing, PullRequestPlan, Repository, Scm};
use ao_slots::{Answer, Fault};
use async_trait::async_trait;
use std::path::Path;

/// The forge without a server.
#[derive(Clone, Debug)]
pub struct Local {
    env: Environment,
    steps: Steps,
}

impl Local {
    /// With this environment for git.
    #[must_use]
    pub fn new(env: Environment) -> Self {
        Self { env, steps: Steps::all() }
    }

    /// The same, stopped before some step: for tests of recovery.
    #[must_use]
    pub fn stopping(env: Environment, steps: Steps) -> Self {
        Self { env, steps }
    }
}

#[async_trait]
impl Scm for Local {
    async fn look(&self, path: &Path) -> Answer<Repository> {
        let facts = facts(path, &self.env).await?;
        Ok(Repository {
            root: facts.root,
            branch: match facts.head {
                crate::git::Head::Branch(name) | crate::git::Head::Unborn(name) => Some(name),
                crate::git::Head::Detached(_) => None,
            },
            head: facts.commit,
            default_branch: facts.default_branch,
            dirty: u32::try_from(facts.dirty.len()).unwrap_or(u32::MAX),
        })
    }

    async fn ensure_pull_request(&self, plan: &PullRequestPlan) -> Answer<()> {
        let git = Git::at(&plan.repository, &self.env);
        let Some(head) = git.commit(plan.head.as_str()).await? else {
            return Err(Fault::not_found(format!("there is no commit {}", plan.head)));
        };
        let name = format!("refs/ao/pull/{}/head", plan.number);
        git.call(["update-ref", &name, head.as_str()]).run().await.map(drop)
    }

    async fn build_candidate(&self, plan: &CandidatePlan) -> Answer<Candidate> {
        candidate::build(plan, &self.env).await
    }

    async fn land(&self, repository: &Path, target: &str, old: &CommitId, new: &CommitId) -> Answer<Landing> {
        land::land(&Git::at(repository, &self.env), target, old, new, &self.steps).await
    }

    async fn target(&self, repository: &Path, target: &str) -> Answer<CommitId> {
        let git = Git::at(repository, &self.env);
        // Nobody named one: it is the branch that the checkout is on.
        let branch = if target.is_empty() { head_branch(&git).await? } else { target.to_owned() };
        target::tip(&git, &branch).await
    }

    async fn scratch(&self, repository: &Path, dir: &Path, commit: &CommitId) -> Answer<()> {
        scratch::ensure(&Git::at(repository, &self.env), dir, commit, &self.env).await
    }

    async fn remove_scratch(&self, repository: &Path, dir: &Path) -> Answer<()> {
        scratch::remove(&Git::at(repository, &self.env), dir).await
    }

    async fn run_check(&self, plan: &CheckPlan) -> Answer<CheckRan> {
        check::run(plan).await
    }
}
