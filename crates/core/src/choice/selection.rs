//! How a project wants its agents chosen, as its configuration says: what is stored of it.

use serde::{Deserialize, Serialize};

/// How an agent is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// The project's agent.
    #[default]
    Fixed,
    /// The one that stands best.
    Ranked,
    /// The one that stands best and suits the task.
    Heuristic,
}

/// Who made an agent the project's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Named {
    /// Nobody: it is built in.
    #[default]
    Nowhere,
    /// The project's configuration.
    Configuration,
    /// The environment ([`super::asked::AGENT`]).
    Environment,
}

/// How a project wants its agents chosen, as its configuration says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Selection {
    /// How; none when it says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
    /// It names the project's agent.
    pub named: bool,
    /// The agents to choose from, as they are written; all that are known when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub among: Vec<String>,
    /// The subscription to use up first: a provider's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription: Option<String>,
}

/// What facts of before there was a choice mean: the agent that stands there was taken, whoever named it.
impl Default for Selection {
    fn default() -> Self {
        Self { strategy: None, named: true, among: Vec::new(), subscription: None }
    }
}

/// A strategy by its name.
///
/// # Errors
/// What it may be.
pub fn strategy(word: &str) -> Result<Strategy, &'static str> {
    match word {
        "fixed" => Ok(Strategy::Fixed),
        "ranked" => Ok(Strategy::Ranked),
        "heuristic" => Ok(Strategy::Heuristic),
        _ => Err("it may be fixed, ranked or heuristic"),
    }
}

/// The provider that a hint names: itself, or as the elizaOS plugin writes it (`anthropic-subscription`, `openai-codex`).
#[must_use]
pub fn provider(hint: &str) -> String {
    let hint = hint.trim().to_lowercase();
    ["-subscription", "-codex"].iter().find_map(|end| hint.strip_suffix(end)).unwrap_or(&hint).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_go_by_the_names_that_others_use() {
        for (hint, want) in [
            ("anthropic-subscription", "anthropic"),
            ("openai-codex", "openai"),
            ("openai-subscription", "openai"),
            ("OpenAI", "openai"),
        ] {
            assert_eq!(provider(hint), want);
        }
    }

    #[test]
    fn facts_of_before_there_was_a_choice_keep_their_agent() {
        let old: Selection = serde_json::from_str("{}").unwrap();
        assert!(old.named && old.strategy.is_none());
    }
}
