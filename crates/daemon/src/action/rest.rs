//! Actions on a session's processes as such: what they use, halting them, letting them go on.

use super::row::{Call, Row};
use super::sessions::act;
use crate::access::caller::{Inside, Need};
use ao_api::request::Nothing;
use ao_api::session::SessionView;
use ao_api::usage::UsageView;
use ao_core::event::Event;
use ao_core::kind::Fault;
use axum::http::Method;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("GET_AGENT_USAGE", Method::GET, "/api/sessions/{id}/usage", usage)
            .verb("ao status")
            .says("Asks what a session's processes use now: processor time, memory, how many they are.")
            .needs(Need::Viewer)
            .inside(Inside::Own),
        Row::new("FREEZE_AGENT", Method::POST, "/api/sessions/{id}/freeze", freeze)
            .verb("ao freeze")
            .says("Halts the processes of an idle session until somebody needs it; they keep their memory.")
            .inside(Inside::Project)
            .status(202),
        Row::new("THAW_AGENT", Method::POST, "/api/sessions/{id}/thaw", thaw)
            .verb("ao thaw")
            .says("Lets a halted session go on; a prompt or a view does the same.")
            .inside(Inside::Project)
            .status(202),
    ]
}

/// Asked of the session's host each time: nothing counts while nobody wants to know.
async fn usage(call: Call, _: Nothing) -> Result<UsageView, Fault> {
    let session = call.session()?;
    let link = call.engine().hub().link(&session.id)?;
    let used = link.control.usage().await?;
    Ok(UsageView {
        cpu_ms: used.cpu_us.map(|us| us / 1000),
        memory_bytes: used.memory_bytes,
        processes: used.processes,
        frozen: used.frozen,
        log_degraded: link.screen.borrow().log_degraded,
        memory_limit_bytes: used.limits.memory_bytes,
        processes_limit: used.limits.processes,
        cpu_limit_percent: used.limits.cpu_percent,
    })
}

async fn freeze(call: Call, _: Nothing) -> Result<SessionView, Fault> {
    let session = call.session()?;
    act(&call, &session.id, Event::FreezeRequested { session: session.id.clone() }).await
}

async fn thaw(call: Call, _: Nothing) -> Result<SessionView, Fault> {
    let session = call.session()?;
    act(&call, &session.id, Event::ThawRequested { session: session.id.clone() }).await
}
