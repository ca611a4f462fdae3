//! The machine: facts, an event and the time in; changes, effects and an answer out. Total: it never fails or panics.
//!
//! An event for something unknown or ended is a recorded no-op. After every event `advance` moves on whatever the facts
//! allow, so progress depends on facts and never on having seen a transition.

mod admission;
mod answering;
mod archive;
mod boot;
mod decision;
mod draft;
mod ending;
mod freeze;
mod lookup;
mod lost;
mod once;
mod outcome;
mod pressing;
mod prompting;
mod queue;
mod react;
mod request;
mod review;
mod run;
mod scratch;
mod session;
mod task;
mod terminal;
mod transcript;
mod turn;

use crate::event::{Answer, Event};
use crate::facts::Facts;
use crate::once::Once;
use crate::time::{Millis, Time};
pub use decision::Decision;
use draft::{Draft, Signal};
pub use freeze::may_freeze;

/// Decides what follows from `event`.
pub fn decide(facts: &Facts, event: &Event, now: Time) -> Decision {
    let mut d = Draft::new(facts, now);
    let answer = handle(&mut d, event);
    // Each round ends what the one before began; what is left after so many is taken up by the next event.
    for _ in 0..MAX_ROUNDS {
        follow(&mut d);
        advance(&mut d);
        if d.is_quiet() {
            break;
        }
    }
    scratch::advance(&mut d);
    d.finish(answer)
}

/// Decides a command that may come twice: one that was decided before changes nothing and is answered as it was.
pub fn decide_once(facts: &Facts, event: &Event, once: &Once, now: Time) -> Decision {
    if let Some(answer) = once::known(facts, once, now) {
        return Decision { delta: Vec::new(), effects: Vec::new(), answer };
    }
    let mut decision = decide(facts, event, now);
    decision.delta.extend(once::remembered(facts, once, &decision.answer, now));
    decision
}

/// Rounds of following and advancing in one decision: three were the most that property tests ever needed.
const MAX_ROUNDS: u32 = 8;

/// The next moment at which something is due: the loop sends [`Event::Ticked`] then.
#[must_use]
pub fn deadline(facts: &Facts, now: Time) -> Option<Time> {
    let retries = facts.pending.values().filter(|p| !p.uncertain).filter_map(|p| p.again);
    let deliveries = facts.sessions.values().filter_map(|s| prompting::deadline(facts, s));
    let questions = facts.sessions.values().filter_map(answering::deadline);
    let reactions = facts.sessions.values().filter_map(|s| react::deadline(facts, s));
    let queues = facts.queues.values().filter_map(|q| queue::deadline(facts, q));
    let lost = boot::deadline(facts);
    let rests = facts.sessions.values().filter_map(|s| freeze::deadline(facts, s));
    let ended = archive::deadline(facts);
    let soonest = retries
        .chain(deliveries)
        .chain(questions)
        .chain(reactions)
        .chain(queues)
        .chain(lost)
        .chain(rests)
        .chain(ended)
        .min()?;
    // Every event clears what is overdue. Should something be left nevertheless, it is looked at again, but in no busy loop.
    Some(if soonest > now { soonest } else { now.after(OVERDUE_AGAIN) })
}

/// Pause before something overdue is looked at again.
const OVERDUE_AGAIN: Millis = Millis::secs(1);

fn handle(d: &mut Draft<'_>, event: &Event) -> Answer {
    match event {
        Event::DaemonStarted { boot_id, clock_base, .. } => boot::daemon_started(d, boot_id, *clock_base),
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
        Event::StopRequested { session, why, cleanup } => ending::stop(d, session, why, *cleanup),
        Event::RestoreRequested { session } => request::restore(d, session),
        Event::CleanupRequested { session } => ending::cleanup(d, session),
        Event::ArchiveRequested { session, stop } => archive::requested(d, session, stop.as_deref()),
        Event::AnswerRequested { session, n, reply, by } => answering::requested(d, session, *n, reply, by),
        Event::MergeRequested { session } => review::requested(d, session),
        Event::DeliveryDropped { delivery } => prompting::drop_delivery(d, delivery),
        Event::RunRequested { new } => run::requested(d, new),
        Event::RunCancelled { run } => run::cancelled(d, run),
        Event::QueueRetried { project } => queue::retried(d, project),
        Event::EffectDone { key, outcome } => outcome::done(d, key, outcome),
        Event::EffectFailed { key, fault } => outcome::failed(d, key, fault),
        Event::Observed { session, launch, observation } => session::observed(d, session, launch, observation),
        Event::TranscriptRead { session, launch, reading } => transcript::read(d, session, launch, reading),
        Event::OutputSeen { session, launch, .. } => session::output_seen(d, session, launch),
        Event::TerminalSaid { session, launch, said } => terminal::said(d, session, launch, said),
        Event::DialogShown { session, launch, dialog } => answering::shown(d, session, launch, dialog.as_deref()),
        Event::HostExited { session, launch, code, signal, why } => {
            session::exited(d, session, launch, *code, *signal, why.clone())
        }
        Event::KeysPressed { session, from, keys, interrupt } => pressing::pressed(d, session, from, keys, *interrupt),
        Event::FreezeRequested { session } => freeze::freeze_requested(d, session),
        Event::ThawRequested { session } => freeze::thaw_requested(d, session),
        Event::PortsTaken { session, bases } => admission::ports_taken(d, session, bases),
        Event::HostFrozen { session, launch, frozen } => freeze::reported(d, session, launch, *frozen),
        Event::HostProbed { session, launch, probe } => session::probed(d, session, launch, probe),
    }
}

/// Lets the rooms that care hear of what happened in another one.
fn follow(d: &mut Draft<'_>) {
    while let Some(signal) = d.next_signal() {
        match signal {
            Signal::TurnEnded { session, how } => review::turn_ended(d, &session, how),
            Signal::AgentGone { session, in_turn } => review::agent_gone(d, &session, in_turn),
            Signal::DeliveryOver { session } => review::delivery_over(d, &session),
            Signal::WorkDropped { session } => review::forget(d, &session),
        }
    }
}

/// Moves on whatever the facts allow, in a fixed order.
fn advance(d: &mut Draft<'_>) {
    outcome::retry_due(d);
    boot::advance(d);
    prompting::retry_held(d);
    answering::advance(d);
    react::advance(d);
    run::advance(d);
    admission::advance(d);
    freeze::advance(d);
    prompting::advance(d);
    queue::advance(d);
    archive::advance(d);
}
