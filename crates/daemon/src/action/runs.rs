//! Actions on `fix` runs and merge queues.

use super::row::{Call, Row, Serve};
use super::sessions::socket_only;
use crate::access::caller::{Inside, Need};
use crate::registration::{find_project, start_run};
use ao_api::request::{NewRun, Nothing, ProjectQuery};
use ao_api::run::{QueueView, Queues, RunView, Runs};
use ao_core::event::Event;
use ao_core::id::{ProjectId, RunId};
use ao_core::kind::Fault;
use ao_core::run::Run;
use axum::http::Method;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("LIST_RUNS", Method::GET, "/api/runs", list)
            .verb("ao fix --list")
            .says("Lists the runs that make a check green.")
            .needs(Need::Viewer)
            .inside(Inside::Project)
            .served(Serve::Kept),
        Row::new("START_RUN", Method::POST, "/api/runs", create)
            .verb("ao fix")
            .says("Runs a check and lets agents mend what it finds, or joins the run that does so already.")
            .keyed()
            .status(201),
        Row::new("GET_RUN", Method::GET, "/api/runs/{id}", get)
            .verb("ao fix --show")
            .says("Shows one run with its tasks.")
            .needs(Need::Viewer)
            .inside(Inside::Project),
        Row::new("CANCEL_RUN", Method::DELETE, "/api/runs/{id}", cancel)
            .verb("ao fix --cancel")
            .says("Ends a run and stops its sessions; their workspaces stay."),
        Row::new("LIST_MERGE_QUEUES", Method::GET, "/api/merge-queue", queues)
            .verb("ao merge-queue")
            .says("Shows what waits to be merged, and what is being tried.")
            .needs(Need::Viewer)
            .inside(Inside::Project)
            .served(Serve::Kept),
        Row::new("RETRY_MERGE_QUEUE", Method::POST, "/api/merge-queue/{project}/retry", retry)
            .verb("ao merge-queue retry")
            .says("Tries a blocked merge queue again now."),
    ]
}

async fn list(call: Call, query: ProjectQuery) -> Result<Runs, Fault> {
    let reached = reached(&call, &query)?;
    Ok(call.engine().read(|c| {
        let mut found: Vec<&Run> = c.facts.runs.values().filter(|r| reached(&r.project)).collect();
        found.sort_by_key(|r| r.started);
        Runs { runs: found.into_iter().map(RunView::of).collect() }
    }))
}

async fn create(call: Call, new: NewRun) -> Result<RunView, Fault> {
    socket_only(&call, &new.env)?;
    start_run(call.engine(), new).await
}

async fn get(call: Call, _: Nothing) -> Result<RunView, Fault> {
    let run = find(&call)?;
    call.caller.reaches_project(&run.project)?;
    Ok(RunView::of(&run))
}

async fn cancel(call: Call, _: Nothing) -> Result<RunView, Fault> {
    let run = find(&call)?;
    call.engine().command(Event::RunCancelled { run: run.id }).await?;
    Ok(RunView::of(&find(&call)?))
}

fn find(call: &Call) -> Result<Run, Fault> {
    let id = RunId::new(call.part("id"));
    let found = call.engine().read(|c| c.facts.runs.get(&id).cloned());
    found.ok_or_else(|| Fault::not_found(format!("there is no run {id}")))
}

async fn queues(call: Call, query: ProjectQuery) -> Result<Queues, Fault> {
    let reached = reached(&call, &query)?;
    Ok(call.engine().read(|c| {
        let live = |id: &ProjectId| c.facts.projects.get(id).is_some_and(|p| !p.removed);
        let found = c.facts.queues.values().filter(|q| live(&q.project) && reached(&q.project));
        Queues { queues: found.map(|q| QueueView::of(&c.facts, q)).collect() }
    }))
}

async fn retry(call: Call, _: Nothing) -> Result<QueueView, Fault> {
    let project = find_project(call.engine(), Some(call.part("project")))?.id;
    call.engine().command(Event::QueueRetried { project: project.clone() }).await?;
    let found = call.engine().read(|c| c.facts.queues.get(&project).map(|q| QueueView::of(&c.facts, q)));
    found.ok_or_else(|| Fault::not_found(format!("project {project} has no merge queue")))
}

/// What a caller wants and may see.
fn reached<'c>(call: &'c Call, query: &'c ProjectQuery) -> Result<impl Fn(&ProjectId) -> bool + 'c, Fault> {
    if let Some(project) = &query.project {
        call.caller.reaches_project(&find_project(call.engine(), Some(project))?.id)?;
    }
    Ok(move |project: &ProjectId| {
        query.project.as_ref().is_none_or(|p| project.as_str() == p) && call.caller.reaches_project(project).is_ok()
    })
}
