//! What follows from an event.

use crate::effect::Effect;
use crate::event::Answer;
use crate::facts::Delta;

/// What follows from an event.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Decision {
    /// Changes, to be journalled and applied.
    pub delta: Delta,
    /// What is to be done now. All of it is also in the delta as pending.
    pub effects: Vec<Effect>,
    /// What a command is told.
    pub answer: Answer,
}
