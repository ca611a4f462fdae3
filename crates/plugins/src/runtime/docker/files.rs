//! What a launch keeps on disk for its container: `container/` in the launch's directory, mode 0700.
//!
//! ```text
//! container.json   which container, and where its engine listens
//! end.json         how it ended
//! gate/            shared with the container: a pipe that lets the agent begin, and what it found missing
//! spool/  run/     shared with the container: what its hooks call
//! ```

use super::end::End;
use ao_host::record::{self, Durability};
use serde::{Deserialize, Serialize};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// Directories are for their owner, who the container's user is.
const PRIVATE: u32 = 0o700;

/// The pipe that the agent's start waits for.
pub(super) const GATE: &str = "gate";

/// What the start leaves when there is no such program.
pub(super) const MISSING: &str = "missing";

/// Which container a launch has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Its engine's socket.
    pub socket: PathBuf,
    /// Its id.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// Its image.
    pub image: String,
    /// The agent's program.
    pub program: String,
    /// The launch.
    pub launch: String,
    /// The session.
    pub session: String,
    /// The data root, when hooks can be called.
    pub data_root: Option<PathBuf>,
    /// Its memory limit, in bytes.
    pub memory: Option<u64>,
}

/// The directory.
#[derive(Clone, Debug)]
pub(super) struct Files {
    dir: PathBuf,
}

impl Files {
    /// Of the launch with this directory.
    pub(super) fn new(launch_dir: &Path) -> Self {
        Self { dir: launch_dir.join("container") }
    }

    /// The part with the pipe.
    pub(super) fn gate(&self) -> PathBuf {
        self.dir.join("gate")
    }

    /// The part that hooks write into.
    pub(super) fn spool(&self) -> PathBuf {
        self.dir.join("spool")
    }

    /// The part with the socket that hooks nudge.
    pub(super) fn run(&self) -> PathBuf {
        self.dir.join("run")
    }

    /// Held by whoever starts a new host for a container that has lost its own.
    pub(super) fn lock(&self) -> PathBuf {
        self.dir.join("revival.lock")
    }

    /// A place for what a host that is gone has left, not made yet.
    pub(super) fn next_before(&self) -> PathBuf {
        self.dir.join(format!("before-{}", self.befores().len() + 1))
    }

    /// Where the last such host's files lie.
    pub(super) fn before(&self) -> Option<PathBuf> {
        self.befores().pop()
    }

    fn befores(&self) -> Vec<PathBuf> {
        (1..).map(|n: u32| self.dir.join(format!("before-{n}"))).take_while(|dir| dir.is_dir()).collect()
    }

    /// Makes everything that is shared with a container.
    pub(super) fn make(&self) -> io::Result<()> {
        for dir in [self.gate(), self.spool(), self.run()] {
            std::fs::DirBuilder::new().recursive(true).mode(PRIVATE).create(dir)?;
        }
        match ao_host::platform::make_fifo(&self.gate().join(GATE)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// The record; none for a launch that never got a container.
    pub(super) fn record(&self) -> io::Result<Option<Record>> {
        optional(record::read_json(&self.dir.join("container.json")))
    }

    /// Keeps the record.
    pub(super) fn keep(&self, kept: &Record) -> io::Result<()> {
        record::write_json(&self.dir.join("container.json"), kept, Durability::Process)
    }

    /// How the container ended; none while nobody has seen that.
    pub(super) fn end(&self) -> io::Result<Option<End>> {
        optional(record::read_json(&self.dir.join("end.json")))
    }

    /// Keeps how it ended.
    pub(super) fn keep_end(&self, end: &End) -> io::Result<()> {
        record::write_json(&self.dir.join("end.json"), end, Durability::Power)
    }

    /// Completes an end with what the start left behind.
    pub(super) fn completed(&self, end: End) -> End {
        End { missing: self.gate().join(MISSING).exists(), ..end }
    }
}

fn optional<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
