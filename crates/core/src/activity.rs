//! What an agent is doing, and the evidence for it. Fusing evidence is `arbiter`'s business.

use crate::time::Time;
use serde::{Deserialize, Serialize};

/// What an agent does right now.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "activity", rename_all = "snake_case")]
pub enum Activity {
    /// Started, not yet able to take a prompt.
    Starting,
    /// Able to take its first prompt.
    Ready,
    /// In a turn.
    Working {
        /// What the turn is busy with, when known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on: Option<Work>,
    },
    /// Waits for a person.
    NeedsInput {
        /// What for.
        what: InputKind,
    },
    /// A request to the model failed and is being repeated by the agent.
    Retrying,
    /// The provider's limit is reached.
    RateLimited {
        /// When it resets, if the agent said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Time>,
    },
    /// The turn ended with an error.
    Error {
        /// The agent's words for it.
        kind: String,
    },
    /// The turn is over; the composer is free.
    Idle,
    /// A person interrupted the turn.
    Interrupted,
    /// The agent's process is gone.
    Exited {
        /// Its exit code; none when a signal ended it.
        code: Option<i32>,
    },
    /// Nothing reliable is known.
    Unknown,
}

/// What a turn is busy with.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// A tool call.
    Tool,
    /// A sub-agent.
    SubAgent,
    /// Compacting its context.
    Compaction,
}

/// What an agent asks a person for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// Leave to run a tool or change a file.
    Permission,
    /// An answer.
    Question,
    /// Approval of a plan.
    Plan,
    /// Trust in a directory.
    Trust,
    /// A login.
    Login,
    /// First-start screens.
    Onboarding,
    /// Some other menu.
    Menu,
}

impl Activity {
    /// Whether a prompt can be typed now.
    #[must_use]
    pub const fn takes_prompts(&self) -> bool {
        match self {
            Self::Ready | Self::Idle | Self::Interrupted | Self::Error { .. } => true,
            Self::Starting
            | Self::Working { .. }
            | Self::NeedsInput { .. }
            | Self::Retrying
            | Self::RateLimited { .. }
            | Self::Exited { .. }
            | Self::Unknown => false,
        }
    }

    /// Whether this is inside a turn.
    #[must_use]
    pub const fn in_turn(&self) -> bool {
        match self {
            Self::Working { .. } | Self::Retrying | Self::NeedsInput { .. } => true,
            Self::Starting
            | Self::Ready
            | Self::RateLimited { .. }
            | Self::Error { .. }
            | Self::Idle
            | Self::Interrupted
            | Self::Exited { .. }
            | Self::Unknown => false,
        }
    }

    /// The name used in JSON and on screens.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Working { .. } => "working",
            Self::NeedsInput { .. } => "needs_input",
            Self::Retrying => "retrying",
            Self::RateLimited { .. } => "rate_limited",
            Self::Error { .. } => "error",
            Self::Idle => "idle",
            Self::Interrupted => "interrupted",
            Self::Exited { .. } => "exited",
            Self::Unknown => "unknown",
        }
    }
}

/// Where an observation came from, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A structured channel of the agent.
    Structured,
    /// A hook that the agent called.
    Hook,
    /// An OSC sequence meant for machines.
    Osc,
    /// The agent's transcript.
    Transcript,
    /// A screen rule.
    Screen,
    /// The window title.
    Title,
    /// The process tree or the output's flow.
    Process,
}

/// One piece of evidence about one agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// What it says.
    #[serde(flatten)]
    pub activity: Activity,
    /// Who says so.
    pub source: Source,
    /// When it was seen, machine time.
    pub at: Time,
    /// Offset in the launch's output, for sources that come from the terminal: observations at or before the last one
    /// accepted are old news.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// The words, title or rule behind it.
    pub why: String,
}

/// The fused answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// What the agent does.
    #[serde(flatten)]
    pub activity: Activity,
    /// Since when.
    pub since: Time,
    /// The source that decided.
    pub source: Source,
    /// 0..=100: how far the source can be trusted for this answer.
    pub confidence: u8,
    /// Why, in words.
    pub why: String,
}

impl Known {
    /// The answer before anything was seen.
    #[must_use]
    pub fn nothing(since: Time) -> Self {
        Self {
            activity: Activity::Unknown,
            since,
            source: Source::Process,
            confidence: 0,
            why: "nothing observed yet".to_owned(),
        }
    }
}
