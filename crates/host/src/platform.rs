//! Everything that depends on the operating system, behind functions that exist on all of them.
//!
//! What a system lacks is answered [`Unsupported`] here, in words; the rest of the crate has no `cfg`.

mod process;
mod pty;
#[expect(unsafe_code, reason = "fork, signal handlers and the child's first steps have no safe interface")]
mod raw;
mod stdio;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use other as system;

pub use process::{NotStarted, spawn};
pub use pty::{Pty, Taken};
pub use raw::{Fork, Signals, close_inherited, fork, ignore_signal};
pub use stdio::detach_stdio;
pub use system::{Cgroup, Peer, adopt_orphans, boot_id, descendants, name_process, nearest_session, peer, start_ticks};

/// Name that a host gives its process, so that others can tell who runs inside a session (at most 15 bytes).
pub const HOST_NAME: &str = "ao-host";

/// What this operating system cannot do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} is not supported on this operating system")]
pub struct Unsupported {
    /// The ability, as the start of a sentence.
    pub what: &'static str,
}

impl From<Unsupported> for std::io::Error {
    fn from(error: Unsupported) -> Self {
        Self::new(std::io::ErrorKind::Unsupported, error)
    }
}

/// What a process is part of: the nearest host above it and the session's control group around it.
///
/// Two processes are inside the same session exactly when these are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Membership {
    /// Process id of the nearest ancestor that is a host.
    pub host: Option<u32>,
    /// Name of the innermost control group that belongs to a session.
    pub cgroup: Option<String>,
}
