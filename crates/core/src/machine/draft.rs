//! A draft of the next facts: a copy-on-write view over the facts of now. What differs at the end is the delta.

use super::decision::Decision;
use crate::delivery::Delivery;
use crate::effect::{Effect, Priority};
use crate::event::Answer;
use crate::facts::{Change, Delta, Facts, Machine, Pending};
use crate::id::{DeliveryId, EffectKey, PrId, ProjectId, RunId, SessionId};
use crate::merge_queue::MergeQueue;
use crate::project::Project;
use crate::pull_request::PullRequest;
use crate::run::Run;
use crate::session::{Session, TurnHow};
use crate::time::Time;
use std::collections::{BTreeMap, VecDeque};

/// One table of facts with changes laid over it.
pub(super) struct Overlay<'a, K, V> {
    base: &'a BTreeMap<K, V>,
    over: BTreeMap<K, V>,
}

impl<'a, K: Ord + Clone, V: Clone + PartialEq> Overlay<'a, K, V> {
    fn new(base: &'a BTreeMap<K, V>) -> Self {
        Self { base, over: BTreeMap::new() }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.over.get(key).or_else(|| self.base.get(key))
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        if !self.over.contains_key(key) {
            let value = self.base.get(key)?.clone();
            self.over.insert(key.clone(), value);
        }
        self.over.get_mut(key)
    }

    pub(super) fn put(&mut self, key: K, value: V) {
        self.over.insert(key, value);
    }

    /// Every value: those of before in their order, changed or not, then the new ones.
    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        let kept = self.base.iter().map(|(k, v)| self.over.get(k).unwrap_or(v));
        let made = self.over.iter().filter(|(k, _)| !self.base.contains_key(*k)).map(|(_, v)| v);
        kept.chain(made)
    }

    /// Keys of what was touched.
    pub(super) fn touched(&self) -> impl Iterator<Item = &K> {
        self.over.keys()
    }

    /// The value of before.
    pub(super) fn was(&self, key: &K) -> Option<&'a V> {
        self.base.get(key)
    }

    fn changed(self) -> impl Iterator<Item = V> {
        let base = self.base;
        self.over.into_iter().filter(move |(k, v)| base.get(k) != Some(v)).map(|(_, v)| v)
    }
}

/// Something that happened in one room of the machine and that another room must hear of.
pub(super) enum Signal {
    /// A turn ended.
    TurnEnded { session: SessionId, how: TurnHow },
    /// The agent is gone before the work that somebody waits for was done, perhaps in the middle of a turn.
    AgentGone { session: SessionId, in_turn: bool },
    /// A prompt is not on its way any more, however that ended.
    DeliveryOver { session: SessionId },
    /// The session is being stopped or is over: its work goes no further.
    WorkDropped { session: SessionId },
}

/// The next facts in the making.
pub(super) struct Draft<'a> {
    pub(super) now: Time,
    pub(super) projects: Overlay<'a, ProjectId, Project>,
    pub(super) sessions: Overlay<'a, SessionId, Session>,
    pub(super) deliveries: Overlay<'a, DeliveryId, Delivery>,
    pub(super) pull_requests: Overlay<'a, PrId, PullRequest>,
    pub(super) queues: Overlay<'a, ProjectId, MergeQueue>,
    pub(super) runs: Overlay<'a, RunId, Run>,
    pub(super) pending: Overlay<'a, EffectKey, Pending>,
    pub(super) machine: Machine,
    before: &'a Facts,
    settled: Vec<EffectKey>,
    effects: Vec<Effect>,
    signals: VecDeque<Signal>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(facts: &'a Facts, now: Time) -> Self {
        Self {
            now,
            projects: Overlay::new(&facts.projects),
            sessions: Overlay::new(&facts.sessions),
            deliveries: Overlay::new(&facts.deliveries),
            pull_requests: Overlay::new(&facts.pull_requests),
            queues: Overlay::new(&facts.queues),
            runs: Overlay::new(&facts.runs),
            pending: Overlay::new(&facts.pending),
            machine: facts.machine.clone(),
            before: facts,
            settled: Vec::new(),
            effects: Vec::new(),
            signals: VecDeque::new(),
        }
    }

    /// Whether an effect with this key is decided and has not ended.
    pub(super) fn is_pending(&self, key: &EffectKey) -> bool {
        self.pending.get(key).is_some() && !self.settled.contains(key)
    }

    /// The pending effect with this key.
    pub(super) fn pending_effect(&self, key: &EffectKey) -> Option<Pending> {
        if self.settled.contains(key) { None } else { self.pending.get(key).cloned() }
    }

    /// Asks for an effect, unless the same one is already on its way.
    pub(super) fn ask(&mut self, effect: Effect) {
        let key = effect.key();
        if self.is_pending(&key) {
            return;
        }
        self.settled.retain(|k| *k != key);
        let pending = Pending {
            effect: effect.clone(),
            since: self.now,
            failures: 0,
            fault: None,
            again: None,
            uncertain: false,
        };
        self.pending.put(key, pending);
        self.effects.push(effect);
    }

    /// Hands a pending effect to the world once more.
    pub(super) fn ask_again(&mut self, key: &EffectKey) {
        if let Some(pending) = self.pending.get_mut(key) {
            pending.again = None;
            self.effects.push(pending.effect.clone());
        }
    }

    /// Ends an effect.
    pub(super) fn settle(&mut self, key: &EffectKey) {
        if self.is_pending(key) {
            self.settled.push(key.clone());
            self.effects.retain(|e| e.key() != *key);
        }
    }

    /// Lets other rooms hear of something, after this one is done.
    pub(super) fn signal(&mut self, signal: Signal) {
        self.signals.push_back(signal);
    }

    pub(super) fn next_signal(&mut self) -> Option<Signal> {
        self.signals.pop_front()
    }

    /// Whether no room has anything more to hear.
    pub(super) fn is_quiet(&self) -> bool {
        self.signals.is_empty()
    }

    /// Tells a person.
    pub(super) fn notify(
        &mut self,
        id: String,
        project: &ProjectId,
        session: Option<&SessionId>,
        priority: Priority,
        title: String,
        body: String,
    ) {
        self.ask(Effect::Notify { id, project: project.clone(), session: session.cloned(), priority, title, body });
    }

    pub(super) fn finish(mut self, answer: Answer) -> Decision {
        let now = self.now;
        let mut delta: Delta = Vec::new();
        if self.machine != self.before.machine {
            delta.push(Change::Machine(Box::new(self.machine)));
        }
        delta.extend(self.projects.changed().map(|p| Change::Project(Box::new(p))));
        delta.extend(self.sessions.changed().map(|mut s| {
            s.changed = now;
            Change::Session(Box::new(s))
        }));
        delta.extend(self.deliveries.changed().map(|v| Change::Delivery(Box::new(v))));
        delta.extend(self.pull_requests.changed().map(|v| Change::PullRequest(Box::new(v))));
        delta.extend(self.queues.changed().map(|v| Change::Queue(Box::new(v))));
        delta.extend(self.runs.changed().map(|v| Change::Run(Box::new(v))));
        for key in &self.settled {
            self.pending.over.remove(key);
            if self.before.pending.contains_key(key) {
                delta.push(Change::Settled(key.clone()));
            }
        }
        delta.extend(self.pending.changed().map(|v| Change::Pending(Box::new(v))));
        Decision { delta, effects: self.effects, answer }
    }
}
