//! What was said about choosing: the configuration's words, and the names in the environment that the elizaOS plugin has for
//! them. Configuration wins; the environment fills in what it leaves open.

use super::selection::{Named, Strategy, strategy};
use crate::config::permissions;
use crate::project::{Permissions, Settings};

/// Names the agent of projects that name none.
pub const AGENT: &str = "PARALLAX_DEFAULT_AGENT_TYPE";
/// Says how to choose for projects that name neither an agent nor a strategy.
pub const STRATEGY: &str = "PARALLAX_AGENT_SELECTION_STRATEGY";
/// Says how much agents may do in projects that do not say it.
pub const PRESET: &str = "PARALLAX_DEFAULT_APPROVAL_PRESET";
/// What comes before and after an agent's name in the variable that says which model it is asked for.
const MODEL: (&str, &str) = ("PARALLAX_", "_MODEL_POWERFUL");

/// What holds when everybody has been heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// How to choose; none when nobody said.
    pub strategy: Option<Strategy>,
    /// The project's agent, as it is written.
    pub agent: String,
    /// Who named it.
    pub named: Named,
}

/// The project's words with the environment's for what they leave open. A configuration that names an agent and no strategy
/// means this agent.
///
/// # Errors
/// Words that name the variable and what it may be.
pub fn asked(settings: &Settings, env: impl Fn(&str) -> Option<String>) -> Result<Asked, String> {
    let said = |name: &str| env(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let selection = &settings.selection;
    if selection.named {
        let strategy = selection.strategy.or(Some(Strategy::Fixed));
        return Ok(Asked { strategy, agent: settings.agent.clone(), named: Named::Configuration });
    }
    let from_env = match said(STRATEGY) {
        Some(word) if selection.strategy.is_none() => {
            Some(strategy(&word).map_err(|may| format!("{STRATEGY} is {word:?}; {may}"))?)
        }
        _ => None,
    };
    let (agent, named) = match said(AGENT) {
        Some(agent) => (agent, Named::Environment),
        None => (settings.agent.clone(), Named::Nowhere),
    };
    Ok(Asked { strategy: selection.strategy.or(from_env), agent, named })
}

/// How much agents may do where the configuration does not say it.
///
/// # Errors
/// Words that name the variable and what it may be.
pub fn preset(env: impl Fn(&str) -> Option<String>) -> Result<Option<Permissions>, String> {
    let Some(word) = env(PRESET).filter(|word| !word.trim().is_empty()) else { return Ok(None) };
    permissions(Some(word.trim())).map(Some).map_err(|what| what.replace("agentConfig.permissions", PRESET))
}

/// The model that the environment names for an agent: by its own name, or by one of its others (`claude` for `claude-code`).
pub fn model<'a>(names: impl IntoIterator<Item = &'a str>, env: impl Fn(&str) -> Option<String>) -> Option<String> {
    let variable = |name: &str| format!("{}{}{}", MODEL.0, name.to_uppercase().replace('-', "_"), MODEL.1);
    names.into_iter().find_map(|name| env(&variable(name)).filter(|model| !model.trim().is_empty()))
}

#[cfg(test)]
mod tests {
    use super::super::selection::Selection;
    use super::*;

    fn env(name: &str) -> Option<String> {
        let value = match name {
            AGENT => "codex",
            STRATEGY => " heuristic ",
            PRESET => "suggest",
            "PARALLAX_CLAUDE_MODEL_POWERFUL" => "the-big-one",
            _ => return None,
        };
        Some(value.to_owned())
    }

    fn project(selection: Selection) -> Settings {
        Settings { selection, ..Settings::default() }
    }

    #[test]
    fn the_environment_fills_in_what_the_configuration_leaves_open() {
        let open = Selection { named: false, ..Selection::default() };
        let said = asked(&project(open.clone()), env).unwrap();
        assert_eq!(
            (said.agent.as_str(), said.named, said.strategy),
            ("codex", Named::Environment, Some(Strategy::Heuristic))
        );
        let nobody = asked(&project(open.clone()), |_| None).unwrap();
        assert_eq!((nobody.agent.as_str(), nobody.named, nobody.strategy), ("claude-code", Named::Nowhere, None));
        let ranked = Selection { strategy: Some(Strategy::Ranked), ..open };
        assert_eq!(asked(&project(ranked), env).unwrap().strategy, Some(Strategy::Ranked), "the configuration's word");
    }

    #[test]
    fn an_agent_in_the_configuration_stays_the_agent() {
        let named = asked(&project(Selection::default()), env).unwrap();
        assert_eq!((named.agent.as_str(), named.strategy), ("claude-code", Some(Strategy::Fixed)));
        let ranked = Selection { strategy: Some(Strategy::Ranked), ..Selection::default() };
        let both = asked(&project(ranked), env).unwrap();
        assert_eq!((both.named, both.strategy), (Named::Configuration, Some(Strategy::Ranked)));
    }

    #[test]
    fn words_that_mean_nothing_are_named_with_their_variable() {
        let open = project(Selection { named: false, ..Selection::default() });
        let wrong = asked(&open, |name| (name == STRATEGY).then(|| "best".to_owned())).unwrap_err();
        assert_eq!(wrong, "PARALLAX_AGENT_SELECTION_STRATEGY is \"best\"; it may be fixed, ranked or heuristic");
        assert!(preset(|_| Some("all".to_owned())).unwrap_err().starts_with("PARALLAX_DEFAULT_APPROVAL_PRESET is"));
        assert_eq!(preset(env), Ok(Some(Permissions::Readonly)));
    }

    #[test]
    fn models_go_by_every_name_of_an_agent() {
        assert_eq!(model(["claude-code", "claude"], env).as_deref(), Some("the-big-one"));
        assert_eq!(model(["codex"], env), None);
    }
}
