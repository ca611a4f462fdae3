//! A delivery: one prompt on its way into an agent's composer, stage by stage (`docs/design/delivery.md`).

use crate::id::{DeliveryId, LaunchId, SessionId};
use crate::reaction::ReactionKey;
use crate::time::Time;
use serde::{Deserialize, Serialize};

/// One prompt and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// The session it is for.
    pub session: SessionId,
    /// Where it comes from.
    pub cause: Cause,
    /// The text that is typed, already cleaned. Dropped from the facts once it is delivered: the hash stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// SHA-256 of the text, hexadecimal.
    pub sha256: String,
    /// The whole prompt when it is too long to type: written to a file in the workspace that `text` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PromptFile>,
    /// When it was queued.
    pub queued: Time,
    /// How far it has come.
    pub state: DeliveryState,
    /// Why it does not move on, when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
    /// When it is tried again, while it is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Time>,
    /// Turns that the session had begun when it was pasted: a later one is its own.
    #[serde(default)]
    pub turns_before: u32,
    /// When it was first found to be typed and not to be seen in the composer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unseen: Option<Time>,
    /// When it was seen in the composer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pasted: Option<Time>,
    /// The last press of Enter that was made, also while a further one is on its way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pressed: Option<Press>,
}

/// One press of Enter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Press {
    /// Offset in the launch's output at that moment: a mark of a turn at or before it is not this prompt's.
    pub offset: u64,
    /// When it was known.
    pub at: Time,
}

/// A prompt that is read from a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptFile {
    /// Path relative to the workspace.
    pub path: String,
    /// The whole prompt.
    pub text: String,
}

/// Where a prompt comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum Cause {
    /// The session's first prompt.
    Task,
    /// A person or another program sent it.
    Message {
        /// Who.
        from: String,
    },
    /// A reaction sent it.
    Reaction {
        /// Which.
        key: ReactionKey,
    },
}

/// How far a delivery has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waits for the agent to take prompts.
    Queued,
    /// The host is to paste it in this launch.
    Pasting {
        /// The launch.
        launch: LaunchId,
    },
    /// It is in the composer; Enter is to be pressed for the `n`th time.
    Submitting {
        /// The launch.
        launch: LaunchId,
        /// Which press, from 1.
        n: u32,
    },
    /// Enter was pressed; a turn must begin.
    Submitted {
        /// The launch.
        launch: LaunchId,
        /// Which press.
        n: u32,
        /// Offset in the launch's output at that moment.
        offset: u64,
        /// When.
        at: Time,
    },
    /// A turn began.
    Delivered {
        /// When.
        at: Time,
        /// The signal that showed it.
        signal: String,
    },
    /// It may or may not have arrived; a person is asked.
    Uncertain {
        /// Why.
        why: String,
    },
    /// Given up.
    Dropped {
        /// Why.
        why: String,
    },
}

impl DeliveryState {
    /// Whether nothing more happens with it.
    #[must_use]
    pub const fn settled(&self) -> bool {
        match self {
            Self::Delivered { .. } | Self::Uncertain { .. } | Self::Dropped { .. } => true,
            Self::Queued | Self::Pasting { .. } | Self::Submitting { .. } | Self::Submitted { .. } => false,
        }
    }
}

/// Enter is pressed at most this often for one prompt (`docs/design/delivery.md`).
pub const MAX_SUBMITS: u32 = 3;

/// Prompts longer than this many bytes go into a file that a short prompt names (`docs/design/delivery.md`).
pub const MAX_TYPED: usize = 8 * 1024;
