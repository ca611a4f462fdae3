//! The journal's own lock: one writer, whoever asks.
//!
//! It is a second line behind the daemon's lock, so it never waits and never takes a lock over; the kernel drops it
//! with the process.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Held as long as the journal is open.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

/// Why the lock was not given.
#[derive(Debug)]
pub(super) enum LockError {
    /// Another open journal has it; its process id if the file tells.
    Held(Option<u32>),
    /// The file cannot be used.
    Io(io::Error),
}

impl Lock {
    /// Takes the lock on `path`, made if missing, and writes this process's id into it.
    pub(super) fn take(path: &Path) -> Result<Self, LockError> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(LockError::Io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let pid = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
                return Err(LockError::Held(pid));
            }
            Err(TryLockError::Error(e)) => return Err(LockError::Io(e)),
        }
        // The id is a courtesy to the next one who asks: a full disk must not keep the journal from opening.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a child that is just being started holds a copy of every open file until it executes
        // its program. If unlocking fails, closing still does it a moment later.
        let _ = self.file.unlock();
    }
}
