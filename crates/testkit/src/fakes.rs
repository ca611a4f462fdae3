//! Plugins that play: every slot that a daemon needs, in memory, without processes or git. They do what the slot promises
//! and nothing by themselves; a test makes things happen through [`runtime::FakeRuntime`].

pub mod agent;
pub mod runtime;
pub mod scm;
pub mod tracker;
pub mod workspace;

use ao_slots::Registry;
use std::sync::Arc;

/// Plugins under the names of the defaults, and the runtime to play with.
#[must_use]
pub fn registry() -> (Registry, Arc<runtime::FakeRuntime>) {
    let runtime = Arc::new(runtime::FakeRuntime::default());
    let mut registry = Registry::default();
    registry.agents.insert("fake".to_owned(), Arc::new(agent::FakeAgent::new()));
    registry.runtimes.insert("process".to_owned(), runtime.clone());
    registry.workspaces.insert("worktree".to_owned(), Arc::new(workspace::FakeWorkspace));
    registry.scms.insert("local".to_owned(), Arc::new(scm::FakeScm));
    registry.trackers.insert("local".to_owned(), Arc::new(tracker::FakeTracker));
    (registry, runtime)
}
