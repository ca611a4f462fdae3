//! The journal: every committed event of the data root in one place, in plain files, written by one.
//!
//! It decides nothing and applies nothing: the supervisor gives it finished records and folds them back at start-up.
//! All calls are synchronous.
//!
//! # Files in the data directory
//! | name | what it is |
//! |---|---|
//! | `events.jsonl` | the active file; lines are appended to it |
//! | `events-<from>-<to>.jsonl` | closed segments by the numbers of their first and last line; never changed again |
//! | `snapshot.json` | the state after a certain line, replaced atomically ([`snapshot`]) |
//! | `events.reserve` | room that is given up to record that the disk is full |
//! | `events.lock` | held while the journal is open; contains the holder's process id |
//!
//! The lines' format is described in [`line`]. Lines are never rewritten, so what a newer version wrote survives an
//! older one. Segments that a snapshot covers may be moved away; they are then missing only in what [`Reader`] can read.
//!
//! # What is promised
//! A record whose commit reported it as synced is there after a crash or a power loss. A record that was committed and
//! not yet synced is there after a crash of the daemon, and may be missing after a power loss together with all records
//! after it, never before it. What cannot be read is reported and left alone, except the torn end that a crash leaves
//! ([`recover`]).

mod active;
pub mod disk;
pub mod line;
mod lock;
mod mend;
pub mod read;
pub mod record;
pub mod recover;
mod segment;
pub mod snapshot;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ao_core::kind::Kind;
use serde::{Serialize, de::DeserializeOwned};

use active::{Active, Mark};
use disk::{Access, Disk, LocalDisk};
use line::{EncodeError, Head};
use lock::{Lock, LockError};
use read::{Reader, SharedIndex};
use record::Record;
use recover::{OpenError, Opened, Recovered, Reserve};
use segment::Segment;
use snapshot::SnapshotWriteError;

/// The lock file.
const LOCK: &str = "events.lock";
/// The reserve file.
const RESERVE: &str = "events.reserve";
/// Size of the reserve in bytes (`docs/design/journal.md`): ample for one line, even on a file system whose blocks are large.
const RESERVE_BYTES: u64 = 1 << 20;
/// Encoding space that is kept between commits, in bytes; an ordinary turn needs some kilobytes.
const KEPT_BUFFER: usize = 256 << 10;

/// When the active file is closed and a snapshot is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Lines in the active file.
    pub lines: u64,
    /// Length of the active file in bytes.
    pub bytes: u64,
}

impl Default for Limits {
    /// 10 000 lines or 8 MiB. Start-up decodes at most one active file; at the usual 100 MB/s and more of JSON decoding
    /// this stays below a tenth of a second, and a snapshot is written seldom enough to cost nothing.
    fn default() -> Self {
        Self { lines: 10_000, bytes: 8 << 20 }
    }
}

/// What a commit promises when it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The system has it: it survives the end of this process, perhaps not a power loss. It becomes durable with the
    /// next commit that is synced.
    Written,
    /// The disk has it, and everything before it.
    Synced,
}

/// What a commit achieved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Number of the last committed line, 0 if there is none.
    pub last_seq: u64,
    /// Number of the last line that is known to be on the disk.
    pub synced_seq: u64,
}

/// The disk failed and the journal takes no more records until it is mended ([`Journal::mend`]); reading goes on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path} could not be {doing}: {reason}; ao reads on and changes nothing more until the disk takes writes again{}",
    match .leftover { 0 => String::new(), bytes => format!(" ({bytes} bytes that are not committed could not be removed)") })]
pub struct StorageFailed {
    /// The file or directory.
    pub path: PathBuf,
    /// What was tried, as a participle.
    pub doing: &'static str,
    /// What the system said.
    pub reason: String,
    /// Bytes after the last committed line that could not be removed. Whole lines among them would come back at the
    /// next start-up although they were refused.
    pub leftover: u64,
}

/// Why records were not committed: none of them was.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The disk failed, now or before.
    #[error(transparent)]
    Storage(#[from] StorageFailed),
    /// A record cannot be written as a line; a bug in the caller. The journal goes on.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// A record's number does not follow; a bug in the caller. The journal goes on.
    #[error("record {found} was given where {expected} must follow")]
    Sequence {
        /// The number that had to come.
        expected: u64,
        /// The number that was given.
        found: u64,
    },
}

impl AppendError {
    /// Returns what it means for the caller.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Storage(_) => Kind::StorageFailed,
            Self::Encode(_) | Self::Sequence { .. } => Kind::Bug,
        }
    }
}

/// Why there is no new snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The disk failed, now or before.
    #[error(transparent)]
    Storage(#[from] StorageFailed),
    /// The segment could not be closed; nothing changed, and the journal goes on.
    #[error("{path} cannot be closed under a name of its own")]
    Close {
        /// The active file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The snapshot was not written; the journal goes on.
    #[error(transparent)]
    Write(#[from] SnapshotWriteError),
}

/// An open journal and what it said, or why it does not open.
pub type OpenResult<E, D, F, S> = Result<(Journal, Opened<E, D, F, S>), OpenError>;

/// Whether the disk can still be trusted.
#[derive(Debug)]
enum Health {
    Good,
    Failed { cause: StorageFailed, last_words: LastWords },
}

/// Whether the failure may still be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LastWords {
    Possible,
    Spent,
}

/// The open journal; the only writer.
#[derive(Debug)]
pub struct Journal {
    dir: PathBuf,
    disk: Arc<dyn Disk>,
    limits: Limits,
    active: Active,
    /// After a failed snapshot: the length in lines below which it is not tried again.
    postponed_to: u64,
    buffer: Vec<u8>,
    health: Health,
    index: SharedIndex,
    _lock: Lock,
}

impl Journal {
    /// Opens the journal in `dir`, an existing directory, and returns what it says.
    ///
    /// # Errors
    /// [`OpenError`]; then no file was changed.
    pub fn open<E, D, F, S>(dir: &Path) -> OpenResult<E, D, F, S>
    where
        E: DeserializeOwned,
        D: DeserializeOwned,
        F: DeserializeOwned,
        S: DeserializeOwned,
    {
        Self::open_on(Arc::new(LocalDisk), dir, Limits::default())
    }

    /// Like [`Journal::open`], on a given disk and with given limits.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open_on<E, D, F, S>(disk: Arc<dyn Disk>, dir: &Path, limits: Limits) -> OpenResult<E, D, F, S>
    where
        E: DeserializeOwned,
        D: DeserializeOwned,
        F: DeserializeOwned,
        S: DeserializeOwned,
    {
        let lock_path = dir.join(LOCK);
        let lock = Lock::take(&lock_path).map_err(|e| match e {
            LockError::Held(pid) => OpenError::Locked { path: lock_path.clone(), pid },
            LockError::Io(source) => OpenError::Io { path: lock_path.clone(), doing: "locked", source },
        })?;
        let Recovered { snapshot, snapshot_problem, records, skipped, cut, index, lines, active } =
            recover::recover(disk.as_ref(), dir)?;
        let reserve = match hold_reserve(disk.as_ref(), dir) {
            Ok(()) => Reserve::Held,
            Err(e) => Reserve::Missing(e.to_string()),
        };
        let mark = Mark { seq: index.last_seq, len: index.len, lines };
        let journal = Self {
            dir: dir.to_owned(),
            disk,
            limits,
            active: Active::new(active, index.active_from, mark),
            postponed_to: 0,
            buffer: Vec::new(),
            health: Health::Good,
            index: SharedIndex::new(index),
            _lock: lock,
        };
        Ok((journal, Opened { snapshot, records, cut, skipped, snapshot_problem, reserve }))
    }

    /// Returns the number that the next record must have.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.active.written().seq + 1
    }

    /// Returns what is committed and what of it is on the disk.
    #[must_use]
    pub fn committed(&self) -> Committed {
        Committed { last_seq: self.active.written().seq, synced_seq: self.active.synced().seq }
    }

    /// Returns why no more records are taken, if so.
    #[must_use]
    pub fn failure(&self) -> Option<&StorageFailed> {
        match &self.health {
            Health::Good => None,
            Health::Failed { cause, .. } => Some(cause),
        }
    }

    /// Returns a reader, which works from any thread.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader::new(self.dir.clone(), Arc::clone(&self.disk), self.index.clone())
    }

    /// Commits the records of one turn, numbered from [`Journal::next_seq`], with one write and at most one sync:
    /// all of them or none. No record and [`Durability::Synced`] only makes durable what was committed before.
    ///
    /// Facts may change, and effects be performed, only after this returned.
    ///
    /// # Errors
    /// After [`AppendError::Storage`] the journal stays failed until [`Journal::mend`]. When the sync failed, the unsynced records of earlier
    /// turns are taken back as well, because nobody knows whether the disk has them: [`Journal::next_seq`] goes back.
    pub fn append<E, D, F>(
        &mut self,
        records: &[Record<E, D, F>],
        durability: Durability,
    ) -> Result<Committed, AppendError>
    where
        E: Serialize,
        D: Serialize,
        F: Serialize,
    {
        self.refuse_if_failed()?;
        let end = self.encode(records)?;
        self.write(end)?;
        match durability {
            Durability::Written => {}
            Durability::Synced => self.sync_written()?,
        }
        // Only now, so that no reader sees a line that a failed sync takes back.
        self.publish();
        Ok(self.committed())
    }

    /// Makes durable what was committed; costs nothing when all of it is.
    ///
    /// # Errors
    /// [`StorageFailed`]; see [`Journal::append`].
    pub fn sync(&mut self) -> Result<Committed, StorageFailed> {
        self.refuse_if_failed()?;
        self.sync_written()?;
        Ok(self.committed())
    }

    /// Records the failure itself, once: gives up the reserve for the room and commits `record`, numbered
    /// [`Journal::next_seq`], durably. The journal stays failed either way.
    ///
    /// # Errors
    /// [`AppendError::Storage`] with the first failure when the record could not be committed, when that was tried
    /// before, or when the failure left no file to write to. [`AppendError::Sequence`] and [`AppendError::Encode`] as
    /// in [`Journal::append`].
    pub fn record_failure<E, D, F>(&mut self, record: &Record<E, D, F>) -> Result<Committed, AppendError>
    where
        E: Serialize,
        D: Serialize,
        F: Serialize,
    {
        let Health::Failed { cause, last_words } = &self.health else {
            return self.append(std::slice::from_ref(record), Durability::Synced);
        };
        let cause = cause.clone();
        if *last_words == LastWords::Spent {
            return Err(cause.into());
        }
        let end = self.encode(std::slice::from_ref(record))?;
        // A reserve that is gone already gives no room, and then the write says so.
        let _ = self.disk.remove(&self.dir.join(RESERVE));
        let before = self.active.written();
        let recorded = self.active.write_last(&self.buffer, end);
        let leftover = match recorded {
            Ok(()) => 0,
            Err(_) => self.active.take_back(before),
        };
        self.publish();
        let told = StorageFailed { leftover, ..cause };
        self.health = Health::Failed { cause: told.clone(), last_words: LastWords::Spent };
        if recorded.is_ok() { Ok(self.committed()) } else { Err(told.into()) }
    }

    /// Tells whether the active file is long enough to be closed.
    #[must_use]
    pub fn snapshot_due(&self) -> bool {
        self.is_long() && self.active.written().lines >= self.postponed_to
    }

    /// Writes `state`, which must be the state after the last committed record, as the snapshot; and first closes the
    /// active file if it is long. `at` is wall time in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// Except after [`SnapshotError::Storage`] the journal goes on; [`Journal::snapshot_due`] then waits a while.
    pub fn snapshot<S: Serialize>(&mut self, at: u64, state: &S) -> Result<(), SnapshotError> {
        self.refuse_if_failed()?;
        let done = self.close_and_write(at, state);
        self.postponed_to = match done {
            Ok(()) => 0,
            // A tenth of a segment later: soon enough, and not every turn.
            Err(_) => self.active.written().lines + self.limits.lines / 10 + 1,
        };
        done
    }

    fn close_and_write<S: Serialize>(&mut self, at: u64, state: &S) -> Result<(), SnapshotError> {
        // A snapshot must never be ahead of the lines that the disk has.
        self.sync_written()?;
        if self.is_long() {
            self.close_segment()?;
        }
        let head = Head { seq: self.active.written().seq, at };
        Ok(snapshot::write(self.disk.as_ref(), &self.dir, head, state)?)
    }

    fn is_long(&self) -> bool {
        let Mark { lines, len, .. } = self.active.written();
        lines > 0 && (lines >= self.limits.lines || len >= self.limits.bytes)
    }

    /// Gives the active file its closed name and begins a new one. The directory is synced in between, so that a power
    /// loss cannot keep the new file and lose the old one's name.
    fn close_segment(&mut self) -> Result<(), SnapshotError> {
        let active = self.dir.join(segment::ACTIVE);
        let closed = Segment { from: self.active.from(), to: self.active.written().seq };
        // Under the index's lock: a reader that finds the file gone finds the index changed when it looks again.
        let renamed = self.index.change(|index| {
            self.disk.rename(&active, &self.dir.join(closed.name()))?;
            Arc::make_mut(&mut index.closed).push(closed);
            index.active_from = closed.to + 1;
            index.len = 0;
            Ok(())
        });
        if let Err(source) = renamed {
            return Err(SnapshotError::Close { path: active, source });
        }
        self.active.close();
        let begin = || {
            self.disk.sync_dir(&self.dir)?;
            let file = self.disk.open(&active, Access::Create)?;
            self.disk.sync_dir(&self.dir)?;
            Ok(file)
        };
        match begin() {
            Ok(file) => {
                self.active.replace(file);
                Ok(())
            }
            Err(e) => {
                let e: io::Error = e;
                let cause = StorageFailed { path: active, doing: "begun", reason: e.to_string(), leftover: 0 };
                // The open file is the closed segment, which is not written any more.
                self.health = Health::Failed { cause: cause.clone(), last_words: LastWords::Spent };
                Err(cause.into())
            }
        }
    }

    fn refuse_if_failed(&self) -> Result<(), StorageFailed> {
        self.failure().map_or(Ok(()), |cause| Err(cause.clone()))
    }

    /// Fills the buffer and returns the mark that writing it leads to.
    fn encode<E, D, F>(&mut self, records: &[Record<E, D, F>]) -> Result<Mark, AppendError>
    where
        E: Serialize,
        D: Serialize,
        F: Serialize,
    {
        self.buffer.clear();
        self.buffer.shrink_to(KEPT_BUFFER);
        let mut end = self.active.written();
        for record in records {
            let expected = end.seq + 1;
            if record.seq != expected {
                return Err(AppendError::Sequence { expected, found: record.seq });
            }
            line::encode(&mut self.buffer, record)?;
            end.seq = expected;
            end.lines += 1;
        }
        end.len += self.buffer.len() as u64;
        Ok(end)
    }

    /// Writes the buffer.
    fn write(&mut self, end: Mark) -> Result<(), StorageFailed> {
        // Earlier turns that are not synced stay: nothing went wrong with them.
        self.active.write(&self.buffer, end).map_err(|e| self.fail("written", &e, self.active.written()))
    }

    fn sync_written(&mut self) -> Result<(), StorageFailed> {
        // After a failed sync the system may have dropped what it held, so only what was synced before is good.
        self.active.sync().map_err(|e| self.fail("synced", &e, self.active.synced()))
    }

    /// Goes back to `good` and takes no more records.
    fn fail(&mut self, doing: &'static str, error: &io::Error, good: Mark) -> StorageFailed {
        let leftover = self.active.take_back(good);
        self.publish();
        let path = self.dir.join(segment::ACTIVE);
        let cause = StorageFailed { path, doing, reason: error.to_string(), leftover };
        self.health = Health::Failed { cause: cause.clone(), last_words: LastWords::Possible };
        cause
    }

    /// Tells the readers what is committed.
    fn publish(&self) {
        let Mark { seq, len, .. } = self.active.written();
        self.index.change(|index| {
            index.last_seq = seq;
            index.len = len;
        });
    }
}

/// Makes the reserve file unless it is there.
fn hold_reserve(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    let path = dir.join(RESERVE);
    let held = disk.open(&path, Access::Read).and_then(|file| file.len());
    match held {
        Ok(RESERVE_BYTES) => Ok(()),
        Ok(_) | Err(_) => disk.allocate(&path, RESERVE_BYTES),
    }
}
