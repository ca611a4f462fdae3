//! How the earlier sessions of an agent went, and what that is worth.

use crate::facts::Facts;
use crate::reaction::ReactionKey;
use crate::session::{Ending, Phase, Session};
use std::collections::BTreeMap;

/// What a record of nothing but successes is worth, and one of nothing but failures costs.
const RECORD: i32 = 14;
/// What being stuck in every session costs.
const STALLS: i32 = 12;
/// What being twice as fast as the others is worth, and half as fast costs.
const SPEED: i32 = 8;
/// The newest sessions count: agents change, and so do repositories.
const RECENT: usize = 50;

/// How the earlier sessions of one agent went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Sessions whose work landed or was done.
    pub succeeded: u32,
    /// Sessions that failed in the agent's hands; one that a person stopped says nothing.
    pub failed: u32,
    /// Of all these, those that had to be called stuck.
    pub stalled: u32,
    /// The median time from request to end of those that succeeded, in milliseconds.
    pub median: Option<u64>,
}

/// The history of every agent, from the sessions that are still listed.
#[must_use]
pub fn of(facts: &Facts) -> BTreeMap<String, History> {
    let mut by_agent: BTreeMap<&str, Vec<&Session>> = BTreeMap::new();
    for session in facts.sessions.values().filter(|s| s.ended()) {
        by_agent.entry(&session.agent).or_default().push(session);
    }
    by_agent
        .into_iter()
        .map(|(agent, mut sessions)| {
            sessions.sort_by_key(|s| std::cmp::Reverse(s.created));
            sessions.truncate(RECENT);
            (agent.to_owned(), one(&sessions))
        })
        .collect()
}

fn one(sessions: &[&Session]) -> History {
    let mut history = History::default();
    let mut times = Vec::new();
    for session in sessions {
        let Phase::Ended { how, at } = &session.phase else { continue };
        let counts = match how {
            Ending::Merged | Ending::Done => {
                history.succeeded += 1;
                times.push(at.since(session.created).0);
                true
            }
            Ending::Errored { .. } => {
                history.failed += 1;
                true
            }
            // What could not be started was no agent's doing, and who was stopped was stopped for the stopper's reasons.
            Ending::Killed { .. } | Ending::SpawnFailed { .. } => false,
        };
        if counts && was_stuck(session) {
            history.stalled += 1;
        }
    }
    history.median = median(times);
    history
}

fn was_stuck(session: &Session) -> bool {
    session.tries.get(&ReactionKey::AgentStuck).is_some_and(|tries| tries.count > 0 || tries.escalated)
}

/// The median of what the agents take for a session, when at least two of them are known.
#[must_use]
pub fn pace<'a>(histories: impl Iterator<Item = &'a History>) -> Option<u64> {
    let all: Vec<u64> = histories.filter_map(|h| h.median).collect();
    if all.len() < 2 { None } else { median(all) }
}

fn median(mut all: Vec<u64>) -> Option<u64> {
    all.sort_unstable();
    all.get(all.len().saturating_sub(1) / 2).copied()
}

impl History {
    /// What it is worth, with the words for it. One success among one session is a weak record: two more sessions, one of
    /// each kind, are thought beside them.
    #[must_use]
    pub fn points(&self, pace: Option<u64>) -> Vec<(String, i32)> {
        let ended = self.succeeded + self.failed;
        if ended == 0 {
            return Vec::new();
        }
        let whole = |n: u32| i32::try_from(n).unwrap_or(i32::MAX / 64);
        let (good, all) = (whole(self.succeeded) + 1, whole(ended) + 2);
        let mut given =
            vec![(format!("{} of {ended} sessions succeeded", self.succeeded), (2 * good - all) * RECORD / all)];
        if self.stalled > 0 {
            given.push((format!("{} were stuck", self.stalled), -(whole(self.stalled) * STALLS / whole(ended))));
        }
        if let (Some(own), Some(pace)) = (self.median, pace) {
            given.push(speed(own, pace));
        }
        given
    }
}

/// Twice as fast and faster gives all, half as fast and slower costs all.
fn speed(own: u64, pace: u64) -> (String, i32) {
    let (slow, fast) = (own.max(pace).max(1), own.min(pace));
    let percent = i32::try_from(100 - fast.saturating_mul(100) / slow).unwrap_or(100);
    let share = (2 * percent * SPEED / 100).min(SPEED);
    if own <= pace { ("fast".to_owned(), share) } else { ("slow".to_owned(), -share) }
}
