//! Reaction rules as they are written, and how they are laid over the defaults, key by key and field by field.

use super::duration::{self, Duration};
use super::spelling::nearest;
use crate::reaction::{Action, Escalate, ReactionKey, Reactions};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// One rule as it is written; what is left out stays as it was.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RuleFile {
    /// Act by itself.
    pub auto: Option<bool>,
    /// `send-to-agent`, `notify`, `restart` or `ignore`.
    pub action: Option<String>,
    /// How often to act before a person is told.
    pub retries: Option<u32>,
    /// Tell a person after this many tries (a number) or this long (a duration with its unit).
    pub escalate_after: Option<EscalateFile>,
    /// How long the condition must hold first.
    pub threshold: Option<Duration>,
    /// The words.
    pub message: Option<String>,
}

/// A number of tries or a duration.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum EscalateFile {
    /// Tries.
    Tries(u32),
    /// A duration with its unit.
    After(String),
}

/// The rules in force: the project's fields over the file's over the defaults.
///
/// # Errors
/// Words that name the rule, the field and what it may be.
pub fn merge(file: &BTreeMap<String, RuleFile>, project: &BTreeMap<String, RuleFile>) -> Result<Reactions, String> {
    let mut reactions = Reactions::default();
    for (name, written) in file.iter().chain(project) {
        let key = key(name)?;
        means_something(key, written).map_err(|what| format!("{name}: {what}"))?;
        let mut rule = reactions.rule(key);
        if let Some(auto) = written.auto {
            rule.auto = auto;
        }
        if let Some(action) = written.action.as_deref().and_then(|name| action(key, name)) {
            rule.action = action;
        }
        if let Some(retries) = written.retries {
            rule.retries = retries;
        }
        match &written.escalate_after {
            None => {}
            Some(EscalateFile::Tries(n)) => rule.escalate_after = Some(Escalate::Tries(*n)),
            Some(EscalateFile::After(text)) => {
                let after = duration::parse(text).map_err(|what| format!("{name}: escalateAfter: {what}"))?;
                rule.escalate_after = Some(Escalate::After(after));
            }
        }
        if let Some(threshold) = written.threshold {
            rule.threshold = Some(threshold.0);
        }
        if let Some(message) = &written.message {
            if message.trim().is_empty() {
                return Err(format!("{name}: message is empty; leave it out for the built-in words"));
            }
            rule.message = Some(message.clone());
        }
        reactions.set(key, rule);
    }
    Ok(reactions)
}

/// A field of a rule, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `auto`.
    Auto,
    /// `action`.
    Action,
    /// `retries`.
    Retries,
    /// `escalateAfter`.
    EscalateAfter,
    /// `threshold`.
    Threshold,
    /// `message`.
    Message,
}

impl Field {
    const ALL: [Self; 6] =
        [Self::Auto, Self::Action, Self::Retries, Self::EscalateAfter, Self::Threshold, Self::Message];

    /// The field as it is written in a configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Action => "action",
            Self::Retries => "retries",
            Self::EscalateAfter => "escalateAfter",
            Self::Threshold => "threshold",
            Self::Message => "message",
        }
    }

    const fn is_written(self, rule: &RuleFile) -> bool {
        match self {
            Self::Auto => rule.auto.is_some(),
            Self::Action => rule.action.is_some(),
            Self::Retries => rule.retries.is_some(),
            Self::EscalateAfter => rule.escalate_after.is_some(),
            Self::Threshold => rule.threshold.is_some(),
            Self::Message => rule.message.is_some(),
        }
    }
}

/// The fields that mean something for a key.
#[must_use]
pub const fn fields(key: ReactionKey) -> &'static [Field] {
    match key {
        ReactionKey::CiFailed | ReactionKey::MergeConflicts | ReactionKey::AgentIdle => {
            &[Field::Auto, Field::Action, Field::Retries, Field::EscalateAfter, Field::Message]
        }
        ReactionKey::AgentStuck | ReactionKey::AgentNeedsInput => &[Field::Auto, Field::Action, Field::Threshold],
        ReactionKey::AgentExited => &[Field::Auto, Field::Action, Field::Retries],
        ReactionKey::AgentNotification | ReactionKey::AgentBell => &[Field::Action],
    }
}

/// The actions that a key can have, the default first.
#[must_use]
pub const fn actions(key: ReactionKey) -> &'static [Action] {
    match key {
        ReactionKey::CiFailed | ReactionKey::MergeConflicts | ReactionKey::AgentIdle => {
            &[Action::SendToAgent, Action::Notify]
        }
        ReactionKey::AgentStuck | ReactionKey::AgentNeedsInput => &[Action::Notify],
        ReactionKey::AgentExited => &[Action::Restart, Action::Notify],
        ReactionKey::AgentNotification | ReactionKey::AgentBell => &[Action::Ignore, Action::Notify],
    }
}

/// What is accepted has an effect: a field or an action that this key does not know is an error.
fn means_something(key: ReactionKey, written: &RuleFile) -> Result<(), String> {
    let known = fields(key);
    if let Some(field) = Field::ALL.into_iter().find(|f| f.is_written(written) && !known.contains(f)) {
        let names: Vec<&str> = known.iter().map(|f| f.name()).collect();
        return Err(format!("{} means nothing here; there may be {}", field.name(), names.join(", ")));
    }
    let Some(name) = &written.action else { return Ok(()) };
    let known = actions(key);
    if known.iter().any(|a| a.name() == name) {
        return Ok(());
    }
    let names: Vec<&str> = known.iter().map(|a| a.name()).collect();
    Err(format!("action is {name:?}; it may be {}", names.join(" or ")))
}

fn key(name: &str) -> Result<ReactionKey, String> {
    if let Some(key) = ReactionKey::ALL.into_iter().find(|k| k.name() == name) {
        return Ok(key);
    }
    let known: Vec<&str> = ReactionKey::ALL.into_iter().map(ReactionKey::name).collect();
    Err(match nearest(name, known.iter().copied()) {
        Some(near) => format!("there is no reaction {name:?}; did you mean {near:?}?"),
        None => format!("there is no reaction {name:?}; there are {}", known.join(", ")),
    })
}

fn action(key: ReactionKey, name: &str) -> Option<Action> {
    actions(key).iter().copied().find(|a| a.name() == name)
}
