//! How a session ends: stops, ends, clean-ups, and what its landed work means for it. Nothing here starts anything.

use super::draft::{Draft, Signal};
use super::lookup::{archiving, being_ended, removing, run_of, settings};
use super::{lost, prompting, task, turn};
use crate::effect::{Effect, Priority};
use crate::event::Answer;
use crate::id::{LaunchId, SessionId};
use crate::kind::{Fault, Kind};
use crate::pull_request::PrState;
use crate::session::{Ending, Phase, Process, Remains, Session, TurnHow, WorkReview};
use crate::workspace::Ignored;

/// Ends a session and tells whoever must know and was not told yet.
pub(super) fn end(d: &mut Draft<'_>, id: &SessionId, how: Ending) {
    let now = d.now;
    if d.sessions.get(id).is_none_or(Session::ended) {
        return;
    }
    prompting::drop_all(d, id, "the session ended");
    let _ = turn::end(d, id, TurnHow::Exited);
    let Some(session) = d.sessions.get_mut(id) else { return };
    let told = session.attention.as_ref().is_some_and(|a| session.tries.get(&a.key).is_some_and(|t| t.escalated));
    let (project, name, run, launches) =
        (session.project.clone(), session.name.clone(), session.run.clone(), session.launches);
    session.phase = Phase::Ended { how: how.clone(), at: now };
    session.belongings.ports = None;
    session.review = WorkReview::None;
    session.attention = None;
    d.signal(Signal::WorkDropped { session: id.clone() });
    let (cause, news) = match how {
        Ending::Merged | Ending::Done => return,
        Ending::Killed { why } => (why, false),
        Ending::SpawnFailed { fault } | Ending::Errored { fault } => (fault.message, !told),
    };
    if let Some(run) = run {
        task::given_up(d, &run, id, &cause);
    }
    if news {
        let title = format!("{name} ended");
        d.notify(format!("ended:{id}:{launches}"), &project, Some(id), Priority::Urgent, title, cause);
    }
}

/// Somebody wants a session to be stopped: its tree first, then its facts.
pub(super) fn stop(d: &mut Draft<'_>, id: &SessionId, why: &str, cleanup: bool) -> Answer {
    let Some(session) = d.sessions.get_mut(id) else {
        return Answer::Refused(Fault::not_found(format!("there is no session {id}")));
    };
    match session.phase.clone() {
        Phase::Ended { .. } => {
            end_remains(d, id);
            if cleanup {
                return self::cleanup(d, id);
            }
        }
        Phase::Stopping { why: first, cleanup: before } => {
            session.phase = Phase::Stopping { why: first, cleanup: before || cleanup };
        }
        Phase::Queued { .. } => {
            end(d, id, Ending::Killed { why: why.to_owned() });
            if cleanup {
                return self::cleanup(d, id);
            }
        }
        Phase::Preparing => {
            // The workspace may be coming into being right now: what is not known cannot be cleaned up.
            session.phase = Phase::Stopping { why: why.to_owned(), cleanup };
            let key = Effect::EnsureWorkspace { session: id.clone(), base: None }.key();
            if d.pending_effect(&key).is_none_or(|p| p.again.is_some()) {
                d.settle(&key);
                over(d, id);
            }
        }
        Phase::Launching | Phase::Live => {
            // Whoever stops it has looked at it.
            session.attention = None;
            begin_stop(d, id, why, cleanup);
        }
    }
    Answer::Session(id.clone())
}

/// Asks for the end of what a lost host may have left of a session that is over.
fn end_remains(d: &mut Draft<'_>, id: &SessionId) {
    let Some(session) = d.sessions.get(id) else { return };
    let left = match &session.process {
        Process::Exited { .. } => false,
        Process::Missing => session.lost.as_ref().is_none_or(|lost| lost.left != Remains::None),
        // Its start was given up, which proves nothing.
        Process::Unknown | Process::Alive | Process::ProbeFailed { .. } => true,
    };
    if let Some(launch) = session.launch.clone().filter(|_| left) {
        d.ask(Effect::EnsureStopped { session: id.clone(), launch });
    }
}

/// Begins to stop a session that has a launch.
pub(super) fn begin_stop(d: &mut Draft<'_>, id: &SessionId, why: &str, cleanup: bool) {
    prompting::drop_all(d, id, "the session is being stopped");
    let Some(session) = d.sessions.get_mut(id) else { return };
    let Some(launch) = session.launch.clone() else { return };
    session.phase = Phase::Stopping { why: why.to_owned(), cleanup };
    d.signal(Signal::WorkDropped { session: id.clone() });
    // A host that is being started right now could come into being after its own end: that start is waited for.
    let start = Effect::EnsureHost { session: id.clone(), launch, resume: false }.key();
    if d.pending_effect(&start).is_none_or(|p| p.again.is_some()) {
        d.settle(&start);
        end_processes(d, id);
    }
}

/// Asks for the end of everything that runs for a session that is being stopped.
pub(super) fn end_processes(d: &mut Draft<'_>, id: &SessionId) {
    let Some(session) = d.sessions.get(id).filter(|s| matches!(s.phase, Phase::Stopping { .. })) else { return };
    if let Some(launch) = session.launch.clone() {
        d.ask(Effect::EnsureStopped { session: id.clone(), launch });
    }
}

/// Nothing of the launch runs any more.
pub(super) fn stopped(d: &mut Draft<'_>, id: &SessionId, launch: &LaunchId, code: Option<i32>) {
    let Some(session) = d.sessions.get_mut(id).filter(|s| s.launch.as_ref() == Some(launch)) else { return };
    if let Some(lost) = &mut session.lost {
        lost.left = Remains::None;
    }
    if session.ended() && matches!(session.process, Process::Missing) {
        return;
    }
    if !matches!(session.process, Process::Exited { .. }) {
        session.process = Process::Exited { code, signal: None, why: Some("stopped".to_owned()) };
    }
    over(d, id);
}

/// A stop has nothing more to wait for.
pub(super) fn over(d: &mut Draft<'_>, id: &SessionId) {
    let Some(session) = d.sessions.get(id) else { return };
    let Phase::Stopping { why, cleanup } = session.phase.clone() else { return };
    let how = if has_landed(d, session) {
        Ending::Merged
    } else if task::is_landed(d, session) {
        Ending::Done
    } else {
        match &session.attention {
            Some(gave_up) => Ending::Errored { fault: Fault::new(Kind::Conflict, gave_up.why.clone()) },
            None => Ending::Killed { why },
        }
    };
    end(d, id, how);
    if cleanup {
        let _ = self::cleanup(d, id);
    }
}

/// Whether the last work that a session proposed is on the target.
pub(super) fn has_landed(d: &Draft<'_>, session: &Session) -> bool {
    let pr = session.pr.as_ref().and_then(|pr| d.pull_requests.get(pr));
    pr.is_some_and(|pr| matches!(pr.state, PrState::Merged { .. }))
}

/// Removes an ended session's workspace through its rescue ref.
pub(super) fn cleanup(d: &mut Draft<'_>, id: &SessionId) -> Answer {
    let Some(session) = d.sessions.get(id) else {
        return Answer::Refused(Fault::not_found(format!("there is no session {id}")));
    };
    if !session.ended() {
        let fault = Fault::conflict(format!("session {id} is not over"));
        return Answer::Refused(fault.hint(format!("stop it first: ao stop {id}")));
    }
    if session.workspace_path.is_some() {
        d.signal(Signal::WorkDropped { session: id.clone() });
        d.ask(Effect::RemoveWorkspace { session: id.clone() });
    }
    Answer::Session(id.clone())
}

/// The workspace is gone.
pub(super) fn workspace_removed(d: &mut Draft<'_>, id: &SessionId, rescue: Option<&String>, ignored: Option<&Ignored>) {
    if let Some(session) = d.sessions.get_mut(id) {
        session.workspace_path = None;
        session.rescue = rescue.cloned().or_else(|| session.rescue.take());
        session.belongings.ignored = ignored.cloned();
        session.belongings.put_back = None;
    }
}

/// Whether an ended session can be started again now; its place in the queue is given by `request`.
pub(super) fn restorable(d: &Draft<'_>, id: &SessionId) -> Result<(), Fault> {
    let Some(session) = d.sessions.get(id) else {
        return Err(Fault::not_found(format!("there is no session {id}")));
    };
    if !session.ended() {
        return Err(Fault::conflict(format!("session {id} is not over")));
    }
    if let Err(why) = lost::may_launch(session) {
        let hint = format!("ao stop {id} ends them; then: ao restore {id}");
        return Err(Fault::conflict(format!("{why}: two agents never work in one workspace")).hint(hint));
    }
    if being_ended(d, session) {
        return Err(Fault::conflict(format!("the processes of session {id} are being ended")).hint("try again soon"));
    }
    if removing(d, id) {
        return Err(Fault::conflict(format!("the workspace of session {id} is being removed")).hint("try again soon"));
    }
    if archiving(d, id) {
        return Err(Fault::conflict(format!("session {id} is being put into the archive")).hint("try again soon"));
    }
    let same = |s: &&Session| s.project == session.project && s.branch == session.branch && !s.ended();
    match d.sessions.values().find(same) {
        Some(other) => Err(Fault::conflict(format!("branch {} belongs to session {} now", session.branch, other.id))),
        None => Ok(()),
    }
}

/// A session's work is on the target: it is stopped unless it belongs to a person or is to be kept.
pub(super) fn work_landed(d: &mut Draft<'_>, id: &SessionId) {
    let Some(session) = d.sessions.get_mut(id) else { return };
    session.merge_wanted = false;
    session.attention = None;
    session.tries.clear();
    if let Phase::Ended { how, .. } = &mut session.phase {
        *how = Ending::Merged;
    }
    let Some(session) = d.sessions.get(id) else { return };
    let gone = matches!(session.process, Process::Exited { .. } | Process::Missing);
    let keep = run_of(d, session).is_none_or(|r| r.keep);
    let cleanup = settings(d, session).auto_cleanup_on_merge;
    match &session.phase {
        Phase::Ended { .. } => {
            if cleanup {
                let _ = self::cleanup(d, id);
            }
        }
        Phase::Launching | Phase::Live => {
            if cleanup || !keep || gone {
                begin_stop(d, id, "its work landed", cleanup);
            }
        }
        Phase::Queued { .. } | Phase::Preparing | Phase::Stopping { .. } => {}
    }
}

/// What a session of a run was to mend is mended without it: it is stopped, unless the sessions of its run are to be kept.
pub(super) fn nothing_to_land(d: &mut Draft<'_>, id: &SessionId) {
    let Some(session) = d.sessions.get_mut(id) else { return };
    session.merge_wanted = false;
    session.attention = None;
    session.tries.clear();
    let Some(session) = d.sessions.get(id) else { return };
    let gone = matches!(session.process, Process::Exited { .. } | Process::Missing);
    let keep = run_of(d, session).is_none_or(|r| r.keep);
    match &session.phase {
        Phase::Launching | Phase::Live if gone || !keep => begin_stop(d, id, "others mended its failure", false),
        Phase::Launching
        | Phase::Live
        | Phase::Queued { .. }
        | Phase::Preparing
        | Phase::Stopping { .. }
        | Phase::Ended { .. } => {}
    }
}
