//! What the rooms of the machine look up about a session: its run, its task, its settings, its commands.

use super::draft::Draft;
use crate::effect::Effect;
use crate::failure::Failure;
use crate::id::{LaunchId, SessionId};
use crate::merge_queue::Baseline;
use crate::project::Settings;
use crate::prompt;
use crate::run::Run;
use crate::session::{Process, Session};
use std::collections::BTreeSet;

/// The run that a session belongs to.
pub(super) fn run_of<'d>(d: &'d Draft<'_>, session: &Session) -> Option<&'d Run> {
    session.run.as_ref().and_then(|r| d.runs.get(r))
}

/// The settings that hold for a session.
pub(super) fn settings(d: &Draft<'_>, session: &Session) -> Settings {
    d.projects.get(&session.project).map(|p| p.settings.clone()).unwrap_or_default()
}

/// Ids of the failures that a session is to mend.
pub(super) fn mends(d: &Draft<'_>, session: &Session) -> BTreeSet<String> {
    let task = run_of(d, session).and_then(|run| run.tasks.get(run.task_of(&session.id)?));
    task.map(|t| t.group.failures.iter().map(|f| f.id.clone()).collect()).unwrap_or_default()
}

/// What the target was seen to fail: in the session's run, else when the queue last read it.
pub(super) fn session_baseline(d: &Draft<'_>, session: &Session) -> Baseline {
    let queue = || d.queues.get(&session.project).map(|q| q.baseline.clone());
    run_of(d, session).map(|r| r.baseline.clone()).or_else(queue).unwrap_or_default()
}

/// Whether a session's workspace is being removed.
pub(super) fn removing(d: &Draft<'_>, id: &SessionId) -> bool {
    d.is_pending(&Effect::RemoveWorkspace { session: id.clone() }.key())
}

/// Whether what runs for a session is being ended.
pub(super) fn being_ended(d: &Draft<'_>, session: &Session) -> bool {
    let stop = |launch: &LaunchId| Effect::EnsureStopped { session: session.id.clone(), launch: launch.clone() }.key();
    session.launch.as_ref().is_some_and(|launch| d.is_pending(&stop(launch)))
}

/// Whether a session is being put into the archive.
pub(super) fn archiving(d: &Draft<'_>, id: &SessionId) -> bool {
    d.is_pending(&Effect::ArchiveSession { session: id.clone() }.key())
}

/// The gate's command for a session.
pub(super) fn whole_command(d: &Draft<'_>, session: &Session) -> Option<String> {
    run_of(d, session).map(|r| r.check.clone()).or_else(|| settings(d, session).check)
}

/// One command that re-runs just the session's failures, when every one of them says how.
pub(super) fn own_command(d: &Draft<'_>, session: &Session) -> Option<String> {
    let run = run_of(d, session)?;
    let task = run.tasks.get(run.task_of(&session.id)?)?;
    let mut commands: Vec<&str> = Vec::new();
    for failure in &task.group.failures {
        let rerun = failure.rerun.as_deref()?;
        if !commands.contains(&rerun) {
            commands.push(rerun);
        }
    }
    (!commands.is_empty()).then(|| commands.join(" && "))
}

/// Whether a session's agent can still be told something.
pub(super) fn can_be_told(session: &Session) -> bool {
    !session.ended() && !matches!(session.process, Process::Exited { .. } | Process::Missing)
}

/// The branch that a session's work lands on.
pub(super) fn target(d: &Draft<'_>, session: &Session) -> String {
    run_of(d, session).map_or_else(|| settings(d, session).default_branch, |r| r.target.clone())
}

/// The task of a run's session in words: a new process knows nothing of what the old one was told.
pub(super) fn task_text(d: &Draft<'_>, session: &Session) -> Option<String> {
    let run = run_of(d, session)?;
    let task = run.tasks.get(run.task_of(&session.id)?)?;
    let rules = settings(d, session).agent_rules;
    Some(prompt::fix_task(&task.group, &run.check, &run.target, rules.as_deref()))
}

/// The failures that a session is to mend.
pub(super) fn own_failures(d: &Draft<'_>, session: &Session) -> Vec<Failure> {
    let task = run_of(d, session).and_then(|run| run.tasks.get(run.task_of(&session.id)?));
    task.map(|t| t.group.failures.clone()).unwrap_or_default()
}
