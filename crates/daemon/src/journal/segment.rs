//! The journal's files: their names, their order, and reading one of them line by line or by number.
//!
//! It checks no checksums and decodes nothing; that is the line's business.

use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;

use super::disk::{Disk, DiskFile};
use super::line;

/// The file that is being written.
pub(super) const ACTIVE: &str = "events.jsonl";

/// How much of a file is read at once, in bytes: some hundred lines for one call.
const BLOCK: usize = 64 << 10;

/// Below this distance, in bytes, reading on is cheaper than searching on: one block.
const SEARCH_STOP: u64 = BLOCK as u64;

/// A closed segment, as its name describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// Number of its first line.
    pub(super) from: u64,
    /// Number of its last line.
    pub(super) to: u64,
}

impl Segment {
    /// Its file name, `events-<from>-<to>.jsonl`.
    pub(super) fn name(self) -> String {
        format!("events-{}-{}.jsonl", self.from, self.to)
    }

    /// Reads a file name; anything that [`Segment::name`] would not write is no segment.
    fn parse(name: &str) -> Option<Self> {
        let (from, to) = name.strip_prefix("events-")?.strip_suffix(".jsonl")?.split_once('-')?;
        let segment = Self { from: from.parse().ok()?, to: to.parse().ok()? };
        (segment.from >= 1 && segment.from <= segment.to && segment.name() == name).then_some(segment)
    }
}

/// Lists the closed segments of `dir` in order of their first line.
pub(super) fn closed(disk: &dyn Disk, dir: &Path) -> io::Result<Vec<Segment>> {
    let mut segments: Vec<Segment> = disk.names(dir)?.iter().filter_map(|name| Segment::parse(name)).collect();
    segments.sort_by_key(|segment| (segment.from, segment.to));
    Ok(segments)
}

/// One line as it lies in a file.
#[derive(Debug)]
pub(super) struct RawLine<'a> {
    /// Counted from 1 at the place where reading began.
    pub(super) number: u64,
    /// Where it begins in the file, in bytes.
    pub(super) offset: u64,
    /// Its bytes, without the newline.
    pub(super) bytes: &'a [u8],
    /// Whether a newline follows; only the last line of a file can be without.
    pub(super) terminated: bool,
}

/// Reads a file line by line.
#[derive(Debug)]
pub(super) struct Lines<'f> {
    input: BufReader<Window<'f>>,
    offset: u64,
    number: u64,
    line: Vec<u8>,
}

impl<'f> Lines<'f> {
    /// Reads the bytes `from..to` of `file`; `from` must be where a line begins.
    pub(super) fn new(file: &'f dyn DiskFile, from: u64, to: u64) -> Self {
        let window = Window { file, at: from, end: to };
        Self { input: BufReader::with_capacity(BLOCK, window), offset: from, number: 0, line: Vec::new() }
    }

    /// Returns the next line, or nothing at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<RawLine<'_>>> {
        self.line.clear();
        let read = self.input.read_until(b'\n', &mut self.line)?;
        if read == 0 {
            return Ok(None);
        }
        let offset = self.offset;
        self.offset += read as u64;
        self.number += 1;
        let terminated = self.line.last() == Some(&b'\n');
        let bytes = if terminated { &self.line[..read - 1] } else { &self.line[..] };
        Ok(Some(RawLine { number: self.number, offset, bytes, terminated }))
    }
}

/// A range of a file as a stream.
#[derive(Debug)]
struct Window<'f> {
    file: &'f dyn DiskFile,
    at: u64,
    end: u64,
}

impl Read for Window<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let want = buf.len().min(left);
        let read = self.file.read_at(&mut buf[..want], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// Returns where a line begins from which reading on soon meets line `seq`, if the first `len` bytes of `file` hold
/// it. Lines that cannot be read stop the search early, so that the reader meets and reports them.
pub(super) fn locate(file: &dyn DiskFile, len: u64, seq: u64) -> io::Result<u64> {
    // Invariant: a line begins at `low`, and it is not after `seq`; no line that is not after `seq` begins past `high`.
    let (mut low, mut high) = (0, len);
    while high - low > SEARCH_STOP {
        let middle = low + (high - low) / 2;
        let Some((start, found)) = line_after(file, middle, high)? else {
            high = middle;
            continue;
        };
        match found {
            Some(found) if found <= seq => low = start,
            Some(_) => high = middle,
            None => return Ok(low),
        }
    }
    Ok(low)
}

/// Finds the first line that begins after `from` and before `end`: where, and its number if that can be read.
fn line_after(file: &dyn DiskFile, from: u64, end: u64) -> io::Result<Option<(u64, Option<u64>)>> {
    let mut rest = BufReader::with_capacity(BLOCK, Window { file, at: from, end });
    let start = from + rest.skip_until(b'\n')? as u64;
    if start >= end {
        return Ok(None);
    }
    let mut opening = [0; line::SEQ_PREFIX];
    let read = file.read_at(&mut opening, start)?;
    Ok(Some((start, line::peek_seq(&opening[..read]))))
}

/// Counts which line of `file` begins at `offset`, from 1.
pub(super) fn line_number(file: &dyn DiskFile, offset: u64) -> io::Result<u64> {
    let mut lines = Lines::new(file, 0, offset);
    while lines.next()?.is_some() {}
    Ok(lines.number + 1)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt as _;

    use super::*;

    #[test]
    fn only_names_that_we_would_write_are_segments() {
        assert_eq!(Segment::parse("events-1-500.jsonl"), Some(Segment { from: 1, to: 500 }));
        for name in [
            "events.jsonl",
            "events-1-500.jsonl.gz",
            "events-01-500.jsonl",
            "events-+1-500.jsonl",
            "events-5-4.jsonl",
            "events-0-4.jsonl",
            "events-1.jsonl",
            "events-1-2-3.jsonl",
            "events-1-99999999999999999999.jsonl",
        ] {
            assert_eq!(Segment::parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_line_is_found_near_where_it_begins_among_lines_of_any_length() {
        let file = tempfile::tempfile().unwrap();
        let (mut text, mut starts) = (String::new(), Vec::new());
        for seq in 10..3000_u64 {
            starts.push((seq, text.len() as u64));
            let filler = if seq % 700 == 0 { 200_000 } else { (seq * 37 % 300) as usize };
            text.push_str(&format!("{{\"seq\":{seq},{}}}\n", "x".repeat(filler)));
        }
        file.write_all_at(text.as_bytes(), 0).unwrap();
        let len = text.len() as u64;
        for (seq, start) in starts {
            let found = locate(&file, len, seq).unwrap();
            assert!(found <= start, "seq {seq}: {found} is past {start}");
            assert!(start - found <= 300_000, "seq {seq}: {found} is far before {start}");
            assert!(found == 0 || text.as_bytes()[found as usize - 1] == b'\n');
        }
    }
}
