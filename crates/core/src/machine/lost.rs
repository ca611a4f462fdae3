//! A launch whose host is gone: what is noted of it, and whether another launch may begin.
//!
//! Nothing here starts or ends anything; what is believed and doubted is decided in `boot`.

use super::draft::Draft;
use crate::id::{LaunchId, SessionId};
use crate::session::{Lost, Process, Remains, Session};

/// A look found the host of a launch gone, without a record of an end.
pub(super) fn gone(d: &mut Draft<'_>, id: &SessionId, left: &Remains) {
    let now = d.now;
    let Some(session) = d.sessions.get_mut(id) else { return };
    let since = session.lost.as_ref().map_or(now, |lost| lost.since);
    session.lost = Some(Lost { since, left: left.clone() });
    session.process = Process::ProbeFailed { why: "its host is gone and left no record of an end".to_owned() };
}

/// The host answers after all.
pub(super) fn found(session: &mut Session) {
    session.lost = None;
    session.process = Process::Alive;
}

/// Whether nothing of the launch that counts can be alive, so that another may be started: two agents never write one
/// transcript, and never share a workspace.
pub(super) fn may_launch(session: &Session) -> Result<(), String> {
    let Some(launch) = &session.launch else { return Ok(()) };
    match (&session.process, session.lost.as_ref().map(|lost| &lost.left)) {
        (Process::Alive | Process::ProbeFailed { .. }, _) => Err(format!("launch {launch} may still run")),
        (Process::Missing, Some(Remains::Left { pids })) => Err(left_words(launch, pids)),
        (Process::Missing | Process::Exited { .. } | Process::Unknown, _) => Ok(()),
    }
}

/// Whether it is proven that nothing of the last launch is left: without that no rule starts another, only a person does.
pub(super) fn proven_gone(session: &Session) -> bool {
    let lost = session.lost.as_ref().map(|lost| &lost.left);
    !matches!((&session.process, lost), (Process::Missing, None | Some(Remains::Left { .. } | Remains::Unknown)))
}

/// What is left of a launch, in words.
fn left_words(launch: &LaunchId, pids: &[u32]) -> String {
    let some: Vec<String> = pids.iter().take(5).map(ToString::to_string).collect();
    format!("processes of launch {launch} still run ({}{})", some.join(", "), if pids.len() > 5 { ", …" } else { "" })
}
