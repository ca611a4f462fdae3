//! A call of a hook as it lies in the spool: written by `ao hook`, read by the daemon, perhaps much later.
//!
//! Pure data. What an event means is said by the agent's adapter; nothing here is believed before the secret was compared.

use crate::id::{LaunchId, SessionId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Longest text kept of the agent's last words, in bytes.
pub const LONGEST_MESSAGE: usize = 4 * 1024;

/// Longest text kept of any other value, in bytes: a path fits.
const LONGEST_VALUE: usize = 4 * 1024;

/// One call, one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpooledHook {
    /// The session that it says it is from.
    pub session: SessionId,
    /// The launch.
    pub launch: LaunchId,
    /// The session's hook secret, to be compared in constant time.
    pub secret: String,
    /// The adapter's name.
    pub agent: String,
    /// The event's name as the hook was configured.
    pub event: String,
    /// When the agent called, milliseconds since 1970 of the wall clock.
    pub at_unix_ms: u64,
    /// What the agent told.
    pub payload: HookPayload,
}

/// What is kept of what an agent tells its hooks. All of it is text from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookPayload {
    /// The agent's own id of the conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Where the agent keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript_path: Option<String>,
    /// The event as the agent names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook_event_name: Option<String>,
    /// The kind of a notification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification_type: Option<String>,
    /// The tool that is about to run or that needs leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_name: Option<String>,
    /// A notification's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Why a conversation ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How a conversation began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What the agent said last, cut to [`LONGEST_MESSAGE`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_assistant_message: Option<String>,
}

impl HookPayload {
    /// Keeps what is used of an agent's JSON. What is no JSON object tells nothing.
    #[must_use]
    pub fn read(json: &[u8]) -> Self {
        let Ok(all) = serde_json::from_slice::<Map<String, Value>>(json) else { return Self::default() };
        let text = |name: &str, longest: usize| match all.get(name) {
            Some(Value::String(text)) => Some(cut(text, longest).to_owned()),
            Some(Value::Null) | None => None,
            Some(other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_))) => {
                Some(cut(&other.to_string(), longest).to_owned())
            }
        };
        // One thing, as different agents spell it.
        let any = |names: &[&str]| names.iter().find_map(|name| text(name, LONGEST_VALUE));
        Self {
            session_id: any(&["session_id", "sessionId", "sessionID", "thread-id"]),
            transcript_path: any(&["transcript_path", "transcriptPath"]),
            hook_event_name: text("hook_event_name", LONGEST_VALUE),
            notification_type: text("notification_type", LONGEST_VALUE),
            tool_name: any(&["tool_name", "toolName"]),
            message: text("message", LONGEST_MESSAGE),
            reason: text("reason", LONGEST_VALUE),
            source: text("source", LONGEST_VALUE),
            error: text("error", LONGEST_VALUE),
            last_assistant_message: text("last_assistant_message", LONGEST_MESSAGE),
        }
    }

    /// The one word that tells two calls of the same event apart.
    fn detail(&self) -> Option<&str> {
        let all = [&self.notification_type, &self.tool_name, &self.error, &self.source, &self.reason];
        all.into_iter().flatten().map(String::as_str).next()
    }
}

impl SpooledHook {
    /// The event for `adapter::observe::hook`: its name, with the kind of notification, the tool, the error, the source or
    /// the reason behind a dot, whichever there is first.
    #[must_use]
    pub fn detailed_event(&self) -> String {
        detailed(&self.event, &self.payload)
    }
}

/// An event's name with its detail, see [`SpooledHook::detailed_event`].
#[must_use]
pub fn detailed(event: &str, payload: &HookPayload) -> String {
    match payload.detail() {
        Some(detail) => format!("{event}.{detail}"),
        None => event.to_owned(),
    }
}

/// The beginning of a text, at most `longest` bytes, never in the middle of a character.
fn cut(text: &str, longest: usize) -> &str {
    let end = (0..=longest.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_used_is_kept_and_long_words_are_cut_between_characters() {
        let long = "é".repeat(LONGEST_MESSAGE);
        let json = serde_json::json!({
            "session_id": "s", "tool_input": {"command": "secret"}, "error": {"kind": "x"}, "last_assistant_message": long,
        });
        let payload = HookPayload::read(json.to_string().as_bytes());
        assert_eq!(payload.session_id.as_deref(), Some("s"));
        assert_eq!(payload.error.as_deref(), Some("{\"kind\":\"x\"}"));
        assert_eq!(payload.last_assistant_message.map(|m| m.len()), Some(LONGEST_MESSAGE));
        assert_eq!(HookPayload::read(b"no json"), HookPayload::default());
        assert_eq!(HookPayload::read(b"[1]"), HookPayload::default());
    }

    #[test]
    fn an_event_carries_its_detail() {
        let hook = |json: &str| SpooledHook {
            session: SessionId::new("ao-1"),
            launch: LaunchId::new("ao-1.1"),
            secret: String::new(),
            agent: "claude-code".to_owned(),
            event: "Notification".to_owned(),
            at_unix_ms: 0,
            payload: HookPayload::read(json.as_bytes()),
        };
        let asked = hook(r#"{"notification_type":"permission_prompt","message":"m"}"#);
        assert_eq!(asked.detailed_event(), "Notification.permission_prompt");
        assert_eq!(hook("{}").detailed_event(), "Notification");
    }
}
