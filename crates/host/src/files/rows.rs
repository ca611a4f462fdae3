//! `rows-<n>.log`: rows that scrolled off the primary screen, one text line with SGR each; `n` numbers the first.
//!
//! Viewers fetch history from here by row number; raw output is never replayed for it.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use super::place::{append_to, numbered_path};
use crate::engine::scrolled::Scrolled;

/// Most rows of a segment: to make a file and to remove it costs as much as to write a thousand rows, and a reader goes
/// through half of one. A cap has room for two at least.
const SEGMENT: u64 = 5000;
/// Largest answer in bytes of text; JSON may double it and must fit one frame.
const ANSWER: usize = 256 << 10;

const PREFIX: &str = "rows";

/// The history as the host writes and reads it.
#[derive(Debug)]
pub struct RowLog {
    dir: PathBuf,
    cap: u64,
    /// First row and number of rows of each segment.
    segments: VecDeque<(u64, u64)>,
    file: Option<File>,
    total: u64,
    lost: bool,
}

impl RowLog {
    /// Starts the history of a launch; keeps at least the last `cap` rows.
    #[must_use]
    pub fn new(dir: &Path, cap: u64) -> Self {
        Self { dir: dir.to_owned(), cap, segments: VecDeque::new(), file: None, total: 0, lost: false }
    }

    /// Rows since launch.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Oldest row that is still kept.
    #[must_use]
    pub fn oldest(&self) -> u64 {
        self.segments.front().map_or(self.total, |(from, _)| *from)
    }

    /// Whether the last row could not be written.
    #[must_use]
    pub fn is_degraded(&self) -> bool {
        self.lost
    }

    /// Appends rows, one write for all that go into the same segment. Rows that the disk refuses are counted and
    /// missing: the raw output has them.
    pub fn append(&mut self, rows: &Scrolled) {
        if rows.is_empty() {
            return;
        }
        self.lost = self.write(rows).is_err();
        if self.lost {
            // The next row starts a segment, so that numbers stay right.
            self.file = None;
        }
        self.total += rows.len() as u64;
        self.trim();
    }

    fn write(&mut self, rows: &Scrolled) -> io::Result<()> {
        let segment = (self.cap / 2).clamp(1, SEGMENT);
        let mut at = self.total;
        let (mut text, mut left) = (rows.text(), rows.len() as u64);
        while left > 0 {
            let open = self.segments.back().filter(|(from, count)| from + count == at && *count < segment);
            let (room, file) = match (open, &mut self.file) {
                (Some((_, count)), Some(file)) => (segment - count, file),
                (_, other) => {
                    let file = append_to(&numbered_path(&self.dir, PREFIX, at))?;
                    // A row that was cut off by a full disk earlier is written anew. A file that was cut is brought to disk
                    // when it is closed (ext4), so an empty one is left alone.
                    if file.metadata()?.len() > 0 {
                        file.set_len(0)?;
                    }
                    self.segments.push_back((at, 0));
                    (segment, other.insert(file))
                }
            };
            let count = room.min(left);
            let (now, next) = if count == left { (text, "") } else { text.split_at(end_of_row(text, count)) };
            let written = write_whole(file, now.as_bytes());
            // A row that is there by half is not there.
            let whole = written.as_ref().map_or_else(|(bytes, _)| rows_in(&now.as_bytes()[..*bytes]), |()| count);
            if let Some((_, rows)) = self.segments.back_mut() {
                *rows += whole;
            }
            written.map_err(|(_, error)| error)?;
            (text, left, at) = (next, left - count, at + count);
        }
        Ok(())
    }

    fn trim(&mut self) {
        let mut kept: u64 = self.segments.iter().map(|(_, count)| count).sum();
        while let Some(&(from, count)) = self.segments.front()
            && self.segments.len() > 1
            && kept - count >= self.cap
        {
            // A file that stays is no harm: nothing refers to it any more.
            drop(fs::remove_file(numbered_path(&self.dir, PREFIX, from)));
            self.segments.pop_front();
            kept -= count;
        }
    }

    /// Returns the first row there is at or after `from`, and as many rows before `to` as fit one answer, without a
    /// hole.
    ///
    /// # Errors
    /// When the files cannot be read.
    pub fn read(&self, from: u64, to: u64) -> io::Result<(u64, Vec<String>)> {
        let mut rows = Vec::new();
        let mut at = from;
        let mut size = 0;
        for &(first, count) in &self.segments {
            if first + count <= at || first >= to {
                continue;
            }
            if first > at {
                if !rows.is_empty() {
                    break;
                }
                at = first;
            }
            let file = BufReader::new(File::open(numbered_path(&self.dir, PREFIX, first))?);
            let skip = usize::try_from(at - first).unwrap_or(usize::MAX);
            let take = usize::try_from((first + count).min(to) - at).unwrap_or(usize::MAX);
            for line in file.split(b'\n').skip(skip).take(take) {
                let line = String::from_utf8_lossy(&line?).into_owned();
                size += line.len();
                if size > ANSWER && !rows.is_empty() {
                    return Ok((at - rows.len() as u64, rows));
                }
                rows.push(line);
                at += 1;
            }
        }
        Ok((at - rows.len() as u64, rows))
    }
}

fn rows_in(text: &[u8]) -> u64 {
    text.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Where the first `count` rows of a text end.
fn end_of_row(text: &str, count: u64) -> usize {
    let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
    ends.zip(1..).find(|(_, nth)| *nth == count).map_or(text.len(), |(end, _)| end)
}

/// Writes all bytes; on failure says how many were written.
fn write_whole(file: &mut File, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut done = 0;
    while done < bytes.len() {
        match file.write(&bytes[done..]) {
            Ok(0) => return Err((done, io::ErrorKind::WriteZero.into())),
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((done, error)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_number_after_old_segments_are_gone() {
        let dir = tempfile::tempdir().expect("temp dir");
        let mut log = RowLog::new(dir.path(), 100);
        for row in 0..457u64 {
            log.append(&[format!("row {row}")].iter().collect());
        }
        assert_eq!(log.total(), 457);
        assert!((307..=357).contains(&log.oldest()), "{}", log.oldest());
        assert_eq!(
            log.read(448, 451).expect("readable"),
            (448, vec!["row 448".into(), "row 449".into(), "row 450".into()])
        );
        let (from, rows) = log.read(0, 1000).expect("readable");
        assert_eq!((from, rows.len() as u64), (log.oldest(), 457 - log.oldest()));
        let files = super::super::place::numbered(dir.path(), PREFIX).expect("readable").len();
        assert!(files <= 3, "{files} files");
    }

    #[test]
    fn many_rows_at_once_lie_in_the_same_files_as_one_by_one() {
        let (one, many) = (tempfile::tempdir().expect("temp dir"), tempfile::tempdir().expect("temp dir"));
        let (mut log, mut single) = (RowLog::new(many.path(), 100), RowLog::new(one.path(), 100));
        let rows: Vec<String> = (0..457u64).map(|row| format!("row {row}")).collect();
        for part in rows.chunks(37) {
            log.append(&part.iter().collect());
        }
        for row in &rows {
            single.append(&[row].iter().collect());
        }
        assert_eq!((log.total(), log.oldest()), (457, single.oldest()));
        assert_eq!(log.read(0, 1000).expect("readable"), single.read(0, 1000).expect("readable"));
        let files = |dir: &Path| {
            let found = super::super::place::numbered(dir, PREFIX).expect("readable");
            found.into_iter().map(|(n, path)| (n, fs::read(path).expect("readable"))).collect::<Vec<_>>()
        };
        assert_eq!(files(many.path()), files(one.path()));
    }

    #[test]
    fn rows_that_the_disk_refuses_are_counted_and_the_next_one_has_its_number() {
        let dir = tempfile::tempdir().expect("temp dir");
        let mut log = RowLog::new(dir.path(), 100);
        std::os::unix::fs::symlink("/dev/full", dir.path().join("rows-0.log")).expect("link");
        log.append(&["a", "b", "c"].iter().collect());
        assert!(log.is_degraded());
        log.append(&["d"].iter().collect());
        assert!(!log.is_degraded());
        assert_eq!(log.read(0, 9).expect("readable"), (3, vec!["d".to_owned()]));
    }
}
