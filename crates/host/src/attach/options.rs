//! How a terminal is joined, and how that ends.

use std::io;
use std::time::Duration;

use super::keys::DetachKey;
use crate::client::ClientError;
use crate::record::ExitRecord;
use crate::wire::Access;

/// How long a terminal may take to say how it is. A later answer is not typed into the session: the host drops it.
const ANSWERS_WITHIN: Duration = Duration::from_millis(500);
/// How long the detach key waits for the key that says something else.
const SECOND_KEY_WITHIN: Duration = Duration::from_millis(700);

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
    /// How long the terminal may take to say how it is; one that says nothing is taken for a fresh one.
    pub answers_within: Duration,
    /// How long the detach key waits for a second key before it detaches.
    pub second_key_within: Duration,
}

impl Default for AttachOptions {
    fn default() -> Self {
        Self {
            access: Access::ReadWrite,
            launch: None,
            detach: DetachKey::default(),
            wheel: true,
            answers_within: ANSWERS_WITHIN,
            second_key_within: SECOND_KEY_WITHIN,
        }
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
