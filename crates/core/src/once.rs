//! Commands that may come twice: what was answered under a key is answered again, also by the next daemon.
//!
//! A caller that lost its connection cannot know whether its command was taken. It repeats it with the same key.

use crate::event::{Answer, Event};
use crate::facts::{Change, Facts};
use crate::id::RequestKey;
use crate::kind::Fault;
use crate::machine::{self, Decision};
use crate::time::{Millis, Time};
use serde::{Deserialize, Serialize};

/// How long an answer is kept: longer than anybody repeats one request.
pub const KEPT_FOR: Millis = Millis::mins(24 * 60);

/// Most answers kept; the oldest give way. They are small: a key, a hash and an id.
pub const MOST: usize = 1000;

/// What makes a command the same as another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    /// The caller's key, unlike those of all other callers.
    pub key: RequestKey,
    /// SHA-256 of what is asked, hexadecimal: a key stands for one request.
    pub request: String,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// Under which key.
    pub key: RequestKey,
    /// SHA-256 of what was asked, hexadecimal.
    pub request: String,
    /// The answer.
    pub answer: Answer,
    /// When.
    pub at: Time,
}

/// Decides a command, unless the same one was decided before: then nothing changes and its answer is given again. What was
/// refused is decided anew.
#[must_use]
pub fn decide(facts: &Facts, event: &Event, once: &Once, now: Time) -> Decision {
    if let Some(known) = facts.answered.get(&once.key).filter(|known| !is_old(known, now)) {
        let answer = if known.request == once.request {
            known.answer.clone()
        } else {
            let fault = Fault::conflict("this Idempotency-Key was used for another request");
            Answer::Refused(fault.hint("use a new key for every request, and the same key only to repeat it"))
        };
        return Decision { delta: Vec::new(), effects: Vec::new(), answer };
    }
    let mut decision = machine::decide(facts, event, now);
    if !matches!(decision.answer, Answer::Refused(_)) {
        let answered =
            Answered { key: once.key.clone(), request: once.request.clone(), answer: decision.answer.clone(), at: now };
        decision.delta.extend(given_up(facts, now).map(Change::Forgotten));
        decision.delta.push(Change::Answered(Box::new(answered)));
    }
    decision
}

const fn is_old(known: &Answered, now: Time) -> bool {
    now.since(known.at).0 > KEPT_FOR.0
}

/// Those that give way to one more.
fn given_up(facts: &Facts, now: Time) -> impl Iterator<Item = RequestKey> {
    let mut kept: Vec<&Answered> = facts.answered.values().collect();
    kept.sort_by_key(|known| known.at);
    let over = (kept.len() + 1).saturating_sub(MOST);
    kept.into_iter().enumerate().filter(move |(n, known)| *n < over || is_old(known, now)).map(|(_, a)| a.key.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Answer;
    use crate::id::ProjectId;
    use crate::project::Settings;

    fn once(key: &str, request: &str) -> Once {
        Once { key: RequestKey::new(key), request: request.to_owned() }
    }

    fn send(facts: &mut Facts, event: &Event, once: &Once, now: u64) -> Answer {
        let decision = decide(facts, event, once, Time(now));
        // What is replayed after a restart is what was written.
        let written = serde_json::to_string(&decision.delta).expect("a delta is JSON");
        facts.apply_all(serde_json::from_str(&written).expect("and is read again"));
        decision.answer
    }

    fn configured() -> (Facts, Event) {
        let mut facts = Facts::default();
        let project = ProjectId::new("app");
        let event = Event::ProjectConfigured {
            project: project.clone(),
            path: "/app".to_owned(),
            data: "/data".to_owned(),
            prefix: "app".to_owned(),
            settings: Box::new(Settings::default()),
        };
        facts.apply_all(machine::decide(&facts, &event, Time(0)).delta);
        let new = serde_json::json!({"project": project, "title": "mend it", "role": "worker"});
        (facts, Event::SessionRequested { new: serde_json::from_value(new).expect("a wanted session") })
    }

    #[test]
    fn a_repeat_makes_nothing_and_gets_the_first_answer() {
        let (mut facts, event) = configured();
        let first = send(&mut facts, &event, &once("k", "r"), 1);
        assert_eq!(send(&mut facts, &event, &once("k", "r"), 2), first);
        assert_eq!(facts.sessions.len(), 1);
        let other = send(&mut facts, &event, &once("l", "r"), 3);
        assert!(other != first && facts.sessions.len() == 2, "another key is another request");
    }

    #[test]
    fn a_key_stands_for_one_request_and_what_was_refused_is_decided_anew() {
        let (mut facts, event) = configured();
        send(&mut facts, &event, &once("k", "r"), 1);
        assert!(matches!(send(&mut facts, &event, &once("k", "another"), 2), Answer::Refused(_)));
        let mut empty = Facts::default();
        assert!(matches!(send(&mut empty, &event, &once("k", "r"), 1), Answer::Refused(_)));
        assert!(empty.answered.is_empty());
    }

    #[test]
    fn answers_are_given_up_with_time_and_by_number() {
        let (mut facts, event) = configured();
        send(&mut facts, &event, &once("old", "r"), 0);
        let later = KEPT_FOR.0 + 1;
        send(&mut facts, &event, &once("new", "r"), later);
        assert_eq!(facts.answered.keys().map(RequestKey::as_str).collect::<Vec<_>>(), ["new"]);
        let noted = Event::Ticked;
        for n in 0..MOST + 5 {
            send(&mut facts, &noted, &once(&format!("n{n}"), "r"), later + 1 + n as u64);
        }
        assert_eq!(facts.answered.len(), MOST);
        assert!(!facts.answered.contains_key(&RequestKey::new("new")), "the oldest went first");
    }
}
