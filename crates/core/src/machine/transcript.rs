//! What was read of an agent's transcript becomes a fact: one reader writes it, so the newest is the truth. What it says of
//! the agent's activity comes as observations.

use super::draft::Draft;
use crate::event::Answer;
use crate::id::{LaunchId, SessionId};
use crate::transcript::Reading;

/// More was read. What was read in an earlier launch is fenced off; the last lines of one that ended still count.
pub(super) fn read(d: &mut Draft<'_>, id: &SessionId, launch: &LaunchId, reading: &Reading) -> Answer {
    let Some(session) = d.sessions.get(id).filter(|s| s.launch.as_ref() == Some(launch)) else { return Answer::Noted };
    if session.reading == *reading {
        return Answer::Noted;
    }
    let Some(session) = d.sessions.get_mut(id) else { return Answer::Noted };
    let news = reading.turn != session.reading.turn;
    if let Some(turn) = session.turn.as_mut().filter(|turn| turn.launch == *launch && turn.native.is_none())
        && (news || reading.open && turn.end.is_none())
    {
        turn.native.clone_from(&reading.turn);
    }
    session.reading = reading.clone();
    Answer::Noted
}
