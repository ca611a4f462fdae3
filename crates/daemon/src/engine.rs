//! The handle that everything outside the loop holds: read the facts, send commands, follow changes, reach terminals.

use crate::clock::Clock;
use crate::disk_use::DiskUse;
use crate::hub::Hub;
use crate::journal::read::{Page, Reader};
use crate::journal::record;
use crate::paths::Paths;
use crate::standings::Standings;
use ao_core::event::{Answer, Event};
use ao_core::facts::{Delta, Facts};
use ao_core::id::SessionId;
use ao_core::kind::{Fault, Kind};
use ao_core::once::Once;
use ao_core::time::Time;
use ao_slots::Registry;
use ao_slots::runtime::{Attachment, View};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{broadcast, mpsc, oneshot};

/// A journalled event as followers get it.
pub type Record = record::Record<Event, Delta, ao_core::effect::Effect>;

/// What the loop receives.
pub(crate) struct Inbound {
    pub(crate) event: Event,
    /// It may be a repeat.
    pub(crate) once: Option<Once>,
    /// Whether the answer promises that it is on the disk; else that it is written, which survives the end of the daemon.
    pub(crate) durable: bool,
    /// Where the answer goes.
    pub(crate) reply: Option<oneshot::Sender<Result<Answer, Fault>>>,
}

/// What waits for the loop.
pub(crate) enum Word {
    /// Something to decide.
    Decide(Box<Inbound>),
    /// Nothing comes any more: the loop itself holds a sender, so it would never see the last one go.
    Finish,
}

/// The facts as last committed, with the number of the last event in them.
#[derive(Debug, Default)]
pub struct Committed {
    /// The facts.
    pub facts: Facts,
    /// Number of the last event.
    pub seq: u64,
}

/// Followers that fall behind by this many events are told to read the journal again.
const FOLLOW_BUFFER: usize = 1024;

/// Commands and observations that may wait for the loop; senders wait beyond that.
pub(crate) const INBOUND: usize = 256;

/// The handle; clones are the same engine.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    committed: RwLock<Committed>,
    followers: broadcast::Sender<Arc<Record>>,
    inbound: mpsc::Sender<Word>,
    reader: Reader,
    clock: Clock,
    paths: Paths,
    registry: Registry,
    hub: Hub,
    disk: DiskUse,
    standings: Standings,
    /// Why nothing is decided while the journal cannot be written.
    failure: RwLock<Option<Fault>>,
}

impl Engine {
    pub(crate) fn new(
        committed: Committed,
        inbound: mpsc::Sender<Word>,
        reader: Reader,
        clock: Clock,
        paths: Paths,
        registry: Registry,
    ) -> Self {
        let (followers, _) = broadcast::channel(FOLLOW_BUFFER);
        let inner = Inner {
            committed: RwLock::new(committed),
            followers,
            inbound,
            reader,
            clock,
            paths,
            registry,
            hub: Hub::default(),
            disk: DiskUse::default(),
            standings: Standings::default(),
            failure: RwLock::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Looks at the facts. Keep it short: the loop waits meanwhile.
    pub fn read<T>(&self, look: impl FnOnce(&Committed) -> T) -> T {
        look(&self.inner.committed.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at the facts and follows from exactly there on: nothing is missed and nothing comes twice.
    pub fn follow<T>(&self, look: impl FnOnce(&Committed) -> T) -> (T, broadcast::Receiver<Arc<Record>>) {
        let committed = self.inner.committed.read().unwrap_or_else(PoisonError::into_inner);
        (look(&committed), self.inner.followers.subscribe())
    }

    /// Applies what was committed and tells followers; the loop alone calls this.
    pub(crate) fn publish(&self, records: Vec<Record>) {
        let mut committed = self.inner.committed.write().unwrap_or_else(PoisonError::into_inner);
        for record in records {
            committed.seq = record.seq;
            committed.facts.apply_all(record.delta.clone());
            // Nobody following is no error.
            let _ = self.inner.followers.send(Arc::new(record));
        }
    }

    /// Sends a command and waits until it is decided and on the disk.
    ///
    /// # Errors
    /// What the machine refuses, `storage_failed` when the journal cannot be written, `unavailable` while shutting down.
    pub async fn command(&self, event: Event) -> Result<Answer, Fault> {
        self.ask(event, None, true).await
    }

    /// As [`Engine::command`], for a command that may come twice: a repeat gets the first answer and changes nothing.
    ///
    /// # Errors
    /// As for [`Engine::command`], and `conflict` when the key was used for something else.
    pub async fn command_once(&self, event: Event, once: Option<Once>) -> Result<Answer, Fault> {
        self.ask(event, once, true).await
    }

    /// Reports something that happened and waits until it is written: it is not lost when the daemon is killed after that.
    ///
    /// # Errors
    /// As for [`Engine::command`].
    pub(crate) async fn record(&self, event: Event) -> Result<(), Fault> {
        self.ask(event, None, false).await.map(|_| ())
    }

    async fn ask(&self, event: Event, once: Option<Once>, durable: bool) -> Result<Answer, Fault> {
        let (reply, answer) = oneshot::channel();
        let inbound = Word::Decide(Box::new(Inbound { event, once, durable, reply: Some(reply) }));
        self.inner.inbound.send(inbound).await.map_err(|_| shutting_down())?;
        match answer.await.map_err(|_| shutting_down())?? {
            Answer::Refused(fault) => Err(fault),
            other => Ok(other),
        }
    }

    /// Reports something that happened; it is journalled if it changes a fact.
    pub async fn report(&self, event: Event) {
        // The loop is gone only while shutting down; after the next start the world is looked at again.
        let _ = self
            .inner
            .inbound
            .send(Word::Decide(Box::new(Inbound { event, once: None, durable: false, reply: None })))
            .await;
    }

    /// Ends the loop after everything that was sent before.
    pub(crate) async fn finish(&self) {
        // A loop that is gone has ended.
        let _ = self.inner.inbound.send(Word::Finish).await;
    }

    /// Events from the journal, the first with number `from`.
    ///
    /// # Errors
    /// `not_found` when they are no longer there.
    pub fn events(&self, from: u64, limit: usize) -> Result<Page<Record>, Fault> {
        self.inner.reader.read_from(from, limit).map_err(|e| Fault::new(e.kind(), e.to_string()))
    }

    /// Opens a view of a session's terminal.
    ///
    /// # Errors
    /// `not_found` for no such session, `conflict` when its agent does not run, or what its runtime says.
    pub async fn attach(&self, session: &SessionId, view: View) -> Result<Attachment, Fault> {
        self.inner.hub.link(session)?.control.attach(view).await
    }

    /// The screen of a session's agent as it was last pushed.
    ///
    /// # Errors
    /// As for [`Engine::attach`].
    pub fn screen(&self, session: &SessionId) -> Result<ao_core::screen::Screen, Fault> {
        Ok(self.inner.hub.link(session)?.screen.borrow().clone())
    }

    /// Why nothing is decided now, while the journal cannot be written.
    #[must_use]
    pub fn failure(&self) -> Option<Fault> {
        self.inner.failure.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The journal failed, or takes records again.
    pub(crate) fn set_failure(&self, fault: Option<Fault>) {
        *self.inner.failure.write().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// Machine time now.
    #[must_use]
    pub fn now(&self) -> Time {
        self.inner.clock.now()
    }

    /// Where everything lies.
    #[must_use]
    pub fn paths(&self) -> &Paths {
        &self.inner.paths
    }

    /// The plugins.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    /// What was measured of the disk.
    pub(crate) fn disk(&self) -> &DiskUse {
        &self.inner.disk
    }

    /// What was seen of agents that might get a task.
    pub(crate) fn standings(&self) -> &Standings {
        &self.inner.standings
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.inner.hub
    }
}

fn shutting_down() -> Fault {
    Fault::new(Kind::Unavailable, "the daemon is shutting down").hint("try again: it starts by itself")
}
