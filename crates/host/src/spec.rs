//! `launch.json`: everything a host needs to know before it starts, written by the daemon.
//!
//! It carries the agent's whole environment and is therefore 0600; it is read once.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::engine::Size;
pub use crate::limits::Limits;
use crate::record::{self, Durability, LAUNCH_FILE};

/// Raw output kept per session by default, in bytes (`docs/design/host.md`: 64 MB).
pub const RAW_LOG_BYTES: u64 = 64 << 20;
/// Scrolled rows kept per session by default (`docs/design/host.md`: 10,000).
pub const HISTORY_ROWS: u64 = 10_000;

/// How much of a session's past is kept; whole segments are dropped beyond that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Caps {
    /// Raw output, in bytes.
    pub raw_log_bytes: u64,
    /// Rows that scrolled off the primary screen.
    pub history_rows: u64,
}

impl Default for Caps {
    fn default() -> Self {
        Self { raw_log_bytes: RAW_LOG_BYTES, history_rows: HISTORY_ROWS }
    }
}

/// Where the session's control group is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CgroupParent {
    /// Below the host's own group on the cgroup2 mount, if that is writable.
    #[default]
    Own,
    /// Below this directory, if it is writable.
    At(PathBuf),
    /// None is made.
    Off,
}

/// One launch of one agent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchSpec {
    /// Id of this launch; the host never answers for another.
    pub launch: String,
    /// Session it belongs to.
    pub session: String,
    /// Program and arguments; a program without `/` is looked up in `PATH` of `env`.
    pub argv: Vec<String>,
    /// Working directory of the program, absolute.
    pub cwd: PathBuf,
    /// The program's complete environment; `TERM` is set by the host.
    pub env: BTreeMap<String, String>,
    /// First size of the terminal.
    pub size: Size,
    /// Where the host listens; at most 107 bytes.
    pub socket: PathBuf,
    /// Limits of what is kept.
    #[serde(default)]
    pub caps: Caps,
    /// Where the control group is made.
    #[serde(default)]
    pub cgroup: CgroupParent,
    /// What it may use.
    #[serde(default)]
    pub limits: Limits,
}

impl std::fmt::Debug for LaunchSpec {
    /// Shows no values of the environment: they hold the user's keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LaunchSpec")
            .field("launch", &self.launch)
            .field("session", &self.session)
            .field("argv", &self.argv)
            .field("cwd", &self.cwd)
            .field("env", &self.env.keys())
            .field("size", &self.size)
            .field("socket", &self.socket)
            .field("caps", &self.caps)
            .field("cgroup", &self.cgroup)
            .field("limits", &self.limits)
            .finish()
    }
}

impl LaunchSpec {
    /// Reads `launch.json` of a launch directory.
    ///
    /// # Errors
    /// When it is missing, unreadable or not a launch.
    pub fn read(launch_dir: &Path) -> io::Result<Self> {
        let mut spec: Self = record::read_json(&launch_dir.join(LAUNCH_FILE))?;
        spec.size = Size::clamped(spec.size.cols, spec.size.rows);
        if spec.argv.first().is_none_or(String::is_empty) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "launch.json names no program"));
        }
        Ok(spec)
    }

    /// Writes `launch.json` into a launch directory, which is made when missing (0700).
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn write(&self, launch_dir: &Path) -> io::Result<()> {
        crate::files::private_dir(launch_dir)?;
        record::write_json(&launch_dir.join(LAUNCH_FILE), self, Durability::Process)
    }
}
