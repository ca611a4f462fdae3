//! Sessions at rest: an idle one is halted after a while, or when a person says so, and wakes before anything is done with it.
//!
//! Halting is never urgent: whatever speaks against it (work, a prompt on its way, somebody who looks) puts it off. Waking is
//! never given up.

use super::draft::Draft;
use crate::activity::Activity;
use crate::effect::{Effect, Outcome};
use crate::event::Answer;
use crate::facts::Facts;
use crate::freeze::Frozen;
use crate::id::{LaunchId, SessionId};
use crate::kind::{Fault, Kind};
use crate::session::{Phase, Process, Session, WorkReview};
use crate::time::{Millis, Time};

/// Why a session may not be halted now; nothing when it may.
///
/// # Errors
/// What speaks against it, in words.
pub fn may_freeze(session: &Session) -> Result<(), String> {
    if !matches!(session.phase, Phase::Live) || !matches!(session.process, Process::Alive) {
        return Err("its agent does not run".to_owned());
    }
    if session.in_turn() {
        return Err("its agent is in a turn".to_owned());
    }
    if !session.outbox.is_empty() {
        return Err("a prompt is on its way to it".to_owned());
    }
    if !matches!(session.review, WorkReview::None) {
        return Err("its work is being looked at".to_owned());
    }
    match session.known.activity {
        Activity::Ready | Activity::Idle | Activity::Interrupted => Ok(()),
        Activity::Starting
        | Activity::Working { .. }
        | Activity::NeedsInput { .. }
        | Activity::Retrying
        | Activity::RateLimited { .. }
        | Activity::Error { .. }
        | Activity::Exited { .. }
        | Activity::Unknown => Err("its agent is not known to be idle".to_owned()),
    }
}

/// When an idle session is to be halted.
pub(super) fn deadline(facts: &Facts, session: &Session) -> Option<Time> {
    due(facts.projects.get(&session.project)?.settings.freeze_idle_after?, session)
}

fn due(after: Millis, session: &Session) -> Option<Time> {
    let freeze = &session.freeze;
    if freeze.holds() || freeze.refused.is_some() || may_freeze(session).is_err() {
        return None;
    }
    let ended = session.turn.as_ref().and_then(|turn| turn.end.as_ref()).map_or(Time(0), |end| end.at);
    Some(session.known.since.max(freeze.woken).max(ended).after(after))
}

/// Whether somebody waits for its agent, or it works although it was to be halted.
fn is_needed(session: &Session) -> bool {
    session.in_turn() || !session.outbox.is_empty() || !matches!(session.phase, Phase::Live)
}

/// Halts what has rested long enough, and wakes what is needed.
pub(super) fn advance(d: &mut Draft<'_>) {
    let now = d.now;
    let mut wake = Vec::new();
    let mut halt = Vec::new();
    for session in d.sessions.values() {
        let after = || d.projects.get(&session.project)?.settings.freeze_idle_after;
        match session.freeze.frozen {
            Frozen::Asked | Frozen::Since { .. } if is_needed(session) => wake.push(session.id.clone()),
            Frozen::No
                if matches!(session.phase, Phase::Live)
                    && after().and_then(|after| due(after, session)).is_some_and(|at| at <= now) =>
            {
                halt.push(session.id.clone());
            }
            Frozen::No | Frozen::Asked | Frozen::Since { .. } | Frozen::Waking => {}
        }
    }
    wake.iter().for_each(|id| self::wake(d, id));
    halt.iter().for_each(|id| self::halt(d, id));
}

fn halt(d: &mut Draft<'_>, id: &SessionId) {
    let Some(session) = d.sessions.get_mut(id) else { return };
    let Some(launch) = session.launch.clone() else { return };
    session.freeze.frozen = Frozen::Asked;
    session.freeze.changes += 1;
    let n = session.freeze.changes;
    d.ask(Effect::EnsureFrozen { session: id.clone(), launch, n });
}

/// Asks for it to go on. Whether the halt before has happened does not matter: both are repeated without harm.
fn wake(d: &mut Draft<'_>, id: &SessionId) {
    let Some(session) = d.sessions.get_mut(id) else { return };
    if !matches!(session.phase, Phase::Live) {
        // Whoever stops it wakes it.
        launch_over(d, id);
        return;
    }
    let Some(launch) = session.launch.clone() else { return };
    session.freeze.frozen = Frozen::Waking;
    let before = session.freeze.changes;
    session.freeze.changes += 1;
    let n = session.freeze.changes;
    d.settle(&Effect::EnsureFrozen { session: id.clone(), launch: launch.clone(), n: before }.key());
    d.ask(Effect::EnsureThawed { session: id.clone(), launch, n });
}

/// Its host says that it was halted or woken, by whomever.
pub(super) fn reported(d: &mut Draft<'_>, id: &SessionId, launch: &LaunchId, frozen: bool) -> Answer {
    let now = d.now;
    let Some(session) = d.sessions.get_mut(id).filter(|s| s.launch.as_ref() == Some(launch)) else {
        return Answer::Noted;
    };
    match (frozen, &session.freeze.frozen) {
        (true, Frozen::No | Frozen::Asked) => session.freeze.frozen = Frozen::Since { at: now },
        // A host that was found again tells how it is: nobody has touched it.
        (false, Frozen::Since { .. } | Frozen::Waking) => awake(d, id),
        // The halt has not reached it yet, or its wake-up is on the way.
        (false, Frozen::No | Frozen::Asked) | (true, Frozen::Since { .. } | Frozen::Waking) => {}
    }
    Answer::Noted
}

/// The time to halt it again counts from here.
fn awake(d: &mut Draft<'_>, id: &SessionId) {
    let now = d.now;
    let Some(session) = d.sessions.get_mut(id) else { return };
    session.freeze.frozen = Frozen::No;
    session.freeze.woken = now;
    let n = session.freeze.changes;
    if let Some(launch) = session.launch.clone() {
        d.settle(&Effect::EnsureThawed { session: id.clone(), launch, n }.key());
    }
}

/// A halt ended: it is so, or somebody needs the session.
pub(super) fn frozen(d: &mut Draft<'_>, id: &SessionId, outcome: &Outcome) {
    let now = d.now;
    let Some(session) = d.sessions.get_mut(id).filter(|s| s.freeze.frozen == Frozen::Asked) else { return };
    if let Outcome::Held { .. } = outcome {
        session.freeze.frozen = Frozen::No;
        session.freeze.woken = now;
    } else {
        session.freeze.frozen = Frozen::Since { at: now };
    }
}

/// It goes on.
pub(super) fn thawed(d: &mut Draft<'_>, id: &SessionId) {
    if d.sessions.get(id).is_some_and(|s| s.freeze.frozen == Frozen::Waking) {
        awake(d, id);
    }
}

/// It could not be halted. A runtime that cannot is not asked again for this launch; anything else may be over next time.
pub(super) fn not_frozen(d: &mut Draft<'_>, id: &SessionId, fault: &Fault) {
    let now = d.now;
    let Some(session) = d.sessions.get_mut(id).filter(|s| s.freeze.frozen == Frozen::Asked) else { return };
    session.freeze.frozen = Frozen::No;
    session.freeze.woken = now;
    if fault.kind == Kind::Unsupported {
        session.freeze.refused = Some(fault.message.clone());
    }
}

/// Its processes ended.
pub(super) fn launch_over(d: &mut Draft<'_>, id: &SessionId) {
    let Some(session) = d.sessions.get_mut(id) else { return };
    let (launch, n) = (session.launch.clone(), session.freeze.changes);
    session.freeze.forget();
    if let Some(launch) = launch {
        d.settle(&Effect::EnsureFrozen { session: id.clone(), launch: launch.clone(), n }.key());
        d.settle(&Effect::EnsureThawed { session: id.clone(), launch, n }.key());
    }
}

/// A person wants a session to be halted now.
pub(super) fn freeze_requested(d: &mut Draft<'_>, id: &SessionId) -> Answer {
    let Some(session) = d.sessions.get(id) else {
        return Answer::Refused(Fault::not_found(format!("there is no session {id}")));
    };
    if session.freeze.frozen != Frozen::No {
        return Answer::Session(id.clone());
    }
    if let Some(why) = &session.freeze.refused {
        return Answer::Refused(Fault::new(Kind::Unsupported, why.clone()));
    }
    if let Err(why) = may_freeze(session) {
        let fault = Fault::conflict(format!("session {id} cannot be halted now: {why}"));
        return Answer::Refused(fault.hint("only an idle session is halted; `ao stop` ends a working one"));
    }
    halt(d, id);
    Answer::Session(id.clone())
}

/// A person wants a session to go on.
pub(super) fn thaw_requested(d: &mut Draft<'_>, id: &SessionId) -> Answer {
    let Some(session) = d.sessions.get_mut(id) else {
        return Answer::Refused(Fault::not_found(format!("there is no session {id}")));
    };
    match session.freeze.frozen {
        Frozen::Asked | Frozen::Since { .. } => wake(d, id),
        Frozen::No | Frozen::Waking => {}
    }
    Answer::Session(id.clone())
}
