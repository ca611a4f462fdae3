//! What a failure means for the caller: one closed list, one table of exit codes and HTTP statuses.

use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// The consequence of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The thing named does not exist.
    NotFound,
    /// It exists, but in a state that forbids this.
    Conflict,
    /// It may work later.
    Unavailable,
    /// It will work after a pause.
    RateLimited {
        /// How long to wait, in milliseconds.
        retry_after: Option<Millis>,
    },
    /// The caller may not do this.
    Denied,
    /// This cannot be done here at all.
    Unsupported,
    /// The request itself is wrong.
    Invalid,
    /// The journal or a file could not be written.
    StorageFailed,
    /// A defect in `ao`.
    Bug,
}

impl Kind {
    /// The process exit code of a verb that fails this way.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Bug => 1,
            Self::Invalid => 2,
            Self::NotFound => 3,
            Self::Conflict => 4,
            Self::Denied => 5,
            Self::Unsupported => 6,
            Self::Unavailable => 7,
            Self::RateLimited { .. } => 8,
            Self::StorageFailed => 9,
        }
    }

    /// The HTTP status of a request that fails this way.
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::Unavailable => 503,
            Self::RateLimited { .. } => 429,
            Self::Denied => 403,
            Self::Unsupported => 501,
            Self::Invalid => 400,
            Self::StorageFailed => 507,
            Self::Bug => 500,
        }
    }

    /// Whether doing the same again later may succeed.
    #[must_use]
    pub const fn may_pass(self) -> bool {
        match self {
            Self::Unavailable | Self::RateLimited { .. } | Self::StorageFailed => true,
            Self::NotFound | Self::Conflict | Self::Denied | Self::Unsupported | Self::Invalid | Self::Bug => false,
        }
    }

    /// The name used in JSON answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Unavailable => "unavailable",
            Self::RateLimited { .. } => "rate_limited",
            Self::Denied => "denied",
            Self::Unsupported => "unsupported",
            Self::Invalid => "invalid",
            Self::StorageFailed => "storage_failed",
            Self::Bug => "bug",
        }
    }
}

/// A refusal or failure in words: what happened, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// Its consequence.
    pub kind: Kind,
    /// What went wrong, naming the thing; a lowercase fragment without a final dot.
    pub message: String,
    /// What to do next, when there is something to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Fault {
    /// A failure of `kind` described by `message`.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None }
    }
    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
    /// The thing named does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, message)
    }
    /// The request is wrong.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, message)
    }
    /// The state forbids it.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, message)
    }
    /// It may work later.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, message)
    }
}
