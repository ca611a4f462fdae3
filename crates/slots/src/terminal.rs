//! Slot `terminal`: how a person gets to see a session.

use crate::Answer;
use async_trait::async_trait;

/// What is to be opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// Session to show; none for the board.
    pub session: Option<String>,
    /// Page of it.
    pub url: String,
    /// Command that attaches to it in a terminal; empty for the board.
    pub attach: Vec<String>,
    /// Directory of its workspace, if it has one.
    pub dir: Option<String>,
}

/// The slot's interface.
#[async_trait]
pub trait Terminal: Send + Sync {
    /// Opens it for the person at this machine; the fault says what to do by hand when that is not possible.
    async fn open(&self, opening: &Opening) -> Answer<()>;

    /// Whether it stays where the person is until they are done, so that only one can be opened at a time.
    fn takes_over(&self) -> bool {
        false
    }

    /// Whether it shows pages, so that there is something to open for the board as well.
    fn shows_pages(&self) -> bool {
        false
    }
}
