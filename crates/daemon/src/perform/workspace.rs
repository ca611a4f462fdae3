//! Performs what concerns workspaces.

use super::lookup::look_up;
use super::ports;
use crate::engine::Engine;
use crate::paths::Paths;
use ao_core::effect::{Effect, Outcome};
use ao_core::id::{CommitId, SessionId};
use ao_core::kind::Fault;
use ao_core::project::Project;
use ao_core::session::Session;
use ao_core::workspace::{Ignored, PutBack};
use ao_slots::workspace::{InspectPlan, RemovePlan, Workspace, WorkspacePlan};
use std::path::PathBuf;
use std::time::Duration;

/// The branch that a session's work lands on.
pub(super) fn target(engine: &Engine, project: &Project, session: &Session) -> String {
    let of_run = engine.read(|c| session.run.as_ref().and_then(|r| c.facts.runs.get(r)).map(|r| r.target.clone()));
    of_run.unwrap_or_else(|| project.settings.default_branch.clone())
}

/// Where a session's workspace is to be.
fn place(project: &Project, id: &SessionId) -> PathBuf {
    let Some(dir) = &project.settings.workspaces.dir else { return Paths::workspace(project, id) };
    let home = std::env::var_os("HOME").map(PathBuf::from);
    match (dir.strip_prefix("~/"), home) {
        (Some(below), Some(home)) => home.join(below),
        // A relative one starts at the repository; an absolute one stays as it is.
        _ => PathBuf::from(&project.path).join(dir),
    }
    .join(id.as_str())
}

pub(super) async fn ensure(engine: &Engine, id: &SessionId, base: Option<&CommitId>) -> Result<Outcome, Fault> {
    ports::settle(engine, id).await?;
    let (project, session) = look_up(engine, id)?;
    let target = target(engine, &project, &session);
    let wanted = &project.settings.workspaces;
    let path = session.workspace_path.as_ref().map_or_else(|| place(&project, id), PathBuf::from);
    let plan = WorkspacePlan {
        session: id.clone(),
        repository: PathBuf::from(&project.path),
        path: path.clone(),
        branch: session.branch.clone(),
        base: base.cloned(),
        target,
        // What was rescued belongs into a workspace that is made anew, not into one that is there.
        rescued: session.workspace_path.is_none().then(|| session.rescue.clone()).flatten(),
        symlinks: project.settings.symlinks.clone(),
        include: wanted.include.clone(),
        env_files: wanted.env_files.clone(),
        dependencies: wanted.dependencies.clone(),
        post_create: project.settings.post_create.clone(),
        post_create_limit: Duration::from_millis(wanted.post_create_timeout.0),
        post_create_env: ports::told(&session),
        log: Some(Paths::session_dir(&project, id).join("post-create.log")),
    };
    let workspace = engine.registry().workspace(&session.workspace)?;
    let ready = match workspace.ensure(&plan).await {
        Ok(ready) => ready,
        // It will not be tried again: what was half made goes, and what is in it is kept.
        Err(fault) if session.workspace_path.is_none() && !fault.kind.may_pass() => {
            undo(&plan, workspace.as_ref()).await;
            return Err(fault);
        }
        Err(fault) => return Err(fault),
    };
    let put_back =
        ready.put_back.map(|back| PutBack { name: back.name, complete: back.complete, left_out: back.left_out });
    Ok(Outcome::WorkspaceReady { path: path.display().to_string(), base: ready.base, branch: ready.branch, put_back })
}

/// Removes a workspace that could not be finished. What is not ours is left alone by the plugin.
async fn undo(plan: &WorkspacePlan, workspace: &dyn Workspace) {
    let removal = RemovePlan {
        session: plan.session.clone(),
        repository: plan.repository.clone(),
        path: plan.path.clone(),
        branch: plan.branch.clone(),
    };
    if let Err(fault) = workspace.remove(&removal).await {
        tracing::info!(session = %plan.session, fault = %fault, "a workspace that could not be finished was left");
    }
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
        return Ok(Outcome::WorkspaceRemoved { rescue: session.rescue, ignored: session.belongings.ignored });
    };
    let plan = RemovePlan {
        session: id.clone(),
        repository: PathBuf::from(&project.path),
        path: PathBuf::from(path),
        branch: session.branch.clone(),
    };
    let plugin = engine.registry().workspace(&session.workspace)?;
    let mut removed = plugin.remove(&plan).await?;
    if removed.rescue.is_none() {
        removed.rescue = kept_before(engine, &plan, plugin.as_ref()).await?;
    }
    Ok(Outcome::WorkspaceRemoved { rescue: removed.rescue, ignored: Ignored::of(&removed.ignored) })
}

/// What this very removal kept when it was performed before, and the daemon was killed before it could be written down: a
/// rescue that is younger than the wish for it.
async fn kept_before(engine: &Engine, plan: &RemovePlan, plugin: &dyn Workspace) -> Result<Option<String>, Fault> {
    let key = Effect::RemoveWorkspace { session: plan.session.clone() }.key();
    let Some(since) = engine.read(|c| c.facts.pending.get(&key).map(|p| p.since.0 / 1000)) else { return Ok(None) };
    let place = format!("refs/ao/rescue/{}", plan.session);
    let is_of = |name: &str| {
        let number = name.strip_prefix(&place).map(|rest| rest.strip_prefix('-').unwrap_or(rest));
        number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    // Newest first.
    let all = plugin.rescued(&plan.repository).await?;
    let mut own = all.into_iter().filter(|rescued| is_of(&rescued.name));
    Ok(own.next().filter(|rescued| u64::try_from(rescued.at).is_ok_and(|at| at >= since)).map(|rescued| rescued.name))
}
