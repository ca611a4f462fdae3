//! What a host leaves on disk for others to read: `host.json` and `exit.json` (`docs/design/host.md`, "Files").
//!
//! The shapes and their atomic writing are here; who is alive is decided in `discover`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::engine::Size;

/// Name of the launch's request, written by whoever starts the host.
pub const LAUNCH_FILE: &str = "launch.json";
/// Name of the record of a running host.
pub const HOST_FILE: &str = "host.json";
/// Name of the file that is locked for the host's life.
pub const LOCK_FILE: &str = "host.lock";
/// Name of the record of the child's end.
pub const EXIT_FILE: &str = "exit.json";

/// A running (or once running) host: `host.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostRecord {
    /// Launch this host was started for.
    pub launch: String,
    /// Session the launch belongs to.
    pub session: String,
    /// The host's process id; means nothing without `start_ticks` and `boot_id`.
    pub pid: u32,
    /// Clock ticks between boot and the host's start (`/proc/PID/stat`, field 22); 0 where unsupported.
    pub start_ticks: u64,
    /// Boot during which the pid was valid; empty where unsupported.
    pub boot_id: String,
    /// Process id of the agent.
    pub child_pid: u32,
    /// Where the host listens.
    pub socket: PathBuf,
    /// Oldest protocol the host speaks.
    pub protocol_min: u16,
    /// Newest protocol the host speaks.
    pub protocol_max: u16,
    /// Version of the host's binary.
    pub version: String,
    /// Start of the host, milliseconds since 1970.
    pub started_ms: u64,
    /// Directory of the session's control group, when the host could make one.
    pub cgroup: Option<PathBuf>,
    /// Directories of the groups of the older kind that bound it, when its own cannot.
    #[serde(default)]
    pub bounds: Vec<PathBuf>,
}

/// How a child ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Ending {
    /// It left by itself.
    Exited {
        /// Its exit code, 0..=255.
        code: i32,
    },
    /// A signal ended it.
    Signaled {
        /// The signal's number.
        signal: i32,
    },
    /// It never ran.
    NotStarted {
        /// Why, in words (`not found`, `permission denied`, …).
        reason: String,
    },
}

/// What is known of the processes that the child started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "tree", rename_all = "snake_case")]
pub enum Tree {
    /// None is left.
    Empty,
    /// These are left.
    Left {
        /// Their process ids at that moment.
        pids: Vec<u32>,
    },
    /// It cannot be told here.
    Unknown,
}

/// The end of a launch: `exit.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitRecord {
    /// Launch that ended.
    pub launch: String,
    /// Session the launch belongs to.
    pub session: String,
    /// How it ended.
    #[serde(flatten)]
    pub ending: Ending,
    /// When, milliseconds since 1970.
    pub at_ms: u64,
    /// Bytes that the child wrote in all.
    pub last_offset: u64,
    /// Rows that scrolled off the primary screen in all.
    pub rows_total: u64,
    /// Size of the last screen.
    pub size: Size,
    /// Text of the last screen, one string a row.
    pub screen: Vec<String>,
    /// What is left of its processes.
    #[serde(flatten)]
    pub tree: Tree,
}

/// Milliseconds since 1970 by the system's clock.
#[must_use]
pub fn now_ms() -> u64 {
    now_us() / 1000
}

/// Microseconds since 1970 by the system's clock; 0 for a clock before that.
#[must_use]
pub fn now_us() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_micros()).unwrap_or(u64::MAX))
}

/// Whether a record must survive a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Survives the death of any process.
    Process,
    /// Survives a power cut as well: file and directory are synced.
    Power,
}

/// Reads a JSON record.
///
/// # Errors
/// When the file cannot be read, or (`InvalidData`) is not such a record.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> io::Result<T> {
    let bytes = fs::read(path)?;
    serde_json::from_slice(&bytes)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display())))
}

/// Replaces a JSON record atomically; the file is readable by its owner only.
///
/// # Errors
/// When the directory cannot be written; the old record is then untouched.
pub fn write_json<T: Serialize>(path: &Path, value: &T, durability: Durability) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    let new = path.with_file_name(name);
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    let mut bytes = serde_json::to_vec(value)?;
    bytes.push(b'\n');
    file.write_all(&bytes)?;
    if durability == Durability::Power {
        file.sync_all()?;
    }
    fs::rename(&new, path)?;
    if durability == Durability::Power
        && let Some(parent) = path.parent()
    {
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}
