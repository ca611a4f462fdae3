//! Leave that a hook may give or refuse: what the preset says to a tool, in the agent's own words.
//!
//! It fails closed: an unknown tool, a question of judgement, or anything that is not surely meant by the preset gets no
//! decision, so that the agent's own dialog stays.

use super::start::{Category, Verdict, policy};
use crate::project::Permissions;
use crate::supervision::Supervision;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

/// A hook by which an agent takes a decision about leave.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Leave {
    /// The event's name.
    pub event: String,
    /// How the decision is told.
    pub dialect: LeaveDialect,
    /// What its tools do; one that is not here is for a person.
    pub tools: BTreeMap<String, Category>,
}

/// How a decision is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LeaveDialect {
    /// As JSON with `hookSpecificOutput` on standard output (Claude Code).
    HookSpecificOutput,
}

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// It may.
    Allow,
    /// It may not, by its preset.
    Deny,
}

/// What is decided about a tool; none leaves it to the agent's own dialog.
///
/// A refusal of the preset holds at every level. Leave is given only in an autonomous session, and only for what the preset
/// allows: what an agent asks about files in spite of its preset lies outside its workspace or is protected, and is a person's.
#[must_use]
pub fn decide(leave: &Leave, preset: Permissions, level: Supervision, tool: &str) -> Option<Given> {
    let category = *leave.tools.get(tool)?;
    let placed = matches!(category, Category::Read | Category::Write | Category::Plan);
    match policy(preset, category) {
        Verdict::Refuse => Some(Given::Deny),
        Verdict::Allow if level == Supervision::Autonomous && !placed => Some(Given::Allow),
        Verdict::Allow | Verdict::Ask => None,
    }
}

/// The decision as the agent reads it.
#[must_use]
pub fn told(leave: &Leave, given: Given) -> String {
    match leave.dialect {
        LeaveDialect::HookSpecificOutput => {
            let decision = match given {
                Given::Allow => json!({ "behavior": "allow" }),
                Given::Deny => {
                    json!({ "behavior": "deny", "message": "This session's permission preset does not allow it." })
                }
            };
            json!({ "hookSpecificOutput": { "hookEventName": leave.event, "decision": decision } }).to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leave() -> Leave {
        let tools = [
            ("Bash", Category::Shell),
            ("Write", Category::Write),
            ("Read", Category::Read),
            ("WebFetch", Category::Web),
        ];
        Leave {
            event: "PermissionRequest".to_owned(),
            dialect: LeaveDialect::HookSpecificOutput,
            tools: tools.map(|(name, category)| (name.to_owned(), category)).into(),
        }
    }

    #[test]
    fn only_what_preset_and_level_surely_mean_is_decided() {
        use Permissions as P;
        use Supervision as S;
        for (preset, level, tool, given) in [
            (P::Readonly, S::Notify, "Bash", Some(Given::Deny)),
            (P::Readonly, S::Autonomous, "WebFetch", Some(Given::Deny)),
            (P::Standard, S::Autonomous, "WebFetch", Some(Given::Allow)),
            (P::Standard, S::Confirm, "WebFetch", None),
            (P::Standard, S::Notify, "WebFetch", None),
            (P::Standard, S::Autonomous, "Bash", None),
            (P::Permissive, S::Autonomous, "Write", None),
            (P::Permissive, S::Autonomous, "Read", None),
            (P::Autonomous, S::Autonomous, "Bash", Some(Given::Allow)),
            (P::Autonomous, S::Autonomous, "AskUserQuestion", None),
            (P::Autonomous, S::Autonomous, "mcp__x__delete", None),
            (P::Autonomous, S::Autonomous, "", None),
        ] {
            assert_eq!(decide(&leave(), preset, level, tool), given, "{preset:?} {level:?} {tool}");
        }
    }

    #[test]
    fn a_decision_is_told_in_the_agents_words() {
        let allow = serde_json::from_str::<serde_json::Value>(&told(&leave(), Given::Allow)).unwrap();
        assert_eq!(allow["hookSpecificOutput"]["hookEventName"], "PermissionRequest");
        assert_eq!(allow["hookSpecificOutput"]["decision"]["behavior"], "allow");
        let deny = serde_json::from_str::<serde_json::Value>(&told(&leave(), Given::Deny)).unwrap();
        assert_eq!(deny["hookSpecificOutput"]["decision"]["behavior"], "deny");
    }
}
