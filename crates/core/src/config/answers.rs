//! Rules that answer what agents ask, as they are written.

use crate::activity::InputKind;
use crate::keys;
use crate::question::{LONGEST_ANSWER, Reply};
use crate::supervision::{AnswerRule, Supervision};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most rules of a project.
const MOST_RULES: usize = 100;

/// One rule as it is written, in a configuration or for one session. It gives one of `label`, `text` and `keys`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AnswerFile {
    /// Its name, for evidence; `answers[0]` and so on when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only questions of this type: `permission`, `question`, `plan`, `trust`, `login`, `onboarding` or `menu`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<InputName>,
    /// Only questions in whose words this regular expression is found; `^` and `$` are ends of lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The choice to be made, by its label or key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Words to be typed, where the dialog takes words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Keys to be pressed, such as `["down", "enter"]`: for dialogs whose choices `ao` does not understand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// Nothing can be lost by this answer: a session that is supervised with `confirm` gives it too.
    pub safe: bool,
    /// Answer once in each session.
    pub once: bool,
}

/// A kind of question, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InputName {
    /// Leave to run a tool or change a file.
    Permission,
    /// An answer.
    Question,
    /// Approval of a plan.
    Plan,
    /// Trust in a directory.
    Trust,
    /// A login.
    Login,
    /// First-start screens.
    Onboarding,
    /// Some other menu.
    Menu,
}

impl From<InputName> for InputKind {
    fn from(name: InputName) -> Self {
        match name {
            InputName::Permission => Self::Permission,
            InputName::Question => Self::Question,
            InputName::Plan => Self::Plan,
            InputName::Trust => Self::Trust,
            InputName::Login => Self::Login,
            InputName::Onboarding => Self::Onboarding,
            InputName::Menu => Self::Menu,
        }
    }
}

/// The level of this name; the one that is built in without a name.
///
/// # Errors
/// Words that say what it may be.
pub fn supervision(name: Option<&str>) -> Result<Supervision, String> {
    let Some(name) = name else { return Ok(Supervision::default()) };
    Supervision::named(name).ok_or_else(|| format!("supervision is {name:?}; it may be notify, confirm or autonomous"))
}

/// The rules as they are obeyed.
///
/// # Errors
/// Words that name the rule and what is wrong with it.
pub fn rules(written: &[AnswerFile]) -> Result<Vec<AnswerRule>, String> {
    if written.len() > MOST_RULES {
        return Err(format!("answers has {} rules; at most {MOST_RULES} are read", written.len()));
    }
    written.iter().enumerate().map(|(n, rule)| read(n, rule)).collect()
}

fn read(n: usize, written: &AnswerFile) -> Result<AnswerRule, String> {
    let name = written.name.clone().unwrap_or_else(|| format!("answers[{n}]"));
    let reply = match (&written.label, &written.text, written.keys.as_slice()) {
        (Some(label), None, []) if !label.trim().is_empty() => Reply::Option(label.clone()),
        (None, Some(text), []) if !text.is_empty() && text.len() <= LONGEST_ANSWER => Reply::Text(text.clone()),
        (None, None, names @ [_, ..]) => {
            let mut bytes = Vec::new();
            for key in names {
                bytes.extend(keys::bytes(key).map_err(|fault| format!("{name}: {}", fault.message))?);
            }
            Reply::Keys(String::from_utf8(bytes).map_err(|_| format!("{name}: its keys are no text"))?)
        }
        _ => return Err(format!("{name}: give one of `label`, `text` (at most {LONGEST_ANSWER} bytes) and `keys`")),
    };
    let rule = AnswerRule {
        kind: written.kind.map(Into::into),
        pattern: written.pattern.clone(),
        reply,
        safe: written.safe,
        once: written.once,
        name,
    };
    rule.check()?;
    Ok(rule)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ProjectConfig, parse, settings};

    fn read(answers: &str) -> Result<Vec<AnswerRule>, String> {
        let text = format!(
            "projects:\n  app:\n    path: .\n    agentConfig:\n      supervision: confirm\n      answers:\n{answers}"
        );
        let config = parse("x.yaml", &text).map_err(|e| e.to_string())?;
        let project = config.projects.get("app").cloned().unwrap_or_else(ProjectConfig::default);
        let settings = settings(&config, &project)?;
        assert_eq!(settings.supervision, Supervision::Confirm);
        Ok(settings.answers)
    }

    #[test]
    fn rules_are_read_with_their_one_answer() {
        let rules = read(
            "        - { type: permission, pattern: 'make \\w+', label: Yes, safe: true }\n        - { name: gone, type: menu, keys: [down, enter], once: true }\n",
        )
        .unwrap();
        assert_eq!(rules[0].reply, Reply::Option("Yes".to_owned()));
        assert_eq!((rules[0].name.as_str(), rules[0].safe), ("answers[0]", true));
        assert_eq!(rules[1].reply, Reply::Keys("\u{1b}[B\r".to_owned()));
        assert!(rules[1].once);
    }

    #[test]
    fn a_rule_that_answers_everything_or_nothing_is_refused() {
        for bad in [
            "        - { label: Yes }\n",
            "        - { type: permission }\n",
            "        - { type: permission, label: Yes, text: yes }\n",
            "        - { pattern: '(', label: Yes }\n",
            "        - { type: permission, keys: [Entr] }\n",
            "        - { type: nothing, label: Yes }\n",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert!(supervision(Some("auto")).unwrap_err().contains("autonomous"));
    }
}
