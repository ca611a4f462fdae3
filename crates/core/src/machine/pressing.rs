//! Keys that somebody presses in a session's terminal from outside it: whether they may, and the turn that they interrupt.

use super::draft::Draft;
use super::turn;
use crate::activity::Activity;
use crate::delivery::DeliveryState;
use crate::event::Answer;
use crate::id::SessionId;
use crate::kind::Fault;
use crate::prompt::clean;
use crate::session::{Phase, Pressed, Session, TurnHow};

/// Notes who presses what, or refuses: what is typed at the same moment as a prompt would be sent with it.
pub(super) fn pressed(d: &mut Draft<'_>, id: &SessionId, from: &str, keys: &str, interrupt: bool) -> Answer {
    let now = d.now;
    let Some(session) = d.sessions.get(id) else {
        return Answer::Refused(Fault::not_found(format!("there is no session {id}")));
    };
    if !matches!(session.phase, Phase::Live) {
        let fault = Fault::conflict(format!("session {id} has no running agent"));
        return Answer::Refused(fault.hint(format!("`ao status {id}` says why")));
    }
    let first = session.outbox.first().and_then(|first| d.deliveries.get(first));
    let typed = first.filter(|p| {
        p.held.is_none() && matches!(p.state, DeliveryState::Pasting { .. } | DeliveryState::Submitting { .. })
    });
    if let Some(prompt) = typed {
        let fault = Fault::conflict(format!("prompt {} is being typed into session {id}", prompt.id));
        return Answer::Refused(fault.hint("try again in a moment"));
    }
    if interrupt && let Err(fault) = interruptible(session) {
        return Answer::Refused(fault);
    }
    let turn = session.turn.as_ref().map(|turn| turn.n).filter(|_| interrupt);
    if let Some(session) = d.sessions.get_mut(id) {
        session.pressed = Some(Pressed { by: clean(from), keys: clean(keys), at: now, interrupts: turn });
    }
    Answer::Session(id.clone())
}

/// The keys that interrupt a turn mean something else at rest and in a dialog: there some agents end, or take them for a no.
fn interruptible(session: &Session) -> Result<(), Fault> {
    let id = &session.id;
    if let Activity::NeedsInput { .. } = session.known.activity {
        let fault = Fault::conflict(format!("session {id} asks something, so there is nothing to interrupt"));
        return Err(
            fault.hint(format!("look at it: ao attach {id}; what you press there, `ao send-keys {id} Esc` does"))
        );
    }
    if session.in_turn() {
        return Ok(());
    }
    let fault = Fault::conflict(format!("session {id} is in no turn, so there is nothing to interrupt"));
    Err(fault.hint(format!("`ao status {id}` says what it does")))
}

/// How the turn that goes on ends when this activity follows. One whose agent rests after it was interrupted did not finish,
/// whatever its agent calls that: several say nothing of an interruption.
pub(super) fn end(session: &Session, activity: &Activity) -> Option<TurnHow> {
    let how = turn::end_shown_by(activity)?;
    let ours = session.pressed.as_ref().and_then(|p| p.interrupts);
    let interrupted = ours.is_some() && ours == session.turn.as_ref().map(|turn| turn.n);
    Some(if interrupted && how == TurnHow::Done { TurnHow::Interrupted } else { how })
}
