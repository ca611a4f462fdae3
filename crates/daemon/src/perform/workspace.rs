//! Performs what concerns workspaces.

use crate::engine::Engine;
use crate::paths::Paths;
use ao_core::effect::Outcome;
use ao_core::id::{CommitId, SessionId};
use ao_core::kind::Fault;
use ao_core::project::Project;
use ao_core::session::Session;
use ao_slots::workspace::{InspectPlan, RemovePlan, WorkspacePlan};
use std::path::PathBuf;
use std::time::Duration;

/// A command of `postCreate` may take this long: installing dependencies takes minutes, a hung prompt for ever.
const POST_CREATE_LIMIT: Duration = Duration::from_secs(15 * 60);

/// A session with its project, as they are now.
pub(super) fn look_up(engine: &Engine, id: &SessionId) -> Result<(Project, Session), Fault> {
    engine.read(|committed| {
        let session = committed.facts.sessions.get(id);
        let project = session.and_then(|s| committed.facts.projects.get(&s.project));
        match (project, session) {
            (Some(project), Some(session)) => Ok((project.clone(), session.clone())),
            (None, _) | (_, None) => Err(Fault::not_found(format!("there is no session {id}"))),
        }
    })
}

/// The branch that a session's work lands on.
pub(super) fn target(engine: &Engine, project: &Project, session: &Session) -> String {
    let of_run = engine.read(|c| session.run.as_ref().and_then(|r| c.facts.runs.get(r)).map(|r| r.target.clone()));
    of_run.unwrap_or_else(|| project.settings.default_branch.clone())
}

pub(super) async fn ensure(engine: &Engine, id: &SessionId, base: Option<&CommitId>) -> Result<Outcome, Fault> {
    let (project, session) = look_up(engine, id)?;
    let target = target(engine, &project, &session);
    let path = session.workspace_path.as_ref().map_or_else(|| Paths::workspace(&project, id), PathBuf::from);
    let plan = WorkspacePlan {
        session: id.clone(),
        repository: PathBuf::from(&project.path),
        path: path.clone(),
        branch: session.branch.clone(),
        base: base.cloned(),
        target,
        rescued: None,
        symlinks: project.settings.symlinks.clone(),
        post_create: project.settings.post_create.clone(),
        post_create_limit: POST_CREATE_LIMIT,
    };
    let ready = engine.registry().workspace(&session.workspace)?.ensure(&plan).await?;
    Ok(Outcome::WorkspaceReady { path: path.display().to_string(), base: ready.base, branch: ready.branch })
}

pub(super) async fn inspect(engine: &Engine, id: &SessionId) -> Result<Outcome, Fault> {
    let (project, session) = look_up(engine, id)?;
    let target = target(engine, &project, &session);
    let Some(path) = session.workspace_path.clone() else {
        return Ok(Outcome::Inspected { found: ao_core::effect::Inspection::Missing });
    };
    let base = session.base.clone().ok_or_else(|| Fault::conflict(format!("session {id} has no base commit")))?;
    let plan = InspectPlan {
        session: id.clone(),
        repository: PathBuf::from(&project.path),
        path: PathBuf::from(path),
        branch: session.branch.clone(),
        base,
        target,
        keep: format!("refs/ao/work/{id}"),
    };
    let found = engine.registry().workspace(&session.workspace)?.inspect(&plan).await?;
    Ok(Outcome::Inspected { found })
}

pub(super) async fn remove(engine: &Engine, id: &SessionId) -> Result<Outcome, Fault> {
    let (project, session) = look_up(engine, id)?;
    let Some(path) = session.workspace_path.clone() else {
        return Ok(Outcome::WorkspaceRemoved { rescue: session.rescue });
    };
    let plan = RemovePlan {
        session: id.clone(),
        repository: PathBuf::from(&project.path),
        path: PathBuf::from(path),
        branch: session.branch.clone(),
    };
    let removed = engine.registry().workspace(&session.workspace)?.remove(&plan).await?;
    Ok(Outcome::WorkspaceRemoved { rescue: removed.rescue })
}
