//! What the program of a session said to the person before its terminal: title, bells, notifications, ends of commands.

use ao_core::terminal::Terminal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the program of a session's latest launch said to the person before its terminal. The words are the program's own:
/// controls are removed and long ones cut, but nobody vouches for them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TerminalView {
    /// Title of its window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// How often it rang its bell.
    pub bells: u64,
    /// When it last did: Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bell_at: Option<u64>,
    /// Notifications it sent (OSC 9, OSC 777).
    pub notifications: u64,
    /// The last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification: Option<NotificationView>,
    /// Commands that ended, of a shell that marks them (OSC 133).
    pub commands: u64,
    /// The last one's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandView>,
}

/// A notification that a program sent to its terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NotificationView {
    /// Its words.
    pub text: String,
    /// When: Unix milliseconds.
    pub at: u64,
}

/// How a command of a shell ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommandView {
    /// Its exit code, if the shell said it.
    pub code: Option<i32>,
    /// When: Unix milliseconds.
    pub at: u64,
}

impl TerminalView {
    /// The view of what was said; none when nothing was.
    pub(crate) fn of(said: &Terminal) -> Option<Self> {
        let view = Self {
            title: Some(said.title.clone()).filter(|title| !title.is_empty()),
            bells: said.bells,
            bell_at: said.rung.map(|at| at.0),
            notifications: said.notifications,
            notification: said.notification.as_ref().map(|n| NotificationView { text: n.text.clone(), at: n.at.0 }),
            commands: said.commands,
            command: said.command.as_ref().map(|c| CommandView { code: c.code, at: c.at.0 }),
        };
        (view != Self::default()).then_some(view)
    }
}
