//! One thing that was looked at, and what came of it.

use serde::Serialize;

/// How one thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Ok,
    /// Works, but somebody may want to know.
    Note,
    /// In the way.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub what: String,
    /// How it is.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub todo: Option<String>,
}

impl Finding {
    /// As it should be.
    pub fn ok(what: &str, found: impl Into<String>) -> Self {
        Self { what: what.to_owned(), state: State::Ok, found: found.into(), todo: None }
    }
    /// Works, but somebody may want to know.
    pub fn note(what: &str, found: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { what: what.to_owned(), state: State::Note, found: found.into(), todo: Some(todo.into()) }
    }
    /// In the way.
    pub fn bad(what: &str, found: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { what: what.to_owned(), state: State::Bad, found: found.into(), todo: Some(todo.into()) }
    }
}
