//! Workspaces that are plain directories without git.

use super::scm::COMMIT;
use ao_core::effect::Inspection;
use ao_core::id::CommitId;
use ao_slots::workspace::{
    InspectPlan, Measured, PutBack, RemovePlan, Removed, Rescued, Workspace, WorkspacePlan, WorkspaceReady,
};
use ao_slots::{Answer, Fault};
use async_trait::async_trait;
use std::path::Path;

/// The workspace kind `worktree`.
pub struct FakeWorkspace;

#[async_trait]
impl Workspace for FakeWorkspace {
    async fn ensure(&self, plan: &WorkspacePlan) -> Answer<WorkspaceReady> {
        std::fs::create_dir_all(&plan.path).map_err(|e| Fault::unavailable(format!("{}: {e}", plan.path.display())))?;
        Ok(WorkspaceReady { base: CommitId::new(COMMIT), branch: plan.branch.clone(), put_back: None })
    }

    async fn inspect(&self, _plan: &InspectPlan) -> Answer<Inspection> {
        Ok(Inspection::Unchanged)
    }

    async fn remove(&self, plan: &RemovePlan) -> Answer<Removed> {
        match std::fs::remove_dir_all(&plan.path) {
            Ok(()) => Ok(Removed { rescue: Some(format!("refs/ao/rescue/{}", plan.session)), ..Removed::default() }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Removed::default()),
            Err(e) => Err(Fault::unavailable(format!("{}: {e}", plan.path.display()))),
        }
    }

    async fn measure(&self, _plan: &RemovePlan) -> Answer<Measured> {
        Ok(Measured { bytes: 1, changed: 0, ignored: Vec::new() })
    }

    async fn rescued(&self, _repository: &Path) -> Answer<Vec<Rescued>> {
        Ok(vec![Rescued {
            name: "refs/ao/rescue/old-1".to_owned(),
            commit: CommitId::new(COMMIT),
            at: 1,
            subject: "work of old-1".to_owned(),
        }])
    }

    async fn restore_rescued(&self, _repository: &Path, name: &str, to: &Path) -> Answer<PutBack> {
        std::fs::create_dir(to).map_err(|e| Fault::conflict(format!("{}: {e}", to.display())))?;
        let (name, branch) = (name.to_owned(), "rescue/old-1".to_owned());
        Ok(PutBack { name, branch, complete: true, left_out: Vec::new() })
    }

    async fn show_rescued(&self, _repository: &Path, name: &str) -> Answer<String> {
        Ok(format!("what was kept as {name}"))
    }

    async fn drop_rescued(&self, _repository: &Path, _name: &str, _commit: &CommitId) -> Answer<()> {
        Ok(())
    }
}
