//! `out-<offset>.log`: the raw bytes of the terminal, in segments named by the offset of their first byte.
//!
//! A failing disk never stops it: it keeps the last 256 KB, tries again, and records what is missing.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::index::{Index, IndexRecord, Kind};
use super::place::{append_to, numbered, numbered_path, read};
use crate::engine::Size;

/// Bytes kept in memory while the disk refuses them (`docs/design/host.md`: a 256 KB ring).
const RING: usize = 256 << 10;
/// A cap is divided into this many segments, so that dropping one loses an eighth of the past.
const SEGMENTS: u64 = 8;
/// Smallest segment in bytes: two reads.
const SEGMENT_MIN: u64 = 8 << 10;

const PREFIX: &str = "out";

/// Bytes that the disk refused.
#[derive(Debug)]
struct Refused {
    /// The most recent ones.
    ring: VecDeque<u8>,
    /// First byte that is on no disk.
    from: u64,
    errno: u16,
}

/// The log as the host writes it.
#[derive(Debug)]
pub struct OutputLog {
    dir: PathBuf,
    cap: u64,
    segments: VecDeque<(u64, u64)>,
    file: Option<File>,
    end: u64,
    refused: Option<Refused>,
    index: Index,
    size: Option<Size>,
    unsaid: Vec<IndexRecord>,
}

impl OutputLog {
    /// Starts the log of a launch; keeps at most about `cap` bytes.
    #[must_use]
    pub fn new(dir: &Path, cap: u64) -> Self {
        Self {
            dir: dir.to_owned(),
            cap,
            segments: VecDeque::new(),
            file: None,
            end: 0,
            refused: None,
            index: Index::new(dir),
            size: None,
            unsaid: Vec::new(),
        }
    }

    /// Bytes since launch.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Whether bytes wait in memory because the disk refuses them.
    #[must_use]
    pub fn is_degraded(&self) -> bool {
        self.refused.is_some() || !self.unsaid.is_empty()
    }

    /// Appends output.
    pub fn append(&mut self, bytes: &[u8], at_us: u64) {
        let start = self.end;
        self.end += bytes.len() as u64;
        if self.refused.is_some() {
            self.refuse(bytes, None);
            self.retry(at_us);
            return;
        }
        self.say(IndexRecord { offset: start, at_us, kind: Kind::Data });
        if let Err((written, error)) = self.write(start, bytes) {
            self.file = None;
            self.refuse(&bytes[written..], Some(errno(&error)));
        }
        self.trim();
    }

    /// Records a new size.
    pub fn resized(&mut self, size: Size, at_us: u64) {
        if self.size.replace(size) != Some(size) {
            self.say(IndexRecord { offset: self.end, at_us, kind: Kind::Resize(size) });
        }
    }

    /// Tries to write what the disk refused; true when nothing waits any more.
    pub fn retry(&mut self, at_us: u64) -> bool {
        if let Some(mut refused) = self.refused.take() {
            let start = self.end - refused.ring.len() as u64;
            let bytes = refused.ring.make_contiguous();
            match self.write(start, bytes) {
                Ok(()) => {
                    if start > refused.from {
                        let kind = Kind::Gap { to: start, errno: refused.errno };
                        self.unsaid.push(IndexRecord { offset: refused.from, at_us, kind });
                    }
                    self.unsaid.push(IndexRecord { offset: start, at_us, kind: Kind::Data });
                }
                Err((written, error)) => {
                    self.file = None;
                    refused.ring.drain(..written);
                    if written > 0 && start > refused.from {
                        let kind = Kind::Gap { to: start, errno: refused.errno };
                        self.unsaid.push(IndexRecord { offset: refused.from, at_us, kind });
                    }
                    if written > 0 {
                        refused.from = start + written as u64;
                    }
                    refused.errno = errno(&error);
                    self.refused = Some(refused);
                }
            }
        }
        while let Some(record) = self.unsaid.first() {
            if self.index.append(*record).is_err() {
                break;
            }
            self.unsaid.remove(0);
        }
        self.trim();
        !self.is_degraded()
    }

    /// Writes bytes that begin at `start`, in as many segments as needed; on failure says how many were written.
    fn write(&mut self, mut start: u64, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
        let segment = (self.cap / SEGMENTS).max(SEGMENT_MIN);
        let mut done = 0;
        while done < bytes.len() {
            let open = self.segments.back().filter(|(from, length)| from + length == start && *length < segment);
            let (from, length) = match (open, &self.file) {
                (Some(&open), Some(_)) => open,
                (_, _) => {
                    self.file = Some(append_to(&numbered_path(&self.dir, PREFIX, start)).map_err(|e| (done, e))?);
                    self.forget_empty(start);
                    self.segments.push_back((start, 0));
                    (start, 0)
                }
            };
            let Some(file) = &mut self.file else { unreachable!("it was opened above") };
            let room = usize::try_from(segment - length).unwrap_or(usize::MAX);
            let piece = &bytes[done..][..room.min(bytes.len() - done)];
            let written = match file.write(piece) {
                Ok(0) => return Err((done, Errno::NOSPC.into())),
                Ok(written) => written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err((done, error)),
            };
            done += written;
            start += written as u64;
            if let Some(last) = self.segments.back_mut() {
                *last = (from, length + written as u64);
            }
        }
        Ok(())
    }

    /// Forgets a segment that was opened in vain.
    fn forget_empty(&mut self, start: u64) {
        if let Some(&(from, 0)) = self.segments.back() {
            self.segments.pop_back();
            if from != start {
                // An empty file that stays misleads nobody: readers skip it.
                drop(fs::remove_file(numbered_path(&self.dir, PREFIX, from)));
            }
        }
    }

    fn refuse(&mut self, bytes: &[u8], error: Option<u16>) {
        let from = self.end - bytes.len() as u64;
        let refused = self.refused.get_or_insert_with(|| Refused { ring: VecDeque::new(), from, errno: 0 });
        if let Some(error) = error {
            refused.errno = error;
        }
        refused.ring.extend(bytes);
        let over = refused.ring.len().saturating_sub(RING);
        refused.ring.drain(..over);
    }

    /// Appends to the index, behind whatever it refused before.
    fn say(&mut self, record: IndexRecord) {
        if self.unsaid.is_empty() && self.index.append(record).is_ok() {
            return;
        }
        // A data record more or less changes nothing; sizes and gaps do.
        if record.kind != Kind::Data {
            self.unsaid.push(record);
        }
    }

    /// Drops whole segments beyond the cap. What cannot be dropped now is tried again with the next segment.
    fn trim(&mut self) {
        let mut total: u64 = self.segments.iter().map(|(_, length)| length).sum();
        let mut dropped = false;
        while total > self.cap && self.segments.len() > 1 {
            let Some((from, length)) = self.segments.pop_front() else { break };
            total -= length;
            dropped |= fs::remove_file(numbered_path(&self.dir, PREFIX, from)).is_ok();
        }
        if dropped || self.index.is_full() {
            let oldest = self.segments.front().map_or(self.end, |(from, _)| *from);
            // A failure leaves the old index, which is right too, only longer.
            drop(self.index.trim(oldest));
        }
    }
}

fn errno(error: &io::Error) -> u16 {
    error.raw_os_error().and_then(|errno| u16::try_from(errno).ok()).unwrap_or(0)
}

/// A segment as it lies on the disk.
enum Source {
    Plain(File),
    Packed(io::Cursor<Vec<u8>>),
}

impl Source {
    fn len(&self) -> io::Result<u64> {
        match self {
            Self::Plain(file) => Ok(file.metadata()?.len()),
            Self::Packed(bytes) => Ok(bytes.get_ref().len() as u64),
        }
    }

    fn read_from(&mut self, start: u64, most: u64, bytes: &mut Vec<u8>) -> io::Result<usize> {
        fn go(from: &mut (impl Read + Seek), start: u64, most: u64, bytes: &mut Vec<u8>) -> io::Result<usize> {
            from.seek(SeekFrom::Start(start))?;
            from.take(most).read_to_end(bytes)
        }
        match self {
            Self::Plain(file) => go(file, start, most, bytes),
            Self::Packed(packed) => go(packed, start, most, bytes),
        }
    }
}

/// Reads up to `limit` bytes of a launch's output from `offset` on: the offset of the first byte that is there at or
/// after it, and the bytes up to the next gap.
///
/// # Errors
/// When the files cannot be read.
pub fn read_output(dir: &Path, offset: u64, limit: usize) -> io::Result<(u64, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut at = offset;
    for (from, path) in numbered(dir, PREFIX)? {
        let mut file = match File::open(&path) {
            // Packed: as a whole, a segment is an eighth of what is kept.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Source::Packed(io::Cursor::new(read(&path)?)),
            other => Source::Plain(other?),
        };
        let end = from + file.len()?;
        if end <= at {
            continue;
        }
        if from > at {
            if !bytes.is_empty() {
                break;
            }
            at = from;
        }
        let room = limit - bytes.len();
        let read = file.read_from(at - from, room as u64, &mut bytes)?;
        at += read as u64;
        if bytes.len() >= limit {
            break;
        }
    }
    Ok((at - bytes.len() as u64, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::index::{Kind as IndexKind, read_index};
    use std::os::unix::fs::symlink;

    fn written(dir: &Path) -> u64 {
        numbered(dir, PREFIX).expect("readable").iter().map(|(_, path)| fs::metadata(path).expect("there").len()).sum()
    }

    #[test]
    fn caps_drop_whole_segments_and_never_the_newest() {
        let dir = tempfile::tempdir().expect("temp dir");
        let mut log = OutputLog::new(dir.path(), 128 << 10);
        log.resized(Size::clamped(80, 24), 1);
        for step in 0..100u64 {
            log.append(&[u8::try_from(step).expect("below 100"); 4096], step * 20_000);
        }
        assert!(written(dir.path()) <= 128 << 10);
        assert!(written(dir.path()) > 100 << 10);
        let (from, bytes) = read_output(dir.path(), 0, usize::MAX).expect("readable");
        assert_eq!(from + bytes.len() as u64, 100 * 4096);
        assert_eq!(from % (16 << 10), 0, "segments are dropped as a whole");
        assert!(bytes.chunks(4096).enumerate().all(|(n, chunk)| {
            let step = from / 4096 + n as u64;
            chunk.iter().all(|&byte| u64::from(byte) == step)
        }));
        let index = read_index(dir.path()).expect("readable");
        assert_eq!(index[0].kind, IndexKind::Resize(Size::clamped(80, 24)), "the size that held is kept");
        assert!(index.iter().all(|record| record.offset >= from));
    }

    #[test]
    fn a_full_disk_costs_only_what_the_ring_cannot_hold_and_says_so() {
        let dir = tempfile::tempdir().expect("temp dir");
        symlink("/dev/full", dir.path().join("out-0.log")).expect("link");
        let mut log = OutputLog::new(dir.path(), 64 << 20);
        let bytes: Vec<u8> = (0..300u32 << 10).map(|n| u8::try_from(n % 251).expect("below 251")).collect();
        for (n, chunk) in bytes.chunks(4096).enumerate() {
            if log.end() < (256 << 10) {
                log.append(chunk, n as u64);
                assert!(log.is_degraded());
            } else {
                // The ring's start moves now, and with it the name of the file that is tried.
                log.append(chunk, n as u64);
            }
        }
        assert!(!log.is_degraded());
        let (from, kept) = read_output(dir.path(), 0, usize::MAX).expect("readable");
        assert!(from > 0 && kept.len() >= RING);
        assert_eq!(kept, bytes[usize::try_from(from).expect("small")..]);
        let gap = read_index(dir.path()).expect("readable");
        let gap = gap.iter().find(|record| matches!(record.kind, IndexKind::Gap { .. })).expect("a gap");
        let errno = u16::try_from(Errno::NOSPC.raw_os_error()).expect("small");
        assert_eq!((gap.offset, gap.kind), (0, IndexKind::Gap { to: from, errno }));
    }

    #[test]
    fn a_disk_that_recovers_in_time_loses_nothing() {
        let dir = tempfile::tempdir().expect("temp dir");
        let link = dir.path().join("out-0.log");
        symlink("/dev/full", &link).expect("link");
        let mut log = OutputLog::new(dir.path(), 64 << 20);
        log.append(b"first ", 1);
        assert!(!log.retry(2));
        fs::remove_file(&link).expect("removed");
        assert!(log.retry(3));
        log.append(b"second", 4);
        assert_eq!(read_output(dir.path(), 0, 100).expect("readable"), (0, b"first second".to_vec()));
        let index = read_index(dir.path()).expect("readable");
        assert!(index.iter().all(|record| record.kind == IndexKind::Data));
    }
}
