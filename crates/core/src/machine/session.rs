//! The life of a session while it lasts: launches, observations, and what becomes of its process. Its end is in `ending`.

use super::draft::{Draft, Signal};
use super::{answering, ending, freeze, lost, pressing, prompting, turn};
use crate::activity::{Activity, Known, Observation, Source};
use crate::arbiter;
use crate::effect::{Effect, Outcome};
use crate::event::{Answer, Probe};
use crate::id::{LaunchId, SessionId};
use crate::kind::{Fault, Kind};
use crate::reaction::ReactionKey;
use crate::session::{Conversation, Ending, Phase, Process, Session, TurnHow};
use crate::status::exit_words;
use crate::terminal::Terminal;

/// The workspace is there: start the agent.
pub(super) fn workspace_ready(d: &mut Draft<'_>, id: &SessionId, outcome: &Outcome) {
    let Outcome::WorkspaceReady { path, base, branch, put_back } = outcome else { return };
    let Some(session) = d.sessions.get_mut(id) else { return };
    session.workspace_path = Some(path.clone());
    session.base.get_or_insert_with(|| base.clone());
    branch.clone_into(&mut session.branch);
    if let Some(put_back) = put_back {
        if put_back.complete {
            // It is in the workspace again: its next removal is another rescue.
            session.rescue = None;
        }
        session.belongings.put_back = Some(put_back.clone());
    }
    match session.phase {
        Phase::Preparing => launch(d, id, false),
        // The stop waited for it.
        Phase::Stopping { .. } => ending::over(d, id),
        Phase::Queued { .. } | Phase::Launching | Phase::Live | Phase::Ended { .. } => {}
    }
}

/// Starts the agent once more, unless the one before may live.
pub(super) fn launch(d: &mut Draft<'_>, id: &SessionId, resume: bool) {
    let now = d.now;
    if let Some(Err(why)) = d.sessions.get(id).map(lost::may_launch) {
        ending::end(d, id, Ending::SpawnFailed { fault: Fault::conflict(why) });
        return;
    }
    let _ = turn::end(d, id, TurnHow::Exited);
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
    session.lost = None;
    session.freeze.forget();
    session.terminal = Terminal::default();
    session.conversation = Conversation::First;
    answering::launched(session);
    session.stalls = 0;
    forget_attention(session);
    d.ask(Effect::EnsureHost { session: id.clone(), launch, resume });
}

/// The host answered.
pub(super) fn host_started(d: &mut Draft<'_>, id: &SessionId, launch: &LaunchId, conversation: Conversation) {
    let now = d.now;
    let Some(session) = current(d, id, launch) else { return };
    if matches!(session.phase, Phase::Launching) {
        session.phase = Phase::Live;
        session.conversation = conversation;
    }
    let stopping = matches!(session.phase, Phase::Stopping { .. });
    if matches!(session.process, Process::Unknown | Process::ProbeFailed { .. }) {
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
    if stopping {
        ending::end_processes(d, id);
    }
}

fn current<'d>(d: &'d mut Draft<'_>, id: &SessionId, launch: &LaunchId) -> Option<&'d mut Session> {
    d.sessions.get_mut(id).filter(|s| !s.ended() && s.launch.as_ref() == Some(launch))
}

/// A question that was answered, or a silence that was broken, needs nobody any more.
fn forget_attention(session: &mut Session) {
    if session
        .attention
        .as_ref()
        .is_some_and(|a| matches!(a.key, ReactionKey::AgentNeedsInput | ReactionKey::AgentStuck))
    {
        session.attention = None;
    }
}

/// Something was seen of an agent. Observations of an earlier launch, marks that were seen before and news that is older
/// than what the same source has said since are fenced off.
pub(super) fn observed(d: &mut Draft<'_>, id: &SessionId, launch: &LaunchId, observation: &Observation) -> Answer {
    let now = d.now;
    let Some(session) = current(d, id, launch) else { return Answer::Noted };
    if matches!(session.process, Process::Exited { .. } | Process::Missing) {
        return Answer::Noted;
    }
    let said = session.evidence.get(&observation.source);
    if said.is_some_and(|o| o.at > observation.at) {
        return Answer::Noted;
    }
    if let (Source::Osc | Source::Title, Some(offset)) = (observation.source, observation.offset) {
        if offset <= session.seen_offset {
            return Answer::Noted;
        }
        session.seen_offset = offset;
    }
    let repeated = said_before(session, observation);
    if repeated {
        if let (Source::Osc | Source::Process, Some(said)) =
            (observation.source, session.evidence.get_mut(&observation.source))
        {
            // The same mark made once more: when it was made may yet tell of a prompt.
            said.offset = observation.offset;
        }
    } else {
        // Nobody sees the future: such a time would outweigh everything that comes.
        let seen = Observation { at: observation.at.min(now), ..observation.clone() };
        session.evidence.insert(observation.source, seen);
        let before = session.known.clone();
        session.known = arbiter::fuse(&session.evidence, &before, now);
        if session.known.activity != before.activity {
            follow_activity(d, id, observation, &before.activity);
        }
    }
    // A mark says when it was made: it may tell of a prompt although it says nothing new of the agent.
    if observation.offset.is_some() {
        if turn::shows_turn(&observation.activity) {
            prompting::turn_seen(d, id, &observation.why, observation.offset);
        } else {
            prompting::end_seen(d, id, observation);
        }
    } else if turn::shows_turn(&observation.activity) && turn::keeps_time(observation.source) {
        prompting::heard_late(d, id, observation);
    }
    Answer::Noted
}

/// Nothing new from this source, and it is the newest evidence already.
fn said_before(session: &Session, observation: &Observation) -> bool {
    let same = session
        .evidence
        .get(&observation.source)
        .is_some_and(|o| o.activity == observation.activity && o.why == observation.why);
    same && session.evidence.values().max_by_key(|o| o.at).is_some_and(|o| o.source == observation.source)
}

fn follow_activity(d: &mut Draft<'_>, id: &SessionId, observation: &Observation, before: &Activity) {
    let Some(session) = d.sessions.get_mut(id) else { return };
    forget_attention(session);
    session.stalls = 0;
    let activity = session.known.activity.clone();
    if turn::shows_turn(&activity) && !session.in_turn() {
        turn::begin(d, id, observation.offset);
        prompting::turn_seen(d, id, &observation.why, observation.offset);
    } else if let Some(how) = pressing::end(session, &activity).map(|how| turn::of_question(how, before))
        && turn::end(d, id, how)
    {
        d.signal(Signal::TurnEnded { session: id.clone(), how });
    }
}

/// The agent printed something.
pub(super) fn output_seen(d: &mut Draft<'_>, id: &SessionId, launch: &LaunchId) -> Answer {
    let now = d.now;
    if let Some(session) = current(d, id, launch) {
        session.last_output = now;
        session.stalls = 0;
        if session.attention.as_ref().is_some_and(|a| a.key == ReactionKey::AgentStuck) {
            session.attention = None;
        }
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
    process_over(d, id, launch, why);
    Answer::Noted
}

/// Host and agent are gone without an exit record.
pub(super) fn missing(d: &mut Draft<'_>, id: &SessionId, why: &str) {
    let now = d.now;
    let Some(session) = d.sessions.get_mut(id) else { return };
    let Some(launch) = session.launch.clone() else { return };
    if matches!(session.process, Process::Exited { .. } | Process::Missing) {
        return;
    }
    session.process = Process::Missing;
    session.known = Known {
        activity: Activity::Exited { code: None },
        since: now,
        source: Source::Process,
        confidence: 90,
        why: why.to_owned(),
    };
    let why = session.lost.as_ref().map_or_else(|| why.to_owned(), |lost| format!("{why}{}", lost.words()));
    process_over(d, id, &launch, Some(why));
}

fn process_over(d: &mut Draft<'_>, id: &SessionId, launch: &LaunchId, why: Option<String>) {
    d.settle(&Effect::EnsureHost { session: id.clone(), launch: launch.clone(), resume: false }.key());
    prompting::launch_over(d, id);
    freeze::launch_over(d, id);
    let in_turn = turn::end(d, id, TurnHow::Exited);
    let Some(session) = d.sessions.get_mut(id) else { return };
    match &session.phase {
        Phase::Launching | Phase::Live => session.phase = Phase::Live,
        Phase::Stopping { .. } => {
            // The stop that was asked for goes on: it proves that nothing of the tree is left.
            ending::end_processes(d, id);
            return;
        }
        Phase::Queued { .. } | Phase::Preparing | Phase::Ended { .. } => return,
    }
    let Some(session) = d.sessions.get(id) else { return };
    // What it left may be the whole work that somebody waits for.
    if session.merge_wanted {
        d.signal(Signal::AgentGone { session: id.clone(), in_turn });
        return;
    }
    let landed = ending::has_landed(d, session);
    let code = match &session.process {
        Process::Exited { code, .. } => *code,
        Process::Missing | Process::Unknown | Process::Alive | Process::ProbeFailed { .. } => None,
    };
    let started = why.is_none() || session.turns > 0 || matches!(session.process, Process::Missing);
    let fault = Fault::new(Kind::Unavailable, why.unwrap_or_else(|| session.known.why.clone()));
    let how = if landed {
        Ending::Merged
    } else if code == Some(0) {
        Ending::Done
    } else if started {
        Ending::Errored { fault }
    } else {
        Ending::SpawnFailed { fault }
    };
    ending::end(d, id, how);
}

/// Somebody looked at a host. Only an answer, or its proven absence, changes anything that lasts.
pub(super) fn probed(d: &mut Draft<'_>, id: &SessionId, launch: &LaunchId, probe: &Probe) -> Answer {
    let Some(session) = current(d, id, launch) else { return Answer::Noted };
    match (probe, &session.process) {
        (Probe::Alive, Process::Unknown | Process::ProbeFailed { .. }) => lost::found(session),
        (Probe::Unknown { why }, Process::Unknown | Process::Alive | Process::ProbeFailed { .. }) => {
            session.lost = None;
            session.process = Process::ProbeFailed { why: why.clone() };
        }
        // A host that is still to be started cannot be missed.
        (Probe::Gone { left }, Process::Unknown | Process::Alive | Process::ProbeFailed { .. })
            if matches!(session.phase, Phase::Live) =>
        {
            lost::gone(d, id, left);
        }
        (Probe::Gone { .. }, Process::Unknown | Process::Alive | Process::ProbeFailed { .. })
            if matches!(session.phase, Phase::Stopping { .. }) =>
        {
            missing(d, id, "its host is gone and left no exit record");
        }
        // The end of a process is final for its launch, whatever a late look says.
        (Probe::Gone { .. }, Process::Unknown | Process::Alive | Process::ProbeFailed { .. })
        | (Probe::Alive, Process::Alive)
        | (_, Process::Exited { .. } | Process::Missing) => {}
    }
    Answer::Noted
}
