//! `rows-<n>.log`: rows that scrolled off the primary screen, one text line with SGR each; `n` numbers the first.
//!
//! Viewers fetch history from here by row number; raw output is never replayed for it.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use super::place::{append_to, numbered_path};

/// A cap is divided into this many segments.
const SEGMENTS: u64 = 10;
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

    /// Appends rows. A row that the disk refuses is counted and missing: the raw output has it.
    pub fn append(&mut self, rows: &[String]) {
        for row in rows {
            self.lost = self.append_one(row).is_err();
            if self.lost {
                // The next row starts a segment, so that numbers stay right.
                self.file = None;
            }
            self.total += 1;
        }
        self.trim();
    }

    fn append_one(&mut self, row: &str) -> io::Result<()> {
        let room = (self.cap / SEGMENTS).max(1);
        let open = self.segments.back().is_some_and(|(from, count)| from + count == self.total && *count < room);
        let file = match &mut self.file {
            Some(file) if open => file,
            other => {
                let file = append_to(&numbered_path(&self.dir, PREFIX, self.total))?;
                // A row that was cut off by a full disk earlier is written anew.
                file.set_len(0)?;
                self.segments.push_back((self.total, 0));
                other.insert(file)
            }
        };
        let mut line = Vec::with_capacity(row.len() + 1);
        line.extend(row.bytes().filter(|byte| *byte != b'\n'));
        line.push(b'\n');
        file.write_all(&line)?;
        if let Some((_, count)) = self.segments.back_mut() {
            *count += 1;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_number_after_old_segments_are_gone() {
        let dir = tempfile::tempdir().expect("temp dir");
        let mut log = RowLog::new(dir.path(), 100);
        for row in 0..457u64 {
            log.append(&[format!("row {row}")]);
        }
        assert_eq!(log.total(), 457);
        assert!((347..=357).contains(&log.oldest()), "{}", log.oldest());
        assert_eq!(
            log.read(448, 451).expect("readable"),
            (448, vec!["row 448".into(), "row 449".into(), "row 450".into()])
        );
        let (from, rows) = log.read(0, 1000).expect("readable");
        assert_eq!((from, rows.len() as u64), (log.oldest(), 457 - log.oldest()));
        let files = super::super::place::numbered(dir.path(), PREFIX).expect("readable").len();
        assert!(files <= 11, "{files} files");
    }
}
