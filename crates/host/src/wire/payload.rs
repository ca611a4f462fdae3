//! What the messages carry: plain values, JSON on the wire.
//!
//! Unknown JSON fields are ignored and missing ones have defaults where a later version added them.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::engine::Size;
use crate::limits::Limits;
use crate::record::{ExitRecord, Tree};

/// First words of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Oldest protocol the client speaks.
    pub min: u16,
    /// Newest protocol the client speaks.
    pub max: u16,
    /// The launch it wants; another launch's host answers with an error.
    pub launch: Option<String>,
}

/// The agent's process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Child {
    /// It runs.
    Running {
        /// Its process id.
        pid: u32,
    },
    /// It ended.
    Ended {
        /// How.
        exit: ExitRecord,
    },
}

/// First words of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelloOk {
    /// Protocol spoken from now on.
    pub version: u16,
    /// The host's launch.
    pub launch: String,
    /// The session it belongs to.
    pub session: String,
    /// The host's process id.
    pub pid: u32,
    /// Version of the host's binary.
    pub software: String,
    /// The agent's process.
    pub child: Child,
}

/// What a viewer may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// It looks.
    #[default]
    ReadOnly,
    /// It looks and types.
    ReadWrite,
}

/// Whether a viewer's size counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sizing {
    /// It takes the size as it is.
    #[default]
    Follow,
    /// Its size becomes the terminal's whenever it is the last active writer.
    Own,
}

/// Asks for the screen and everything after it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attach {
    /// Size of the viewer's terminal.
    pub size: Option<Size>,
    /// What the viewer may do.
    #[serde(default)]
    pub access: Access,
    /// Whether its size counts.
    #[serde(default)]
    pub sizing: Sizing,
}

/// The screen at an offset; live bytes follow from exactly there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// The host's launch.
    pub launch: String,
    /// Rows that scrolled off so far.
    pub rows_total: u64,
    /// Bytes that the child wrote up to this state.
    pub offset: u64,
    /// Size of the terminal.
    pub size: Size,
    /// Escape sequences that draw the screen in a fresh terminal of that size.
    #[serde(skip)]
    pub screen: Vec<u8>,
}

/// Live bytes of the terminal, without the queries that the host answers itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Bytes that the child wrote up to and including these: what a viewer acknowledges.
    pub end: u64,
    /// The bytes to draw; may be fewer than the offsets say.
    pub bytes: Vec<u8>,
}

/// Asks for a slice of the rows that scrolled off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowRange {
    /// First row wanted.
    pub from: u64,
    /// First row not wanted any more.
    pub to: u64,
}

/// Rows that scrolled off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowsAre {
    /// Number of the first row in `rows`.
    pub from: u64,
    /// Text with SGR, one string a row; fewer than asked for when they would not fit one frame or are gone.
    pub rows: Vec<String>,
    /// Oldest row that is still kept.
    pub oldest: u64,
    /// Rows that scrolled off so far.
    pub total: u64,
}

/// What a subscriber knows already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchFrom {}

/// One visible row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowText {
    /// Its number, from 0 at the top.
    pub row: u16,
    /// Its text without attributes, trailing blanks removed.
    pub text: String,
}

/// The cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Row, from 0 at the top.
    pub row: u16,
    /// Column, from 0 at the left.
    pub col: u16,
    /// Whether the program shows it.
    pub shown: bool,
}

/// A title or another OSC sequence: a moment in the output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Osc {
    /// Bytes that the child had written when it was read; grows from one to the next.
    #[serde(default)]
    pub offset: u64,
    /// Its number; 0 for a title.
    pub number: u16,
    /// Its text.
    pub text: String,
}

/// Modes that matter to whoever types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Modes {
    /// The program asked for bracketed paste.
    pub bracketed_paste: bool,
    /// The alternate screen is shown.
    pub alternate_screen: bool,
}

/// Whether something works as promised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Yes.
    #[default]
    Good,
    /// No: see `docs/design/host.md` for what is kept up.
    Degraded,
}

/// What changed on the screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Screen {
    /// Grows with every push.
    pub rev: u64,
    /// True when `rows` are all rows, and not only those that changed since the last push.
    pub full: bool,
    /// Size of the terminal.
    pub size: Size,
    /// Changed rows.
    pub rows: Vec<RowText>,
    /// The cursor.
    pub cursor: Cursor,
    /// The title.
    pub title: String,
    /// Titles and OSC sequences since the last push, oldest first; in a full push the latest ones that are kept, so that
    /// a subscriber that was away learns what happened meanwhile.
    pub osc: Vec<Osc>,
    /// OSC sequences that were left out because there were too many.
    pub osc_dropped: u32,
    /// Bells since the last push.
    pub bells: u32,
    /// Bells so far, so that a subscriber that was away learns of those meanwhile; hosts of version 0.1.0 do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bells_total: Option<u64>,
    /// Modes.
    pub modes: Modes,
    /// Bytes that the child wrote so far.
    pub offset: u64,
    /// Rows that scrolled off so far.
    pub rows_total: u64,
    /// When the child last wrote, milliseconds since 1970.
    pub last_output_ms: Option<u64>,
    /// When a viewer last typed, milliseconds since 1970.
    pub person_input_ms: Option<u64>,
    /// True when no byte came for 100 ms before this push.
    pub quiet: bool,
    /// Whether everything is being written to disk.
    pub log: Health,
    /// Whether the engine never had to be rebuilt.
    pub screen: Health,
}

/// Part of the screen that must look as expected before anything is typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// First row.
    pub from: u16,
    /// First row that is not part of it any more.
    pub to: u16,
    /// [`region_sha256`] of its rows.
    pub sha256: String,
}

/// Digest of rows as a [`Screen`] carries them: each row's text and a newline, in lower-case hex.
pub fn region_sha256<'a>(rows: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for row in rows {
        hash.update(row.as_bytes());
        hash.update(b"\n");
    }
    hash.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        hex.extend([byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16).expect("below 16")));
        hex
    })
}

/// How the bytes of a stage are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// As they are.
    #[default]
    Raw,
    /// As pasted text: control characters other than newline and tab are removed, and the text is wrapped in
    /// `ESC[200~` and `ESC[201~` if the program asked for bracketed paste.
    Paste,
}

/// One stage of a delivery (`docs/design/delivery.md`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Type {
    /// Id of the delivery.
    pub delivery: String,
    /// `paste`, `submit#1`, `submit#2`, …
    pub stage: String,
    /// How the bytes are written.
    #[serde(default)]
    pub form: Form,
    /// What must be on the screen.
    pub if_region: Option<Region>,
    /// What is typed.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

/// What became of a stage that began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "recorded", rename_all = "snake_case")]
pub enum Recorded {
    /// The program's terminal took every byte.
    Written,
    /// It took only some.
    Failed {
        /// Bytes taken.
        written: usize,
        /// Why not all, in words.
        reason: String,
    },
    /// It is still being written.
    Begun,
}

/// Answer to [`Type`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Typed {
    /// The program's terminal took every byte.
    Written {
        /// Bytes that the child had written at that moment.
        #[serde(default)]
        offset: u64,
    },
    /// The region looks different, or a person pressed keys in the last five seconds, which the program may not have shown
    /// yet; nothing was written and nothing recorded.
    Moved {
        /// Digest of the region as it is.
        sha256: String,
    },
    /// This stage was typed before; nothing was written now.
    Repeat {
        /// What became of it then.
        #[serde(flatten)]
        recorded: Recorded,
        /// Bytes that the child had written at that moment.
        #[serde(default)]
        offset: u64,
    },
    /// Not every byte could be written.
    Failed {
        /// Bytes that were.
        written: usize,
        /// Why, in words.
        reason: String,
    },
}

/// One stage as the delivery log has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageRecord {
    /// Id of the delivery.
    pub delivery: String,
    /// The stage.
    pub stage: String,
    /// When it began, milliseconds since 1970.
    pub at_ms: u64,
    /// Bytes that the child had written when the stage ended, or began while it has not ended.
    #[serde(default)]
    pub offset: u64,
    /// What became of it.
    #[serde(flatten)]
    pub recorded: Recorded,
}

/// Asks for the end of the agent and of everything that it started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// Milliseconds until whatever is left is killed.
    pub grace_ms: u64,
    /// Keys that make this agent leave by itself; typed first.
    pub keys: Option<String>,
}

/// Whom a signal reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalTarget {
    /// The terminal's foreground process group.
    Foreground,
    /// The agent's own process.
    Child,
    /// Every process of the session.
    Tree,
}

/// Sends a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// The signal's number.
    pub signal: i32,
    /// Whom it reaches.
    pub target: SignalTarget,
}

/// Answer to [`Stop`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// The agent's end, unless even killing did not end it.
    pub exit: Option<ExitRecord>,
    /// What is left of its processes.
    #[serde(flatten)]
    pub tree: Tree,
}

/// What the session's processes use, all together; what the system does not say is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageIs {
    /// Processor time since the launch, in microseconds.
    pub cpu_us: Option<u64>,
    /// Memory, in bytes.
    pub memory_bytes: Option<u64>,
    /// Processes.
    pub processes: Option<u32>,
    /// They are halted.
    pub frozen: bool,
    /// What they may use: what the launch was started with.
    #[serde(default)]
    pub limits: Limits,
}

/// Whether the session's processes are halted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenIs {
    /// They are.
    pub frozen: bool,
}

/// Why the host refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The message breaks the protocol; the connection is closed.
    Protocol,
    /// The protocol ranges do not meet; the connection is closed.
    Version,
    /// This is another launch's host; the connection is closed.
    WrongLaunch,
    /// The peer may not do that.
    Denied,
    /// The request makes no sense now.
    Conflict,
    /// The system cannot do it.
    Unsupported,
    /// The system failed to do it.
    Failed,
    /// A kind of a later version.
    #[serde(other)]
    Other,
}

/// The host's refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Why, for programs.
    pub kind: ErrorKind,
    /// Why, for people.
    pub message: String,
}
