//! Reactions: what happens by itself, as data. The machine decides when a rule fires; here is only what the rules say.

use crate::time::Millis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a rule reacts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReactionKey {
    /// The gate failed on the session's work.
    CiFailed,
    /// The work does not merge into the target.
    MergeConflicts,
    /// A turn ended and nothing was changed.
    AgentIdle,
    /// A turn goes on with no sign of progress.
    AgentStuck,
    /// The agent waits for a person.
    AgentNeedsInput,
    /// The agent's process ended before its work was done.
    AgentExited,
    /// The agent sent a notification to its terminal (OSC 9, OSC 777).
    AgentNotification,
    /// The agent rang its terminal's bell.
    AgentBell,
}

impl ReactionKey {
    /// Every key.
    pub const ALL: [Self; 8] = [
        Self::CiFailed,
        Self::MergeConflicts,
        Self::AgentIdle,
        Self::AgentStuck,
        Self::AgentNeedsInput,
        Self::AgentExited,
        Self::AgentNotification,
        Self::AgentBell,
    ];

    /// The key as it is written in a configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CiFailed => "ci-failed",
            Self::MergeConflicts => "merge-conflicts",
            Self::AgentIdle => "agent-idle",
            Self::AgentStuck => "agent-stuck",
            Self::AgentNeedsInput => "agent-needs-input",
            Self::AgentExited => "agent-exited",
            Self::AgentNotification => "agent-notification",
            Self::AgentBell => "agent-bell",
        }
    }
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Type a prompt into the agent.
    SendToAgent,
    /// Tell a person.
    Notify,
    /// Start the agent again in the same workspace.
    Restart,
    /// Nothing.
    Ignore,
}

impl Action {
    /// The action as it is written in a configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SendToAgent => "send-to-agent",
            Self::Notify => "notify",
            Self::Restart => "restart",
            Self::Ignore => "ignore",
        }
    }
}

/// When a rule gives up and tells a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Escalate {
    /// After it acted this often.
    Tries(u32),
    /// This long after it first acted.
    After(Millis),
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Act by itself; `false` means only tell a person.
    pub auto: bool,
    /// What to do.
    pub action: Action,
    /// How often to act before giving up.
    pub retries: u32,
    /// Give up by count or time as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalate_after: Option<Escalate>,
    /// How long the condition must hold first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Millis>,
    /// The words, with `{{errors}}`, `{{files}}`, `{{target}}` and the like; the built-in words when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The rules in force, one per key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reactions(BTreeMap<ReactionKey, Rule>);

/// A turn without any output for this long is called stuck: the longest silent tool calls of the recorded agents are
/// shorter, and a person who is called earlier is called for nothing.
pub const STUCK_AFTER: Millis = Millis::mins(10);

impl Default for Reactions {
    fn default() -> Self {
        Self(ReactionKey::ALL.into_iter().map(|k| (k, default_rule(k))).collect())
    }
}

impl Reactions {
    /// The rule for a key.
    #[must_use]
    pub fn rule(&self, key: ReactionKey) -> Rule {
        self.0.get(&key).cloned().unwrap_or_else(|| default_rule(key))
    }

    /// Replaces the rule for a key.
    pub fn set(&mut self, key: ReactionKey, rule: Rule) {
        self.0.insert(key, rule);
    }

    /// Every key with its rule.
    pub fn iter(&self) -> impl Iterator<Item = (ReactionKey, Rule)> + '_ {
        ReactionKey::ALL.into_iter().map(|k| (k, self.rule(k)))
    }
}

/// The rule in force when the configuration says nothing.
#[must_use]
pub fn default_rule(key: ReactionKey) -> Rule {
    let send = |retries| Rule {
        auto: true,
        action: Action::SendToAgent,
        retries,
        escalate_after: None,
        threshold: None,
        message: None,
    };
    let notify = |threshold| Rule {
        auto: true,
        action: Action::Notify,
        retries: 0,
        escalate_after: None,
        threshold,
        message: None,
    };
    match key {
        // How often is bounded by the run's own `--max-attempts`; outside runs the seeds' example says 2.
        ReactionKey::CiFailed => send(2),
        ReactionKey::MergeConflicts => send(3),
        ReactionKey::AgentIdle => send(1),
        ReactionKey::AgentStuck => notify(Some(STUCK_AFTER)),
        ReactionKey::AgentNeedsInput => notify(None),
        ReactionKey::AgentExited => Rule {
            auto: true,
            action: Action::Restart,
            retries: 1,
            escalate_after: None,
            threshold: None,
            message: None,
        },
        // Shells ring while somebody types, and agents send one each turn: who wants to hear of it says so.
        ReactionKey::AgentNotification | ReactionKey::AgentBell => Rule { action: Action::Ignore, ..notify(None) },
    }
}
