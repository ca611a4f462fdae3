//! Questions of agents, and answers to them, as callers see them.

use ao_core::activity::InputKind;
use ao_core::question::{AnswerState, Asking, Reply};
use ao_core::session::Session;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A dialog of an agent that waits for a person. Its words are the agent's own: controls are removed and long ones cut, but
/// nobody vouches for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuestionView {
    /// Its id, `{session}.q{n}`: an answer names it, so that it is never pressed into another one.
    pub id: String,
    /// `permission, question, plan, trust, login, onboarding` or `menu`.
    pub kind: String,
    /// What it asks, line by line.
    pub text: String,
    /// What can be chosen; empty when there is no menu, or when it is not understood.
    pub options: Vec<OptionView>,
    /// It takes words.
    pub takes_text: bool,
    /// Its screen shows it, so that it can be answered from here.
    pub answerable: bool,
    /// Of a login: the address to open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Of a login: the code to enter there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The choice that a rule proposes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<String>,
    /// The rule that does, or that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Why the last answer was not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// Since when: Unix milliseconds.
    pub since: u64,
}

/// One choice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OptionView {
    /// Its key, when it shows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Its words.
    pub label: String,
    /// The menu's cursor stands on it.
    pub selected: bool,
}

/// An answer (`POST /api/sessions/{id}/answer`). It gives one of `option` and `text`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct AnswerRequest {
    /// The id of the question that is answered; another one that is there by now is left alone.
    pub question: String,
    /// The choice: its label, its key, or the beginning of the only label that begins so.
    #[serde(alias = "label", skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
    /// Words, for a dialog that takes them. They are written down nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What became of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnswerView {
    /// The question.
    pub question: String,
    /// `given` (its dialog went away), `held` (it was not taken) or `pressing` (it is still being pressed).
    pub state: String,
    /// Why it was not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// The id of a session's `n`th question.
fn id(session: &Session, n: u32) -> String {
    format!("{}.q{n}", session.id)
}

/// The number of the question with this id, if it is one of this session.
#[must_use]
pub fn number(session: &Session, id: &str) -> Option<u32> {
    id.strip_prefix(session.id.as_str())?.strip_prefix(".q")?.parse().ok()
}

impl QuestionView {
    /// The question of a session that waits.
    #[must_use]
    pub fn of(session: &Session) -> Option<Self> {
        let asking: &Asking = &session.asking;
        let question = asking.waiting()?;
        let dialog = &question.dialog;
        let answer = asking.answer.as_ref().filter(|answer| answer.n == question.n);
        let refused = answer.and_then(|answer| match &answer.state {
            AnswerState::Held { why } => Some(why.clone()),
            AnswerState::Asked | AnswerState::Given => None,
        });
        let proposed = |reply: &Reply| match reply {
            Reply::Option(label) => Some(label.clone()),
            Reply::Text(_) | Reply::Hidden(_) | Reply::Keys(_) => None,
        };
        let option = |o: &ao_core::question::Choice| OptionView {
            key: o.key.clone(),
            label: o.label.clone(),
            selected: o.selected,
        };
        Some(Self {
            id: id(session, question.n),
            kind: kind(dialog.kind).to_owned(),
            text: dialog.text.clone(),
            options: dialog.options.iter().map(option).collect(),
            takes_text: dialog.takes_text,
            answerable: question.seen,
            url: dialog.url.clone(),
            code: dialog.code.clone(),
            proposal: question.proposal.as_ref().and_then(|p| proposed(&p.reply)),
            rule: question.proposal.as_ref().map(|p| p.rule.clone()),
            refused,
            since: question.since.0,
        })
    }
}

impl AnswerView {
    /// The last answer of a session, if it was for this question.
    #[must_use]
    pub fn of(session: &Session, n: u32) -> Option<Self> {
        let answer = session.asking.answer.as_ref().filter(|answer| answer.n == n)?;
        let (state, why) = match &answer.state {
            AnswerState::Asked => ("pressing", None),
            AnswerState::Given => ("given", None),
            AnswerState::Held { why } => ("held", Some(why.clone())),
        };
        Some(Self { question: id(session, n), state: state.to_owned(), why })
    }
}

const fn kind(kind: InputKind) -> &'static str {
    match kind {
        InputKind::Permission => "permission",
        InputKind::Question => "question",
        InputKind::Plan => "plan",
        InputKind::Trust => "trust",
        InputKind::Login => "login",
        InputKind::Onboarding => "onboarding",
        InputKind::Menu => "menu",
    }
}
