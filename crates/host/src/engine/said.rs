//! What the stream says besides drawing, cleaned and limited before anybody sees it.
//!
//! It keeps no meaning: which OSC means what is decided elsewhere.

use super::TermEvent;

/// Text of one OSC that is kept, in bytes (`TermEvent::Osc`).
const MAX_TEXT: usize = 4096;
/// Events kept between two takes: the host takes them after each piece of at most 16 KiB, all of which may be bells, and
/// every one of them is counted.
const MAX_EVENTS: usize = 16 << 10;
/// Bytes of replies kept between two takes: a program that floods queries is answered no further.
const MAX_REPLIES: usize = 64 * 1024;

/// Events that wait to be taken.
#[derive(Clone, Debug, Default)]
pub struct Said {
    events: Vec<TermEvent>,
    reply_bytes: usize,
}

impl Said {
    /// Keeps an event; beyond the limits it is dropped.
    pub fn push(&mut self, event: TermEvent) {
        if let TermEvent::Reply(bytes) = &event {
            self.reply_bytes += bytes.len();
            if self.reply_bytes > MAX_REPLIES {
                return;
            }
        } else if self.events.len() >= MAX_EVENTS {
            return;
        }
        self.events.push(event);
    }

    /// Keeps bytes for the program.
    pub fn reply(&mut self, text: impl Into<Vec<u8>>) {
        self.push(TermEvent::Reply(text.into()));
    }

    /// Everything said since the last call.
    pub fn take(&mut self) -> Vec<TermEvent> {
        self.reply_bytes = 0;
        std::mem::take(&mut self.events)
    }
}

/// Text from outside: invalid UTF-8 replaced, control characters removed, at most [`MAX_TEXT`] bytes.
#[must_use]
pub fn clean(bytes: &[u8]) -> String {
    let mut text = String::new();
    // Four bytes a character at most: no need to look at more than this.
    let bytes = &bytes[..bytes.len().min(4 * MAX_TEXT)];
    for c in String::from_utf8_lossy(bytes).chars().filter(|c| !c.is_control()) {
        if text.len() + c.len_utf8() > MAX_TEXT {
            break;
        }
        text.push(c);
    }
    text
}
