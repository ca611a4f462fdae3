//! A dialog that waits for a person, as data: what it asks, what may be answered, and what became of an answer.
//!
//! All of its text is an agent's: it is shown as data, bounded and without control characters, and never followed.

use crate::activity::InputKind;
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Longest text of a dialog that is kept, in bytes: a whole screen of prose.
pub const LONGEST_TEXT: usize = 2 * 1024;

/// Longest label of a choice that is kept, in bytes: a terminal's width and a half.
pub const LONGEST_LABEL: usize = 200;

/// Most choices of a dialog: model lists and session pickers scroll beyond that, and are a person's at the terminal.
pub const MOST_CHOICES: usize = 32;

/// Longest answer in words, in bytes: what is longer is a prompt.
pub const LONGEST_ANSWER: usize = 4 * 1024;

/// One choice of a dialog.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Its words.
    pub label: String,
    /// Its key, when it shows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The menu's cursor stands on it.
    #[serde(default)]
    pub selected: bool,
}

/// What a dialog on the screen says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialog {
    /// What it is for.
    pub kind: InputKind,
    /// Its words above the choices, line by line.
    pub text: String,
    /// What can be chosen; empty when there is no menu, or when it is not understood.
    #[serde(default)]
    pub options: Vec<Choice>,
    /// It takes words, typed where its cursor stands.
    #[serde(default)]
    pub takes_text: bool,
    /// The label that the adapter answers by itself at start-up: choosing it harms nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safe: Option<String>,
    /// Of a login: the address to open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Of a login: the code to enter there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl Dialog {
    /// Whether this is the same dialog, wherever its menu's cursor stands.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        let labels = |dialog: &Self| -> Vec<(String, Option<String>)> {
            dialog.options.iter().map(|o| (o.label.clone(), o.key.clone())).collect()
        };
        self.kind == other.kind
            && self.text == other.text
            && self.url == other.url
            && self.code == other.code
            && labels(self) == labels(other)
    }
}

/// A question of a session that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Which of the session's questions, from 1.
    pub n: u32,
    /// Since when.
    pub since: Time,
    /// What it says. Without choices and words of its own while no screen showed it.
    pub dialog: Dialog,
    /// The screen shows it, so it can be answered.
    pub seen: bool,
    /// When its answer was given; it is not asked any more, although nobody may have seen the agent go on yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<Time>,
    /// It was decided whether it is answered by itself.
    #[serde(default)]
    pub judged: bool,
    /// The answer that a rule proposes to a person, and the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Proposal>,
}

/// An answer that a rule would give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// What it would answer.
    pub reply: Reply,
    /// The rule's name.
    pub rule: String,
}

/// How a question is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// By a choice: its key, its label, or the only label that begins so.
    Option(String),
    /// By words, typed where the dialog takes words.
    Text(String),
    /// By words that are nowhere written down, because they may be a key or the code of a login: only their SHA-256 is.
    Hidden(String),
    /// By keys, as a terminal sends them.
    Keys(String),
}

impl Reply {
    /// In words, for people.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Option(label) => format!("{label:?}"),
            Self::Text(_) | Self::Hidden(_) => "words".to_owned(),
            Self::Keys(_) => "keys".to_owned(),
        }
    }
}

/// An answer to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answering {
    /// Which question.
    pub n: u32,
    /// Which try, from 1.
    pub attempt: u32,
    /// What is answered.
    pub reply: Reply,
    /// Who answers.
    pub by: String,
    /// How it stands.
    pub state: AnswerState,
}

/// How an answer stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AnswerState {
    /// Its keys are being pressed.
    Asked,
    /// They were, and the dialog went away.
    Given,
    /// It was not possible; the question still stands, or another one does.
    Held {
        /// Why.
        why: String,
    },
}

/// Everything about a session's questions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Asking {
    /// Questions so far.
    pub count: u32,
    /// The dialog that the screen shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown: Option<Dialog>,
    /// The question that waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
    /// The last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answering>,
    /// Answers that were given without asking anybody.
    pub auto: u32,
    /// When the latest of them were given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lately: Vec<Time>,
    /// Rules that answer once and did.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub used: BTreeSet<String>,
}

impl Asking {
    /// The question that waits for an answer.
    #[must_use]
    pub fn waiting(&self) -> Option<&Question> {
        self.question.as_ref().filter(|question| question.answered.is_none())
    }

    /// Whether the waiting question's answer is being pressed.
    #[must_use]
    pub fn is_being_answered(&self) -> bool {
        let n = self.waiting().map(|question| question.n);
        self.answer.as_ref().is_some_and(|answer| Some(answer.n) == n && answer.state == AnswerState::Asked)
    }
}

/// The choice that is meant: by its whole label, its key, or the only label that begins so. Small and capital letters are
/// the same.
#[must_use]
pub fn find(choices: &[Choice], wanted: &str) -> Option<usize> {
    let wanted = wanted.trim().to_lowercase();
    let only = |fits: &dyn Fn(&Choice) -> bool| {
        let mut found = choices.iter().enumerate().filter(|(_, c)| fits(c)).map(|(n, _)| n);
        found.next().filter(|_| found.next().is_none())
    };
    if wanted.is_empty() {
        return None;
    }
    only(&|c| c.label.to_lowercase() == wanted)
        .or_else(|| only(&|c| c.key.as_deref() == Some(wanted.as_str())))
        .or_else(|| only(&|c| c.label.to_lowercase().starts_with(&wanted)))
}

/// An agent's words without control characters and marks that turn text round, cut to `longest` bytes.
#[must_use]
pub fn plain(text: &str, longest: usize) -> String {
    let turns =
        |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    let clean: String = text.chars().filter(|c| (*c == '\n' || !c.is_control()) && !turns(*c)).collect();
    let end = (0..=longest.min(clean.len())).rev().find(|end| clean.is_char_boundary(*end)).unwrap_or(0);
    clean.get(..end).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_agents_are_bounded_and_hold_no_controls() {
        assert_eq!(plain("a\u{1b}[2Jb\u{202e}c\u{200b}\n\u{7}d", 100), "a[2Jbc\nd");
        assert_eq!(plain(&"é".repeat(200), 99).len(), 98);
    }

    #[test]
    fn a_dialog_is_the_same_wherever_its_cursor_stands() {
        let choice = |label: &str, selected| Choice { label: label.to_owned(), key: None, selected };
        let dialog = |options| Dialog {
            kind: InputKind::Permission,
            text: "May I?".to_owned(),
            options,
            takes_text: false,
            safe: None,
            url: None,
            code: None,
        };
        let one = dialog(vec![choice("Yes", true), choice("No", false)]);
        assert!(one.is(&dialog(vec![choice("Yes", false), choice("No", true)])));
        assert!(!one.is(&dialog(vec![choice("Yes", true), choice("Never", false)])));
        assert!(!one.is(&Dialog { text: "May I delete everything?".to_owned(), ..one.clone() }));
    }
}
