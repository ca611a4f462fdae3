//! What can be said about processes and abilities on any operating system.
//!
//! Values only; they are found out in the modules beside.

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
