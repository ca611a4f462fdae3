//! The facts: everything durable, and the only way to change them. Replaying applies deltas and never decides.

use crate::delivery::Delivery;
use crate::effect::Effect;
use crate::id::{DeliveryId, EffectKey, PrId, ProjectId, RequestKey, RunId, SessionId};
use crate::kind::Fault;
use crate::merge_queue::MergeQueue;
use crate::once::Answered;
use crate::project::Project;
use crate::pull_request::PullRequest;
use crate::run::Run;
use crate::session::Session;
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything durable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Projects.
    pub projects: BTreeMap<ProjectId, Project>,
    /// Sessions, ended and archived ones included.
    pub sessions: BTreeMap<SessionId, Session>,
    /// Deliveries.
    pub deliveries: BTreeMap<DeliveryId, Delivery>,
    /// Pull requests.
    pub pull_requests: BTreeMap<PrId, PullRequest>,
    /// Merge queues.
    pub queues: BTreeMap<ProjectId, MergeQueue>,
    /// Runs.
    pub runs: BTreeMap<RunId, Run>,
    /// Effects that have not ended.
    pub pending: BTreeMap<EffectKey, Pending>,
    /// Commands that may be repeated, and what was answered.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub answered: BTreeMap<RequestKey, Answered>,
    /// The machine as it was last seen.
    pub machine: Machine,
}

/// The machine that the daemon runs on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Boot id seen last.
    pub boot_id: String,
    /// Machine time minus boot time, in milliseconds, for that boot.
    pub clock_base: u64,
    /// When the daemon last started.
    pub started: Time,
    /// Sessions that may work at the same time, all projects together; 0 when nothing was measured.
    #[serde(default)]
    pub places: u32,
    /// Since when so many hosts are lost at once that none of them is believed dead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubted: Option<Time>,
}

/// One change: the new value of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "put", content = "value", rename_all = "snake_case")]
pub enum Change {
    /// A project.
    Project(Box<Project>),
    /// A session.
    Session(Box<Session>),
    /// A delivery.
    Delivery(Box<Delivery>),
    /// A pull request.
    PullRequest(Box<PullRequest>),
    /// A queue.
    Queue(Box<MergeQueue>),
    /// A run.
    Run(Box<Run>),
    /// An effect that has not ended.
    Pending(Box<Pending>),
    /// An effect that ended.
    Settled(EffectKey),
    /// An answer that may be asked for again.
    Answered(Box<Answered>),
    /// An answer that is kept no longer.
    Forgotten(RequestKey),
    /// The machine.
    Machine(Box<Machine>),
}

/// All changes of one event.
pub type Delta = Vec<Change>;

impl Facts {
    /// Makes one change.
    pub fn apply(&mut self, change: Change) {
        match change {
            Change::Project(p) => {
                self.projects.insert(p.id.clone(), *p);
            }
            Change::Session(s) => {
                self.sessions.insert(s.id.clone(), *s);
            }
            Change::Delivery(d) => {
                self.deliveries.insert(d.id.clone(), *d);
            }
            Change::PullRequest(p) => {
                self.pull_requests.insert(p.id.clone(), *p);
            }
            Change::Queue(q) => {
                self.queues.insert(q.project.clone(), *q);
            }
            Change::Run(r) => {
                self.runs.insert(r.id.clone(), *r);
            }
            Change::Pending(p) => {
                self.pending.insert(p.effect.key(), *p);
            }
            Change::Settled(key) => {
                self.pending.remove(&key);
            }
            Change::Answered(a) => {
                self.answered.insert(a.key.clone(), *a);
            }
            Change::Forgotten(key) => {
                self.answered.remove(&key);
            }
            Change::Machine(m) => self.machine = *m,
        }
    }

    /// Makes all changes of one event.
    pub fn apply_all(&mut self, delta: Delta) {
        for change in delta {
            self.apply(change);
        }
    }

    /// The session with this id, name or unique prefix of either.
    ///
    /// # Errors
    /// A fault that says that nothing or more than one thing is so called.
    pub fn find_session(&self, wanted: &str) -> Result<&Session, crate::kind::Fault> {
        use crate::kind::Fault;
        let exact = self.sessions.values().filter(|s| s.id.as_str() == wanted || s.name == wanted);
        if let Some(s) = exact.max_by_key(|s| (!s.ended(), s.created)) {
            return Ok(s);
        }
        let mut close: Vec<&Session> = self
            .sessions
            .values()
            .filter(|s| !wanted.is_empty() && (s.id.as_str().starts_with(wanted) || s.name.starts_with(wanted)))
            .collect();
        if close.len() > 1 && close.iter().filter(|s| !s.ended()).count() == 1 {
            close.retain(|s| !s.ended());
        }
        if close.len() > 1 && close.iter().filter(|s| s.belongings.archived.is_none()).count() == 1 {
            close.retain(|s| s.belongings.archived.is_none());
        }
        match close.as_slice() {
            [one] => Ok(one),
            [] => {
                Err(Fault::not_found(format!("there is no session {wanted:?}"))
                    .hint("`ao list --all` shows every session"))
            }
            [_, _, ..] => {
                let names: Vec<&str> = close.iter().take(5).map(|s| s.id.as_str()).collect();
                Err(Fault::invalid(format!("{wanted:?} fits {} sessions: {}", close.len(), names.join(", ")))
                    .hint("give more of the id or the whole name"))
            }
        }
    }
}

/// An effect that was decided and has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// What is to be done.
    pub effect: Effect,
    /// When it was decided.
    pub since: Time,
    /// How often it was tried and failed.
    pub failures: u32,
    /// The last failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// When it is tried again, after a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Time>,
    /// It was handed to the world before the daemon last started; for effects of class `once` nobody knows whether it arrived.
    #[serde(default)]
    pub uncertain: bool,
}
