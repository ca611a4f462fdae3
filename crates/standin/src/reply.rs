//! A reply in no protocol's words, and what a stream of it consists of.

use crate::tool::Call;
use serde_json::Value;
use std::time::Duration;

/// One reply, in no protocol's words.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// Ordinal of the request, which ids are made of.
    pub n: u64,
    /// Model named in it.
    pub model: String,
    /// Reasoning before the text takes this long.
    pub think: Duration,
    /// The text.
    pub text: String,
    /// The text takes this long.
    pub stream: Duration,
    /// Silence in the middle of the text.
    pub hang: Duration,
    /// The connection is cut in the middle of the text.
    pub cut: bool,
    /// A tool call after the text.
    pub call: Option<Call>,
}

/// What a streamed reply consists of.
#[derive(Clone, Debug, PartialEq)]
pub enum Beat {
    /// Bytes of the event stream.
    Send(String),
    /// Nothing, for a while.
    Pause(Duration),
    /// The connection breaks.
    Cut,
}

/// Characters of a piece of text in a stream.
const PIECE: usize = 12;
/// Pieces of reasoning that come in a second.
const THOUGHTS: u32 = 4;
/// A piece of reasoning.
const THOUGHT: &str = "Considering the request and planning the next step. ";

/// An event of a stream, with its name where the protocol has one.
pub(crate) fn event(name: Option<&str>, data: &Value) -> Beat {
    let name = name.map(|n| format!("event: {n}\n")).unwrap_or_default();
    Beat::Send(format!("{name}data: {data}\n\n"))
}

/// The text in pieces, with its pauses, its silence and its cut; `piece` makes an event of each.
pub(crate) fn text_beats(reply: &Reply, piece: impl Fn(&str) -> Beat) -> Vec<Beat> {
    let letters: Vec<char> = reply.text.chars().collect();
    let pieces: Vec<String> = letters.chunks(PIECE).map(|c| c.iter().collect()).collect();
    let count = u32::try_from(pieces.len()).unwrap_or(u32::MAX).max(1);
    let mut out = Vec::new();
    for (n, text) in pieces.iter().enumerate() {
        out.push(piece(text));
        if !reply.stream.is_zero() {
            out.push(Beat::Pause(reply.stream / count));
        }
        if n == pieces.len() / 2 {
            if !reply.hang.is_zero() {
                out.push(Beat::Pause(reply.hang));
            }
            if reply.cut {
                out.push(Beat::Cut);
                break;
            }
        }
    }
    out
}

/// The reasoning in pieces; `piece` makes an event of each.
pub(crate) fn thought_beats(reply: &Reply, piece: impl Fn(&str) -> Beat) -> Vec<Beat> {
    let pieces = (reply.think.as_secs_f64() * f64::from(THOUGHTS)).round();
    let mut out = Vec::new();
    let mut n = 0.0;
    while n < pieces {
        out.push(piece(THOUGHT));
        out.push(Beat::Pause(Duration::from_secs(1) / THOUGHTS));
        n += 1.0;
    }
    out
}
