//! What must hold of every decision, whatever the event: checked each time something happens in the world.
//! It tells no story; it panics with the law that was broken.

use ao_core::delivery::DeliveryState;
use ao_core::effect::Effect;
use ao_core::event::Event;
use ao_core::facts::{Delta, Facts};
use ao_core::machine::{self, Decision};
use ao_core::status::{self, PRECEDENCE, Status};
use ao_core::time::Time;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::fmt::Debug;

/// Checks a decision and returns the facts after it.
pub(super) fn check(before: &Facts, event: &Event, now: Time, decision: &Decision) -> Facts {
    round_trip(event);
    round_trip::<Delta>(&decision.delta);
    round_trip::<Vec<Effect>>(&decision.effects);
    assert_eq!(
        machine::decide(before, event, now),
        *decision,
        "the same event twice was decided differently: {event:?}"
    );
    let after = applied(before, decision);
    effects_are_pending(&after, decision, event);
    ended_stays_ended(before, &after, event);
    settled_deliveries_stay(before, &after, event);
    outboxes_are_of_their_session(&after);
    statuses_are_known(&after, now);
    comes_to_rest(&after, now, event);
    after
}

/// Facts after a trip through their serialised form.
pub(super) fn reloaded(facts: &Facts) -> Facts {
    let text = serde_json::to_string(facts).expect("facts can be written");
    let back: Facts = serde_json::from_str(&text).expect("facts can be read again");
    assert_eq!(back, *facts, "facts changed on their way to the disk and back");
    back
}

fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let text = serde_json::to_string(value).expect("it can be written");
    let back: T = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
    assert_eq!(back, *value);
}

fn applied(before: &Facts, decision: &Decision) -> Facts {
    let mut after = before.clone();
    after.apply_all(decision.delta.clone());
    after
}

fn effects_are_pending(after: &Facts, decision: &Decision, event: &Event) {
    let mut keys = BTreeSet::new();
    for effect in &decision.effects {
        let key = effect.key();
        assert!(keys.insert(key.clone()), "two effects with the key {key} after {event:?}");
        let pending = after.pending.get(&key).map(|p| &p.effect);
        assert_eq!(pending, Some(effect), "{key} was asked for, but is not pending, after {event:?}");
    }
    for (key, pending) in &after.pending {
        assert_eq!(*key, pending.effect.key());
    }
}

fn ended_stays_ended(before: &Facts, after: &Facts, event: &Event) {
    for (id, session) in before.sessions.iter().filter(|(_, s)| s.ended()) {
        let now = after.sessions.get(id).expect("sessions do not vanish");
        let restored = matches!(event, Event::RestoreRequested { session } if session == id);
        assert!(
            now.ended() || restored,
            "{id} came back by itself after {event:?}: {:?} -> {:?}",
            session.phase,
            now.phase
        );
    }
}

fn settled_deliveries_stay(before: &Facts, after: &Facts, event: &Event) {
    for (id, delivery) in before.deliveries.iter().filter(|(_, d)| d.state.settled()) {
        let now = after.deliveries.get(id).expect("deliveries do not vanish");
        assert_eq!(now.state, delivery.state, "{id} was over and went on after {event:?}");
    }
    for (id, delivery) in &after.deliveries {
        let waiting = after.sessions.get(&delivery.session).is_some_and(|s| s.outbox.contains(id));
        assert_eq!(
            waiting,
            !delivery.state.settled(),
            "{id} is {:?}, its session's outbox says otherwise",
            delivery.state
        );
        if let DeliveryState::Delivered { .. } = delivery.state {
            assert!(delivery.text.is_none(), "{id} keeps its text");
        }
    }
}

fn outboxes_are_of_their_session(after: &Facts) {
    for session in after.sessions.values() {
        for (i, id) in session.outbox.iter().enumerate() {
            let delivery = after.deliveries.get(id).expect("what waits is known");
            assert_eq!(delivery.session, session.id);
            let untouched = matches!(delivery.state, DeliveryState::Queued);
            assert!(i == 0 || untouched, "{id} is typed before its turn");
        }
        assert!(!session.ended() || session.outbox.is_empty(), "{} has ended and still has prompts", session.id);
    }
}

fn statuses_are_known(after: &Facts, now: Time) {
    for session in after.sessions.values() {
        let verdict = status::status(after, session, now);
        assert!(Status::ALL.contains(&verdict.status));
        assert!(PRECEDENCE.iter().any(|(rule, _)| *rule == verdict.rule), "no row {:?}", verdict.rule);
    }
}

/// Nothing is left to be decided at this moment, and without events time alone ends every wish.
fn comes_to_rest(after: &Facts, now: Time, event: &Event) {
    let idle = machine::decide(after, &Event::Ticked, now);
    assert!(
        idle.delta.is_empty() && idle.effects.is_empty(),
        "a tick at the same moment still changed something after {event:?}: {:?}",
        idle.delta
    );
    if let Some(at) = machine::deadline(after, now) {
        assert!(at > now, "the deadline is in the past after {event:?}");
    }
}

/// Ticks from deadline to deadline without any event; panics when that goes on for ever or when nothing comes of a deadline.
pub(super) fn rests(facts: &Facts, mut now: Time) {
    let mut facts = facts.clone();
    for _ in 0..200 {
        let Some(at) = machine::deadline(&facts, now) else { return };
        assert!(at > now, "a deadline in the past");
        let decision = machine::decide(&facts, &Event::Ticked, at);
        assert!(!decision.delta.is_empty(), "a deadline at {} came and nothing followed:\n{}", at.0, pictured(&facts));
        facts.apply_all(decision.delta);
        now = at;
    }
    panic!("time alone never brings rest:\n{}", pictured(&facts));
}

/// What may be due, in few lines.
fn pictured(facts: &Facts) -> String {
    let mut out = String::new();
    for p in facts.pending.values() {
        out += &format!("{} again {:?} uncertain {}\n", p.effect.key(), p.again, p.uncertain);
    }
    for s in facts.sessions.values() {
        let first = s.outbox.first().and_then(|d| facts.deliveries.get(d));
        out += &format!("{} {:?} {:?} {:?} {:?} {:?}\n", s.id, s.phase, s.known, s.tries, s.attention, first);
    }
    for q in facts.queues.values() {
        out += &format!("{} {:?} {:?}\n", q.project, q.blocked, q.batch);
    }
    out
}
