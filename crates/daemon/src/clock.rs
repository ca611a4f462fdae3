//! The machine's steady clock: boot time plus a base, so that it reads like Unix time but never jumps.

use ao_core::facts::Machine;
use ao_core::time::Time;
use rustix::time::{ClockId, clock_gettime};
use std::time::{SystemTime, UNIX_EPOCH};

/// A clock for one boot.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    base: u64,
}

impl Clock {
    /// Goes on with the base of the last daemon in the same boot; after a reboot a new base is taken from the wall clock, but
    /// never one that would let time run backwards.
    #[must_use]
    pub fn start(machine: &Machine, boot_id: &str, last: Time) -> Self {
        if machine.boot_id == boot_id && !boot_id.is_empty() {
            return Self { base: machine.clock_base };
        }
        let base = wall_ms().max(last.0).saturating_sub(boot_ms());
        Self { base }
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Time {
        Time(self.base + boot_ms())
    }

    /// Machine time minus boot time, in milliseconds.
    #[must_use]
    pub const fn base(&self) -> u64 {
        self.base
    }
}

/// Wall time in milliseconds since the Unix epoch; for people.
#[must_use]
pub fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Milliseconds since boot, counted while the machine sleeps as well (`CLOCK_BOOTTIME`).
fn boot_ms() -> u64 {
    #[cfg(target_os = "linux")]
    let clock = ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = ClockId::Monotonic;
    let now = clock_gettime(clock);
    let secs = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(now.tv_nsec).unwrap_or(0);
    secs * 1000 + nanos / 1_000_000
}

/// The kernel's id of this boot; empty where there is none, which makes every start count as a new boot. Builds for tests
/// take it from `AO_TEST_BOOT_ID`, as hosts do.
#[must_use]
pub fn boot_id() -> String {
    if cfg!(debug_assertions)
        && let Ok(id) = std::env::var("AO_TEST_BOOT_ID")
    {
        return id;
    }
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|s| s.trim().to_owned()).unwrap_or_default()
}
