//! The four protocols: requests to what is asked, replies to what is sent.

pub mod anthropic;
pub mod chat;
pub mod gemini;
pub mod responses;

use crate::asked::Asked;
use crate::tool::Call;
use serde_json::{Value, json};
use std::time::Duration;

/// One protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Anthropic Messages, <https://docs.anthropic.com/en/api/messages>.
    Anthropic,
    /// OpenAI Responses, <https://platform.openai.com/docs/api-reference/responses>.
    Responses,
    /// OpenAI Chat Completions, <https://platform.openai.com/docs/api-reference/chat>.
    Chat,
    /// Gemini, <https://ai.google.dev/api/generate-content>.
    Gemini,
}

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

impl Dialect {
    /// The protocol that a path belongs to.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        if path.ends_with("/messages") {
            Some(Self::Anthropic)
        } else if path.ends_with("/responses") {
            Some(Self::Responses)
        } else if path.ends_with("/chat/completions") {
            Some(Self::Chat)
        } else if path.ends_with(":generateContent") || path.ends_with(":streamGenerateContent") {
            Some(Self::Gemini)
        } else {
            None
        }
    }

    /// Reads a request.
    #[must_use]
    pub fn asked(self, path: &str, body: &Value) -> Asked {
        match self {
            Self::Anthropic => anthropic::asked(body),
            Self::Responses => responses::asked(body),
            Self::Chat => chat::asked(body),
            Self::Gemini => Asked { stream: path.ends_with(":streamGenerateContent"), ..gemini::asked(body) },
        }
    }

    /// A reply in one piece.
    #[must_use]
    pub fn whole(self, reply: &Reply) -> Value {
        match self {
            Self::Anthropic => anthropic::whole(reply),
            Self::Responses => responses::whole(reply),
            Self::Chat => chat::whole(reply),
            Self::Gemini => gemini::whole(reply),
        }
    }

    /// A streamed reply.
    #[must_use]
    pub fn beats(self, reply: &Reply) -> Vec<Beat> {
        match self {
            Self::Anthropic => anthropic::beats(reply),
            Self::Responses => responses::beats(reply),
            Self::Chat => chat::beats(reply),
            Self::Gemini => gemini::beats(reply),
        }
    }

    /// What an error looks like.
    #[must_use]
    pub fn error(self, status: u16) -> Value {
        let (kind, message) = match status {
            400 => ("invalid_request_error", "the stand-in refuses this request"),
            401 => ("authentication_error", "invalid x-api-key"),
            403 => ("permission_error", "this key may not do that"),
            429 => ("rate_limit_error", "This request would exceed your rate limit. Please try again later."),
            503 | 529 => ("overloaded_error", "Overloaded"),
            _ => ("api_error", "Internal server error"),
        };
        match self {
            Self::Anthropic => {
                json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_standin"})
            }
            Self::Responses | Self::Chat => {
                json!({"error": {"message": message, "type": kind, "code": kind, "param": null}})
            }
            Self::Gemini => {
                let name = match status {
                    400 => "INVALID_ARGUMENT",
                    401 => "UNAUTHENTICATED",
                    403 => "PERMISSION_DENIED",
                    429 => "RESOURCE_EXHAUSTED",
                    503 => "UNAVAILABLE",
                    _ => "INTERNAL",
                };
                json!({"error": {"code": status, "message": message, "status": name}})
            }
        }
    }
}

/// An event of a stream, with its name where the protocol has one.
fn event(name: Option<&str>, data: &Value) -> Beat {
    let name = name.map(|n| format!("event: {n}\n")).unwrap_or_default();
    Beat::Send(format!("{name}data: {data}\n\n"))
}

/// The text in pieces, with its pauses, its silence and its cut; `piece` makes an event of each.
fn text_beats(reply: &Reply, piece: impl Fn(&str) -> Beat) -> Vec<Beat> {
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
fn thought_beats(reply: &Reply, piece: impl Fn(&str) -> Beat) -> Vec<Beat> {
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
