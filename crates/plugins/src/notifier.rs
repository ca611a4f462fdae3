//! Slot `notifier`: the desktop's own notifications, and a webhook.
//!
//! Each attempt has a time limit; whether and when it is repeated is decided elsewhere.

mod desktop;
mod webhook;

pub use desktop::Desktop;
pub use webhook::Webhook;

use ao_core::prompt;

/// Text of a note for a screen: no control characters, at most `longest` characters.
fn shown(text: &str, longest: usize) -> String {
    let clean = prompt::clean(text);
    if clean.chars().count() <= longest {
        return clean;
    }
    clean.chars().take(longest.saturating_sub(1)).chain(std::iter::once('…')).collect()
}
