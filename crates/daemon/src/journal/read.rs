//! Reading committed lines by number, from any thread, while the journal is being written.
//!
//! It never sees a line that is only half written, and it takes part in no decision: whoever wants to follow the
//! journal is told by the daemon's bus that there is more.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use ao_core::kind::Kind;
use serde::de::DeserializeOwned;

use super::disk::{Access, Disk, DiskFile};
use super::line::{self, BadLine, Decoded, Flaw};
use super::record::Record;
use super::segment::{self, Lines, Segment};

/// One page ends when it holds this many bytes, so that a request for everything does not load everything.
const PAGE_BYTES: usize = 1 << 20;

/// How often a reader looks again when the active file was closed between its look at the index and its look at the
/// file. Closing happens once in thousands of lines, so a second look already sees the new file.
const LOOKS: usize = 4;

/// Which file holds which lines.
#[derive(Clone, Debug)]
pub(super) struct Index {
    /// Closed segments in order.
    pub(super) closed: Arc<Vec<Segment>>,
    /// Number of the first line of the active file, also when it has none yet.
    pub(super) active_from: u64,
    /// Number of the last committed line.
    pub(super) last_seq: u64,
    /// Committed length of the active file in bytes.
    pub(super) len: u64,
}

/// The index, shared between the writer and its readers. The lock is held for a copy or an assignment, and for the one
/// rename that an assignment must not be seen apart from.
#[derive(Clone, Debug)]
pub(super) struct SharedIndex(Arc<RwLock<Index>>);

impl SharedIndex {
    pub(super) fn new(index: Index) -> Self {
        Self(Arc::new(RwLock::new(index)))
    }

    pub(super) fn get(&self) -> Index {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Index) -> T) -> T {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A line as it lies in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLine {
    /// Its number.
    pub seq: u64,
    /// Its text without the newline: one JSON object, with the fields that this version does not know.
    pub json: String,
}

/// A part of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What was found, in order. It may be empty before the end, when all that was read is to be skipped.
    pub items: Vec<T>,
    /// The number to ask for next. Nothing was left out before it; it is `last_seq + 1` at the end.
    pub next: u64,
}

/// Why lines cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The wanted line is in no file any more: its segment was moved away.
    #[error("line {wanted} is no longer in the journal; the next one that is there is {oldest}")]
    Gone {
        /// The line that was asked for.
        wanted: u64,
        /// The first line after it that can be read (perhaps not yet written).
        oldest: u64,
    },
    /// A line cannot be believed.
    #[error(transparent)]
    BadLine(#[from] BadLine),
    /// A file cannot be read.
    #[error("{path} cannot be read")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The active file is not the one that this journal writes, however often one looks.
    #[error("{path} was replaced by another file")]
    Replaced {
        /// The file.
        path: PathBuf,
    },
}

impl ReadError {
    /// Returns what it means for the caller.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Gone { .. } => Kind::NotFound,
            Self::BadLine(_) | Self::Io { .. } | Self::Replaced { .. } => Kind::StorageFailed,
        }
    }
}

/// Reads committed lines; cheap to clone, usable while the journal is written and after its storage failed.
#[derive(Clone, Debug)]
pub struct Reader {
    dir: PathBuf,
    disk: Arc<dyn Disk>,
    index: SharedIndex,
}

impl Reader {
    pub(super) fn new(dir: PathBuf, disk: Arc<dyn Disk>, index: SharedIndex) -> Self {
        Self { dir, disk, index }
    }

    /// Returns the number of the last committed line, 0 if there is none.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.index.get().last_seq
    }

    /// Reads at most `limit` records, the first with number `from` (0 counts as 1); nothing when `from` lies in the
    /// future. A page also ends after about a megabyte. Lines of a newer version that say `"skip": true` are left out.
    ///
    /// # Errors
    /// [`ReadError::Gone`] when `from` lies in a segment that is not there any more.
    pub fn read_from<E, D, F>(&self, from: u64, limit: usize) -> Result<Page<Record<E, D, F>>, ReadError>
    where
        E: DeserializeOwned,
        D: DeserializeOwned,
        F: DeserializeOwned,
    {
        let mut items = Vec::new();
        let next = self.read(from, limit, |line| match line::decode(line)? {
            Decoded::Record(record) => {
                items.push(record);
                Ok(())
            }
            Decoded::Skip { .. } => Ok(()),
        })?;
        Ok(Page { items, next })
    }

    /// Like [`Reader::read_from`], but returns the lines as they are, skippable ones too, without decoding them.
    ///
    /// # Errors
    /// As [`Reader::read_from`].
    pub fn read_lines(&self, from: u64, limit: usize) -> Result<Page<StoredLine>, ReadError> {
        let mut items: Vec<StoredLine> = Vec::new();
        let next = self.read(from, limit, |line| {
            let head = line::check(line)?;
            let json = String::from_utf8(line.to_vec()).map_err(|e| Flaw::Json(e.to_string()))?;
            items.push(StoredLine { seq: head.seq, json });
            Ok(())
        })?;
        Ok(Page { items, next })
    }

    /// Gives checked lines to `take` and returns the number after the last of them.
    fn read(&self, from: u64, limit: usize, mut take: impl FnMut(&[u8]) -> Result<(), Flaw>) -> Result<u64, ReadError> {
        let mut page = Progress { next: from.max(1), lines: limit, bytes: PAGE_BYTES };
        let mut looks = 0;
        loop {
            let index = self.index.get();
            if page.next > index.last_seq || page.is_full() {
                return Ok(page.next);
            }
            let source = Source::holding(page.next, &index)?;
            match self.read_source(&source, &mut page, &mut take)? {
                Outcome::Read => looks = 0,
                Outcome::Short => return Ok(page.next),
                Outcome::OtherFile if looks < LOOKS => looks += 1,
                Outcome::OtherFile => return Err(ReadError::Replaced { path: self.dir.join(source.name) }),
            }
        }
    }

    /// Reads on in one file until it ends or the page is full.
    fn read_source(
        &self,
        source: &Source,
        page: &mut Progress,
        take: &mut impl FnMut(&[u8]) -> Result<(), Flaw>,
    ) -> Result<Outcome, ReadError> {
        let path = self.dir.join(&source.name);
        let io_error = |source| ReadError::Io { path: path.clone(), source };
        let file = match self.disk.open(&path, Access::Read) {
            Ok(file) => file,
            Err(e) if source.len.is_some() && e.kind() == io::ErrorKind::NotFound => return Ok(Outcome::OtherFile),
            Err(e) => return Err(io_error(e)),
        };
        let len = match source.len {
            Some(_) if first_seq(file.as_ref()).map_err(io_error)? != Some(source.from) => {
                return Ok(Outcome::OtherFile);
            }
            Some(len) => len,
            None => file.len().map_err(io_error)?,
        };
        let start = segment::locate(file.as_ref(), len, page.next).map_err(io_error)?;
        let mut lines = Lines::new(file.as_ref(), start, len);
        let mut expected = None;
        while page.next <= source.to && !page.is_full() {
            let Some(line) = lines.next().map_err(io_error)? else {
                return Ok(Outcome::Short);
            };
            let checked = line::check(line.bytes).and_then(|head| match expected {
                Some(expected) if expected != head.seq => Err(Flaw::Sequence { expected, found: head.seq }),
                None if head.seq > page.next => Err(Flaw::Sequence { expected: page.next, found: head.seq }),
                Some(_) | None => Ok(head.seq),
            });
            let wanted = checked.and_then(|seq| {
                expected = Some(seq + 1);
                if seq < page.next {
                    return Ok(0);
                }
                take(line.bytes).map(|()| line.bytes.len())
            });
            match wanted {
                Ok(0) => {}
                Ok(bytes) => page.took(bytes),
                Err(flaw) => return Err(bad_line(&path, file.as_ref(), line.offset, flaw)),
            }
        }
        Ok(Outcome::Read)
    }
}

/// How far a page has come.
#[derive(Debug)]
struct Progress {
    next: u64,
    lines: usize,
    bytes: usize,
}

impl Progress {
    fn is_full(&self) -> bool {
        self.lines == 0 || self.bytes == 0
    }

    fn took(&mut self, bytes: usize) {
        self.next += 1;
        self.lines -= 1;
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

/// What came of one file.
#[derive(Debug)]
enum Outcome {
    /// All of it that was wanted was read.
    Read,
    /// It ended before the index said: its storage failed and unsynced lines were taken back meanwhile.
    Short,
    /// The name belongs to another file by now.
    OtherFile,
}

/// A file with the range of lines that the index promises in it.
#[derive(Debug)]
struct Source {
    name: String,
    from: u64,
    to: u64,
    /// Committed length, for the active file.
    len: Option<u64>,
}

impl Source {
    /// Finds the file that holds line `seq`, which must not be past the last one.
    fn holding(seq: u64, index: &Index) -> Result<Self, ReadError> {
        let after = index.closed.partition_point(|segment| segment.to < seq);
        let (source, first) = match index.closed.get(after) {
            Some(segment) => {
                let source = Self { name: segment.name(), from: segment.from, to: segment.to, len: None };
                (source, segment.from)
            }
            None => {
                let name = segment::ACTIVE.to_owned();
                let source = Self { name, from: index.active_from, to: index.last_seq, len: Some(index.len) };
                (source, index.active_from)
            }
        };
        if first <= seq { Ok(source) } else { Err(ReadError::Gone { wanted: seq, oldest: first }) }
    }
}

/// Reads the number of a file's first line, if it has one that can be read.
fn first_seq(file: &dyn DiskFile) -> io::Result<Option<u64>> {
    let mut opening = [0; line::SEQ_PREFIX];
    let read = file.read_at(&mut opening, 0)?;
    Ok(line::peek_seq(&opening[..read]))
}

/// Says where the bad line is; its number is counted only now, because searching skipped lines.
fn bad_line(path: &Path, file: &dyn DiskFile, offset: u64, flaw: Flaw) -> ReadError {
    match segment::line_number(file, offset) {
        Ok(line) => ReadError::BadLine(BadLine { path: path.to_owned(), line, offset, flaw }),
        Err(source) => ReadError::Io { path: path.to_owned(), source },
    }
}
