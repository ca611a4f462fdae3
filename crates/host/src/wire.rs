//! The words that a host and its clients exchange over the session socket (`docs/design/host.md`, "Wire").
//!
//! Everything here turns bytes into values and back; reading and writing sockets is left to the callers.

mod frame;
mod message;
mod payload;

pub use frame::{Decoder, FLAG_ID, FLAG_MORE, Frame, MAX_FRAME, MAX_MESSAGE, WireError, encode};
pub use message::{FromHost, Push, Reply, Request};
pub use payload::{
    Access, Attach, Attached, Child, Cursor, ErrorKind, Form, FrozenIs, Health, Hello, HelloOk, Modes, Osc, Output,
    Recorded, Refusal, Region, RowRange, RowText, RowsAre, Screen, Signal, SignalTarget, Sizing, StageRecord, Stop,
    Stopped, Type, Typed, UsageIs, WatchFrom, region_sha256,
};

/// Oldest protocol that this version still speaks.
pub const PROTOCOL_MIN: u16 = 1;
/// Newest protocol that this version speaks.
pub const PROTOCOL_MAX: u16 = 2;
/// The first protocol in which a host says what its session uses, and that it is halted.
pub const PROTOCOL_USAGE: u16 = 2;

/// Returns the newest protocol inside both ranges, or `None` when they do not meet.
#[must_use]
pub fn agree(min: u16, max: u16) -> Option<u16> {
    let newest = max.min(PROTOCOL_MAX);
    (newest >= min && newest >= PROTOCOL_MIN).then_some(newest)
}
