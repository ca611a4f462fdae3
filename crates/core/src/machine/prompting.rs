//! Prompts on their way: one delivery at a time per session, stage by stage, each stage asked of the host once.

use super::draft::{Draft, Signal};
use super::turn;
use crate::activity::{Activity, Observation};
use crate::delivery::{Cause, Delivery, DeliveryState, MAX_SUBMITS, MAX_TYPED, Press, PromptFile};
use crate::effect::{Effect, Priority};
use crate::event::Answer;
use crate::facts::Facts;
use crate::id::{DeliveryId, EffectKey, LaunchId, SessionId};
use crate::kind::Fault;
use crate::prompt;
use crate::reaction::ReactionKey;
use crate::screen::sha256_hex;
use crate::session::{Attention, Phase, Process, Session, WorkReview};
use crate::time::{Millis, Time};

/// A held delivery is looked at again after this long even if nothing was observed (`docs/design/delivery.md`: a person has
/// five seconds of rest after their last key).
const HELD_AGAIN: Millis = Millis::secs(5);

/// After so long a held prompt calls a person, once; one that was typed already is uncertain then. Longer than anybody takes
/// over one sentence in a composer, short enough that a run does not stand still for hours.
const HELD_FOR: Millis = Millis::mins(10);

/// How long after Enter a turn must have begun before the composer is looked at again: the slowest recorded agent takes
/// under two seconds to show one on a busy machine.
const TURN_WITHIN: Millis = Millis::secs(6);

/// How long a daemon that comes back looks at what its sessions show before it presses Enter: screens come within tenths of
/// a second.
const LOOK_FIRST: Millis = Millis::secs(2);

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
        turns_before: 0,
        unseen: None,
        pasted: None,
        pressed: None,
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
    match &delivery.state {
        DeliveryState::Queued => ready_launch(session).and(delivery.again),
        DeliveryState::Pasting { .. } => delivery.again,
        DeliveryState::Submitted { n, at, .. } => {
            let given_up = at.after(UNCERTAIN_AFTER);
            Some(next_press(session, delivery, *n, *at).map_or(given_up, |press| press.min(given_up)))
        }
        DeliveryState::Submitting { .. }
        | DeliveryState::Delivered { .. }
        | DeliveryState::Uncertain { .. }
        | DeliveryState::Dropped { .. } => None,
    }
}

/// When Enter may be pressed once more, if it may: never into a turn or a question.
fn next_press(session: &Session, delivery: &Delivery, n: u32, at: Time) -> Option<Time> {
    let open = session.known.activity.takes_prompts()
        || matches!(session.known.activity, Activity::Unknown | Activity::Starting);
    if n >= MAX_SUBMITS || session.in_turn() || !open {
        return None;
    }
    let due = at.after(TURN_WITHIN);
    Some(delivery.again.map_or(due, |again| again.max(due)))
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
            if now >= at.after(UNCERTAIN_AFTER) {
                uncertain(d, id, &first, "Enter was pressed, but no turn was seen to begin");
            } else if next_press(session, delivery, n, at).is_some_and(|due| due <= now) {
                submit(d, id, &first, &launch, n + 1);
            }
        }
        DeliveryState::Delivered { .. } | DeliveryState::Uncertain { .. } | DeliveryState::Dropped { .. } => {
            pop(d, id, &first);
        }
        DeliveryState::Pasting { .. } | DeliveryState::Submitting { .. } => {}
    }
}

/// The launch that can take a prompt now.
fn ready_launch(session: &Session) -> Option<LaunchId> {
    let live =
        matches!(session.phase, Phase::Live) && matches!(session.process, Process::Alive | Process::ProbeFailed { .. });
    let reviewed = matches!(session.review, WorkReview::None) && !session.freeze.holds();
    if live && reviewed && !session.in_turn() && session.known.activity.takes_prompts() {
        session.launch.clone()
    } else {
        None
    }
}

fn paste(d: &mut Draft<'_>, id: &SessionId, delivery: &DeliveryId, launch: &LaunchId) {
    let turns = d.sessions.get(id).map_or(0, |s| s.turns);
    let Some(x) = d.deliveries.get_mut(delivery) else { return };
    let Some(text) = x.text.clone() else { return };
    x.state = DeliveryState::Pasting { launch: launch.clone() };
    x.again = None;
    // What was typed before went to whoever had a turn since.
    if x.unseen.is_none() {
        x.turns_before = turns;
    }
    x.pasted = None;
    x.pressed = None;
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
        if let Some(x) = d.deliveries.get_mut(delivery) {
            x.held = None;
            x.again = None;
            x.pasted = Some(d.now);
        }
        submit(d, id, delivery, launch, 1);
    }
}

/// The paste was typed and is not to be seen: it is looked for again, unless somebody may have sent it.
pub(super) fn unseen(d: &mut Draft<'_>, id: &SessionId, delivery: &DeliveryId, launch: &LaunchId) {
    let now = d.now;
    let turns = d.sessions.get(id).map_or(0, |s| s.turns);
    let Some(x) = d.deliveries.get_mut(delivery) else { return };
    if x.state != (DeliveryState::Pasting { launch: launch.clone() }) {
        return;
    }
    let since = *x.unseen.get_or_insert(now);
    if turns > x.turns_before {
        uncertain(d, id, delivery, "it was typed, and a turn began: somebody may have sent it with words of their own");
    } else if now >= since.after(HELD_FOR) {
        uncertain(d, id, delivery, "it was typed, but the composer never showed it");
    } else {
        held(d, delivery, "it was pasted, but the composer does not show it");
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
    x.again = None;
    let before = x.turns_before;
    // What followed the first press counts, also when it was seen only after a further one.
    let mark = x.pressed.as_ref().map_or(offset, |first| first.offset);
    x.pressed = Some(Press { offset, at: now });
    let Some(session) = d.sessions.get(id) else { return };
    let began = session.turn.as_ref().is_some_and(|t| t.n > before && t.offset.is_none_or(|o| o > mark));
    let unseen = session.evidence.values().find_map(|o| Some((turn::unseen(o, mark)?, o.offset)));
    if began {
        arrived(d, id, delivery, "a turn was already seen to begin");
    } else if let Some((how, at)) = unseen.filter(|_| !session.in_turn()) {
        turn::pass(d, id, how, at);
        arrived(d, id, delivery, "a turn was already over");
    }
}

/// Typing was not possible. What is in the composer already stays there: the next stage is tried again later.
pub(super) fn held(d: &mut Draft<'_>, delivery: &DeliveryId, why: &str) {
    let again = d.now.after(HELD_AGAIN);
    let now = d.now;
    let Some(x) = d.deliveries.get(delivery) else { return };
    let (id, state, before, pressed) = (x.session.clone(), x.state.clone(), x.turns_before, x.pressed.clone());
    let (queued, pasted) = (x.queued, x.pasted);
    let next = match state {
        DeliveryState::Pasting { .. } => DeliveryState::Queued,
        DeliveryState::Submitting { launch, n } => match pressed {
            // The earlier press stands; whether its turn began is what is being waited for.
            Some(Press { offset, at }) => DeliveryState::Submitted { launch, n: n.saturating_sub(1), offset, at },
            None if d.sessions.get(&id).is_some_and(|s| s.turns > before) => {
                uncertain(
                    d,
                    &id,
                    delivery,
                    "a turn began while it lay in the composer: somebody else may have sent it",
                );
                return;
            }
            None if pasted.is_some_and(|at| now >= at.after(HELD_FOR)) => {
                uncertain(d, &id, delivery, &format!("it was typed, but Enter could not be pressed: {why}"));
                return;
            }
            None => DeliveryState::Pasting { launch },
        },
        DeliveryState::Queued
        | DeliveryState::Submitted { .. }
        | DeliveryState::Delivered { .. }
        | DeliveryState::Uncertain { .. }
        | DeliveryState::Dropped { .. } => return,
    };
    if let Some(x) = d.deliveries.get_mut(delivery) {
        x.state = next;
        x.held = Some(why.to_owned());
        x.again = Some(again);
    }
    if now >= queued.after(HELD_FOR) {
        call_to_held(d, &id, delivery, why);
    }
}

/// A person is told once that a prompt waits for them.
fn call_to_held(d: &mut Draft<'_>, id: &SessionId, delivery: &DeliveryId, why: &str) {
    let now = d.now;
    let Some(session) = d.sessions.get_mut(id).filter(|s| s.attention.is_none()) else { return };
    let why = format!("a prompt cannot be typed: {why}");
    session.attention = Some(Attention { key: ReactionKey::AgentNeedsInput, why: why.clone(), since: now });
    let (project, title) = (session.project.clone(), format!("{} waits for you", session.name));
    let body = format!("{why}. Look: ao attach {id}, or give it up");
    d.notify(format!("held:{delivery}:{}", now.0), &project, Some(id), Priority::Urgent, title, body);
}

/// A delivery that was held between paste and Enter is taken up again when its time has come.
pub(super) fn retry_held(d: &mut Draft<'_>) {
    let now = d.now;
    let held = |s: &Session| {
        let x = d.deliveries.get(s.outbox.first()?)?;
        let DeliveryState::Pasting { launch } = &x.state else { return None };
        x.again.filter(|again| *again <= now)?;
        Some((s.id.clone(), x.id.clone(), launch.clone()))
    };
    let due: Vec<(SessionId, DeliveryId, LaunchId)> = d.sessions.values().filter_map(held).collect();
    for (session, delivery, launch) in due {
        submit(d, &session, &delivery, &launch, 1);
    }
}

/// An agent was seen in a turn, by a mark at `offset` when a mark showed it: what was submitted before has arrived.
pub(super) fn turn_seen(d: &mut Draft<'_>, id: &SessionId, signal: &str, offset: Option<u64>) {
    let Some(x) = first(d, id) else { return };
    let later = |pressed: u64| offset.is_none_or(|o| o > pressed);
    let ours = match &x.state {
        DeliveryState::Submitted { offset, .. } => later(*offset),
        // A first press that is still on its way is settled by its outcome (`submitted`).
        DeliveryState::Submitting { .. } => x.pressed.as_ref().is_some_and(|p| later(p.offset)),
        DeliveryState::Queued
        | DeliveryState::Pasting { .. }
        | DeliveryState::Delivered { .. }
        | DeliveryState::Uncertain { .. }
        | DeliveryState::Dropped { .. } => false,
    };
    if ours {
        let delivery = x.id.clone();
        arrived(d, id, &delivery, signal);
    }
}

/// An agent was seen idle again by a mark made after Enter: the turn came and went while nobody looked.
pub(super) fn end_seen(d: &mut Draft<'_>, id: &SessionId, observation: &Observation) {
    let Some(x) = first(d, id) else { return };
    let Some(Press { offset, .. }) = &x.pressed else { return };
    let in_turn = d.sessions.get(id).is_some_and(Session::in_turn);
    let Some(how) = turn::unseen(observation, *offset).filter(|_| !in_turn) else { return };
    let delivery = x.id.clone();
    turn::pass(d, id, how, observation.offset);
    arrived(d, id, &delivery, &observation.why);
}

/// A hook tells late, because nobody listened, of a turn that began after a prompt was typed. Newer evidence already says
/// what the agent does now: it may be over.
pub(super) fn heard_late(d: &mut Draft<'_>, id: &SessionId, observation: &Observation) {
    let (Some(x), Some(session)) = (first(d, id), d.sessions.get(id)) else { return };
    let typed = matches!(x.state, DeliveryState::Submitting { .. } | DeliveryState::Submitted { .. });
    let after = x.pasted.is_some_and(|pasted| observation.at >= pasted);
    if !typed || !after || session.in_turn() || session.turns > x.turns_before {
        return;
    }
    match turn::end_shown_by(&session.known.activity) {
        Some(how) => turn::pass(d, id, how, None),
        None => turn::begin(d, id, None),
    }
    turn_seen(d, id, &observation.why, None);
}

fn first<'d>(d: &'d Draft<'_>, id: &SessionId) -> Option<&'d Delivery> {
    d.deliveries.get(d.sessions.get(id)?.outbox.first()?)
}

fn arrived(d: &mut Draft<'_>, id: &SessionId, delivery: &DeliveryId, signal: &str) {
    let now = d.now;
    unask(d, delivery);
    let Some(x) = d.deliveries.get_mut(delivery) else { return };
    x.state = DeliveryState::Delivered { at: now, signal: signal.to_owned() };
    x.text = None;
    x.file = None;
    x.held = None;
    x.again = None;
    pop(d, id, delivery);
    if let Some(turn) = d.sessions.get_mut(id).and_then(|s| s.turn.as_mut()).filter(|t| t.delivery.is_none()) {
        turn.delivery = Some(delivery.clone());
    }
}

/// Takes back the typing of a delivery that is on its way.
fn unask(d: &mut Draft<'_>, delivery: &DeliveryId) {
    let Some(x) = d.deliveries.get(delivery) else { return };
    let key = match &x.state {
        DeliveryState::Pasting { launch } => format!("paste:{delivery}:{launch}"),
        DeliveryState::Submitting { launch, n } => format!("submit:{delivery}:{launch}:{n}"),
        DeliveryState::Queued
        | DeliveryState::Submitted { .. }
        | DeliveryState::Delivered { .. }
        | DeliveryState::Uncertain { .. }
        | DeliveryState::Dropped { .. } => return,
    };
    d.settle(&EffectKey::new(key));
}

/// The daemon comes back: time in which nobody could have seen a turn does not count against a prompt. What is on the screen
/// is looked at first; a daemon that comes back again and again presses Enter all the same.
pub(super) fn watched_again(d: &mut Draft<'_>, id: &SessionId) {
    let now = d.now;
    let Some(delivery) = first(d, id).map(|x| x.id.clone()) else { return };
    if let Some(x) = d.deliveries.get_mut(&delivery)
        && let DeliveryState::Submitted { at, .. } = &mut x.state
    {
        *at = (*at).max(Time(now.0.saturating_sub(TURN_WITHIN.0)));
        x.again = Some(now.after(LOOK_FIRST));
    }
}

/// The launch is over: what was not submitted waits for the next one, what was submitted is uncertain.
pub(super) fn launch_over(d: &mut Draft<'_>, id: &SessionId) {
    let Some(x) = first(d, id) else { return };
    let (delivery, state) = (x.id.clone(), x.state.clone());
    unask(d, &delivery);
    match state {
        DeliveryState::Pasting { .. } => requeue(d, &delivery),
        DeliveryState::Submitting { .. } => {
            uncertain(d, id, &delivery, "the agent ended while Enter was being pressed");
        }
        DeliveryState::Submitted { .. } => {
            uncertain(d, id, &delivery, "the agent ended before a turn was seen to begin");
        }
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

fn uncertain(d: &mut Draft<'_>, id: &SessionId, delivery: &DeliveryId, why: &str) {
    if let Some(x) = d.deliveries.get_mut(delivery) {
        x.state = DeliveryState::Uncertain { why: why.to_owned() };
        x.again = None;
    }
    pop(d, id, delivery);
    let now = d.now;
    let Some(session) = d.sessions.get_mut(id) else { return };
    session.attention.get_or_insert_with(|| Attention {
        key: ReactionKey::AgentNeedsInput,
        why: format!("a prompt may not have arrived: {why}"),
        since: now,
    });
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
        d.signal(Signal::DeliveryOver { session: id.clone() });
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
    unask(d, delivery);
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
