//! Actions on rescued work: list what was kept, show it, put it back, forget it; and what a removal would meet.

use super::row::{Call, Row};
use crate::access::caller::Need;
use crate::registration::find_project;
use ao_api::project::{RescueText, RescueView, Rescues};
use ao_api::request::{Nothing, OneRescue, RescuesQuery, RestoreRescue};
use ao_api::session::{IgnoredView, WorkspaceView};
use ao_core::kind::Fault;
use ao_core::project::Project;
use ao_core::workspace::Ignored;
use ao_slots::workspace::{RemovePlan, Rescued, Workspace};
use axum::http::Method;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where rescue refs are.
const PLACE: &str = "refs/ao/rescue/";

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("LIST_RESCUES", Method::GET, "/api/rescues", list)
            .verb("ao rescue list")
            .says("Lists the work that was kept when workspaces were removed.")
            .needs(Need::Viewer),
        Row::new("SHOW_RESCUE", Method::GET, "/api/rescues/show", show)
            .verb("ao rescue show")
            .says("Says all about one piece of rescued work.")
            .needs(Need::Viewer),
        Row::new("RESTORE_RESCUE", Method::POST, "/api/rescues/restore", restore)
            .verb("ao rescue restore")
            .says("Puts rescued work into a new directory, on a new branch.")
            .status(201),
        Row::new("DROP_RESCUE", Method::POST, "/api/rescues/drop", forget)
            .verb("ao rescue drop")
            .says("Forgets one piece of rescued work; git deletes it when it cleans up."),
        Row::new("MEASURE_WORKSPACE", Method::GET, "/api/sessions/{id}/workspace", measure)
            .verb("ao cleanup --dry-run")
            .says("Measures a session's workspace: its bytes, what a removal would keep and what it would not.")
            .needs(Need::Viewer),
    ]
}

async fn list(call: Call, query: RescuesQuery) -> Result<Rescues, Fault> {
    let mut rescues = Vec::new();
    for project in projects(&call, query.project.as_deref())? {
        let found = plugin(&call, &project)?.rescued(Path::new(&project.path)).await?;
        rescues.extend(found.into_iter().map(|rescued| view(&project, rescued)));
    }
    Ok(Rescues { rescues })
}

async fn show(call: Call, wanted: OneRescue) -> Result<RescueText, Fault> {
    let (project, rescued) = find(&call, wanted.project.as_deref(), &wanted.name).await?;
    let text = plugin(&call, &project)?.show_rescued(Path::new(&project.path), &rescued.name).await?;
    Ok(RescueText { rescue: view(&project, rescued), text })
}

async fn restore(call: Call, wanted: RestoreRescue) -> Result<RescueView, Fault> {
    let to = Path::new(&wanted.to);
    if !to.is_absolute() {
        return Err(Fault::invalid(format!("{:?} is not an absolute path", wanted.to)));
    }
    let (project, rescued) = find(&call, wanted.project.as_deref(), &wanted.name).await?;
    let back = plugin(&call, &project)?.restore_rescued(Path::new(&project.path), &rescued.name, to).await?;
    let mut view = view(&project, rescued);
    view.subject = format!("{}, in {} on branch {}", view.subject, wanted.to, back.branch);
    if !back.left_out.is_empty() {
        view.subject = format!("{}, but for: {}", view.subject, back.left_out.join("; "));
    }
    Ok(view)
}

async fn forget(call: Call, wanted: OneRescue) -> Result<RescueView, Fault> {
    let (project, rescued) = find(&call, wanted.project.as_deref(), &wanted.name).await?;
    let plugin = plugin(&call, &project)?;
    plugin.drop_rescued(Path::new(&project.path), &rescued.name, &rescued.commit).await?;
    Ok(view(&project, rescued))
}

async fn measure(call: Call, _: Nothing) -> Result<WorkspaceView, Fault> {
    let session = call.session()?;
    let project = find_project(call.engine(), Some(session.project.as_str()))?;
    let Some(path) = session.workspace_path.clone() else {
        return Err(Fault::not_found(format!("session {} has no workspace", session.id)));
    };
    let plan = RemovePlan {
        session: session.id.clone(),
        repository: PathBuf::from(&project.path),
        path: PathBuf::from(&path),
        branch: session.branch.clone(),
    };
    let measured = call.engine().registry().workspace(&session.workspace)?.measure(&plan).await?;
    let ignored = Ignored::of(&measured.ignored).map(IgnoredView::from).unwrap_or_default();
    let (bytes, changed) = (measured.bytes, measured.changed);
    Ok(WorkspaceView { id: session.id.to_string(), path, bytes, changed, ignored })
}

fn projects(call: &Call, name: Option<&str>) -> Result<Vec<Project>, Fault> {
    match name {
        Some(name) => Ok(vec![find_project(call.engine(), Some(name))?]),
        None => Ok(call.engine().read(|c| c.facts.projects.values().filter(|p| !p.removed).cloned().collect())),
    }
}

fn plugin(call: &Call, project: &Project) -> Result<Arc<dyn Workspace>, Fault> {
    call.engine().registry().workspace(&project.settings.workspace)
}

/// The rescued work of this name: a ref with or without its beginning, else the latest of the session that is so called.
async fn find(call: &Call, project: Option<&str>, name: &str) -> Result<(Project, Rescued), Fault> {
    let session = call.engine().read(|c| c.facts.find_session(name).ok().map(|s| s.id.to_string()));
    let mut latest = None;
    for project in projects(call, project)? {
        // Newest first.
        for rescued in plugin(call, &project)?.rescued(Path::new(&project.path)).await? {
            let short = rescued.name.strip_prefix(PLACE).unwrap_or(&rescued.name);
            if rescued.name == name || short == name {
                return Ok((project, rescued));
            }
            let is_of = |id: &String| {
                let rest = short.strip_prefix(id.as_str());
                rest.is_some_and(|rest| rest.is_empty() || is_number(rest))
            };
            if latest.is_none() && session.as_ref().is_some_and(is_of) {
                latest = Some((project.clone(), rescued));
            }
        }
    }
    latest.ok_or_else(|| {
        Fault::not_found(format!("there is no rescued work {name:?}")).hint("`ao rescue list` shows what there is")
    })
}

/// `-2` behind a session's id: its second rescue.
fn is_number(rest: &str) -> bool {
    rest.strip_prefix('-').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

fn view(project: &Project, rescued: Rescued) -> RescueView {
    RescueView {
        project_id: project.id.to_string(),
        name: rescued.name,
        commit: rescued.commit.to_string(),
        at: u64::try_from(rescued.at).unwrap_or(0).saturating_mul(1000),
        subject: rescued.subject,
    }
}
