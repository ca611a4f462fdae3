//! Machine time: the only clock that core knows, always handed in by the caller.

use serde::{Deserialize, Serialize};

/// Milliseconds on the machine's steady clock.
///
/// It reads like Unix time, but it is boot time plus a base fixed at start-up: it counts while the machine sleeps and never
/// jumps when somebody sets the wall clock (`docs/design/journal.md`, Time).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(pub u64);

/// A length of time in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// From whole seconds.
    #[must_use]
    pub const fn secs(s: u64) -> Self {
        Self(s * 1000)
    }
    /// From whole minutes.
    #[must_use]
    pub const fn mins(m: u64) -> Self {
        Self(m * 60_000)
    }
}

impl Time {
    /// This moment plus a length, never wrapping.
    #[must_use]
    pub const fn after(self, length: Millis) -> Self {
        Self(self.0.saturating_add(length.0))
    }
    /// How long ago `earlier` was; zero when it lies in the future.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Millis {
        Millis(self.0.saturating_sub(earlier.0))
    }
}
