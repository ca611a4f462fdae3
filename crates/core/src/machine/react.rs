//! Reactions at work: each fires on facts, acts a bounded number of times, and then calls a person.

use super::draft::Draft;
use super::lookup::{can_be_told, run_of, settings, target, task_text, whole_command};
use super::{prompting, session as life, task};
use crate::delivery::Cause;
use crate::effect::Priority;
use crate::facts::Facts;
use crate::failure::Failure;
use crate::id::{CommitId, SessionId};
use crate::prompt;
use crate::reaction::{Action, Escalate, ReactionKey, Rule};
use crate::session::{Attention, Phase, Process, Session, Tries};
use crate::status::exit_words;
use crate::time::Time;

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
    let failures: Vec<Failure> = unmended.to_vec();
    let text = prompt::gate_failed(rule.message.as_deref(), &failures, new, &check, log, on_target);
    let names: Vec<&str> = unmended.iter().chain(new).map(|f| f.name.as_str()).take(3).collect();
    let why = format!(
        "the check still fails: {}",
        if names.is_empty() { "see its output".to_owned() } else { names.join(", ") }
    );
    act(d, id, ReactionKey::CiFailed, &rule, &text, &why);
}

/// A turn changed nothing.
pub(super) fn nothing_changed(d: &mut Draft<'_>, id: &SessionId) {
    let Some(session) = d.sessions.get(id) else { return };
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
    act(
        d,
        id,
        ReactionKey::MergeConflicts,
        &rule,
        &text,
        &format!("it conflicts with the target in {}", files.join(", ")),
    );
}

/// The agent waits for a person.
pub(super) fn needs_input(d: &mut Draft<'_>, id: &SessionId) {
    let now = d.now;
    let Some(session) = d.sessions.get_mut(id) else { return };
    let why = session.known.why.clone();
    session.attention = Some(Attention { key: ReactionKey::AgentNeedsInput, why: why.clone(), since: now });
    let (project, name) = (session.project.clone(), session.name.clone());
    let note = format!("needs-input:{id}:{}", now.0);
    d.notify(
        note,
        &project,
        Some(id),
        Priority::Urgent,
        format!("{name} waits for you"),
        format!("{why}. Answer it: ao attach {id}"),
    );
}

/// When a session counts as stuck if nothing is seen until then.
pub(super) fn stuck_deadline(facts: &Facts, session: &Session) -> Option<Time> {
    if session.ended() || !session.in_turn() || session.attention.is_some() {
        return None;
    }
    let rule = facts.projects.get(&session.project)?.settings.reactions.rule(ReactionKey::AgentStuck);
    let began = session.turn.as_ref().map_or(session.changed, |t| t.began);
    rule.auto.then_some(began.max(session.last_output).after(rule.threshold.unwrap_or(crate::reaction::STUCK_AFTER)))
}

/// Calls a person to the sessions in which nothing moves.
pub(super) fn stuck(d: &mut Draft<'_>) {
    let now = d.now;
    let due: Vec<SessionId> =
        d.sessions.values().filter(|s| stuck_at(d, s).is_some_and(|at| at <= now)).map(|s| s.id.clone()).collect();
    for id in due {
        let Some(session) = d.sessions.get_mut(&id) else { continue };
        let why = "its turn goes on, but it has printed nothing for a long time".to_owned();
        session.attention = Some(Attention { key: ReactionKey::AgentStuck, why: why.clone(), since: now });
        let (project, name, turns) = (session.project.clone(), session.name.clone(), session.turns);
        d.notify(
            format!("stuck:{id}:{turns}:{}", now.0),
            &project,
            Some(&id),
            Priority::Urgent,
            format!("{name} may be stuck"),
            format!("{why}. Look: ao attach {id}"),
        );
    }
}

fn stuck_at(d: &Draft<'_>, session: &Session) -> Option<Time> {
    if session.ended() || !session.in_turn() || session.attention.is_some() {
        return None;
    }
    let rule = d.projects.get(&session.project)?.settings.reactions.rule(ReactionKey::AgentStuck);
    let began = session.turn.as_ref().map_or(session.changed, |t| t.began);
    rule.auto.then_some(began.max(session.last_output).after(rule.threshold.unwrap_or(crate::reaction::STUCK_AFTER)))
}

/// Does what a rule says, within its bounds.
fn act(d: &mut Draft<'_>, id: &SessionId, key: ReactionKey, rule: &Rule, text: &str, why: &str) {
    let now = d.now;
    let Some(session) = d.sessions.get(id) else { return };
    let told = can_be_told(session);
    if !rule.auto || rule.action == Action::Notify {
        give_up(d, id, key, why);
        return;
    }
    let tries = session.tries.get(&key).cloned().unwrap_or_default();
    let late = match rule.escalate_after {
        Some(Escalate::Tries(n)) => tries.count >= n,
        Some(Escalate::After(length)) => tries.count > 0 && now >= tries.first.after(length),
        None => false,
    };
    let spent = match run_of(d, session)
        .map(|r| (r.max_attempts, r.task_of(id).and_then(|t| r.tasks.get(t)).map_or(0, |t| t.attempts)))
    {
        // Inside a run its own bound counts for everything but collisions, which are nobody's fault.
        Some((max, attempts)) if key != ReactionKey::MergeConflicts => attempts >= max,
        Some(_) | None => tries.count >= rule.retries,
    };
    if spent || late {
        give_up(d, id, key, &format!("{why} (after {} tries)", tries.count));
        return;
    }
    if let Some(session) = d.sessions.get_mut(id) {
        let first = if tries.count == 0 { now } else { tries.first };
        session.tries.insert(key, Tries { count: tries.count + 1, first, escalated: false });
    }
    task::attempted(d, id);
    if rule.action == Action::Restart || !told {
        restart(d, id, text, why);
    } else {
        let _ = prompting::queue(d, id, text, Cause::Reaction { key });
    }
}

/// Starts an agent that ended before its work was done, and tells it what is missing.
fn restart(d: &mut Draft<'_>, id: &SessionId, text: &str, why: &str) {
    let Some(session) = d.sessions.get(id) else { return };
    let rule = settings(d, session).reactions.rule(ReactionKey::AgentExited);
    let tries = session.tries.get(&ReactionKey::AgentExited).cloned().unwrap_or_default();
    let ended = match &session.process {
        Process::Exited { code, signal, why } => {
            why.clone().unwrap_or_else(|| format!("the agent ended ({})", exit_words(*code, *signal)))
        }
        Process::Missing | Process::Unknown | Process::Alive | Process::ProbeFailed { .. } => {
            "the agent was lost".to_owned()
        }
    };
    if !rule.auto || rule.action != Action::Restart || tries.count >= rule.retries {
        give_up(d, id, ReactionKey::AgentExited, &format!("{ended}; {why}"));
        return;
    }
    let task = task_text(d, session).unwrap_or_default();
    let now = d.now;
    if let Some(session) = d.sessions.get_mut(id) {
        session.tries.insert(ReactionKey::AgentExited, Tries { count: tries.count + 1, first: now, escalated: false });
    }
    life::launch(d, id, true);
    let waits = d.sessions.get(id).is_some_and(|s| !s.outbox.is_empty());
    if !waits {
        let _ =
            prompting::queue(d, id, &format!("{task}\n\n{text}"), Cause::Reaction { key: ReactionKey::AgentExited });
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
    let (project, name, run, reviews) =
        (session.project.clone(), session.name.clone(), session.run.clone(), session.reviews);
    let live = matches!(session.phase, Phase::Live | Phase::Launching);
    d.notify(
        format!("escalated:{id}:{}:{reviews}:{count}", key.name()),
        &project,
        Some(id),
        Priority::Urgent,
        format!("{name} needs you"),
        format!("{why}. Its workspace is kept: ao status {id}"),
    );
    if let Some(run) = run {
        task::given_up(d, &run, id, why);
        if live {
            life::begin_stop(d, id, why, false);
        }
    }
}
