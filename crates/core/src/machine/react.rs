//! Reactions at work: each fires on facts, acts a bounded number of times, and then calls a person.
//! What the rules say is data (`reaction`); what a review found out is `review`'s business.

use super::draft::Draft;
use super::lookup::{can_be_told, run_of, settings, target, task_text, whole_command};
use super::{answering, ending, lost, prompting, session as life, task};
use crate::activity::{Activity, Source};
use crate::delivery::Cause;
use crate::effect::Priority;
use crate::facts::Facts;
use crate::failure::Failure;
use crate::id::{CommitId, SessionId};
use crate::kind::{Fault, Kind};
use crate::prompt;
use crate::pull_request::{Checks, Mergeability, PullRequest};
use crate::reaction::{Action, Escalate, ReactionKey, Reactions, Rule, STUCK_AFTER};
use crate::session::{Attention, Ending, Lost, Phase, Process, Session, Tries};
use crate::status::exit_words;
use crate::time::{Millis, Time};

/// The gate failed on a session's work; `on_target` names the target when that was in the merge queue.
pub(super) fn gate_failed(
    d: &mut Draft<'_>,
    id: &SessionId,
    unmended: &[Failure],
    new: &[Failure],
    log: &str,
    on_target: Option<&str>,
) {
    let Some(session) = d.sessions.get(id) else { return };
    let rule = settings(d, session).reactions.rule(ReactionKey::CiFailed);
    let check = whole_command(d, session).unwrap_or_default();
    let text = prompt::gate_failed(rule.message.as_deref(), unmended, new, &check, log, on_target);
    let names: Vec<&str> = unmended.iter().chain(new).map(|f| f.name.as_str()).take(3).collect();
    let names = if names.is_empty() { "see its output".to_owned() } else { names.join(", ") };
    act(d, id, ReactionKey::CiFailed, &rule, &text, &format!("the check still fails: {names}"));
}

/// A turn changed nothing.
pub(super) fn nothing_changed(d: &mut Draft<'_>, id: &SessionId) {
    let Some(session) = d.sessions.get(id) else { return };
    if session.run.is_none() {
        give_up(d, id, ReactionKey::AgentIdle, "there is nothing to merge: its workspace holds no change");
        return;
    }
    let rule = settings(d, session).reactions.rule(ReactionKey::AgentIdle);
    let failures: Vec<Failure> = run_of(d, session)
        .and_then(|r| r.tasks.get(r.task_of(id)?))
        .map(|t| t.group.failures.clone())
        .unwrap_or_default();
    let text = prompt::nothing_changed(rule.message.as_deref(), &failures);
    act(d, id, ReactionKey::AgentIdle, &rule, &text, "its turn ended and nothing in its workspace was changed");
}

/// A merge was left half done.
pub(super) fn unmerged(d: &mut Draft<'_>, id: &SessionId, files: &[String]) {
    let Some(session) = d.sessions.get(id) else { return };
    let rule = settings(d, session).reactions.rule(ReactionKey::MergeConflicts);
    let text = prompt::unmerged(files, &target(d, session));
    act(d, id, ReactionKey::MergeConflicts, &rule, &text, &format!("conflicts are left in {}", files.join(", ")));
}

/// A session's work collides with what landed before it.
pub(super) fn conflict(d: &mut Draft<'_>, id: &SessionId, files: &[String], _onto: &CommitId) {
    let Some(session) = d.sessions.get(id) else { return };
    let rule = settings(d, session).reactions.rule(ReactionKey::MergeConflicts);
    let text = prompt::conflict(rule.message.as_deref(), files, &target(d, session), &session.branch);
    let why = format!("it conflicts with the target in {}", files.join(", "));
    act(d, id, ReactionKey::MergeConflicts, &rule, &text, &why);
}

/// What becomes due by time alone.
#[derive(Clone, Copy)]
enum Due {
    /// A question that nobody has answered.
    Asks,
    /// A turn in which nothing moves.
    Stuck,
    /// Something that was acted on and is not resolved.
    Late(ReactionKey),
}

/// When something about a session becomes due.
pub(super) fn deadline(facts: &Facts, session: &Session) -> Option<Time> {
    let rules = &facts.projects.get(&session.project)?.settings.reactions;
    let pr = session.pr.as_ref().and_then(|pr| facts.pull_requests.get(pr));
    due(rules, session, pr, answering::calls_at(facts, session)).map(|(at, _)| at)
}

fn due(rules: &Reactions, session: &Session, pr: Option<&PullRequest>, calls: Option<Time>) -> Option<(Time, Due)> {
    match session.phase {
        Phase::Launching | Phase::Live => {}
        Phase::Queued { .. } | Phase::Preparing | Phase::Stopping { .. } | Phase::Ended { .. } => return None,
    }
    let asks = asks_at(rules, session).zip(calls).map(|(at, calls)| (at.max(calls), Due::Asks));
    let stuck = stuck_at(rules, session).map(|at| (at, Due::Stuck));
    let late = [ReactionKey::CiFailed, ReactionKey::MergeConflicts, ReactionKey::AgentIdle]
        .into_iter()
        .filter_map(|key| late_at(rules, session, pr, key).map(|at| (at, Due::Late(key))));
    asks.into_iter().chain(stuck).chain(late).min_by_key(|(at, _)| *at)
}

/// A question is told once, after its threshold. Whether the rule is automatic makes no difference: all it does is tell.
fn asks_at(rules: &Reactions, session: &Session) -> Option<Time> {
    let asks = matches!(session.known.activity, Activity::NeedsInput { .. });
    let told = session.attention.as_ref().is_some_and(|a| a.key != ReactionKey::AgentStuck);
    if !asks || told {
        return None;
    }
    let threshold = rules.rule(ReactionKey::AgentNeedsInput).threshold.unwrap_or(Millis(0));
    Some(session.known.since.after(threshold))
}

/// A person is told of one silence so often, after once, twice, four times the threshold and so on; nothing is ever killed.
const MOST_STALLS: u32 = 5;

/// When a turn in which nothing is printed, called or written is told of, the first time or once more.
fn stuck_at(rules: &Reactions, session: &Session) -> Option<Time> {
    let asks = matches!(session.known.activity, Activity::NeedsInput { .. });
    let turn = session.turn.as_ref().filter(|t| t.end.is_none())?;
    let told = session.attention.as_ref().is_some_and(|a| a.key != ReactionKey::AgentStuck);
    if asks || told || session.stalls >= MOST_STALLS {
        return None;
    }
    let threshold = rules.rule(ReactionKey::AgentStuck).threshold.unwrap_or(STUCK_AFTER);
    // A call of a hook or a line of the transcript is life as much as output is; a title may turn for ever.
    let lives = [Source::Structured, Source::Hook, Source::Transcript];
    let seen = lives.iter().filter_map(|source| session.evidence.get(source)).map(|o| o.at).max();
    let since = turn.began.max(session.last_output).max(session.known.since).max(seen.unwrap_or_default());
    // Told before: from then on.
    let since = session.attention.as_ref().map_or(since, |a| since.max(a.since));
    Some(since.after(Millis(threshold.0.saturating_mul(1 << session.stalls.min(MOST_STALLS)))))
}

/// A rule that gives up by time has a deadline of its own; work that is on its way to the target counts as resolved.
fn late_at(rules: &Reactions, session: &Session, pr: Option<&PullRequest>, key: ReactionKey) -> Option<Time> {
    let tries = session.tries.get(&key).filter(|t| t.count > 0 && !t.escalated)?;
    let Some(Escalate::After(length)) = rules.rule(key).escalate_after else { return None };
    let healthy = |pr: &PullRequest| {
        !matches!(pr.checks, Checks::Failed { .. }) && !matches!(pr.merge, Mergeability::Conflicted { .. })
    };
    if pr.is_some_and(|pr| pr.is_open() && healthy(pr)) {
        return None;
    }
    Some(tries.first.after(length))
}

/// Does what time alone has made due.
pub(super) fn advance(d: &mut Draft<'_>) {
    let now = d.now;
    let due_now = |s: &Session| {
        let rules = &d.projects.get(&s.project)?.settings.reactions;
        let pr = s.pr.as_ref().and_then(|pr| d.pull_requests.get(pr));
        due(rules, s, pr, answering::calls_within(d, s))
            .filter(|(at, _)| *at <= now)
            .map(|(_, what)| (s.id.clone(), what))
    };
    let all: Vec<(SessionId, Due)> = d.sessions.values().filter_map(due_now).collect();
    for (id, what) in all {
        match what {
            Due::Asks => call_to_question(d, &id),
            Due::Stuck => call_to_stuck(d, &id),
            Due::Late(key) => {
                let length =
                    d.sessions.get(&id).and_then(|s| s.tries.get(&key)).map_or(Millis(0), |t| now.since(t.first));
                give_up(d, &id, key, &format!("{} was not resolved within {} s", key.name(), length.0 / 1000));
            }
        }
    }
}

fn call_to_question(d: &mut Draft<'_>, id: &SessionId) {
    let Some(session) = d.sessions.get(id) else { return };
    let why = session.known.why.clone();
    let (title, body) = (format!("{} waits for you", session.name), answering::call_words(session));
    call(d, id, ReactionKey::AgentNeedsInput, "needs-input", why, title, body);
}

fn call_to_stuck(d: &mut Draft<'_>, id: &SessionId) {
    let Some(session) = d.sessions.get(id) else { return };
    let why = "its turn goes on, but it has printed nothing for a long time".to_owned();
    let stalls = session.stalls + 1;
    let (title, body) = (format!("{} may be stuck", session.name), format!("{why}. Look: ao attach {id}"));
    call(d, id, ReactionKey::AgentStuck, "stuck", why, title, body);
    if let Some(session) = d.sessions.get_mut(id) {
        session.stalls = stalls;
    }
}

/// Between two times that a person is told what one agent said to its terminal: who is called every few seconds listens to
/// none of it.
const SAID_AGAIN: Millis = Millis::mins(1);

/// An agent rang or sent a notification: a person is told, if the rule says so. It is for information: nothing waits for it.
pub(super) fn agent_said(d: &mut Draft<'_>, id: &SessionId, key: ReactionKey, what: String) {
    let now = d.now;
    let Some(session) = d.sessions.get(id) else { return };
    let soon = session.terminal.told.is_some_and(|told| now.since(told) < SAID_AGAIN);
    if soon || settings(d, session).reactions.rule(key).action != Action::Notify {
        return;
    }
    let (project, title) = (session.project.clone(), format!("{} says something", session.name));
    d.notify(format!("{}:{id}:{}", key.name(), now.0), &project, Some(id), Priority::Info, title, what);
    if let Some(session) = d.sessions.get_mut(id) {
        session.terminal.told = Some(now);
    }
}

fn call(d: &mut Draft<'_>, id: &SessionId, key: ReactionKey, note: &str, why: String, title: String, body: String) {
    let now = d.now;
    let Some(session) = d.sessions.get_mut(id) else { return };
    session.attention = Some(Attention { key, why, since: now });
    let project = session.project.clone();
    d.notify(format!("{note}:{id}:{}", now.0), &project, Some(id), Priority::Urgent, title, body);
}

/// Does what a rule says, within its bounds.
fn act(d: &mut Draft<'_>, id: &SessionId, key: ReactionKey, rule: &Rule, text: &str, why: &str) {
    let now = d.now;
    let Some(session) = d.sessions.get(id) else { return };
    // Nobody but a person wakes a session that is over.
    if !rule.auto || rule.action == Action::Notify || session.ended() {
        give_up(d, id, key, why);
        return;
    }
    let tries = session.tries.get(&key).cloned().unwrap_or_default();
    if spent(d, session, key, rule, &tries) || late(rule, &tries, now) {
        give_up(d, id, key, &format!("{why} (after {})", counted(tries.count, "try", "tries")));
        return;
    }
    let gone = !can_be_told(session);
    if gone && let Some(reason) = no_restart(d, session) {
        give_up(d, id, ReactionKey::AgentExited, &format!("{reason}; {why}"));
        return;
    }
    if let Some(session) = d.sessions.get_mut(id) {
        let first = if tries.count == 0 { now } else { tries.first };
        session.tries.insert(key, Tries { count: tries.count + 1, first, escalated: false });
    }
    task::attempted(d, id);
    if gone {
        restart(d, id, text);
    } else {
        // An agent that is alive is told, whatever the rule says: two agents never share a workspace.
        let _ = prompting::queue(d, id, text, Cause::Reaction { key });
    }
}

/// Whether everything was tried. Inside a run its own bound counts for everything but collisions, which are nobody's fault.
fn spent(d: &Draft<'_>, session: &Session, key: ReactionKey, rule: &Rule, tries: &Tries) -> bool {
    let run = run_of(d, session).filter(|r| !r.finished() && key != ReactionKey::MergeConflicts);
    match run {
        Some(run) => {
            let attempts = run.task_of(&session.id).and_then(|t| run.tasks.get(t)).map_or(0, |t| t.attempts);
            let collisions = session.tries.get(&ReactionKey::MergeConflicts).map_or(0, |t| t.count);
            attempts.saturating_sub(collisions) >= run.max_attempts
        }
        None => tries.count >= rule.retries,
    }
}

fn late(rule: &Rule, tries: &Tries, now: Time) -> bool {
    match rule.escalate_after {
        Some(Escalate::Tries(n)) => tries.count >= n,
        Some(Escalate::After(length)) => tries.count > 0 && now >= tries.first.after(length),
        None => false,
    }
}

/// Why an agent that ended before its work was done is not started again.
fn no_restart(d: &Draft<'_>, session: &Session) -> Option<String> {
    let rule = settings(d, session).reactions.rule(ReactionKey::AgentExited);
    let restarts = session.tries.get(&ReactionKey::AgentExited).map_or(0, |t| t.count);
    if !lost::proven_gone(session) {
        let words = session.lost.as_ref().map(Lost::words).unwrap_or_default();
        return Some(format!("the agent was lost{words}"));
    }
    if rule.auto && rule.action == Action::Restart && restarts < rule.retries {
        return None;
    }
    Some(match &session.process {
        Process::Exited { code, signal, why } => {
            why.clone().unwrap_or_else(|| format!("the agent ended ({})", exit_words(*code, *signal)))
        }
        Process::Missing | Process::Unknown | Process::Alive | Process::ProbeFailed { .. } => {
            "the agent was lost".to_owned()
        }
    })
}

/// Starts an agent that ended before its work was done, and tells it what it was about: a new process knows nothing.
fn restart(d: &mut Draft<'_>, id: &SessionId, text: &str) {
    let now = d.now;
    let Some(session) = d.sessions.get(id) else { return };
    let task = task_text(d, session);
    if let Some(session) = d.sessions.get_mut(id) {
        let tries = session.tries.entry(ReactionKey::AgentExited).or_default();
        tries.first = if tries.count == 0 { now } else { tries.first };
        tries.count += 1;
    }
    life::launch(d, id, true);
    let waits = d.sessions.get(id).is_some_and(|s| !s.outbox.is_empty());
    if !waits {
        let whole = task.map_or_else(|| text.to_owned(), |task| format!("{task}\n\n{text}"));
        let _ = prompting::queue(d, id, &whole, Cause::Reaction { key: ReactionKey::AgentExited });
    }
}

/// Calls a person; inside a run the task is given up and its agent stopped, its workspace kept.
pub(super) fn give_up(d: &mut Draft<'_>, id: &SessionId, key: ReactionKey, why: &str) {
    let now = d.now;
    let Some(session) = d.sessions.get_mut(id) else { return };
    session.attention = Some(Attention { key, why: why.to_owned(), since: now });
    session.merge_wanted = session.run.is_some() && session.merge_wanted;
    let tries = session.tries.entry(key).or_default();
    tries.escalated = true;
    let count = tries.count;
    let live = matches!(session.phase, Phase::Live | Phase::Launching);
    let gone = matches!(session.process, Process::Exited { .. } | Process::Missing);
    let (project, name, reviews) = (session.project.clone(), session.name.clone(), session.reviews);
    d.notify(
        format!("escalated:{id}:{}:{reviews}:{count}", key.name()),
        &project,
        Some(id),
        Priority::Urgent,
        format!("{name} needs you"),
        format!("{why}. Its workspace is kept: ao status {id}"),
    );
    let Some(session) = d.sessions.get(id) else { return };
    match run_of(d, session).filter(|r| !r.finished()).map(|r| r.id.clone()) {
        Some(run) => {
            task::given_up(d, &run, id, why);
            if live {
                ending::begin_stop(d, id, why, false);
            }
        }
        None if live && gone => {
            ending::end(d, id, Ending::Errored { fault: Fault::new(Kind::Unavailable, why) });
        }
        // It is a person's: it goes on.
        None => {}
    }
}

/// `1 try`, `2 tries`.
fn counted(n: u32, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}
