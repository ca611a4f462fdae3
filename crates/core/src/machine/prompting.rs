//! Prompts on their way: one delivery at a time per session, stage by stage, each stage asked of the host once.

use super::draft::Draft;
use crate::activity::Activity;
use crate::delivery::{Cause, Delivery, DeliveryState, MAX_SUBMITS, MAX_TYPED, PromptFile};
use crate::effect::{Effect, Priority};
use crate::event::Answer;
use crate::facts::Facts;
use crate::id::{DeliveryId, LaunchId, SessionId};
use crate::kind::Fault;
use crate::prompt;
use crate::screen::sha256_hex;
use crate::session::{Phase, Process, Session, WorkReview};
use crate::time::{Millis, Time};

/// A held delivery is looked at again after this long even if nothing was observed (`design/delivery.md`: a person has
/// five seconds of rest after their last key).
const HELD_AGAIN: Millis = Millis::secs(5);

/// How long after Enter a turn must have begun before the composer is looked at again: the slowest recorded agent takes
/// under two seconds to show one on a busy machine.
const TURN_WITHIN: Millis = Millis::secs(6);

/// How long after the last Enter a prompt without a turn becomes uncertain.
const UNCERTAIN_AFTER: Millis = Millis::secs(60);

/// Queues a prompt; nothing is queued for an unknown session.
pub(super) fn queue(d: &mut Draft<'_>, id: &SessionId, text: &str, cause: Cause) -> Option<DeliveryId> {
    let session = d.sessions.get_mut(id)?;
    session.deliveries += 1;
    let delivery = DeliveryId::of(id, session.deliveries);
    session.outbox.push(delivery.clone());
    let whole = prompt::clean(text).trim_end().to_owned();
    let (typed, file) = if whole.len() > MAX_TYPED {
        let path = format!(".ao/prompts/{delivery}.md");
        (prompt::read_file(&path), Some(PromptFile { path, text: whole }))
    } else {
        (whole, None)
    };
    let queued = Delivery {
        id: delivery.clone(),
        session: id.clone(),
        cause,
        sha256: sha256_hex(typed.as_bytes()),
        text: Some(typed),
        file,
        queued: d.now,
        state: DeliveryState::Queued,
        held: None,
        again: None,
    };
    d.deliveries.put(delivery.clone(), queued);
    Some(delivery)
}

/// When a session's delivery must be looked at again.
pub(super) fn deadline(facts: &Facts, session: &Session) -> Option<Time> {
    if session.ended() {
        return None;
    }
    let delivery = facts.deliveries.get(session.outbox.first()?)?;
    if let Some(again) = delivery.again {
        return Some(again);
    }
    match &delivery.state {
        DeliveryState::Submitted { n, at, .. } if *n < MAX_SUBMITS => Some(at.after(TURN_WITHIN)),
        DeliveryState::Submitted { at, .. } => Some(at.after(UNCERTAIN_AFTER)),
        DeliveryState::Queued
        | DeliveryState::Pasting { .. }
        | DeliveryState::Submitting { .. }
        | DeliveryState::Delivered { .. }
        | DeliveryState::Uncertain { .. }
        | DeliveryState::Dropped { .. } => None,
    }
}

/// Moves every session's first delivery on.
pub(super) fn advance(d: &mut Draft<'_>) {
    let sessions: Vec<SessionId> =
        d.sessions.values().filter(|s| !s.ended() && !s.outbox.is_empty()).map(|s| s.id.clone()).collect();
    for id in sessions {
        advance_one(d, &id);
    }
}

fn advance_one(d: &mut Draft<'_>, id: &SessionId) {
    let Some(session) = d.sessions.get(id) else { return };
    let Some(delivery) = session.outbox.first().and_then(|first| d.deliveries.get(first)) else { return };
    let now = d.now;
    let first = delivery.id.clone();
    match &delivery.state {
        DeliveryState::Queued => {
            let due = delivery.again.is_none_or(|again| again <= now);
            if let (true, Some(launch)) = (due, ready_launch(session)) {
                paste(d, id, &first, &launch);
            }
        }
        DeliveryState::Submitted { launch, n, at, .. } => {
            let (launch, n, at) = (launch.clone(), *n, *at);
            if delivery.again.is_some_and(|again| again > now) {
                return;
            }
            if n < MAX_SUBMITS && now >= at.after(TURN_WITHIN) {
                submit(d, id, &first, &launch, n + 1);
            } else if now >= at.after(UNCERTAIN_AFTER) {
                uncertain(d, id, &first, "Enter was pressed, but no turn was seen to begin");
            }
        }
        DeliveryState::Delivered { .. } | DeliveryState::Uncertain { .. } | DeliveryState::Dropped { .. } => {
            pop(d, id, &first)
        }
        DeliveryState::Pasting { .. } | DeliveryState::Submitting { .. } => {}
    }
}

/// The launch that can take a prompt now.
fn ready_launch(session: &Session) -> Option<LaunchId> {
    let live =
        matches!(session.phase, Phase::Live) && matches!(session.process, Process::Alive | Process::ProbeFailed { .. });
    let reviewed = matches!(session.review, WorkReview::None);
    if live && reviewed && !session.in_turn() && session.known.activity.takes_prompts() {
        session.launch.clone()
    } else {
        None
    }
}

fn paste(d: &mut Draft<'_>, id: &SessionId, delivery: &DeliveryId, launch: &LaunchId) {
    let Some(x) = d.deliveries.get_mut(delivery) else { return };
    let Some(text) = x.text.clone() else { return };
    x.state = DeliveryState::Pasting { launch: launch.clone() };
    x.again = None;
    let file = x.file.clone();
    d.ask(Effect::PastePrompt { delivery: delivery.clone(), session: id.clone(), launch: launch.clone(), text, file });
}

fn submit(d: &mut Draft<'_>, id: &SessionId, delivery: &DeliveryId, launch: &LaunchId, n: u32) {
    let Some(x) = d.deliveries.get_mut(delivery) else { return };
    let Some(text) = x.text.clone() else { return };
    x.state = DeliveryState::Submitting { launch: launch.clone(), n };
    x.again = None;
    d.ask(Effect::SubmitPrompt { delivery: delivery.clone(), session: id.clone(), launch: launch.clone(), n, text });
}

/// The paste is in the composer.
pub(super) fn pasted(d: &mut Draft<'_>, id: &SessionId, delivery: &DeliveryId, launch: &LaunchId) {
    let current =
        d.deliveries.get(delivery).is_some_and(|x| x.state == DeliveryState::Pasting { launch: launch.clone() });
    if current {
        clear_held(d, delivery);
        submit(d, id, delivery, launch, 1);
    }
}

/// Enter was pressed. A turn that was already seen to begin after that moment settles the delivery at once.
pub(super) fn submitted(
    d: &mut Draft<'_>,
    id: &SessionId,
    delivery: &DeliveryId,
    launch: &LaunchId,
    n: u32,
    offset: u64,
) {
    let now = d.now;
    let Some(x) = d.deliveries.get_mut(delivery) else { return };
    if x.state != (DeliveryState::Submitting { launch: launch.clone(), n }) {
        return;
    }
    x.state = DeliveryState::Submitted { launch: launch.clone(), n, offset, at: now };
    x.held = None;
    let began = d.sessions.get(id).is_some_and(Session::in_turn);
    if began {
        turn_began(d, id, "a turn was already seen to begin");
    }
}

/// Typing was not possible. What is in the composer already stays there: the next stage is tried again later.
pub(super) fn held(d: &mut Draft<'_>, delivery: &DeliveryId, why: &str) {
    let again = d.now.after(HELD_AGAIN);
    let Some(x) = d.deliveries.get_mut(delivery) else { return };
    match x.state.clone() {
        DeliveryState::Pasting { .. } => x.state = DeliveryState::Queued,
        DeliveryState::Submitting { launch, n } if n > 1 => {
            // The earlier press stands; whether its turn began is what is being waited for.
            x.state = DeliveryState::Submitted { launch, n: n - 1, offset: 0, at: x.queued };
        }
        DeliveryState::Submitting { launch, .. } => x.state = DeliveryState::Pasting { launch },
        DeliveryState::Queued
        | DeliveryState::Submitted { .. }
        | DeliveryState::Delivered { .. }
        | DeliveryState::Uncertain { .. }
        | DeliveryState::Dropped { .. } => return,
    }
    x.held = Some(why.to_owned());
    x.again = Some(again);
}

/// A delivery that was held between paste and Enter is taken up again when its time has come.
pub(super) fn retry_held(d: &mut Draft<'_>) {
    let now = d.now;
    let due: Vec<(SessionId, DeliveryId, LaunchId)> = d
        .sessions
        .values()
        .filter_map(|s| {
            let x = d.deliveries.get(s.outbox.first()?)?;
            match (&x.state, x.again) {
                (DeliveryState::Pasting { launch }, Some(again)) if again <= now => {
                    Some((s.id.clone(), x.id.clone(), launch.clone()))
                }
                _ => None, // tidy: a filter over pairs; every other pair has nothing to retry
            }
        })
        .collect();
    for (session, delivery, launch) in due {
        submit(d, &session, &delivery, &launch, 1);
    }
}

/// A turn began: the submitted delivery has arrived.
pub(super) fn turn_began(d: &mut Draft<'_>, id: &SessionId, signal: &str) {
    let now = d.now;
    let Some(first) = d.sessions.get(id).and_then(|s| s.outbox.first().cloned()) else { return };
    let Some(x) = d.deliveries.get_mut(&first) else { return };
    let launch = match &x.state {
        DeliveryState::Submitted { launch, .. } | DeliveryState::Submitting { launch, .. } => launch.clone(),
        DeliveryState::Queued
        | DeliveryState::Pasting { .. }
        | DeliveryState::Delivered { .. }
        | DeliveryState::Uncertain { .. }
        | DeliveryState::Dropped { .. } => return,
    };
    let submitting = matches!(x.state, DeliveryState::Submitting { .. });
    if submitting && !d.sessions.get(id).is_some_and(Session::in_turn) {
        return;
    }
    let Some(x) = d.deliveries.get_mut(&first) else { return };
    if submitting {
        // The press is on its way; its outcome settles the delivery (`submitted`).
        return;
    }
    x.state = DeliveryState::Delivered { at: now, signal: signal.to_owned() };
    x.text = None;
    x.file = None;
    x.held = None;
    x.again = None;
    pop(d, id, &first);
    if let Some(turn) =
        d.sessions.get_mut(id).and_then(|s| s.turn.as_mut()).filter(|t| t.launch == launch && t.delivery.is_none())
    {
        turn.delivery = Some(first);
    }
}

/// The launch is over: what was not submitted waits for the next one, what was submitted is uncertain.
pub(super) fn launch_over(d: &mut Draft<'_>, id: &SessionId) {
    let Some(first) = d.sessions.get(id).and_then(|s| s.outbox.first().cloned()) else { return };
    let Some(x) = d.deliveries.get(&first) else { return };
    match x.state.clone() {
        DeliveryState::Pasting { launch } => {
            d.settle(&crate::id::EffectKey::new(format!("paste:{first}:{launch}")));
            requeue(d, &first);
        }
        DeliveryState::Submitting { launch, n } => {
            d.settle(&crate::id::EffectKey::new(format!("submit:{first}:{launch}:{n}")));
            uncertain(d, id, &first, "the agent ended while Enter was being pressed");
        }
        DeliveryState::Submitted { .. } => uncertain(d, id, &first, "the agent ended before a turn was seen to begin"),
        DeliveryState::Queued
        | DeliveryState::Delivered { .. }
        | DeliveryState::Uncertain { .. }
        | DeliveryState::Dropped { .. } => {}
    }
}

fn requeue(d: &mut Draft<'_>, delivery: &DeliveryId) {
    if let Some(x) = d.deliveries.get_mut(delivery) {
        x.state = DeliveryState::Queued;
        x.held = None;
        x.again = None;
    }
}

fn clear_held(d: &mut Draft<'_>, delivery: &DeliveryId) {
    if let Some(x) = d.deliveries.get_mut(delivery) {
        x.held = None;
        x.again = None;
    }
}

fn uncertain(d: &mut Draft<'_>, id: &SessionId, delivery: &DeliveryId, why: &str) {
    if let Some(x) = d.deliveries.get_mut(delivery) {
        x.state = DeliveryState::Uncertain { why: why.to_owned() };
        x.again = None;
    }
    pop(d, id, delivery);
    let Some(session) = d.sessions.get(id) else { return };
    let (project, name) = (session.project.clone(), session.name.clone());
    let body = format!("{why}. Look at the session (`ao attach {id}`) and send it again if it did not arrive.");
    d.notify(
        format!("uncertain:{delivery}"),
        &project,
        Some(id),
        Priority::Urgent,
        format!("{name}: a prompt may not have arrived"),
        body,
    );
}

fn pop(d: &mut Draft<'_>, id: &SessionId, delivery: &DeliveryId) {
    if let Some(session) = d.sessions.get_mut(id) {
        session.outbox.retain(|x| x != delivery);
    }
}

/// Gives up everything that was not delivered.
pub(super) fn drop_all(d: &mut Draft<'_>, id: &SessionId, why: &str) {
    let outbox = d.sessions.get(id).map(|s| s.outbox.clone()).unwrap_or_default();
    for delivery in outbox {
        drop_one(d, id, &delivery, why);
    }
}

fn drop_one(d: &mut Draft<'_>, id: &SessionId, delivery: &DeliveryId, why: &str) {
    let stage = d.deliveries.get(delivery).map(|x| x.state.clone());
    match stage {
        Some(DeliveryState::Pasting { launch }) => {
            d.settle(&crate::id::EffectKey::new(format!("paste:{delivery}:{launch}")))
        }
        Some(DeliveryState::Submitting { launch, n }) => {
            d.settle(&crate::id::EffectKey::new(format!("submit:{delivery}:{launch}:{n}")))
        }
        Some(
            DeliveryState::Queued
            | DeliveryState::Submitted { .. }
            | DeliveryState::Delivered { .. }
            | DeliveryState::Uncertain { .. }
            | DeliveryState::Dropped { .. },
        )
        | None => {}
    }
    if let Some(x) = d.deliveries.get_mut(delivery).filter(|x| !x.state.settled()) {
        x.state = DeliveryState::Dropped { why: why.to_owned() };
        x.text = None;
        x.file = None;
        x.held = None;
        x.again = None;
    }
    pop(d, id, delivery);
}

/// A person gives a delivery up.
pub(super) fn drop_delivery(d: &mut Draft<'_>, delivery: &DeliveryId) -> Answer {
    let Some(x) = d.deliveries.get(delivery) else {
        return Answer::Refused(Fault::not_found(format!("there is no delivery {delivery}")));
    };
    if x.state.settled() {
        return Answer::Refused(Fault::conflict(format!("delivery {delivery} is already over")));
    }
    let session = x.session.clone();
    drop_one(d, &session, delivery, "a person gave it up");
    Answer::Delivery(delivery.clone())
}

/// Whether the agent's answer to what it was told is still to come.
pub(super) fn busy(session: &Session) -> bool {
    !session.outbox.is_empty() || session.in_turn() || matches!(session.known.activity, Activity::Working { .. })
}
