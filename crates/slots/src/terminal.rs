//! Slot `terminal`: how a person gets to see a session.

use crate::Answer;
use async_trait::async_trait;

/// What is to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Session to show; none for the board.
    pub session: Option<String>,
    /// Page of it.
    pub url: String,
    /// Command that attaches to it in a terminal.
    pub attach: Vec<String>,
}

/// The slot's interface.
#[async_trait]
pub trait Terminal: Send + Sync {
    /// Opens it for the person at this machine; the fault says what to do by hand when that is not possible.
    async fn open(&self, opening: &Opening) -> Answer<()>;
}
