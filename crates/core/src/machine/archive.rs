//! The archive: sessions that are over leave the lists once nothing of them can be lost. Only ended ones, a few at a time.
//!
//! First the workspace is saved and removed, as by any clean-up; then what the terminals left is packed; then it is archived.
//! Each step is an effect that is simply done again, and what stands between them is in the facts.

use super::draft::{Draft, Signal};
use super::lookup::{archiving, removing, run_of};
use super::{ending, lost};
use crate::effect::Effect;
use crate::event::Answer;
use crate::facts::Facts;
use crate::id::SessionId;
use crate::kind::Fault;
use crate::pull_request::PullRequest;
use crate::run::Run;
use crate::session::{Ending, Phase, Session};
use crate::time::{Millis, Time};

/// Sessions that are archived by the rule at the same time: each may save and delete gigabytes, and hundreds may be due at
/// once where the rule is new.
const AT_ONCE: usize = 4;

/// Why a session is not archived by itself; nothing when it may be.
fn may_archive(session: &Session, pr: Option<&PullRequest>, run: Option<&Run>) -> Result<(), String> {
    let Phase::Ended { how, .. } = &session.phase else { return Err("it is not over".to_owned()) };
    if let Some(why) = &session.belongings.not_archived {
        return Err(why.clone());
    }
    match how {
        Ending::Merged | Ending::Done | Ending::Killed { .. } => {}
        Ending::SpawnFailed { .. } | Ending::Errored { .. } => {
            return Err("it failed, so a person is to look at it".to_owned());
        }
    }
    if pr.is_some_and(PullRequest::is_open) {
        return Err("its pull request is open".to_owned());
    }
    if run.is_some_and(|run| !run.finished()) {
        return Err("its run is not over".to_owned());
    }
    lost::may_launch(session)?;
    if lost::proven_gone(session) { Ok(()) } else { Err("its processes may still run".to_owned()) }
}

/// Whether it is on its way.
fn under_way(session: &Session) -> bool {
    session.belongings.to_archive
}

/// When a session is to be archived by itself, in a project with this rule.
fn due(session: &Session, after: Option<Millis>, pr: Option<&PullRequest>, run: Option<&Run>) -> Option<Time> {
    let (Phase::Ended { at, .. }, Some(after)) = (&session.phase, after) else { return None };
    if session.belongings.archived.is_some() || under_way(session) {
        return None;
    }
    may_archive(session, pr, run).ok().map(|()| at.after(after))
}

/// When the next session is to be archived by itself. With enough of them on their way their ends are waited for.
pub(super) fn deadline(facts: &Facts) -> Option<Time> {
    if facts.sessions.values().filter(|s| under_way(s)).count() >= AT_ONCE {
        return None;
    }
    let of = |s: &Session| {
        let after = facts.projects.get(&s.project)?.settings.archive_after;
        let pr = s.pr.as_ref().and_then(|pr| facts.pull_requests.get(pr));
        due(s, after, pr, s.run.as_ref().and_then(|run| facts.runs.get(run)))
    };
    facts.sessions.values().filter_map(of).min()
}

/// Begins with what is due, and takes the next step of what is on its way.
pub(super) fn advance(d: &mut Draft<'_>) {
    let now = d.now;
    let room = AT_ONCE.saturating_sub(d.sessions.values().filter(|s| under_way(s)).count());
    let of = |s: &Session| {
        let after = d.projects.get(&s.project)?.settings.archive_after;
        due(s, after, s.pr.as_ref().and_then(|pr| d.pull_requests.get(pr)), run_of(d, s))
    };
    let mut ready: Vec<(Time, SessionId)> =
        d.sessions.values().filter_map(|s| of(s).filter(|at| *at <= now).map(|at| (at, s.id.clone()))).collect();
    // Those that ended first; of two at the same moment the shorter id is the earlier one.
    ready.sort_by(|a, b| (a.0, a.1.as_str().len(), &a.1).cmp(&(b.0, b.1.as_str().len(), &b.1)));
    for (_, id) in ready.into_iter().take(room) {
        begin(d, &id);
    }
    on_their_way(d);
}

fn on_their_way(d: &mut Draft<'_>) {
    let wanted: Vec<SessionId> = d
        .sessions
        .values()
        .filter(|s| under_way(s) && s.ended() && lost::may_launch(s).is_ok())
        .map(|s| s.id.clone())
        .collect();
    wanted.iter().for_each(|id| step(d, id));
}

fn begin(d: &mut Draft<'_>, id: &SessionId) {
    if let Some(session) = d.sessions.get_mut(id) {
        session.belongings.to_archive = true;
        session.belongings.not_archived = None;
    }
}

/// The next step of one that is over: its workspace, then its files.
fn step(d: &mut Draft<'_>, id: &SessionId) {
    if removing(d, id) || archiving(d, id) {
        return;
    }
    if d.sessions.get(id).is_some_and(|s| s.workspace_path.is_some()) {
        let _ = ending::cleanup(d, id);
    } else {
        d.signal(Signal::WorkDropped { session: id.clone() });
        d.ask(Effect::ArchiveSession { session: id.clone() });
    }
}

/// Somebody wants a session in the archive: a person may say so of any that is over, or have it stopped for that.
pub(super) fn requested(d: &mut Draft<'_>, id: &SessionId, stop: Option<&str>) -> Answer {
    let Some(session) = d.sessions.get(id) else {
        return Answer::Refused(Fault::not_found(format!("there is no session {id}")));
    };
    if session.belongings.archived.is_some() {
        return Answer::Session(id.clone());
    }
    if !session.ended() && stop.is_none() {
        let fault = Fault::conflict(format!("session {id} is not over"));
        return Answer::Refused(fault.hint(format!("ao stop {id} --archive stops it first")));
    }
    if let (None, Err(why)) = (stop, lost::may_launch(session)) {
        return Answer::Refused(Fault::conflict(why).hint(format!("ao stop {id} ends them; then archive it")));
    }
    begin(d, id);
    match stop {
        Some(why) => ending::stop(d, id, why, true),
        None => Answer::Session(id.clone()),
    }
}

/// Its workspace could not be saved and removed: it stays where everybody sees it.
pub(super) fn refused(d: &mut Draft<'_>, id: &SessionId, why: &str) {
    if let Some(session) = d.sessions.get_mut(id).filter(|s| under_way(s)) {
        session.belongings.to_archive = false;
        session.belongings.not_archived = Some(why.to_owned());
    }
}

/// Nothing is left to do.
pub(super) fn done(d: &mut Draft<'_>, id: &SessionId) {
    let now = d.now;
    let Some(session) = d.sessions.get_mut(id).filter(|s| s.ended()) else { return };
    session.belongings.to_archive = false;
    session.belongings.archived = Some(now);
    // What was seen of an agent that is gone tells nobody anything.
    session.evidence.clear();
    session.tries.clear();
}
