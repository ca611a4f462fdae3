//! Commands that may come twice: what was answered under a key is answered again, also by the next daemon.
//!
//! A caller that lost its connection cannot know whether its command was taken. It repeats it with the same key.

use crate::event::Answer;
use crate::id::RequestKey;
use crate::time::{Millis, Time};
use serde::{Deserialize, Serialize};

/// How long an answer is kept: longer than anybody repeats one request.
pub const KEPT_FOR: Millis = Millis::mins(24 * 60);

/// Most answers kept; the oldest give way. They are small: a key, a hash and an id.
pub const MOST: usize = 1000;

/// What makes a command the same as another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    /// The caller's key, unlike those of all other callers.
    pub key: RequestKey,
    /// SHA-256 of what is asked, hexadecimal: a key stands for one request.
    pub request: String,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// Under which key.
    pub key: RequestKey,
    /// SHA-256 of what was asked, hexadecimal.
    pub request: String,
    /// The answer.
    pub answer: Answer,
    /// When.
    pub at: Time,
}
