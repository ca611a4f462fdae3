//! The life of a session: launches, observations, turns, ends.

use super::draft::{Draft, Signal};
use super::lookup::settings;
use super::{prompting, task};
use crate::activity::{Activity, Known, Observation, Source};
use crate::arbiter;
use crate::effect::{Effect, Outcome, Priority};
use crate::event::{Answer, Probe};
use crate::id::{LaunchId, SessionId};
use crate::kind::{Fault, Kind};
use crate::reaction::ReactionKey;
use crate::session::{Ending, Phase, Process, Session, Turn, TurnEnd, TurnHow};
use crate::status::exit_words;

pub(super) fn daemon_started(d: &mut Draft<'_>, boot_id: &str, clock_base: u64) -> Answer {
    boot_id.clone_into(&mut d.machine.boot_id);
    d.machine.clock_base = clock_base;
    d.machine.started = d.now;
    // What is sent at most once may have been on its way when the last daemon ended: nobody knows, so it is not repeated.
    let once: Vec<_> = d
        .pending
        .values()
        .filter(|p| p.effect.recovery() == crate::effect::Recovery::Once && !p.uncertain)
        .map(|p| p.effect.key())
        .collect();
    for key in once {
        if let Some(pending) = d.pending.get_mut(&key) {
            pending.uncertain = true;
        }
    }
    Answer::Noted
}

/// The workspace is there: start the agent.
pub(super) fn workspace_ready(d: &mut Draft<'_>, id: &SessionId, outcome: &Outcome) {
    let Outcome::WorkspaceReady { path, base, branch } = outcome else { return };
    let Some(session) = d.sessions.get_mut(id) else { return };
    session.workspace_path = Some(path.clone());
    session.base.get_or_insert_with(|| base.clone());
    branch.clone_into(&mut session.branch);
    if matches!(session.phase, Phase::Preparing) {
        launch(d, id, false);
    }
}

/// Starts the agent once more.
pub(super) fn launch(d: &mut Draft<'_>, id: &SessionId, resume: bool) {
    let now = d.now;
    let Some(session) = d.sessions.get_mut(id) else { return };
    session.launches += 1;
    let launch = LaunchId::of(id, session.launches);
    session.launch = Some(launch.clone());
    session.phase = Phase::Launching;
    session.process = Process::Unknown;
    session.known = Known::nothing(now);
    session.evidence.clear();
    session.seen_offset = 0;
    session.last_output = now;
    d.ask(Effect::EnsureHost { session: id.clone(), launch, resume });
}

/// The host answered.
pub(super) fn host_started(d: &mut Draft<'_>, id: &SessionId, launch: &LaunchId) {
    let now = d.now;
    let Some(session) = current(d, id, launch) else { return };
    if matches!(session.phase, Phase::Launching) {
        session.phase = Phase::Live;
    }
    if matches!(session.process, Process::Unknown | Process::ProbeFailed { .. } | Process::Missing) {
        session.process = Process::Alive;
    }
    if session.known.confidence == 0 && session.evidence.is_empty() {
        session.known = Known {
            activity: Activity::Starting,
            since: now,
            source: Source::Process,
            confidence: 50,
            why: "its process was started".to_owned(),
        };
    }
}

fn current<'d>(d: &'d mut Draft<'_>, id: &SessionId, launch: &LaunchId) -> Option<&'d mut Session> {
    d.sessions.get_mut(id).filter(|s| !s.ended() && s.launch.as_ref() == Some(launch))
}

/// Something was seen of an agent. Observations of an earlier launch and marks that were seen before are fenced off.
pub(super) fn observed(d: &mut Draft<'_>, id: &SessionId, launch: &LaunchId, observation: &Observation) -> Answer {
    let now = d.now;
    let Some(session) = current(d, id, launch) else { return Answer::Noted };
    if matches!(session.process, Process::Exited { .. } | Process::Missing) {
        return Answer::Noted;
    }
    if let (Source::Osc | Source::Title, Some(offset)) = (observation.source, observation.offset) {
        if offset <= session.seen_offset {
            return Answer::Noted;
        }
        session.seen_offset = offset;
    }
    if session
        .evidence
        .get(&observation.source)
        .is_some_and(|o| o.activity == observation.activity && o.why == observation.why)
    {
        // Nothing new from this source, but it may have become the newest evidence.
        let newest = session.evidence.values().max_by_key(|o| o.at).is_some_and(|o| o.source == observation.source);
        if newest {
            return Answer::Noted;
        }
    }
    session.evidence.insert(observation.source, observation.clone());
    let before = session.known.clone();
    session.known = arbiter::fuse(&session.evidence, &before, now);
    if session.known.activity == before.activity {
        return Answer::Noted;
    }
    follow_activity(d, id, launch, observation);
    Answer::Noted
}

fn follow_activity(d: &mut Draft<'_>, id: &SessionId, launch: &LaunchId, observation: &Observation) {
    let now = d.now;
    let Some(session) = d.sessions.get_mut(id) else { return };
    let activity = session.known.activity.clone();
    if session
        .attention
        .as_ref()
        .is_some_and(|a| matches!(a.key, ReactionKey::AgentNeedsInput | ReactionKey::AgentStuck))
    {
        session.attention = None;
    }
    let begins = matches!(activity, Activity::Working { .. } | Activity::Retrying) && !session.in_turn();
    if begins {
        session.turns += 1;
        session.turn = Some(Turn { n: session.turns, launch: launch.clone(), began: now, delivery: None, end: None });
        session.last_output = now;
        prompting::turn_began(d, id, &observation.why);
        return;
    }
    if let Some(how) = turn_end(&activity) {
        let ended = session.turn.as_mut().filter(|t| t.end.is_none());
        if let Some(turn) = ended {
            turn.end = Some(TurnEnd { how, at: now });
            d.signal(Signal::TurnEnded { session: id.clone(), how });
            return;
        }
    }
    if let Activity::NeedsInput { .. } = activity {
        d.signal(Signal::AgentAsks { session: id.clone() });
    }
}

/// How a turn ends when this activity follows.
const fn turn_end(activity: &Activity) -> Option<TurnHow> {
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

pub(super) fn output_seen(d: &mut Draft<'_>, id: &SessionId, launch: &LaunchId) -> Answer {
    let now = d.now;
    if let Some(session) = current(d, id, launch) {
        session.last_output = now;
    }
    Answer::Noted
}

/// The agent's process ended.
pub(super) fn exited(
    d: &mut Draft<'_>,
    id: &SessionId,
    launch: &LaunchId,
    code: Option<i32>,
    signal: Option<i32>,
    why: Option<String>,
) -> Answer {
    let now = d.now;
    let Some(session) = current(d, id, launch) else { return Answer::Noted };
    if matches!(session.process, Process::Exited { .. }) {
        return Answer::Noted;
    }
    session.process = Process::Exited { code, signal, why: why.clone() };
    session.known = Known {
        activity: Activity::Exited { code },
        since: now,
        source: Source::Process,
        confidence: 99,
        why: why.clone().unwrap_or_else(|| format!("its process ended: {}", exit_words(code, signal))),
    };
    if let Some(turn) = session.turn.as_mut().filter(|t| t.end.is_none()) {
        turn.end = Some(TurnEnd { how: TurnHow::Exited, at: now });
    }
    process_over(d, id, launch, why);
    Answer::Noted
}

/// Host and agent are gone without an exit record.
fn missing(d: &mut Draft<'_>, id: &SessionId, launch: &LaunchId) {
    let now = d.now;
    let Some(session) = current(d, id, launch) else { return };
    session.process = Process::Missing;
    session.known = Known {
        activity: Activity::Exited { code: None },
        since: now,
        source: Source::Process,
        confidence: 90,
        why: "its host is gone and left no exit record".to_owned(),
    };
    if let Some(turn) = session.turn.as_mut().filter(|t| t.end.is_none()) {
        turn.end = Some(TurnEnd { how: TurnHow::Exited, at: now });
    }
    process_over(d, id, launch, Some("its host is gone and left no exit record".to_owned()));
}

fn process_over(d: &mut Draft<'_>, id: &SessionId, launch: &LaunchId, why: Option<String>) {
    d.settle(&Effect::EnsureHost { session: id.clone(), launch: launch.clone(), resume: false }.key());
    prompting::launch_over(d, id);
    let Some(session) = d.sessions.get(id) else { return };
    match session.phase.clone() {
        // The stop that was asked for goes on: it proves that nothing of the tree is left.
        Phase::Stopping { .. } => {}
        Phase::Launching | Phase::Live => {
            if session.run.is_some() {
                d.signal(Signal::AgentGone { session: id.clone() });
                return;
            }
            let (code, never_ran) = match &session.process {
                Process::Exited { code, .. } => (*code, why.is_some() && session.turns == 0),
                Process::Missing | Process::Unknown | Process::Alive | Process::ProbeFailed { .. } => (None, false),
            };
            let words = why.unwrap_or_else(|| session.known.why.clone());
            let how = match code {
                Some(0) => Ending::Done,
                _ if never_ran => Ending::SpawnFailed { fault: Fault::new(Kind::Unavailable, words) }, // tidy: a number, not an event or phase
                _ => Ending::Errored { fault: Fault::new(Kind::Unavailable, words) }, // tidy: a number, not an event or phase
            };
            end(d, id, how);
        }
        Phase::Queued { .. } | Phase::Preparing | Phase::Ended { .. } => {}
    }
}

pub(super) fn probed(d: &mut Draft<'_>, id: &SessionId, launch: &LaunchId, probe: &Probe) -> Answer {
    let Some(session) = current(d, id, launch) else { return Answer::Noted };
    match (probe, &session.process) {
        (Probe::Alive, Process::Unknown | Process::ProbeFailed { .. } | Process::Missing) => {
            session.process = Process::Alive
        }
        (
            Probe::Unknown { why },
            Process::Unknown | Process::Alive | Process::ProbeFailed { .. } | Process::Missing,
        ) => {
            session.process = Process::ProbeFailed { why: why.clone() };
        }
        (Probe::Gone, Process::Unknown | Process::Alive | Process::ProbeFailed { .. }) => missing(d, id, launch),
        (Probe::Alive, Process::Alive | Process::Exited { .. })
        | (Probe::Unknown { .. }, Process::Exited { .. })
        | (Probe::Gone, Process::Missing | Process::Exited { .. }) => {}
    }
    Answer::Noted
}

/// Ends a session and tells whoever must know.
pub(super) fn end(d: &mut Draft<'_>, id: &SessionId, how: Ending) {
    let now = d.now;
    prompting::drop_all(d, id, "the session ended");
    let Some(session) = d.sessions.get_mut(id) else { return };
    if session.ended() {
        return;
    }
    let (project, name, run) = (session.project.clone(), session.name.clone(), session.run.clone());
    session.phase = Phase::Ended { how: how.clone(), at: now };
    session.review = crate::session::WorkReview::None;
    session.attention = None;
    let cause = match &how {
        Ending::Merged | Ending::Done => None,
        Ending::Killed { why } => Some(why.clone()),
        Ending::SpawnFailed { fault } | Ending::Errored { fault } => Some(fault.message.clone()),
    };
    d.signal(Signal::SessionEnded { session: id.clone() });
    if let Some(cause) = cause {
        if let Some(run) = run {
            task::given_up(d, &run, id, &cause);
        }
        if !matches!(how, Ending::Killed { .. }) {
            let launches = d.sessions.get(id).map_or(0, |s| s.launches);
            d.notify(
                format!("ended:{id}:{launches}"),
                &project,
                Some(id),
                Priority::Urgent,
                format!("{name} ended"),
                cause,
            );
        }
    }
}

/// Stops a session: its tree first, then its facts.
pub(super) fn stop(d: &mut Draft<'_>, id: &SessionId, why: &str, cleanup: bool) -> Answer {
    let Some(session) = d.sessions.get_mut(id) else {
        return Answer::Refused(Fault::not_found(format!("there is no session {id}")));
    };
    match session.phase.clone() {
        Phase::Ended { .. } => {
            if cleanup {
                return self::cleanup(d, id);
            }
        }
        Phase::Stopping { why: first, cleanup: before } => {
            session.phase = Phase::Stopping { why: first, cleanup: before || cleanup };
        }
        Phase::Queued { .. } | Phase::Preparing => {
            d.settle(&Effect::EnsureWorkspace { session: id.clone(), base: None }.key());
            end(d, id, Ending::Killed { why: why.to_owned() });
            if cleanup {
                return self::cleanup(d, id);
            }
        }
        Phase::Launching | Phase::Live => begin_stop(d, id, why, cleanup),
    }
    Answer::Session(id.clone())
}

/// Begins to stop a session that has a launch.
pub(super) fn begin_stop(d: &mut Draft<'_>, id: &SessionId, why: &str, cleanup: bool) {
    prompting::drop_all(d, id, "the session is being stopped");
    let Some(session) = d.sessions.get_mut(id) else { return };
    let Some(launch) = session.launch.clone() else { return };
    session.phase = Phase::Stopping { why: why.to_owned(), cleanup };
    d.settle(&Effect::EnsureHost { session: id.clone(), launch: launch.clone(), resume: false }.key());
    d.ask(Effect::EnsureStopped { session: id.clone(), launch });
}

/// Nothing of the launch runs any more.
pub(super) fn stopped(d: &mut Draft<'_>, id: &SessionId, launch: &LaunchId, code: Option<i32>) {
    let Some(session) = current(d, id, launch) else { return };
    if !matches!(session.process, Process::Exited { .. }) {
        session.process = Process::Exited { code, signal: None, why: Some("stopped".to_owned()) };
    }
    let Phase::Stopping { why, cleanup } = session.phase.clone() else { return };
    let merged = session
        .pr
        .clone()
        .and_then(|pr| d.pull_requests.get(&pr))
        .is_some_and(|pr| !pr.is_open() && matches!(pr.state, crate::pull_request::PrState::Merged { .. }));
    let gave_up = d.sessions.get(id).and_then(|s| s.attention.clone());
    let how = match (merged, gave_up) {
        (true, _) => Ending::Merged, // tidy: a pair of a fact and a note; landed work decides
        (false, Some(attention)) => Ending::Errored { fault: Fault::new(Kind::Conflict, attention.why) },
        (false, None) => Ending::Killed { why },
    };
    end(d, id, how);
    if cleanup {
        let _ = self::cleanup(d, id);
    }
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
        d.ask(Effect::RemoveWorkspace { session: id.clone() });
    }
    Answer::Session(id.clone())
}

/// The workspace is gone.
pub(super) fn workspace_removed(d: &mut Draft<'_>, id: &SessionId, rescue: Option<&String>) {
    if let Some(session) = d.sessions.get_mut(id) {
        session.workspace_path = None;
        session.rescue = rescue.cloned().or_else(|| session.rescue.take());
    }
}

/// Starts an ended session again in its workspace.
pub(super) fn restore(d: &mut Draft<'_>, id: &SessionId) -> Answer {
    let now = d.now;
    let Some(session) = d.sessions.get_mut(id) else {
        return Answer::Refused(Fault::not_found(format!("there is no session {id}")));
    };
    if !session.ended() {
        return Answer::Refused(Fault::conflict(format!("session {id} is not over")));
    }
    session.attention = None;
    session.tries.clear();
    if session.workspace_path.is_some() {
        launch(d, id, true);
    } else {
        session.phase = Phase::Queued { why: "it is being restored".to_owned() };
        session.known = Known::nothing(now);
    }
    Answer::Session(id.clone())
}

/// Stops a session whose work has landed, unless it is to be kept.
pub(super) fn work_landed(d: &mut Draft<'_>, id: &SessionId) {
    let Some(session) = d.sessions.get_mut(id) else { return };
    if session.ended() {
        return;
    }
    session.merge_wanted = session.run.is_some() && session.merge_wanted;
    session.attention = None;
    let keep = session.run.is_none()
        || d.sessions.get(id).and_then(|s| s.run.clone()).and_then(|r| d.runs.get(&r)).is_some_and(|r| r.keep);
    let cleanup = d.sessions.get(id).is_some_and(|s| settings(d, s).auto_cleanup_on_merge);
    if cleanup || !keep {
        begin_stop(d, id, "its work landed", cleanup);
    }
}
