//! Frames of the terminal WebSocket (`GET /api/sessions/{id}/terminal`): binary messages, the first byte says which.
//!
//! From the server: [`SCREEN`] and [`OUTPUT`] carry terminal bytes; [`RESIZED`], [`EXITED`] carry JSON. From the client:
//! [`KEYS`] carries bytes, [`RESIZE`] and [`SEEN`] carry JSON.
//!
//! The server closes with 1000 after the agent's end, 1012 when the daemon ends, and with a reason in words 1002 for an unknown
//! kind, 1003 for a text message, 1007 for JSON that is not understood, 1009 for a message of more than 1 MiB.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Forget everything: `u16 cols, u16 rows, u64 history rows, u64 offset` (big endian), then escape sequences.
pub const SCREEN: u8 = 0;
/// `u64 offset` after these bytes (big endian), then output: what [`SEEN`] says once they are shown.
pub const OUTPUT: u8 = 1;
/// JSON `{"cols", "rows"}`.
pub const RESIZED: u8 = 2;
/// JSON `{"code", "signal", "why"}`.
pub const EXITED: u8 = 3;
/// Keys.
pub const KEYS: u8 = 16;
/// JSON `{"cols", "rows"}`.
pub const RESIZE: u8 = 17;
/// JSON `{"offset"}`: everything before it was shown.
pub const SEEN: u8 = 18;

/// A terminal's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeFrame {
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
}

/// How an agent ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitFrame {
    /// Exit code.
    pub code: Option<i32>,
    /// Signal.
    pub signal: Option<i32>,
    /// Why it could not start.
    pub why: Option<String>,
}

/// What a viewer has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenFrame {
    /// Offset after the last byte shown.
    pub offset: u64,
}

/// How a viewer wants to look (the query of `GET /api/sessions/{id}/terminal`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ViewQuery {
    /// Columns of the viewer's terminal; 120 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cols: Option<u16>,
    /// Rows of the viewer's terminal; 40 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u16>,
    /// Only look: keys and sizes are ignored.
    pub read_only: bool,
}

/// The screen of a session as text (`GET /api/sessions/{id}/screen`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScreenView {
    /// Session id.
    pub session: String,
    /// Columns.
    pub cols: u16,
    /// Visible rows, trailing blanks removed.
    pub rows: Vec<String>,
    /// Cursor row, from 0.
    pub cursor_row: u16,
    /// Cursor column, from 0.
    pub cursor_col: u16,
    /// Window title.
    pub title: String,
    /// The alternate screen is shown.
    pub alternate: bool,
    /// The agent runs; else this is its last screen.
    pub live: bool,
}

/// The text of a terminal (`GET /api/sessions/{id}/logs`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Logs {
    /// Session id.
    pub session: String,
    /// Rows that scrolled off, then the rows of the screen; oldest first.
    pub lines: Vec<String>,
    /// Rows since the agent started that stand before the first line, kept or not: the first line's number, from 0.
    pub earlier: u64,
    /// The agent runs.
    pub live: bool,
}
