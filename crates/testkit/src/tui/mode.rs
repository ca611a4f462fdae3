//! What the agent is doing.

use std::time::Instant;

/// What it is doing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// It shows nothing of use yet.
    Starting {
        until: Instant,
    },
    /// It waits for a prompt.
    Idle,
    Turn {
        until: Instant,
        question: Option<Instant>,
    },
    /// A question in the middle of a turn that ends then.
    Question {
        until: Instant,
        turn: Instant,
    },
    /// Leave is asked in a menu, until somebody answers; then the turn goes on until its end.
    Permission {
        selected: usize,
        turn: Instant,
    },
}
