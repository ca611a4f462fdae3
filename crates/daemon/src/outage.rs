//! The time in which the journal cannot be written: who is refused, what is kept until it goes on, when it is tried again.
//!
//! Callers are refused at once. What the world reports comes once and is kept, so that no effect that was done is done again
//! and no end of an agent is missed.

use crate::engine::Inbound;
use ao_core::event::Event;
use ao_core::kind::Fault;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Observations that are kept: a screen tells them anew sooner or later, so the oldest go first.
const OBSERVATIONS: usize = 4096;

/// An outage, or its absence.
#[derive(Debug)]
pub(crate) struct Outage {
    kept: VecDeque<Event>,
    first: Duration,
    longest: Duration,
    pause: Duration,
    again: Option<Instant>,
}

impl Outage {
    /// None so far; pauses between tries double from `first` to `longest`.
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        Self { kept: VecDeque::new(), first, longest, pause: first, again: None }
    }

    /// Something was committed.
    pub(crate) fn good(&mut self) {
        self.pause = self.first;
        self.again = None;
    }

    /// Time until the next try, while one is planned.
    pub(crate) fn next_try(&self) -> Option<Duration> {
        self.again.map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Whether it is time to try again; plans the next try.
    pub(crate) fn may_try(&mut self) -> bool {
        let now = Instant::now();
        if self.again.is_some_and(|at| at > now) {
            return false;
        }
        self.again = Some(now + self.pause);
        self.pause = (self.pause * 2).min(self.longest);
        true
    }

    /// Keeps what the world reported.
    pub(crate) fn keep(&mut self, news: impl IntoIterator<Item = Event>) {
        self.again.get_or_insert_with(|| Instant::now() + self.pause);
        self.kept.extend(news.into_iter().filter(is_news));
        let seen = |event: &Event| matches!(event, Event::Observed { .. });
        let mut over = self.kept.iter().filter(|event| seen(event)).count().saturating_sub(OBSERVATIONS);
        self.kept.retain(|event| {
            let drops = over > 0 && seen(event);
            over -= usize::from(drops);
            !drops
        });
    }

    /// A turn that cannot be decided now.
    pub(crate) fn wait(&mut self, turn: Vec<Inbound>, fault: &Fault) {
        let mut news = Vec::new();
        for inbound in turn {
            match inbound.reply {
                // A caller that went away wants no answer.
                Some(reply) => drop(reply.send(Err(fault.clone()))),
                None => news.push(inbound.event),
            }
        }
        self.keep(news);
    }

    /// It is over: everything that was kept, in order.
    pub(crate) fn over(&mut self) -> VecDeque<Event> {
        std::mem::take(&mut self.kept)
    }
}

/// Time that passes and bytes that flow are told again.
fn is_news(event: &Event) -> bool {
    !matches!(event, Event::Ticked | Event::OutputSeen { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ao_core::activity::{Activity, Observation, Source};
    use ao_core::effect::Outcome;
    use ao_core::id::{EffectKey, LaunchId, SessionId};
    use ao_core::time::Time;

    fn seen(n: u64) -> Event {
        let id = SessionId::new("app-1");
        let observation = Observation {
            source: Source::Screen,
            activity: Activity::Idle,
            at: Time(n),
            offset: None,
            why: "seen".into(),
        };
        Event::Observed { launch: LaunchId::of(&id, 1), session: id, observation }
    }

    #[test]
    fn ends_of_effects_are_kept_whatever_else_is_reported() {
        let mut outage = Outage::new(Duration::ZERO, Duration::ZERO);
        let done = Event::EffectDone { key: EffectKey::new("host:app-1.1".to_owned()), outcome: Outcome::Notified };
        outage.keep([done.clone(), Event::Ticked]);
        outage.keep((0..5000).map(seen));
        let kept = outage.over();
        assert_eq!(kept.front(), Some(&done));
        assert_eq!(kept.len(), 1 + OBSERVATIONS);
        assert_eq!(kept.back(), Some(&seen(4999)), "the newest are kept");
    }

    #[test]
    fn tries_are_bounded_in_time() {
        let hour = Duration::from_secs(3600);
        let mut outage = Outage::new(hour, hour);
        outage.keep([]);
        assert!(!outage.may_try(), "not at once");
        let mut outage = Outage::new(Duration::ZERO, hour);
        assert!(outage.may_try());
    }
}
