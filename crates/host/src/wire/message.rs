//! The messages: what a client asks, what the host answers, what it tells unasked.
//!
//! Control messages are JSON objects, terminal bytes travel raw; unknown JSON fields are ignored, so that a later
//! version may add some.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::frame::{self, Frame, WireError};
use crate::engine::Size;
use crate::record::{ExitRecord, Tree};

/// Message types; below 64 they go to the host, from 64 they come from it.
mod kind {
    pub const HELLO: u8 = 1;
    pub const ATTACH: u8 = 2;
    pub const ACK: u8 = 3;
    pub const INPUT: u8 = 4;
    pub const RESIZE: u8 = 5;
    pub const ROWS: u8 = 6;
    pub const WATCH: u8 = 7;
    pub const TYPE: u8 = 8;
    pub const DELIVERIES: u8 = 9;
    pub const STOP: u8 = 10;
    pub const SIGNAL: u8 = 11;
    pub const FREEZE: u8 = 12;
    pub const THAW: u8 = 13;
    pub const ACK_EXIT: u8 = 14;

    pub const HELLO_OK: u8 = 64;
    pub const ATTACHED: u8 = 65;
    pub const OUTPUT: u8 = 66;
    pub const ROWS_ARE: u8 = 67;
    pub const SCREEN: u8 = 68;
    pub const TYPED: u8 = 69;
    pub const DELIVERIES_ARE: u8 = 70;
    pub const STOPPED: u8 = 71;
    pub const DONE: u8 = 72;
    pub const EXIT_IS: u8 = 73;
    pub const ERROR: u8 = 74;

    /// From here on a receiver may ignore what it does not know.
    pub const OPTIONAL: u8 = 128;
}

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
    /// No: see `design/host.md` for what is kept up.
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

/// One stage of a delivery (`design/delivery.md`).
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
    /// The region looks different; nothing was written and nothing recorded.
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

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Must come first.
    Hello(Hello),
    /// Becomes a viewer; a second one asks for the screen again. Answer: [`Reply::Attached`].
    Attach(Attach),
    /// Has drawn everything up to this offset. No answer.
    Ack(u64),
    /// Keys of a viewer. No answer.
    Input(Vec<u8>),
    /// Size of the viewer's terminal, or (from others) of the terminal itself.
    Resize(Size),
    /// Rows that scrolled off. Answer: [`Reply::RowsAre`].
    Rows(RowRange),
    /// Subscribes to [`Push::Screen`] and [`Push::ExitIs`].
    Watch(WatchFrom),
    /// Types a stage. Answer: [`Reply::Typed`].
    Type(Type),
    /// Asks for the delivery log. Answer: [`Reply::DeliveriesAre`].
    Deliveries,
    /// Ends everything. Answer, when it is over: [`Reply::Stopped`].
    Stop(Stop),
    /// Sends a signal.
    Signal(Signal),
    /// Halts every process of the session.
    Freeze,
    /// Lets them go on.
    Thaw,
    /// The exit is known; the host may leave.
    AckExit,
}

/// What the host answers; requests without an answer of their own get [`Reply::Done`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// To [`Request::Hello`].
    HelloOk(HelloOk),
    /// To [`Request::Attach`].
    Attached(Attached),
    /// To [`Request::Rows`].
    RowsAre(RowsAre),
    /// To [`Request::Type`].
    Typed(Typed),
    /// To [`Request::Deliveries`].
    DeliveriesAre(Vec<StageRecord>),
    /// To [`Request::Stop`].
    Stopped(Stopped),
    /// It is done.
    Done,
    /// It is not done.
    Error(Refusal),
}

/// What the host says unasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Push {
    /// The screen anew: the viewer fell behind, or the size changed.
    Attached(Attached),
    /// Live bytes.
    Output(Output),
    /// What changed on the screen.
    Screen(Screen),
    /// The child ended.
    ExitIs(ExitRecord),
    /// A request without an id was refused.
    Error(Refusal),
}

/// Whatever comes from a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromHost {
    /// An answer and the request's id.
    Reply(u32, Reply),
    /// Something unasked.
    Push(Push),
}

impl Request {
    /// Returns whether the request wants an answer.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        !matches!(self, Self::Ack(_) | Self::Input(_))
    }

    /// Appends the request to `out`; `id` comes back with the answer.
    pub fn encode(&self, id: Option<u32>, out: &mut Vec<u8>) {
        match self {
            Self::Hello(hello) => put(kind::HELLO, id, hello, out),
            Self::Attach(attach) => put(kind::ATTACH, id, attach, out),
            Self::Ack(offset) => frame::encode(kind::ACK, id, &[&offset.to_le_bytes()], out),
            Self::Input(bytes) => frame::encode(kind::INPUT, id, &[bytes], out),
            Self::Resize(size) => put(kind::RESIZE, id, size, out),
            Self::Rows(range) => put(kind::ROWS, id, range, out),
            Self::Watch(from) => put(kind::WATCH, id, from, out),
            Self::Type(typed) => put_mixed(kind::TYPE, id, typed, &typed.bytes, out),
            Self::Deliveries => frame::encode(kind::DELIVERIES, id, &[], out),
            Self::Stop(stop) => put(kind::STOP, id, stop, out),
            Self::Signal(signal) => put(kind::SIGNAL, id, signal, out),
            Self::Freeze => frame::encode(kind::FREEZE, id, &[], out),
            Self::Thaw => frame::encode(kind::THAW, id, &[], out),
            Self::AckExit => frame::encode(kind::ACK_EXIT, id, &[], out),
        }
    }

    /// Reads a request; `None` when its type is unknown but may be ignored.
    ///
    /// # Errors
    /// When the type is unknown and may not be ignored, or the payload does not fit it.
    pub fn decode(frame: &Frame) -> Result<Option<Self>, WireError> {
        Ok(Some(match frame.kind {
            kind::HELLO => Self::Hello(json(frame)?),
            kind::ATTACH => Self::Attach(json(frame)?),
            kind::ACK => Self::Ack(number(frame, &frame.payload)?),
            kind::INPUT => Self::Input(frame.payload.clone()),
            kind::RESIZE => Self::Resize(json(frame)?),
            kind::ROWS => Self::Rows(json(frame)?),
            kind::WATCH => Self::Watch(json(frame)?),
            kind::TYPE => {
                let (mut typed, bytes) = mixed::<Type>(frame)?;
                typed.bytes = bytes;
                Self::Type(typed)
            }
            kind::DELIVERIES => Self::Deliveries,
            kind::STOP => Self::Stop(json(frame)?),
            kind::SIGNAL => Self::Signal(json(frame)?),
            kind::FREEZE => Self::Freeze,
            kind::THAW => Self::Thaw,
            kind::ACK_EXIT => Self::AckExit,
            kind::OPTIONAL.. => return Ok(None),
            kind => return Err(WireError::Unknown { kind }),
        }))
    }
}

impl Reply {
    /// Appends the answer to the request with this id to `out`.
    pub fn encode(&self, id: Option<u32>, out: &mut Vec<u8>) {
        match self {
            Self::HelloOk(hello) => put(kind::HELLO_OK, id, hello, out),
            Self::Attached(attached) => put_mixed(kind::ATTACHED, id, attached, &attached.screen, out),
            Self::RowsAre(rows) => put(kind::ROWS_ARE, id, rows, out),
            Self::Typed(typed) => put(kind::TYPED, id, typed, out),
            Self::DeliveriesAre(stages) => put(kind::DELIVERIES_ARE, id, stages, out),
            Self::Stopped(stopped) => put(kind::STOPPED, id, stopped, out),
            Self::Done => frame::encode(kind::DONE, id, &[], out),
            Self::Error(refusal) => put(kind::ERROR, id, refusal, out),
        }
    }
}

impl Push {
    /// Appends the push to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Attached(attached) => put_mixed(kind::ATTACHED, None, attached, &attached.screen, out),
            Self::Output(output) => {
                frame::encode(kind::OUTPUT, None, &[&output.end.to_le_bytes(), &output.bytes], out);
            }
            Self::Screen(screen) => put(kind::SCREEN, None, screen, out),
            Self::ExitIs(exit) => put(kind::EXIT_IS, None, exit, out),
            Self::Error(refusal) => put(kind::ERROR, None, refusal, out),
        }
    }
}

impl FromHost {
    /// Reads what a host sent; `None` when its type is unknown but may be ignored.
    ///
    /// # Errors
    /// When the type is unknown and may not be ignored, or the payload does not fit it.
    pub fn decode(frame: &Frame) -> Result<Option<Self>, WireError> {
        let reply = match frame.kind {
            kind::OPTIONAL.. => return Ok(None),
            kind::OUTPUT => {
                let (end, bytes) =
                    frame.payload.split_at_checked(8).ok_or_else(|| unfit(frame, "it has no offset".to_owned()))?;
                let output = Output { end: number(frame, end)?, bytes: bytes.to_vec() };
                return Ok(Some(Self::Push(Push::Output(output))));
            }
            kind::SCREEN => return Ok(Some(Self::Push(Push::Screen(json(frame)?)))),
            kind::EXIT_IS => return Ok(Some(Self::Push(Push::ExitIs(json(frame)?)))),
            kind::ATTACHED => {
                let (mut attached, screen) = mixed::<Attached>(frame)?;
                attached.screen = screen;
                let Some(id) = frame.id else { return Ok(Some(Self::Push(Push::Attached(attached)))) };
                return Ok(Some(Self::Reply(id, Reply::Attached(attached))));
            }
            kind::ERROR if frame.id.is_none() => return Ok(Some(Self::Push(Push::Error(json(frame)?)))),
            kind::HELLO_OK => Reply::HelloOk(json(frame)?),
            kind::ROWS_ARE => Reply::RowsAre(json(frame)?),
            kind::TYPED => Reply::Typed(json(frame)?),
            kind::DELIVERIES_ARE => Reply::DeliveriesAre(json(frame)?),
            kind::STOPPED => Reply::Stopped(json(frame)?),
            kind::DONE => Reply::Done,
            kind::ERROR => Reply::Error(json(frame)?),
            kind => return Err(WireError::Unknown { kind }),
        };
        let id = frame.id.ok_or_else(|| unfit(frame, "an answer has no id".to_owned()))?;
        Ok(Some(Self::Reply(id, reply)))
    }
}

fn put<T: Serialize>(kind: u8, id: Option<u32>, value: &T, out: &mut Vec<u8>) {
    let json = serde_json::to_vec(value).expect("our messages have string keys only");
    frame::encode(kind, id, &[&json], out);
}

/// JSON with raw bytes behind it: the JSON is preceded by its length, a `u32` (LE).
fn put_mixed<T: Serialize>(kind: u8, id: Option<u32>, value: &T, raw: &[u8], out: &mut Vec<u8>) {
    let json = serde_json::to_vec(value).expect("our messages have string keys only");
    let length = u32::try_from(json.len()).expect("control parts are small").to_le_bytes();
    frame::encode(kind, id, &[&length, &json, raw], out);
}

fn json<T: DeserializeOwned>(frame: &Frame) -> Result<T, WireError> {
    serde_json::from_slice(&frame.payload).map_err(|error| unfit(frame, error.to_string()))
}

fn mixed<T: DeserializeOwned>(frame: &Frame) -> Result<(T, Vec<u8>), WireError> {
    let short = || unfit(frame, "it is cut off".to_owned());
    let (length, rest) = frame.payload.split_first_chunk::<4>().ok_or_else(short)?;
    let (json, raw) = rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or_else(short)?;
    let value = serde_json::from_slice(json).map_err(|error| unfit(frame, error.to_string()))?;
    Ok((value, raw.to_vec()))
}

fn number(frame: &Frame, bytes: &[u8]) -> Result<u64, WireError> {
    let bytes = bytes.try_into().map_err(|_| unfit(frame, "an offset has 8 bytes".to_owned()))?;
    Ok(u64::from_le_bytes(bytes))
}

fn unfit(frame: &Frame, reason: String) -> WireError {
    WireError::Payload { kind: frame.kind, reason }
}
