//! How much of what agents ask is answered without a person: levels, and rules as data.

use crate::activity::InputKind;
use crate::question::{Dialog, Reply, find};
use crate::time::Millis;
use regex::RegexBuilder;
use serde::{Deserialize, Serialize};

/// Questions of one session that are answered without a person, at the most: who asks more is going round in circles.
pub const MOST_AUTO: u32 = 50;

/// And within [`AUTO_WINDOW`].
pub const MOST_LATELY: usize = 6;

/// The window of [`MOST_LATELY`].
pub const AUTO_WINDOW: Millis = Millis::mins(1);

/// Largest compiled pattern of a rule, in bytes: patterns come from configuration files.
const LARGEST_PATTERN: usize = 1 << 20;

/// Who answers what an agent asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Supervision {
    /// A person, who is told.
    #[default]
    Notify,
    /// A person, to whom an answer is proposed; safe rules answer by themselves.
    Confirm,
    /// Rules, and what adapters call safe; a person the rest.
    Autonomous,
}

impl Supervision {
    /// The level of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Notify, Self::Confirm, Self::Autonomous].into_iter().find(|level| level.name() == name)
    }

    /// Its name in configurations.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Notify => "notify",
            Self::Confirm => "confirm",
            Self::Autonomous => "autonomous",
        }
    }
}

/// A rule that answers questions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnswerRule {
    /// Its name, for evidence.
    pub name: String,
    /// Questions of this kind only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<InputKind>,
    /// Questions whose words hold this regular expression only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The answer.
    pub reply: Reply,
    /// Nothing can be lost by it.
    #[serde(default)]
    pub safe: bool,
    /// It answers once in each session.
    #[serde(default)]
    pub once: bool,
}

impl AnswerRule {
    /// Says what is wrong with it.
    ///
    /// # Errors
    /// Words that name the entry.
    pub fn check(&self) -> Result<(), String> {
        if self.kind.is_none() && self.pattern.is_none() {
            return Err(format!("{}: give a `type` or a `pattern`: it would answer everything", self.name));
        }
        match &self.pattern {
            Some(pattern) => compiled(pattern).map(|_| ()).map_err(|e| format!("{}: pattern: {e}", self.name)),
            None => Ok(()),
        }
    }

    /// Whether it answers this dialog, and can.
    #[must_use]
    pub fn answers(&self, dialog: &Dialog) -> bool {
        let says = |pattern: &String| compiled(pattern).is_ok_and(|pattern| pattern.is_match(&dialog.text));
        let fits = self.kind.is_none_or(|kind| kind == dialog.kind) && self.pattern.as_ref().is_none_or(says);
        fits && match &self.reply {
            Reply::Option(label) => find(&dialog.options, label).is_some(),
            Reply::Text(_) => dialog.takes_text,
            Reply::Keys(_) => true,
            Reply::Hidden(_) => false,
        }
    }
}

fn compiled(pattern: &str) -> Result<regex::Regex, regex::Error> {
    RegexBuilder::new(pattern).multi_line(true).size_limit(LARGEST_PATTERN).build()
}

/// What is done about a question without asking a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// It is a person's.
    Person,
    /// It is a person's, and this is proposed.
    Propose(AnswerRule),
    /// It is answered so.
    Answer(AnswerRule),
}

/// What a level and rules say to a dialog: the first rule that fits decides; without one what the adapter calls safe.
#[must_use]
pub fn plan<'r>(level: Supervision, rules: impl Iterator<Item = &'r AnswerRule>, dialog: &Dialog) -> Plan {
    let safe = || {
        let label = dialog.safe.clone()?;
        Some(AnswerRule {
            name: "the adapter's own".to_owned(),
            kind: Some(dialog.kind),
            pattern: None,
            reply: Reply::Option(label),
            safe: true,
            once: false,
        })
    };
    let mut rules = rules;
    let found = rules.find(|rule| rule.answers(dialog)).cloned();
    let found = found.or_else(|| safe().filter(|rule| rule.answers(dialog)));
    match (level, found) {
        (Supervision::Notify, _) | (_, None) => Plan::Person,
        (Supervision::Autonomous, Some(rule)) => Plan::Answer(rule),
        (Supervision::Confirm, Some(rule)) if rule.safe => Plan::Answer(rule),
        (Supervision::Confirm, Some(rule)) => Plan::Propose(rule),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::question::Choice;

    fn rule(label: &str, safe: bool) -> AnswerRule {
        AnswerRule {
            name: label.to_owned(),
            kind: Some(InputKind::Permission),
            pattern: Some("^make ".to_owned()),
            reply: Reply::Option(label.to_owned()),
            safe,
            once: false,
        }
    }

    fn dialog(text: &str) -> Dialog {
        let choice =
            |key: &str, label: &str| Choice { label: label.to_owned(), key: Some(key.to_owned()), selected: false };
        Dialog {
            kind: InputKind::Permission,
            text: text.to_owned(),
            options: vec![choice("1", "Yes"), choice("2", "No")],
            takes_text: false,
            safe: None,
            url: None,
            code: None,
        }
    }

    #[test]
    fn what_is_not_safe_is_answered_only_by_an_explicit_rule_of_an_autonomous_session() {
        let asks = dialog("Bash command\nmake test\nDo you want to proceed?");
        let risky = rule("Yes", false);
        let safe = rule("Yes", true);
        let plan = |level, rule: &AnswerRule| super::plan(level, std::iter::once(rule), &asks);
        assert_eq!(plan(Supervision::Autonomous, &risky), Plan::Answer(risky.clone()));
        assert_eq!(plan(Supervision::Confirm, &risky), Plan::Propose(risky.clone()));
        assert_eq!(plan(Supervision::Notify, &risky), Plan::Person);
        assert_eq!(plan(Supervision::Confirm, &safe), Plan::Answer(safe.clone()));
        assert_eq!(plan(Supervision::Notify, &safe), Plan::Person);
        assert_eq!(super::plan(Supervision::Autonomous, std::iter::empty(), &asks), Plan::Person, "no rule, no answer");
    }

    #[test]
    fn a_rule_answers_only_what_it_names_and_finds() {
        assert!(rule("Yes", true).answers(&dialog("make test")));
        assert!(!rule("Yes", true).answers(&dialog("rm -rf /; echo make test")), "another text");
        assert!(!rule("Always", true).answers(&dialog("make test")), "no such choice");
        assert!(!rule("Yes", true).answers(&Dialog { kind: InputKind::Trust, ..dialog("make test") }), "another kind");
        let everything = AnswerRule { kind: None, pattern: None, ..rule("Yes", true) };
        assert!(everything.check().is_err());
        assert!(AnswerRule { pattern: Some("(".to_owned()), ..rule("Yes", true) }.check().is_err());
    }

    #[test]
    fn an_autonomous_session_takes_what_its_adapter_calls_safe() {
        let trust = Dialog { kind: InputKind::Trust, safe: Some("Yes".to_owned()), ..dialog("Trust this folder?") };
        let Plan::Answer(found) = plan(Supervision::Autonomous, std::iter::empty(), &trust) else {
            panic!("not answered")
        };
        assert_eq!(found.reply, Reply::Option("Yes".to_owned()));
    }
}
