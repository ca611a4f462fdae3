//! What can be said about processes and abilities on any operating system.
//!
//! Values only; they are found out in the modules beside.

use std::path::PathBuf;

/// Name that a host gives its process, so that others can tell who runs inside a session (at most 15 bytes).
pub const HOST_NAME: &str = "ao-host";

/// Names another boot in builds for tests: what a reboot does cannot be shown by rebooting the machine of a test.
pub const TEST_BOOT_ID: &str = "AO_TEST_BOOT_ID";

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

/// What a session can be bounded in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Memory.
    Memory,
    /// Processes and threads.
    Processes,
    /// Processor time.
    Cpu,
}

impl Bound {
    /// Every one, in the order in which they are named to people.
    pub const ALL: [Self; 3] = [Self::Memory, Self::Processes, Self::Cpu];

    /// Its key in the configuration.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Memory => "limits.memory",
            Self::Processes => "limits.processes",
            Self::Cpu => "limits.cpu",
        }
    }
}

/// A limit that does not hold on this machine, so that nothing was started under it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} cannot be kept here: {why} (`ao doctor` says which limits can; take the others out of the configuration)", .bound.key())]
pub struct CannotKeep {
    /// Which.
    pub bound: Bound,
    /// Why, in words.
    pub why: String,
}

/// Who keeps a bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// The session's own control group.
    Group,
    /// A group of the older kind beside it.
    OlderGroup,
    /// Nobody.
    Nobody {
        /// Why, in words.
        why: String,
    },
}

/// What control groups offer to sessions here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlGroups {
    /// The cgroup2 mount.
    pub mount: Option<PathBuf>,
    /// Controllers are mounted the older way beside it.
    pub hybrid: bool,
    /// Every session gets a group of its own.
    pub writable: bool,
    /// Who keeps which bound.
    pub keepers: Vec<(Bound, Keeper)>,
}

/// What a session's processes use, all together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TreeUsage {
    /// Processor time since the launch, in microseconds.
    pub cpu_us: Option<u64>,
    /// Memory, in bytes.
    pub memory_bytes: Option<u64>,
    /// Processes.
    pub processes: Option<u32>,
}
