//! Turns of an agent: each begins once and has exactly one end. What a turn's end leads to is decided elsewhere.

use super::draft::{Draft, Signal};
use crate::activity::{Activity, InputKind, Observation, Source};
use crate::id::SessionId;
use crate::session::{Turn, TurnEnd, TurnHow};

/// Whether an agent that does this is in a turn. Questions asked at start-up are not part of one.
pub(super) const fn shows_turn(activity: &Activity) -> bool {
    match activity {
        Activity::Working { .. } | Activity::Retrying => true,
        Activity::NeedsInput { what } => match what {
            InputKind::Permission | InputKind::Question | InputKind::Plan => true,
            InputKind::Trust | InputKind::Login | InputKind::Onboarding | InputKind::Menu => false,
        },
        Activity::Starting
        | Activity::Ready
        | Activity::RateLimited { .. }
        | Activity::Error { .. }
        | Activity::Idle
        | Activity::Interrupted
        | Activity::Exited { .. }
        | Activity::Unknown => false,
    }
}

/// How a turn ends when this activity follows.
pub(super) const fn end_shown_by(activity: &Activity) -> Option<TurnHow> {
    match activity {
        Activity::Idle | Activity::Ready => Some(TurnHow::Done),
        Activity::Error { .. } | Activity::RateLimited { .. } => Some(TurnHow::Error),
        Activity::Interrupted => Some(TurnHow::Interrupted),
        Activity::Exited { .. } => Some(TurnHow::Exited),
        Activity::Starting
        | Activity::Working { .. }
        | Activity::NeedsInput { .. }
        | Activity::Retrying
        | Activity::Unknown => None,
    }
}

/// An interruption straight out of a question for leave is its refusal: no agent says more of that than that it stopped.
pub(super) fn of_question(how: TurnHow, before: &Activity) -> TurnHow {
    let asked = matches!(before, Activity::NeedsInput { what: InputKind::Permission | InputKind::Plan });
    if asked && how == TurnHow::Interrupted { TurnHow::Refused } else { how }
}

/// A turn that nobody saw: a mark of an ended turn that was made after Enter, while no turn was seen to begin. Only marks in
/// the output, and the flow of output itself, are ordered with what was typed; `ready` says nothing about turns.
pub(super) fn unseen(observation: &Observation, pressed_at: u64) -> Option<TurnHow> {
    let ordered = matches!(observation.source, Source::Osc | Source::Process);
    let later = ordered && observation.offset.is_some_and(|o| o > pressed_at);
    if later && observation.activity != Activity::Ready { end_shown_by(&observation.activity) } else { None }
}

/// Sources whose reports carry the time at which they were made, however late they come.
pub(super) const fn keeps_time(source: Source) -> bool {
    match source {
        Source::Structured | Source::Hook | Source::Transcript => true,
        Source::Osc | Source::Screen | Source::Title | Source::Process => false,
    }
}

/// A turn begins.
pub(super) fn begin(d: &mut Draft<'_>, id: &SessionId, offset: Option<u64>) {
    let now = d.now;
    let Some(session) = d.sessions.get_mut(id) else { return };
    let Some(launch) = session.launch.clone() else { return };
    session.turns += 1;
    session.turn = Some(Turn { n: session.turns, launch, began: now, offset, delivery: None, native: None, end: None });
    session.last_output = now;
    session.stalls = 0;
}

/// The turn that goes on ends; false when none does.
pub(super) fn end(d: &mut Draft<'_>, id: &SessionId, how: TurnHow) -> bool {
    let now = d.now;
    let Some(session) = d.sessions.get_mut(id) else { return false };
    let Some(turn) = session.turn.as_mut().filter(|t| t.end.is_none()) else { return false };
    turn.end = Some(TurnEnd { how, at: now });
    true
}

/// A turn began and ended before anybody looked.
pub(super) fn pass(d: &mut Draft<'_>, id: &SessionId, how: TurnHow, offset: Option<u64>) {
    begin(d, id, offset);
    if end(d, id, how) {
        d.signal(Signal::TurnEnded { session: id.clone(), how });
    }
}
