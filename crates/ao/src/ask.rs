//! What several verbs ask the daemon.

use crate::route;
use ao_api::client::Client;
use ao_api::run::{QueueView, Queues, RunView, Runs};
use ao_api::session::{SessionView, Sessions};
use ao_core::kind::Fault;

/// A session by id, name or unique prefix.
///
/// # Errors
/// `not_found`, or `invalid` when it fits several.
pub async fn session(client: &Client, given: &str) -> Result<SessionView, Fault> {
    client.get(&route::session(given)).await
}

/// Sessions, of one project or of all, ended ones only when asked for, and none that was archived.
///
/// # Errors
/// What the daemon says.
pub async fn sessions(client: &Client, project: Option<&str>, all: bool) -> Result<Sessions, Fault> {
    let parts = [("project", project.map(str::to_owned)), ("all", all.then(|| "true".to_owned()))];
    client.get(&route::query("/api/sessions", &parts)).await
}

/// Sessions in the archive, and with `all` every other one too.
///
/// # Errors
/// What the daemon says.
pub async fn archived(client: &Client, project: Option<&str>, all: bool) -> Result<Sessions, Fault> {
    let yes = || Some("true".to_owned());
    let parts = [("project", project.map(str::to_owned)), ("archived", yes()), ("all", yes().filter(|_| all))];
    client.get(&route::query("/api/sessions", &parts)).await
}

/// Runs of a project.
///
/// # Errors
/// What the daemon says.
pub async fn runs(client: &Client, project: Option<&str>) -> Result<Vec<RunView>, Fault> {
    let runs: Runs = client.get(&route::query("/api/runs", &[("project", project.map(str::to_owned))])).await?;
    Ok(runs.runs)
}

/// Merge queues.
///
/// # Errors
/// What the daemon says.
pub async fn queues(client: &Client, project: Option<&str>) -> Result<Vec<QueueView>, Fault> {
    let parts = [("project", project.map(str::to_owned))];
    let queues: Queues = client.get(&route::query("/api/merge-queue", &parts)).await?;
    Ok(queues.queues)
}
