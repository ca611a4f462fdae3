//! The four protocols: requests to what is asked, replies to what is sent.

pub mod anthropic;
pub mod chat;
pub mod gemini;
pub mod responses;

use crate::asked::Asked;
use crate::reply::{Beat, Reply};
use serde_json::{Value, json};

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
