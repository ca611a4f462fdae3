//! The machine: facts, an event and the time in; changes, effects and an answer out. Total: it never fails or panics.
//!
//! An event for something unknown or ended is a recorded no-op. After every event `advance` moves on whatever the facts
//! allow, so progress depends on facts and never on having seen a transition.

mod admission;
mod decision;
mod draft;
mod lookup;
mod outcome;
mod prompting;
mod queue;
mod react;
mod request;
mod review;
mod run;
mod session;
mod task;

use crate::event::{Answer, Event};
use crate::facts::Facts;
use crate::time::Time;
pub use decision::Decision;
use draft::{Draft, Signal};

/// Decides what follows from `event`.
pub fn decide(facts: &Facts, event: &Event, now: Time) -> Decision {
    let mut d = Draft::new(facts, now);
    let answer = handle(&mut d, event);
    follow(&mut d);
    advance(&mut d);
    follow(&mut d);
    d.finish(answer)
}

/// The next moment at which something is due: the loop sends [`Event::Ticked`] then.
#[must_use]
pub fn deadline(facts: &Facts, now: Time) -> Option<Time> {
    let retries = facts.pending.values().filter_map(|p| p.again);
    let deliveries = facts.sessions.values().filter_map(|s| prompting::deadline(facts, s));
    let stuck = facts.sessions.values().filter_map(|s| react::stuck_deadline(facts, s));
    let queues = facts.queues.values().filter_map(|q| q.blocked.as_ref().map(|b| b.again));
    // What is overdue and was not cleared by the last event is due again in a second, not in a busy loop.
    let soonest = retries.chain(deliveries).chain(stuck).chain(queues).min()?;
    Some(soonest.max(Time(now.0 + 1)))
}

fn handle(d: &mut Draft<'_>, event: &Event) -> Answer {
    match event {
        Event::DaemonStarted { boot_id, clock_base, .. } => session::daemon_started(d, boot_id, *clock_base),
        Event::Ticked | Event::StorageFailed { .. } => Answer::Noted,
        Event::PlacesMeasured { places } => {
            d.machine.places = *places;
            Answer::Noted
        }
        Event::ProjectConfigured { project, path, data, prefix, settings } => {
            request::project_configured(d, project, path, data, prefix, settings)
        }
        Event::ProjectRemoved { project } => request::project_removed(d, project),
        Event::SessionRequested { new } => request::session_requested(d, new),
        Event::MessageSent { session, text, from } => request::message_sent(d, session, text, from),
        Event::StopRequested { session, why, cleanup } => session::stop(d, session, why, *cleanup),
        Event::RestoreRequested { session } => session::restore(d, session),
        Event::CleanupRequested { session } => session::cleanup(d, session),
        Event::MergeRequested { session } => review::requested(d, session),
        Event::DeliveryDropped { delivery } => prompting::drop_delivery(d, delivery),
        Event::RunRequested { new } => run::requested(d, new),
        Event::RunCancelled { run } => run::cancelled(d, run),
        Event::QueueRetried { project } => queue::retried(d, project),
        Event::EffectDone { key, outcome } => outcome::done(d, key, outcome),
        Event::EffectFailed { key, fault } => outcome::failed(d, key, fault),
        Event::Observed { session, launch, observation } => session::observed(d, session, launch, observation),
        Event::OutputSeen { session, launch, .. } => session::output_seen(d, session, launch),
        Event::HostExited { session, launch, code, signal, why } => {
            session::exited(d, session, launch, *code, *signal, why.clone())
        }
        Event::HostProbed { session, launch, probe } => session::probed(d, session, launch, probe),
    }
}

/// Lets the rooms that care hear of what happened in another one.
fn follow(d: &mut Draft<'_>) {
    while let Some(signal) = d.next_signal() {
        match signal {
            Signal::TurnEnded { session, how } => review::turn_ended(d, &session, how),
            Signal::AgentGone { session } => review::agent_gone(d, &session),
            Signal::AgentAsks { session } => react::needs_input(d, &session),
            Signal::SessionEnded { session } => review::forget(d, &session),
        }
    }
}

/// Moves on whatever the facts allow, in a fixed order.
fn advance(d: &mut Draft<'_>) {
    outcome::retry_due(d);
    react::stuck(d);
    run::advance(d);
    admission::advance(d);
    prompting::advance(d);
    queue::advance(d);
}
