//! Workspaces that are plain directories without git.

use super::scm::COMMIT;
use ao_core::effect::Inspection;
use ao_core::id::CommitId;
use ao_slots::workspace::{InspectPlan, RemovePlan, Rescued, Workspace, WorkspacePlan, WorkspaceReady};
use ao_slots::{Answer, Fault};
use async_trait::async_trait;
use std::path::Path;

/// The workspace kind `worktree`.
pub struct FakeWorkspace;

#[async_trait]
impl Workspace for FakeWorkspace {
    async fn ensure(&self, plan: &WorkspacePlan) -> Answer<WorkspaceReady> {
        std::fs::create_dir_all(&plan.path).map_err(|e| Fault::unavailable(format!("{}: {e}", plan.path.display())))?;
        Ok(WorkspaceReady { base: CommitId::new(COMMIT), branch: plan.branch.clone() })
    }

    async fn inspect(&self, _plan: &InspectPlan) -> Answer<Inspection> {
        Ok(Inspection::Unchanged)
    }

    async fn remove(&self, plan: &RemovePlan) -> Answer<Option<String>> {
        match std::fs::remove_dir_all(&plan.path) {
            Ok(()) => Ok(Some(format!("refs/ao/rescue/{}", plan.session))),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Fault::unavailable(format!("{}: {e}", plan.path.display()))),
        }
    }

    async fn rescued(&self, _repository: &Path) -> Answer<Vec<Rescued>> {
        Ok(vec![Rescued {
            name: "refs/ao/rescue/old-1".to_owned(),
            commit: CommitId::new(COMMIT),
            at: 1,
            subject: "work of old-1".to_owned(),
        }])
    }

    async fn restore_rescued(&self, _repository: &Path, _name: &str, to: &Path) -> Answer<String> {
        std::fs::create_dir(to).map_err(|e| Fault::conflict(format!("{}: {e}", to.display())))?;
        Ok("rescue/old-1".to_owned())
    }
}
