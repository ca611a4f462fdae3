//! Actions on projects: list, register, take off the list.

use super::row::{Call, Row, Serve};
use crate::access::caller::{Caller, Inside, Need, Role};
use crate::registration::{find_project, register};
use ao_api::project::{ProjectView, Projects};
use ao_api::request::{NewProject, Nothing};
use ao_core::event::Event;
use ao_core::facts::Facts;
use ao_core::id::ProjectId;
use ao_core::kind::Fault;
use axum::http::Method;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("LIST_PROJECTS", Method::GET, "/api/projects", list)
            .verb("ao status")
            .says("Lists the projects.")
            .needs(Need::Viewer)
            .inside(Inside::Own)
            .served(Serve::Kept),
        Row::new("ADD_PROJECT", Method::POST, "/api/projects", add)
            .verb("ao start")
            .says("Registers a repository as a project, or renews its settings from its configuration.")
            .status(201),
        Row::new("REMOVE_PROJECT", Method::DELETE, "/api/projects/{id}", remove)
            .says("Takes a project off the list; its files stay."),
    ]
}

async fn list(call: Call, _: Nothing) -> Result<Projects, Fault> {
    Ok(call.engine().read(|c| {
        let found = c.facts.projects.values().filter(|p| !p.removed && sees(&call.caller, &c.facts, &p.id));
        Projects { projects: found.map(|p| ProjectView::of(&c.facts, p)).collect() }
    }))
}

/// A session sees the project that it works on.
fn sees(caller: &Caller, facts: &Facts, project: &ProjectId) -> bool {
    match &caller.role {
        Role::Session(id) => facts.sessions.get(id).is_some_and(|s| s.project == *project),
        Role::Nobody { .. } | Role::Viewer | Role::Operator | Role::Admin | Role::Orchestrator { .. } => {
            caller.reaches_project(project).is_ok()
        }
    }
}

async fn add(call: Call, new: NewProject) -> Result<ProjectView, Fault> {
    register(call.engine(), &new).await
}

async fn remove(call: Call, _: Nothing) -> Result<ProjectView, Fault> {
    let project = find_project(call.engine(), Some(call.part("id")))?;
    let view = call.engine().read(|c| ProjectView::of(&c.facts, &project));
    call.engine().command(Event::ProjectRemoved { project: project.id }).await?;
    Ok(view)
}
