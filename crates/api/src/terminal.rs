//! Frames of the terminal WebSocket (`GET /api/sessions/{id}/terminal`): binary messages, the first byte says which.
//!
//! From the server: [`SCREEN`] and [`OUTPUT`] carry terminal bytes; [`RESIZED`], [`EXITED`] carry JSON. From the client:
//! [`KEYS`] carries bytes, [`RESIZE`] and [`SEEN`] carry JSON.

use serde::{Deserialize, Serialize};

/// Forget everything: `u16 cols, u16 rows, u64 history rows, u64 offset` (big endian), then escape sequences.
pub const SCREEN: u8 = 0;
/// `u64 offset` (big endian), then output.
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
