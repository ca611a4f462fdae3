//! How a terminal is joined, and how that ends.

use std::io;

use super::keys::DetachKey;
use crate::client::ClientError;
use crate::record::ExitRecord;
use crate::wire::Access;

/// How a terminal is joined.
#[derive(Clone, Debug)]
pub struct AttachOptions {
    /// Whether the person may type; their size counts if they may.
    pub access: Access,
    /// The launch it must be.
    pub launch: Option<String>,
    /// The key that detaches.
    pub detach: DetachKey,
    /// Whether the wheel scrolls back where the program does not use the mouse; the terminal's own selection then needs
    /// Shift.
    pub wheel: bool,
}

impl Default for AttachOptions {
    fn default() -> Self {
        Self { access: Access::ReadWrite, launch: None, detach: DetachKey::default(), wheel: true }
    }
}

/// Why it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttachEnd {
    /// The person detached; the session goes on.
    Detached,
    /// A signal (terminal closed, kill) ended us; the session goes on.
    Interrupted,
    /// The session's program ended.
    Ended(ExitRecord),
}

/// Why it could not be joined, or was cut.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// Standard input or output is a file or a pipe.
    #[error("standard input and output must be a terminal")]
    NoTerminal,
    /// The host cannot be talked to.
    #[error(transparent)]
    Host(#[from] ClientError),
    /// The person's terminal failed.
    #[error("terminal: {0}")]
    Terminal(#[from] io::Error),
}
