//! Actions on the daemon itself: how it is, what it offers, stop it.

use super::openapi;
use super::row::{Call, Row, Serve};
use crate::access::caller::{Inside, Need};
use ao_api::project::Health;
use ao_api::request::Nothing;
use ao_core::kind::Fault;
use axum::http::Method;
use serde_json::Value;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("GET_HEALTH", Method::GET, "/api/healthz", health)
            .verb("ao daemon status")
            .says("Tells how the daemon is.")
            .needs(Need::Viewer)
            .inside(Inside::Own),
        Row::new("GET_OPENAPI", Method::GET, "/api/openapi.json", describe)
            .says("Describes every action as OpenAPI 3.1.")
            .needs(Need::Nothing)
            .served(Serve::Kept),
        Row::new("STOP_DAEMON", Method::POST, "/api/daemon/stop", stop)
            .verb("ao daemon stop")
            .says("Stops the daemon; sessions go on without it.")
            .needs(Need::Admin)
            .status(202),
    ]
}

async fn health(call: Call, _: Nothing) -> Result<Health, Fault> {
    let about = &call.house.about;
    let (seq, live) = call.engine().read(|c| (c.seq, c.facts.sessions.values().filter(|s| !s.ended()).count()));
    let failure = call.engine().failure();
    let mut notes = about.notes.clone();
    notes.extend(failure.as_ref().map(|fault| fault.message.clone()));
    Ok(Health {
        status: if failure.is_some() { "read_only" } else { "ok" }.to_owned(),
        version: about.version.clone(),
        pid: std::process::id(),
        url: about.url.clone(),
        seq,
        live_sessions: u32::try_from(live).unwrap_or(u32::MAX),
        notes,
    })
}

async fn describe(call: Call, _: Nothing) -> Result<Value, Fault> {
    Ok(openapi::openapi(call.house.rows))
}

async fn stop(call: Call, _: Nothing) -> Result<Nothing, Fault> {
    tracing::info!(by = %call.caller.name, "the daemon is asked to stop");
    // Requests that were begun are answered before the doors close, this one too.
    call.house.shutdown.cancel();
    Ok(Nothing {})
}
