//! An agent that is always installed, has a composer in its last row, and speaks in OSC 7501 marks.

use ao_core::adapter::Adapter;
use ao_core::session::Conversation;
use ao_slots::Answer;
use ao_slots::agent::{Agent, AgentLaunch, AgentPlan, Detected};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The agent `fake`.
pub struct FakeAgent {
    adapter: Adapter,
}

impl Default for FakeAgent {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeAgent {
    /// The agent with its adapter.
    #[must_use]
    pub fn new() -> Self {
        let adapter = serde_json::json!({
            "name": "fake",
            "aliases": ["pretender"],
            "about": "plays an agent in tests",
            "program": "fake-agent",
            "memory_mb": 1,
            "door": {"composer": {"kind": "rows", "first": "^> (.*)$"}},
            "marks": [
                {"osc": 7501, "text": "^idle$", "activity": "idle"},
                {"osc": 7501, "text": "^working$", "activity": "working"},
                {"osc": 7501, "text": "^blocked$", "activity": "needs_input", "what": "permission"},
            ],
        });
        Self { adapter: serde_json::from_value(adapter).expect("the adapter is one") }
    }
}

#[async_trait]
impl Agent for FakeAgent {
    fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    async fn detect(&self, _path: &str) -> Detected {
        Detected::Installed { path: PathBuf::from("/nowhere/fake-agent"), version: None }
    }

    async fn launch(&self, plan: &AgentPlan) -> Answer<AgentLaunch> {
        Ok(AgentLaunch {
            argv: vec!["/nowhere/fake-agent".to_owned(), plan.session.to_string()],
            env: BTreeMap::new(),
            conversation: Conversation::First,
        })
    }
}
