//! A forge whose checks pass but for `false`, whose candidates hold everything, and which moves nothing.

use ao_core::id::CommitId;
use ao_slots::Answer;
use ao_slots::scm::{Candidate, CandidatePlan, CheckPlan, CheckRan, Landing, PullRequestPlan, Repository, Scm};
use async_trait::async_trait;
use std::path::Path;

/// The one commit that the fakes know.
pub const COMMIT: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// The forge `local`.
pub struct FakeScm;

#[async_trait]
impl Scm for FakeScm {
    async fn look(&self, path: &Path) -> Answer<Repository> {
        Ok(Repository {
            root: path.to_owned(),
            branch: Some("main".to_owned()),
            head: Some(CommitId::new(COMMIT)),
            // A test that wants another one writes it there.
            default_branch: std::fs::read_to_string(path.join("default-branch")).unwrap_or_else(|_| "main".to_owned()),
            dirty: 0,
        })
    }

    async fn ensure_pull_request(&self, _plan: &PullRequestPlan) -> Answer<()> {
        Ok(())
    }

    async fn build_candidate(&self, plan: &CandidatePlan) -> Answer<Candidate> {
        Ok(Candidate {
            old: CommitId::new(COMMIT),
            tip: CommitId::new("b".repeat(40)),
            built: plan.heads.iter().map(|h| (h.pr.clone(), CommitId::new("b".repeat(40)))).collect(),
            conflicts: Vec::new(),
            later: Vec::new(),
            contained: Vec::new(),
        })
    }

    async fn land(&self, _repository: &Path, _target: &str, _old: &CommitId, _new: &CommitId) -> Answer<Landing> {
        Ok(Landing::Landed)
    }

    async fn target(&self, _repository: &Path, _target: &str) -> Answer<CommitId> {
        Ok(CommitId::new(COMMIT))
    }

    async fn scratch(&self, _repository: &Path, _dir: &Path, _commit: &CommitId) -> Answer<()> {
        Ok(())
    }

    async fn remove_scratch(&self, _repository: &Path, _dir: &Path) -> Answer<()> {
        Ok(())
    }

    async fn run_check(&self, plan: &CheckPlan) -> Answer<CheckRan> {
        let code = i32::from(plan.command == "false");
        Ok(CheckRan { code: Some(code), signal: None, timed_out: false, output: String::new() })
    }
}
