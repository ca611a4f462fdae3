//! One daemon per data root: a lock for its life, and a file that says how to find it.

use crate::paths::Paths;
use ao_api::project::DaemonFile;
use rustix::fs::{FlockOperation, flock};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Held by the one daemon; dropping it lets the next one in.
#[derive(Debug)]
pub struct Instance {
    _lock: File,
}

/// Why there is no instance.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// Another daemon has this data root.
    #[error("another daemon has the data root {root}")]
    Taken {
        /// The data root.
        root: String,
    },
    /// A file could not be made.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
}

impl Instance {
    /// Takes the data root, making it if it is not there.
    ///
    /// # Errors
    /// [`InstanceError`].
    pub fn take(paths: &Paths) -> Result<Self, InstanceError> {
        for dir in [paths.root().to_owned(), paths.run()] {
            let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir);
            made.map_err(|source| InstanceError::Io { path: dir.display().to_string(), source })?;
        }
        let path = paths.daemon_lock();
        let io = |source| InstanceError::Io { path: path.display().to_string(), source };
        let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(io)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _lock: lock }),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                Err(InstanceError::Taken { root: paths.root().display().to_string() })
            }
            Err(e) => Err(InstanceError::Io { path: path.display().to_string(), source: e.into() }),
        }
    }

    /// Says how to find this daemon.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn announce(&self, paths: &Paths, file: &DaemonFile) -> io::Result<()> {
        let path = paths.daemon_file();
        let temporary = path.with_extension("new");
        let mut out = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        out.write_all(&serde_json::to_vec_pretty(file)?)?;
        std::fs::rename(&temporary, &path)
    }
}

/// Whether a daemon has this data root now.
#[must_use]
pub fn is_running(root: &Path) -> bool {
    let Ok(lock) = OpenOptions::new().write(true).open(Paths::new(root).daemon_lock()) else { return false };
    // A shared lock, given back at once: asking does not keep a daemon from starting.
    match flock(&lock, FlockOperation::NonBlockingLockShared) {
        Ok(()) => false,
        Err(_) => true,
    }
}

/// Start time of a process in clock ticks since boot; with its id it names one process for ever.
#[must_use]
pub fn start_time(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the name in parentheses and may hold anything; the rest is numbers.
    let rest = stat.rsplit_once(')')?.1;
    rest.split_whitespace().nth(19)?.parse().ok()
}
