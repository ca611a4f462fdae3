//! The registry: plugins by slot and name, filled once by the composition root.

use crate::agent::Agent;
use crate::notifier::Notifier;
use crate::runtime::Runtime;
use crate::scm::Scm;
use crate::terminal::Terminal;
use crate::tracker::Tracker;
use crate::workspace::Workspace;
use crate::{Answer, Fault, Kind};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Plugins by slot and name. Names are what a configuration says.
#[derive(Default, Clone)]
pub struct Registry {
    /// Agents, by canonical name.
    pub agents: BTreeMap<String, Arc<dyn Agent>>,
    /// Runtimes.
    pub runtimes: BTreeMap<String, Arc<dyn Runtime>>,
    /// Workspaces.
    pub workspaces: BTreeMap<String, Arc<dyn Workspace>>,
    /// Forges.
    pub scms: BTreeMap<String, Arc<dyn Scm>>,
    /// Trackers.
    pub trackers: BTreeMap<String, Arc<dyn Tracker>>,
    /// Notifiers.
    pub notifiers: BTreeMap<String, Arc<dyn Notifier>>,
    /// Terminals.
    pub terminals: BTreeMap<String, Arc<dyn Terminal>>,
}

fn find<T: ?Sized>(slot: &str, all: &BTreeMap<String, Arc<T>>, name: &str) -> Answer<Arc<T>> {
    all.get(name).cloned().ok_or_else(|| {
        let known: Vec<&str> = all.keys().map(String::as_str).collect();
        Fault::new(Kind::NotFound, format!("there is no {slot} plugin {name:?}"))
            .hint(format!("known: {}", known.join(", ")))
    })
}

impl Registry {
    /// An agent by canonical name or alias (`claude` is `claude-code`).
    ///
    /// # Errors
    /// `not_found`, with the names that are known.
    pub fn agent(&self, name: &str) -> Answer<Arc<dyn Agent>> {
        if let Some(agent) = self.agents.values().find(|a| a.adapter().aliases.iter().any(|alias| alias == name)) {
            return Ok(agent.clone());
        }
        find("agent", &self.agents, name)
    }
    /// A runtime.
    ///
    /// # Errors
    /// `not_found`, with the names that are known.
    pub fn runtime(&self, name: &str) -> Answer<Arc<dyn Runtime>> {
        find("runtime", &self.runtimes, name)
    }
    /// A workspace.
    ///
    /// # Errors
    /// `not_found`, with the names that are known.
    pub fn workspace(&self, name: &str) -> Answer<Arc<dyn Workspace>> {
        find("workspace", &self.workspaces, name)
    }
    /// A forge.
    ///
    /// # Errors
    /// `not_found`, with the names that are known.
    pub fn scm(&self, name: &str) -> Answer<Arc<dyn Scm>> {
        find("scm", &self.scms, name)
    }
    /// A tracker.
    ///
    /// # Errors
    /// `not_found`, with the names that are known.
    pub fn tracker(&self, name: &str) -> Answer<Arc<dyn Tracker>> {
        find("tracker", &self.trackers, name)
    }
    /// A notifier.
    ///
    /// # Errors
    /// `not_found`, with the names that are known.
    pub fn notifier(&self, name: &str) -> Answer<Arc<dyn Notifier>> {
        find("notifier", &self.notifiers, name)
    }
    /// A terminal.
    ///
    /// # Errors
    /// `not_found`, with the names that are known.
    pub fn terminal(&self, name: &str) -> Answer<Arc<dyn Terminal>> {
        find("terminal", &self.terminals, name)
    }
}
