//! What an agent asks its model, in no protocol's words.

use crate::tool::Tool;
use serde_json::Value;

/// One request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// What the user said, in order; what the agent put in by itself is left out.
    pub prompts: Vec<String>,
    /// Results of tool calls since the last prompt.
    pub done: usize,
    /// The last of them, as it came.
    pub last: Option<String>,
    /// Tools on offer.
    pub tools: Vec<Tool>,
    /// The shape that the answer must have, when one is asked for.
    pub schema: Option<Value>,
    /// The answer is to be streamed.
    pub stream: bool,
    /// Model asked for.
    pub model: String,
    /// Directory that the agent works in, when it says so.
    pub place: Option<String>,
}

impl Asked {
    /// Takes a user's message: its text begins a turn.
    pub(crate) fn prompt(&mut self, text: &str) {
        let text = text.trim();
        if !text.is_empty() {
            self.prompts.push(text.to_owned());
            self.done = 0;
            self.last = None;
        }
    }

    /// Takes the result of a tool call.
    pub(crate) fn result(&mut self, content: &Value) {
        self.done += 1;
        self.last = Some(content.to_string());
    }
}
