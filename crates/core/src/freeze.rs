//! Whether a session's processes are halted: facts only; when they are is decided in `machine::freeze`.

use crate::time::Time;
use serde::{Deserialize, Serialize};

/// What is known of a session's rest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Freeze {
    /// Whether it is halted.
    pub frozen: Frozen,
    /// When it last went on, or could not be halted because somebody needed it.
    pub woken: Time,
    /// Halts and wake-ups asked for so far: part of the effects' keys.
    pub changes: u32,
    /// Why this launch cannot be halted at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// Whether a session is halted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Frozen {
    /// It runs.
    #[default]
    No,
    /// It is to be halted.
    Asked,
    /// Its processes are halted; they hold their memory.
    Since {
        /// When that was learnt.
        at: Time,
    },
    /// It is to go on.
    Waking,
}

impl Freeze {
    /// Whether nothing may be typed before it goes on.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.frozen != Frozen::No
    }

    /// Since when it is halted.
    #[must_use]
    pub const fn since(&self) -> Option<Time> {
        match self.frozen {
            Frozen::Since { at } => Some(at),
            Frozen::No | Frozen::Asked | Frozen::Waking => None,
        }
    }

    /// For a new launch.
    pub(crate) fn forget(&mut self) {
        *self = Self { changes: self.changes, ..Self::default() };
    }
}
