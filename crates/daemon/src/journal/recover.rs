//! Start-up: what the files say, checked as a whole before anything is touched.
//!
//! It decides nothing about the product and repairs nothing but the torn end that a crash leaves.
//!
//! What counts as a torn end of the active file: a last line without its newline; or a bad line with a sector that was
//! counted into the file's length but never written, when no good line follows. Any other bad line is damage and stops
//! start-up.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ao_core::kind::Kind;
use serde::de::DeserializeOwned;

use super::disk::{Access, Disk, DiskFile};
use super::line::{self, BadLine, Decoded, Flaw};
use super::read::Index;
use super::record::Record;
use super::segment::{self, Lines, RawLine, Segment};
use super::snapshot::{self, Snapshot, SnapshotProblem};

/// How much of a torn line is shown, in bytes: enough to recognise its event.
const CUT_PREVIEW: usize = 200;

/// The smallest piece that disks write at once, in bytes.
const SECTOR: u64 = 512;

/// What start-up found.
#[derive(Debug)]
pub struct Opened<E, D, F, S> {
    /// The state to begin with, if there is a usable snapshot; else begin with an empty one.
    pub snapshot: Option<Snapshot<S>>,
    /// The records after it, to be applied in order.
    pub records: Vec<Record<E, D, F>>,
    /// The torn end that was cut off.
    pub cut: Option<Cut>,
    /// Lines of a newer version that said `"skip": true`.
    pub skipped: Vec<Skipped>,
    /// Why the snapshot that is there was not used; then `records` is the whole history.
    pub snapshot_problem: Option<SnapshotProblem>,
    /// Whether there will be room to record that the disk is full.
    pub reserve: Reserve,
}

/// A torn end that was cut off: never promised to anybody as durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The file.
    pub path: PathBuf,
    /// Number of the torn line in the file, from 1.
    pub line: u64,
    /// Where it began, in bytes: the file's length now.
    pub offset: u64,
    /// How many bytes were cut off.
    pub bytes: u64,
    /// How it began.
    pub preview: String,
}

/// A line that this version does not know and its writer allowed to skip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its number.
    pub seq: u64,
    /// Its event's name, as far as it can be told.
    pub kind: String,
}

/// The reserve file, which is given up to record a failure of the storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reserve {
    /// It is there.
    Held,
    /// It could not be made, and why.
    Missing(String),
}

/// Why the journal does not open. Nothing was changed in any of its files.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Somebody else has it open.
    #[error("{path}: the journal is in use by {}", match .pid { Some(pid) => format!("process {pid}"), None => "another process".to_owned() })]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// Who, if the lock file tells.
        pid: Option<u32>,
    },
    /// A line cannot be believed or understood. [`Flaw::Newer`] means that an older `ao` was started on newer files.
    #[error("{0}; nothing was changed")]
    BadLine(#[from] BadLine),
    /// Lines that are needed are in no file.
    #[error(
        "{dir}: lines {needed} to {} of the journal are missing{}",
        .found - 1,
        match .problem { Some(problem) => format!(" ({problem})"), None => String::new() }
    )]
    Missing {
        /// The data directory.
        dir: PathBuf,
        /// The first line that is missing.
        needed: u64,
        /// The first line after it that is there.
        found: u64,
        /// Why the snapshot could not stand in for them.
        problem: Option<SnapshotProblem>,
    },
    /// Two closed segments claim the same line.
    #[error("{dir}: {first} and {second} hold the same lines; move one of them away")]
    Overlap {
        /// The data directory.
        dir: PathBuf,
        /// A file name.
        first: String,
        /// Another.
        second: String,
    },
    /// The snapshot is newer than the last line, which no crash can bring about.
    #[error("{path}: the journal ends at line {last} but snapshot.json stands at line {snapshot}: lines were lost")]
    SnapshotAhead {
        /// The active file.
        path: PathBuf,
        /// The last line that is there.
        last: u64,
        /// The snapshot's line.
        snapshot: u64,
    },
    /// The disk did not do as asked.
    #[error("{path} cannot be {doing}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was tried, as a participle.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl OpenError {
    /// Returns what it means for the caller.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Locked { .. } => Kind::Conflict,
            Self::BadLine(BadLine { flaw: Flaw::Newer { .. }, .. }) => Kind::Unsupported,
            Self::BadLine(_)
            | Self::Missing { .. }
            | Self::Overlap { .. }
            | Self::SnapshotAhead { .. }
            | Self::Io { .. } => Kind::StorageFailed,
        }
    }
}

/// What the writer goes on from.
#[derive(Debug)]
pub(super) struct Recovered<E, D, F, S> {
    pub(super) snapshot: Option<Snapshot<S>>,
    pub(super) snapshot_problem: Option<SnapshotProblem>,
    pub(super) records: Vec<Record<E, D, F>>,
    pub(super) skipped: Vec<Skipped>,
    pub(super) cut: Option<Cut>,
    pub(super) index: Index,
    /// Lines in the active file.
    pub(super) lines: u64,
    pub(super) active: Box<dyn DiskFile>,
}

/// Reads snapshot and lines, then cuts a torn end and makes what is left durable.
pub(super) fn recover<E, D, F, S>(disk: &dyn Disk, dir: &Path) -> Result<Recovered<E, D, F, S>, OpenError>
where
    E: DeserializeOwned,
    D: DeserializeOwned,
    F: DeserializeOwned,
    S: DeserializeOwned,
{
    let closed = segment::closed(disk, dir).map_err(|e| io_error(dir, "listed", e))?;
    refuse_overlap(dir, &closed)?;
    let (snapshot, problem) = match snapshot::read::<S>(disk, dir) {
        Ok(snapshot) => (snapshot, None),
        Err(problem) => (None, Some(problem)),
    };
    let covered = snapshot.as_ref().map_or(0, |snapshot| snapshot.seq);
    let mut scan = Scan { covered, records: Vec::new(), skipped: Vec::new() };
    let missing = |needed, found| OpenError::Missing { dir: dir.to_owned(), needed, found, problem: problem.clone() };

    // What is wholly covered is not opened: start-up costs what happened since the snapshot, not the whole history.
    let mut needed = covered + 1;
    for segment in closed.iter().filter(|segment| segment.to > covered) {
        if segment.from > needed {
            return Err(missing(needed, segment.from));
        }
        scan.closed(disk, dir, *segment)?;
        needed = segment.to + 1;
    }

    let last_closed = closed.last().map_or(0, |segment| segment.to);
    let path = dir.join(segment::ACTIVE);
    let active = match disk.open(&path, Access::Write) {
        Ok(file) => file,
        // A crash between the two steps of closing a segment leaves no active file.
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            disk.open(&path, Access::Create).map_err(|e| io_error(&path, "made", e))?
        }
        Err(e) => return Err(io_error(&path, "opened", e)),
    };
    let tail = scan.active(active.as_ref(), &path, last_closed + 1)?;
    if let Some(first) = tail.first.filter(|first| *first > needed) {
        return Err(missing(needed, first));
    }
    let last_seq = match (tail.last, &tail.cut) {
        (Some(last), _) if last < covered => {
            return Err(OpenError::SnapshotAhead { path, last, snapshot: covered });
        }
        (None, Some(_)) if last_closed < covered => {
            return Err(OpenError::SnapshotAhead { path, last: last_closed, snapshot: covered });
        }
        (Some(last), _) => last,
        (None, _) => covered.max(last_closed),
    };

    settle(disk, dir, &path, active.as_ref(), &tail)?;
    let index =
        Index { closed: Arc::new(closed), active_from: tail.first.unwrap_or(last_seq + 1), last_seq, len: tail.len };
    Ok(Recovered {
        snapshot,
        snapshot_problem: problem,
        records: scan.records,
        skipped: scan.skipped,
        cut: tail.cut,
        index,
        lines: tail.lines,
        active,
    })
}

/// Cuts the torn end and syncs. Syncing is needed even when nothing was cut: after a crash of the daemon alone the last
/// lines may be in memory only, and effects are about to be performed because of them.
fn settle(disk: &dyn Disk, dir: &Path, path: &Path, active: &dyn DiskFile, tail: &Tail) -> Result<(), OpenError> {
    if tail.cut.is_some() {
        active.set_len(tail.len).map_err(|e| io_error(path, "cut", e))?;
    }
    active.sync().map_err(|e| io_error(path, "synced", e))?;
    disk.sync_dir(dir).map_err(|e| io_error(dir, "synced", e))
}

/// Refuses closed segments that share a line.
fn refuse_overlap(dir: &Path, closed: &[Segment]) -> Result<(), OpenError> {
    match closed.windows(2).find(|pair| pair[0].to >= pair[1].from) {
        Some(pair) => Err(OpenError::Overlap { dir: dir.to_owned(), first: pair[0].name(), second: pair[1].name() }),
        None => Ok(()),
    }
}

fn io_error(path: &Path, doing: &'static str, source: io::Error) -> OpenError {
    OpenError::Io { path: path.to_owned(), doing, source }
}

/// The active file as it was found.
#[derive(Debug, Default)]
struct Tail {
    /// Number of its first good line.
    first: Option<u64>,
    /// Number of its last good line.
    last: Option<u64>,
    /// Good lines.
    lines: u64,
    /// Their length in bytes.
    len: u64,
    /// What comes after them.
    cut: Option<Cut>,
}

/// Checks lines and collects those after the snapshot.
#[derive(Debug)]
struct Scan<E, D, F> {
    /// The snapshot's line: the lines up to it are checked, but not decoded.
    covered: u64,
    records: Vec<Record<E, D, F>>,
    skipped: Vec<Skipped>,
}

impl<E: DeserializeOwned, D: DeserializeOwned, F: DeserializeOwned> Scan<E, D, F> {
    /// Takes one line, whose number must be `expected` if that is known.
    fn line(&mut self, line: &[u8], expected: Option<u64>) -> Result<u64, Flaw> {
        let seq = line::check(line)?.seq;
        if let Some(expected) = expected.filter(|expected| *expected != seq) {
            return Err(Flaw::Sequence { expected, found: seq });
        }
        if seq > self.covered {
            match line::decode(line)? {
                Decoded::Record(record) => self.records.push(record),
                Decoded::Skip { kind } => self.skipped.push(Skipped { seq, kind }),
            }
        }
        Ok(seq)
    }

    /// Takes a closed segment, which holds exactly what its name says and has no torn end: it was synced before it
    /// was closed.
    fn closed(&mut self, disk: &dyn Disk, dir: &Path, segment: Segment) -> Result<(), OpenError> {
        let path = dir.join(segment.name());
        let file = disk.open(&path, Access::Read).map_err(|e| io_error(&path, "opened", e))?;
        let len = file.len().map_err(|e| io_error(&path, "measured", e))?;
        let bad = |line, offset, flaw| BadLine { path: path.clone(), line, offset, flaw };
        let promise = Flaw::Promise { promised: segment.to };
        let mut lines = Lines::new(file.as_ref(), 0, len);
        let mut expected = segment.from;
        while let Some(line) = lines.next().map_err(|e| io_error(&path, "read", e))? {
            let taken = match line.terminated {
                true if expected > segment.to => Err(promise.clone()),
                true => self.line(line.bytes, Some(expected)),
                false => Err(Flaw::Unterminated),
            };
            taken.map_err(|flaw| bad(line.number, line.offset, flaw))?;
            expected += 1;
        }
        if expected <= segment.to {
            return Err(bad(expected - segment.from, len, promise).into());
        }
        Ok(())
    }

    /// Takes the active file, whose first line must not be before `earliest`.
    fn active(&mut self, file: &dyn DiskFile, path: &Path, earliest: u64) -> Result<Tail, OpenError> {
        let len = file.len().map_err(|e| io_error(path, "measured", e))?;
        let mut lines = Lines::new(file, 0, len);
        let mut tail = Tail::default();
        while let Some(line) = lines.next().map_err(|e| io_error(path, "read", e))? {
            let taken = match line.terminated {
                true => self.line(line.bytes, tail.last.map(|last| last + 1)),
                false => Err(Flaw::Unterminated),
            };
            let taken = match taken {
                Ok(seq) if seq < earliest => Err(Flaw::Sequence { expected: earliest, found: seq }),
                other => other,
            };
            match taken {
                Ok(seq) => {
                    tail.first.get_or_insert(seq);
                    tail.last = Some(seq);
                    tail.lines += 1;
                    tail.len += line.bytes.len() as u64 + 1;
                }
                Err(flaw) => {
                    let bad = BadLine { path: path.to_owned(), line: line.number, offset: line.offset, flaw };
                    let cut = cut_of(path, &line, len);
                    let torn = !line.terminated || (was_never_written(&line) && !any_good(&mut lines, path)?);
                    if !torn {
                        return Err(bad.into());
                    }
                    tail.cut = Some(cut);
                    return Ok(tail);
                }
            }
        }
        Ok(tail)
    }
}

/// Tells whether part of a line was never written: what is read there is NUL, which no line of ours contains, from a
/// place where a write could begin (the former end of the file or a sector) to the next sector.
fn was_never_written(line: &RawLine<'_>) -> bool {
    let Some(first) = line.bytes.iter().position(|byte| *byte == 0) else {
        return false;
    };
    let start = line.offset + first as u64;
    let sector_left = usize::try_from(SECTOR - start % SECTOR).unwrap_or(usize::MAX);
    let mut rest = line.bytes[first..].iter().take(sector_left);
    (first == 0 || start.is_multiple_of(SECTOR)) && rest.all(|byte| *byte == 0)
}

/// Describes everything from `line` to the end of the file as cut off.
fn cut_of(path: &Path, line: &RawLine<'_>, len: u64) -> Cut {
    let shown = &line.bytes[..line.bytes.len().min(CUT_PREVIEW)];
    Cut {
        path: path.to_owned(),
        line: line.number,
        offset: line.offset,
        bytes: len - line.offset,
        preview: String::from_utf8_lossy(shown).into_owned(),
    }
}

/// Tells whether a line that can be believed follows.
fn any_good(lines: &mut Lines<'_>, path: &Path) -> Result<bool, OpenError> {
    while let Some(line) = lines.next().map_err(|e| io_error(path, "read", e))? {
        if line.terminated && line::check(line.bytes).is_ok() {
            return Ok(true);
        }
    }
    Ok(false)
}
