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
    /// `send-to-agent`, `notify` or `restart`.
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
        let mut rule = reactions.rule(key);
        if let Some(auto) = written.auto {
            rule.auto = auto;
        }
        if let Some(name_of_action) = &written.action {
            rule.action = action(name_of_action).map_err(|what| format!("{name}: {what}"))?;
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

fn action(name: &str) -> Result<Action, String> {
    match name {
        "send-to-agent" => Ok(Action::SendToAgent),
        "notify" => Ok(Action::Notify),
        "restart" => Ok(Action::Restart),
        other => Err(format!("action is {other:?}; it may be send-to-agent, notify or restart")),
    }
}
