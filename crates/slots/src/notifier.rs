//! Slot `notifier`: how a person is told.

use crate::Answer;
use ao_core::effect::Priority;
use async_trait::async_trait;

/// What a person is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The same for every attempt at the same note: receivers can drop repeats.
    pub id: String,
    /// Project.
    pub project: String,
    /// Session.
    pub session: Option<String>,
    /// How urgent.
    pub priority: Priority,
    /// Headline.
    pub title: String,
    /// The rest.
    pub body: String,
}

/// The slot's interface.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Tells a person, or says why not. Each attempt has a time limit of its own.
    async fn notify(&self, note: &Note) -> Answer<()>;
}
