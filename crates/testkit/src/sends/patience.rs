//! How long is waited for what.

use std::time::Duration;

/// Between two looks at what an agent noted.
pub const LOOK_EVERY: Duration = Duration::from_millis(20);
/// A prompt that did not arrive after so long is lost: a held one is tried again every few seconds, and a daemon that was
/// killed is there again at once.
pub const ARRIVES_WITHIN: Duration = Duration::from_secs(90);
