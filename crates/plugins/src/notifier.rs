//! Slot `notifier`: the desktop's own notifications, and a webhook.
//!
//! Each attempt has a time limit; whether and when it is repeated is decided elsewhere.

mod desktop;
mod webhook;

pub use desktop::Desktop;
pub use webhook::Webhook;
