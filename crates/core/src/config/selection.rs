//! How agents are chosen, as it is written: `agentSelection`, and when an `agent` means this one and no other.

use crate::choice::selection::{Selection, provider, strategy};
use crate::id::checked_name;
use schemars::JsonSchema;
use serde::Deserialize;

/// How the agent of a session is chosen when nobody names one; a field of a project lies over that of `defaults`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AgentSelectionConfig {
    /// `fixed` (the project's agent), `ranked` (logins, subscriptions, limits, earlier sessions) or `heuristic` (the task as
    /// well).
    pub strategy: Option<String>,
    /// The agents to choose from; all that were measured when left out.
    pub among: Option<Vec<String>>,
    /// The subscription to use up first: `anthropic`, `openai`, `google`, … (or `anthropic-subscription`, `openai-codex`).
    pub subscription_provider: Option<String>,
}

/// What one part of the file says of it.
#[derive(Clone, Copy, Default)]
pub(super) struct Written<'a> {
    /// It names an agent.
    pub(super) agent: bool,
    /// Its `agentSelection`.
    pub(super) selection: Option<&'a AgentSelectionConfig>,
}

/// What holds for a project. One that names its agent and no strategy of its own keeps that agent, whatever `defaults` say.
///
/// # Errors
/// Words that name the key and what it may be.
pub(super) fn selection(project: Written<'_>, defaults: Written<'_>) -> Result<Selection, String> {
    let own = project.selection.cloned().unwrap_or_default();
    let general = defaults.selection.cloned().unwrap_or_default();
    let general_strategy = general.strategy.filter(|_| !project.agent);
    let among = own.among.or(general.among).unwrap_or_default();
    for name in &among {
        checked_name("agent name", name).map_err(|e| format!("agentSelection.among: {e}"))?;
    }
    let read = |word: String| strategy(&word).map_err(|may| format!("agentSelection.strategy is {word:?}; {may}"));
    Ok(Selection {
        strategy: own.strategy.or(general_strategy).map(read).transpose()?,
        named: project.agent || defaults.agent,
        among,
        subscription: own.subscription_provider.or(general.subscription_provider).as_deref().map(provider),
    })
}

#[cfg(test)]
mod tests {
    use super::super::{parse, settings};
    use super::*;
    use crate::choice::selection::Strategy;

    fn of(text: &str) -> Selection {
        let config = parse("c.yaml", text).unwrap();
        settings(&config, &config.projects["app"]).unwrap().selection
    }

    #[test]
    fn an_agent_without_a_strategy_is_the_agent() {
        let plain = of("defaults: {agent: codex}\nprojects: {app: {}}\n");
        assert_eq!((plain.named, plain.strategy), (true, None));
        let own = of("defaults: {agentSelection: {strategy: heuristic}}\nprojects: {app: {agent: codex}}\n");
        assert_eq!((own.named, own.strategy), (true, None), "a project's own agent is more than a general strategy");
        let open = of("projects: {app: {}}\n");
        assert_eq!((open.named, open.strategy), (false, None));
    }

    #[test]
    fn what_a_project_says_lies_over_the_defaults() {
        let text = "defaults:\n  agentSelection: {strategy: ranked, among: [codex, pi], subscriptionProvider: openai-codex}\n\
                    projects:\n  app: {agentSelection: {strategy: heuristic}}\n";
        let want = Selection {
            strategy: Some(Strategy::Heuristic),
            named: false,
            among: vec!["codex".to_owned(), "pi".to_owned()],
            subscription: Some("openai".to_owned()),
        };
        assert_eq!(of(text), want);
    }

    #[test]
    fn a_strategy_that_is_none_is_refused_with_its_key() {
        let wrong = parse("c.yaml", "projects: {app: {agentSelection: {strategy: best}}}\n").unwrap_err();
        assert!(wrong.what.contains("agentSelection.strategy is \"best\"; it may be fixed"), "{wrong}");
        let wrong = parse("c.yaml", "defaults: {agentSelection: {among: ['../x']}}\n").unwrap_err();
        assert!(wrong.what.contains("agentSelection.among"), "{wrong}");
    }
}
