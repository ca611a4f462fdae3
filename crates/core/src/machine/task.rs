//! What becomes of one task of a run.

use super::draft::Draft;
use crate::id::{CommitId, RunId, SessionId};
use crate::run::TaskState;
use crate::session::Session;

/// Gives a task up.
pub(super) fn settle_task(d: &mut Draft<'_>, id: &RunId, i: usize, why: &str) {
    let at = d.now;
    if let Some(task) = d.runs.get_mut(id).and_then(|r| r.tasks.get_mut(i)).filter(|t| !t.settled()) {
        task.state = TaskState::GivenUp { why: why.to_owned(), at };
    }
}

/// One more prompt was given.
pub(super) fn attempted(d: &mut Draft<'_>, session: &SessionId) {
    let Some(id) = d.sessions.get(session).and_then(|s| s.run.clone()) else { return };
    let Some(run) = d.runs.get_mut(&id) else { return };
    if let Some(task) = run.task_of(session).and_then(|i| run.tasks.get_mut(i)) {
        task.attempts += 1;
    }
}

/// A session's work landed, or the target had it already.
pub(super) fn landed(d: &mut Draft<'_>, session: &SessionId, commit: &CommitId, contained: bool) {
    let at = d.now;
    let Some(id) = d.sessions.get(session).and_then(|s| s.run.clone()) else { return };
    let Some(run) = d.runs.get_mut(&id) else { return };
    if let Some(task) = run.task_of(session).and_then(|i| run.tasks.get_mut(i)) {
        task.state = TaskState::Landed { commit: commit.clone(), contained, at };
    }
}

/// What a task was for is gone before it had a session.
pub(super) fn landed_without_session(d: &mut Draft<'_>, id: &RunId, i: usize, commit: &CommitId) {
    let at = d.now;
    if let Some(task) = d.runs.get_mut(id).and_then(|r| r.tasks.get_mut(i)).filter(|t| !t.settled()) {
        task.state = TaskState::Landed { commit: commit.clone(), contained: true, at };
    }
}

/// A session could not go on.
pub(super) fn given_up(d: &mut Draft<'_>, id: &RunId, session: &SessionId, why: &str) {
    let Some(i) = d.runs.get(id).and_then(|r| r.task_of(session)) else { return };
    settle_task(d, id, i, why);
}

/// Whether what a session of a run was to mend is mended on the target.
pub(super) fn is_landed(d: &Draft<'_>, session: &Session) -> bool {
    let run = session.run.as_ref().and_then(|id| d.runs.get(id));
    let task = run.and_then(|run| run.tasks.get(run.task_of(&session.id)?));
    task.is_some_and(|t| matches!(t.state, TaskState::Landed { .. }))
}
