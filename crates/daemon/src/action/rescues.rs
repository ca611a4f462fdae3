//! Actions on rescued work: list what was kept, put it back.

use super::row::{Call, Row};
use crate::access::caller::Need;
use crate::registration::find_project;
use ao_api::project::{RescueView, Rescues};
use ao_api::request::{RescuesQuery, RestoreRescue};
use ao_core::kind::Fault;
use ao_core::project::Project;
use ao_slots::workspace::Rescued;
use axum::http::Method;
use std::path::Path;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("LIST_RESCUES", Method::GET, "/api/rescues", list)
            .verb("ao rescue list")
            .says("Lists the work that was kept when workspaces were removed.")
            .needs(Need::Viewer),
        Row::new("RESTORE_RESCUE", Method::POST, "/api/rescues/restore", restore)
            .verb("ao rescue restore")
            .says("Puts rescued work into a new directory, on a new branch.")
            .status(201),
    ]
}

async fn list(call: Call, query: RescuesQuery) -> Result<Rescues, Fault> {
    let projects: Vec<Project> = match &query.project {
        Some(name) => vec![find_project(call.engine(), Some(name))?],
        None => call.engine().read(|c| c.facts.projects.values().filter(|p| !p.removed).cloned().collect()),
    };
    let mut rescues = Vec::new();
    for project in projects {
        let plugin = call.engine().registry().workspace(&project.settings.workspace)?;
        let found = plugin.rescued(Path::new(&project.path)).await?;
        rescues.extend(found.into_iter().map(|rescued| view(&project, rescued)));
    }
    Ok(Rescues { rescues })
}

async fn restore(call: Call, wanted: RestoreRescue) -> Result<RescueView, Fault> {
    let project = find_project(call.engine(), Some(&wanted.project))?;
    let to = Path::new(&wanted.to);
    if !to.is_absolute() {
        return Err(Fault::invalid(format!("{:?} is not an absolute path", wanted.to)));
    }
    let repository = Path::new(&project.path);
    let plugin = call.engine().registry().workspace(&project.settings.workspace)?;
    let fits = |r: &Rescued| r.name == wanted.name || r.name.strip_prefix("refs/ao/rescue/") == Some(&wanted.name);
    let Some(rescued) = plugin.rescued(repository).await?.into_iter().find(fits) else {
        let fault = Fault::not_found(format!("project {} has no rescued work {:?}", project.id, wanted.name));
        return Err(fault.hint("`ao rescue list` shows what there is"));
    };
    let back = plugin.restore_rescued(repository, &rescued.name, to).await?;
    let branch = &back.branch;
    let mut view = view(&project, rescued);
    view.subject = format!("{}, in {} on branch {branch}", view.subject, wanted.to);
    Ok(view)
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
