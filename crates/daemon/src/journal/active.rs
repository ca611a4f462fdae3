//! The file that is being written: how far it is good, and the way back to there.
//!
//! It reports what the disk did and leaves it to the journal to stop.

use std::io;

use super::disk::DiskFile;

/// A point up to which the active file is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Number of the last line before it.
    pub(super) seq: u64,
    /// Length of the file there, in bytes.
    pub(super) len: u64,
    /// Lines of the file before it.
    pub(super) lines: u64,
}

/// The active file with its marks. Invariant: `synced` is never after `written`.
#[derive(Debug)]
pub(super) struct Active {
    file: Box<dyn DiskFile>,
    /// Number of the first line, also when there is none yet.
    from: u64,
    written: Mark,
    synced: Mark,
}

impl Active {
    /// Goes on with a file that is good and synced up to `mark`.
    pub(super) fn new(file: Box<dyn DiskFile>, from: u64, mark: Mark) -> Self {
        Self { file, from, written: mark, synced: mark }
    }

    pub(super) fn from(&self) -> u64 {
        self.from
    }

    pub(super) fn written(&self) -> Mark {
        self.written
    }

    pub(super) fn synced(&self) -> Mark {
        self.synced
    }

    /// Writes in one piece at the end. A part of it is a failure: the disk is full or worse, and trying on would only
    /// leave more to take back.
    pub(super) fn write(&mut self, bytes: &[u8], end: Mark) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let taken = loop {
            match self.file.write_at(bytes, self.written.len) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        if taken < bytes.len() {
            let said = format!("only {taken} of {} bytes were taken", bytes.len());
            return Err(io::Error::new(io::ErrorKind::WriteZero, said));
        }
        self.written = end;
        Ok(())
    }

    /// Makes durable what was written; does nothing when all of it is.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if self.synced != self.written {
            self.file.sync()?;
            self.synced = self.written;
        }
        Ok(())
    }

    /// Goes back to `good` and cuts the file there; returns how many bytes stay after it.
    pub(super) fn take_back(&mut self, good: Mark) -> u64 {
        self.written = good;
        match self.file.set_len(good.len) {
            Ok(()) => {
                // Best effort on a disk that has just failed; the cut is what everybody sees in any case.
                let _ = self.file.sync();
                0
            }
            Err(_) => self.file.len().map_or(0, |len| len.saturating_sub(good.len)),
        }
    }

    /// Writes one more thing after a failure, durably: everything or nothing.
    pub(super) fn write_last(&mut self, bytes: &[u8], end: Mark) -> io::Result<()> {
        // What the failure left over would otherwise be joined to it.
        self.file.set_len(self.written.len)?;
        self.write(bytes, end)?;
        self.sync()
    }

    /// Goes on in a file that was shown to be good and synced up to where this one was.
    pub(super) fn mended(&mut self, file: Box<dyn DiskFile>) {
        self.file = file;
        self.synced = self.written;
    }

    /// Counts from here on as empty: its lines belong to a closed segment now.
    pub(super) fn close(&mut self) {
        self.from = self.written.seq + 1;
        self.written = Mark { len: 0, lines: 0, ..self.written };
        self.synced = self.written;
    }

    /// Goes on in a new file after [`Active::close`].
    pub(super) fn replace(&mut self, file: Box<dyn DiskFile>) {
        self.file = file;
    }
}
