//! The way back after a failure: once the disk takes writes again the journal goes on where it was good, without a restart.
//!
//! It proves before it promises: the file is cut to what was committed and synced, and the reserve is held again, so that a
//! disk that is still full stays failed.

use std::io;

use super::disk::{Access, DiskFile};
use super::{Health, Journal, StorageFailed, hold_reserve, segment};

impl Journal {
    /// Takes records again if the disk does; costs nothing while nothing failed. What was taken back stays away:
    /// [`Journal::next_seq`] says what must come next.
    ///
    /// # Errors
    /// [`StorageFailed`], with what fails now; the journal stays as it was.
    pub fn mend(&mut self) -> Result<(), StorageFailed> {
        let Health::Failed { cause, .. } = &self.health else { return Ok(()) };
        let cause = cause.clone();
        match self.proven() {
            Ok(file) => {
                self.active.mended(file);
                self.health = Health::Good;
                self.publish();
                Ok(())
            }
            Err(error) => Err(StorageFailed { reason: error.to_string(), ..cause }),
        }
    }

    /// The active file, opened anew and shown to hold what was committed and nothing else.
    fn proven(&self) -> io::Result<Box<dyn DiskFile>> {
        let path = self.dir.join(segment::ACTIVE);
        let good = self.active.written();
        let file = match self.disk.open(&path, Access::Write) {
            // The failure came between closing a segment and beginning the next one.
            Err(error) if error.kind() == io::ErrorKind::NotFound && good.len == 0 => {
                let file = self.disk.open(&path, Access::Create)?;
                self.disk.sync_dir(&self.dir)?;
                file
            }
            other => other?,
        };
        let len = file.len()?;
        if len < good.len {
            return Err(io::Error::other(format!("{len} bytes are there of {} that were committed", good.len)));
        }
        if len > good.len {
            file.set_len(good.len)?;
        }
        file.sync()?;
        hold_reserve(self.disk.as_ref(), &self.dir)?;
        Ok(file)
    }
}
