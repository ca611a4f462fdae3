//! How much of the machine one session may use.

use serde::{Deserialize, Serialize};

/// Bounds of everything a session runs. What is absent is not bounded; what cannot be kept refuses the launch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Memory, in bytes.
    pub memory_bytes: Option<u64>,
    /// Processes and threads.
    pub processes: Option<u32>,
    /// Processor time, in percent of one core.
    pub cpu_percent: Option<u32>,
}

impl Limits {
    /// Whether nothing is bounded.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}
