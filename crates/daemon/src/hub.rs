//! The live links to session hosts, by session.

use ao_core::id::{LaunchId, SessionId};
use ao_core::kind::{Fault, Kind};
use ao_core::screen::Screen;
use ao_slots::agent::Agent;
use ao_slots::runtime::Control;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// A live link.
#[derive(Clone)]
pub(crate) struct SessionLink {
    /// The launch it belongs to.
    pub(crate) launch: LaunchId,
    /// Commands to the host.
    pub(crate) control: Arc<dyn Control>,
    /// The screen as last pushed.
    pub(crate) screen: watch::Receiver<Screen>,
    /// The agent, for what is known about its screen.
    pub(crate) agent: Arc<dyn Agent>,
}

/// What an agent told of its conversation in a hook.
#[derive(Clone, Debug, Default)]
pub(crate) struct Named {
    /// Its own id.
    pub(crate) native: Option<String>,
    /// Where it says that its transcript is.
    pub(crate) path: Option<String>,
}

/// All live links. Held for a map operation only, never across an await.
pub(crate) struct Hub {
    links: Mutex<BTreeMap<SessionId, SessionLink>>,
    /// What agents told of their conversations, with the launch in which they did.
    named: Mutex<BTreeMap<SessionId, (LaunchId, Named)>>,
    /// Words of answers that are nowhere written down, the last of each session, by their SHA-256.
    words: Mutex<BTreeMap<SessionId, (String, String)>>,
    /// Grows with every link that is added.
    added: watch::Sender<u64>,
}

impl Default for Hub {
    fn default() -> Self {
        Self { links: Mutex::default(), named: Mutex::default(), words: Mutex::default(), added: watch::Sender::new(0) }
    }
}

impl Hub {
    pub(crate) fn put(&self, session: &SessionId, link: SessionLink) {
        self.lock().insert(session.clone(), link);
        self.added.send_modify(|n| *n += 1);
    }

    /// Forgets a link, unless another launch has taken its place.
    pub(crate) fn remove(&self, session: &SessionId, launch: &LaunchId) {
        let mut links = self.lock();
        if links.get(session).is_some_and(|l| l.launch == *launch) {
            links.remove(session);
        }
    }

    /// Changes whenever a link is added; taken before looking, none is missed.
    pub(crate) fn additions(&self) -> watch::Receiver<u64> {
        self.added.subscribe()
    }

    /// The link of a session.
    pub(crate) fn link(&self, session: &SessionId) -> Result<SessionLink, Fault> {
        self.lock().get(session).cloned().ok_or_else(|| {
            Fault::new(Kind::Conflict, format!("session {session} has no running agent"))
                .hint(format!("`ao status {session}` says why; `ao logs {session}` shows what it printed"))
        })
    }

    /// What the agent of a launch told of its conversation in a hook.
    pub(crate) fn named(&self, session: &SessionId, launch: &LaunchId) -> Named {
        let named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        named.get(session).filter(|(of, _)| of == launch).map(|(_, named)| named.clone()).unwrap_or_default()
    }

    /// The agent of a launch told of its conversation.
    pub(crate) fn name(&self, session: &SessionId, launch: &LaunchId, named: Named) {
        let mut all = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(session.clone(), (launch.clone(), named));
    }

    /// Keeps the words of an answer until they are typed.
    pub(crate) fn keep_words(&self, session: &SessionId, sha256: String, words: String) {
        let mut all = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(session.clone(), (sha256, words));
    }

    /// The words with this hash.
    pub(crate) fn words(&self, session: &SessionId, sha256: &str) -> Option<String> {
        let all = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(session).filter(|(of, _)| of == sha256).map(|(_, words)| words.clone())
    }

    /// Forgets the words of an answer.
    pub(crate) fn forget_words(&self, session: &SessionId) {
        self.words.lock().unwrap_or_else(PoisonError::into_inner).remove(session);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<SessionId, SessionLink>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
