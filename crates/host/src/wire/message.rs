//! The messages: what a client asks, what the host answers, what it tells unasked.
//!
//! Control messages are JSON, terminal bytes travel raw; what they hold is in `payload`.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::frame::{self, Frame, WireError};
use super::payload::{
    Attach, Attached, FrozenIs, Hello, HelloOk, Output, Refusal, RowRange, RowsAre, Screen, Signal, StageRecord, Stop,
    Stopped, Type, Typed, UsageIs, WatchFrom,
};
use crate::engine::Size;
use crate::record::ExitRecord;

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
    pub const USAGE: u8 = 15;

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
    pub const USAGE_IS: u8 = 75;

    /// From here on a receiver may ignore what it does not know.
    pub const OPTIONAL: u8 = 128;
    pub const FROZEN_IS: u8 = 128;
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
    /// Halts every process of the session. Refused while somebody else looks at it, keys wait or it is being stopped.
    Freeze,
    /// Lets them go on.
    Thaw,
    /// The exit is known; the host may leave.
    AckExit,
    /// Asks what the session uses now; protocol 2. Answer: [`Reply::UsageIs`].
    Usage,
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
    /// To [`Request::Usage`].
    UsageIs(UsageIs),
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
    /// The session was halted or woken; to subscribers of protocol 2, who get it first of all as well.
    FrozenIs(FrozenIs),
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
            Self::Usage => frame::encode(kind::USAGE, id, &[], out),
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
            kind::USAGE => Self::Usage,
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
            Self::UsageIs(usage) => put(kind::USAGE_IS, id, usage, out),
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
            Self::FrozenIs(frozen) => put(kind::FROZEN_IS, None, frozen, out),
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
            kind::FROZEN_IS => return Ok(Some(Self::Push(Push::FrozenIs(json(frame)?)))),
            other if other >= kind::OPTIONAL => return Ok(None),
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
            kind::USAGE_IS => Reply::UsageIs(json(frame)?),
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
