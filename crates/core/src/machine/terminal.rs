//! What programs say to the person before their terminal: kept as facts, and passed on if a rule says so.

use super::draft::Draft;
use super::react;
use crate::event::Answer;
use crate::id::{LaunchId, SessionId};
use crate::reaction::ReactionKey;
use crate::terminal::Said;

/// A program said something. What an earlier launch said, or what was told before, changes nothing.
pub(super) fn said(d: &mut Draft<'_>, id: &SessionId, launch: &LaunchId, said: &Said) -> Answer {
    let session = d.sessions.get_mut(id).filter(|s| !s.ended() && s.launch.as_ref() == Some(launch));
    let Some(session) = session else { return Answer::Noted };
    let new = session.terminal.take(said);
    match said {
        Said::Notified { last, .. } if new > 0 => {
            react::agent_said(d, id, ReactionKey::AgentNotification, last.text.clone());
        }
        Said::Bells { .. } if new > 0 => {
            let what = if new == 1 { "It rang its bell".to_owned() } else { format!("It rang its bell {new} times") };
            react::agent_said(d, id, ReactionKey::AgentBell, format!("{what}. Look: ao attach {id}"));
        }
        Said::Title { .. } | Said::Bells { .. } | Said::Notified { .. } | Said::Commands { .. } => {}
    }
    Answer::Noted
}
