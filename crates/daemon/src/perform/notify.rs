//! Performs notifications: every notifier of the project is told; one that fails does not keep the others from it.

use crate::engine::Engine;
use ao_core::effect::{Outcome, Priority};
use ao_core::id::{ProjectId, SessionId};
use ao_core::kind::{Fault, Kind};
use ao_slots::notifier::Note;

pub(super) async fn tell(
    engine: &Engine,
    id: &str,
    project: &ProjectId,
    session: Option<&SessionId>,
    priority: Priority,
    title: &str,
    body: &str,
) -> Result<Outcome, Fault> {
    let names = super::merge::project(engine, project)?.settings.notifiers;
    let note = Note {
        id: id.to_owned(),
        project: project.to_string(),
        session: session.map(ToString::to_string),
        priority,
        title: title.to_owned(),
        body: body.to_owned(),
    };
    let mut faults = Vec::new();
    for name in &names {
        let told = match engine.registry().notifier(name) {
            Ok(notifier) => notifier.notify(&note).await,
            Err(fault) => Err(fault),
        };
        if let Err(fault) = told {
            tracing::warn!(notifier = %name, note = %id, fault = %fault, "a notifier failed");
            faults.push(format!("{name}: {fault}"));
        }
    }
    if faults.is_empty() || faults.len() < names.len() {
        return Ok(Outcome::Notified);
    }
    // Sent at most once: no kind that would be tried again.
    Err(Fault::new(Kind::Unsupported, format!("nobody could be told: {}", faults.join("; "))))
}
