//! Commands that may come twice: what is known of them, and what is kept (`crate::once`).

use crate::event::Answer;
use crate::facts::{Change, Delta, Facts};
use crate::id::RequestKey;
use crate::kind::Fault;
use crate::once::{Answered, KEPT_FOR, MOST, Once};
use crate::time::Time;

/// What a command that was decided before is answered.
pub(super) fn known(facts: &Facts, once: &Once, now: Time) -> Option<Answer> {
    let known = facts.answered.get(&once.key).filter(|known| !is_old(known, now))?;
    Some(if known.request == once.request {
        known.answer.clone()
    } else {
        let fault = Fault::conflict("this Idempotency-Key was used for another request");
        Answer::Refused(fault.hint("use a new key for every request, and the same key only to repeat it"))
    })
}

/// What is kept of a command that was decided now: nothing when it was refused, which may be decided anew.
pub(super) fn remembered(facts: &Facts, once: &Once, answer: &Answer, now: Time) -> Delta {
    if matches!(answer, Answer::Refused(_)) {
        return Vec::new();
    }
    let answered = Answered { key: once.key.clone(), request: once.request.clone(), answer: answer.clone(), at: now };
    given_up(facts, now).map(Change::Forgotten).chain([Change::Answered(Box::new(answered))]).collect()
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
