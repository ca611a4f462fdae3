//! The screen as text: what a host pushes and what screen rules read.

use crate::time::Time;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// The screen as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Screen {
    /// Grows with every change.
    pub rev: u64,
    /// Columns.
    pub cols: u16,
    /// Rows as text, trailing blanks removed; one per visible row.
    pub rows: Vec<String>,
    /// Cursor row and column, zero based.
    pub cursor: (u16, u16),
    /// Window title.
    pub title: String,
    /// Bracketed paste is on.
    pub bracketed_paste: bool,
    /// The alternate screen is shown.
    pub alternate: bool,
    /// Offset after the newest byte of output.
    pub offset: u64,
    /// The disk refuses the log: the newest bytes are kept in memory alone.
    #[serde(default)]
    pub log_degraded: bool,
    /// Milliseconds since the last byte of output, when this was sent.
    pub quiet_ms: u64,
    /// When a person last typed, if anybody did: Unix milliseconds. A moment and not an age, because a screen that nothing
    /// changes any more is not sent again.
    pub person_at: Option<u64>,
    /// Bells in this launch so far.
    #[serde(default)]
    pub bells: u64,
    /// Titles and OSC sequences, oldest first, each with its offset; on connecting the host's latest ones come again.
    pub marks: Vec<Mark>,
}

impl Screen {
    /// When the newest byte of output came; `now` if none ever did.
    #[must_use]
    pub const fn changed_at(&self, now: Time) -> Time {
        match now.0.checked_sub(self.quiet_ms) {
            Some(at) => Time(at),
            None => now,
        }
    }
}

/// Something that the output said to the terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Offset after it.
    pub offset: u64,
    /// OSC number; 0 for a title.
    pub osc: u16,
    /// Its text.
    pub text: String,
}

/// Rows of a screen and the hash of their text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// First row.
    pub from: u16,
    /// One past the last row.
    pub to: u16,
    /// SHA-256 of the rows, each followed by `\n`, trailing blanks of each removed; hexadecimal.
    pub sha256: String,
}

impl Screen {
    /// The region `[from, to)` as it is now; rows outside the screen are not part of it.
    #[must_use]
    pub fn region(&self, from: u16, to: u16) -> Region {
        let rows = (from..to).filter_map(|r| self.rows.get(usize::from(r)));
        let text: String = rows.flat_map(|row| [row.as_str(), "\n"]).collect();
        Region { from, to, sha256: sha256_hex(text.as_bytes()) }
    }
}

/// SHA-256 in hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}
