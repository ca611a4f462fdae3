//! Reads what is new in one transcript: from where the reading stands, whole lines only, a bounded piece at a time.
//!
//! A file that was cut or written anew is read from its beginning; what it held before counts once.

use ao_core::screen::sha256_hex;
use ao_core::transcript::read::Said;
use ao_core::transcript::rule::Format;
use ao_core::transcript::{Reading, Shape, lean, read};
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// Bytes read in one step, so that a transcript of any size is read in pieces.
pub(super) const STEP: u64 = 4 << 20;

/// Longest line that is looked at. Longer ones hold a picture or a tool's whole output; they are passed over.
pub(super) const LONGEST_LINE: usize = 8 << 20;

/// Largest document that is written as a whole; a larger one is left alone.
const LARGEST_DOCUMENT: u64 = 16 << 20;

/// Bytes before the offset, and at the file's beginning, by which it is known again.
const ANCHOR: u64 = 64;

/// What a step brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Step {
    /// What the records said of the agent.
    pub(super) said: Vec<Said>,
    /// Bytes were read.
    pub(super) moved: bool,
    /// There is more to read at once.
    pub(super) more: bool,
}

/// Reads on in file number `number` of the reading.
pub(super) fn step(shape: &Shape, reading: &mut Reading, number: usize) -> io::Result<Step> {
    let Some(cursor) = reading.files.get(number) else { return Ok(Step::default()) };
    let path = cursor.path.clone();
    let mut file = open(Path::new(&path))?;
    match shape.format {
        Format::Lines => lines(shape, reading, number, &path, &mut file),
        Format::Document => document(shape, reading, number, &path, &mut file),
    }
}

/// Only a file itself: no link in its place, no pipe that would block.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
    }
    Ok(file)
}

fn lines(shape: &Shape, reading: &mut Reading, number: usize, path: &str, file: &mut File) -> io::Result<Step> {
    let length = file.metadata()?.len();
    let offset = reading.files[number].offset;
    if offset == length && offset > 0 && anchor(file, offset)? == reading.files[number].anchor {
        return Ok(Step::default());
    }
    if offset > 0 && (length < offset || anchor(file, offset)? != reading.files[number].anchor) {
        let again = head(file)? == reading.files[number].head;
        reading.restart(path, again);
    }
    if reading.files[number].head.is_empty() {
        reading.files[number].head = head(file)?;
    }
    let begin = reading.files[number].offset;
    file.seek(SeekFrom::Start(begin))?;
    let mut step = Step::default();
    let mut line = Vec::new();
    let mut input = io::BufReader::with_capacity(64 * 1024, file.try_clone()?.take(length - begin.min(length)));
    let mut taken = 0;
    // Whole lines until enough is read; the beginning of one too long is passed over at once.
    while taken < STEP {
        let (count, whole) = read_line(&mut input, &mut line)?;
        if !whole {
            if line.len() >= LONGEST_LINE {
                let cursor = &mut reading.files[number];
                cursor.strange += u64::from(!cursor.skipping);
                cursor.skipping = true;
                taken += count;
                line.clear();
                continue;
            }
            // Half a line: it is read when it is whole.
            break;
        }
        taken += count;
        let cursor = &mut reading.files[number];
        if std::mem::take(&mut cursor.skipping) {
            line.clear();
            continue;
        }
        match lean::read(line.trim_ascii()) {
            Some(record) => step.said.extend(read::record(shape, reading, number, &record)),
            None if line.trim_ascii().is_empty() => {}
            None => reading.files[number].strange += 1,
        }
        line.clear();
    }
    if taken > 0 {
        let cursor = &mut reading.files[number];
        cursor.offset = begin + taken;
        cursor.anchor = anchor(file, begin + taken)?;
        step.moved = true;
        step.more = taken >= STEP;
    }
    Ok(step)
}

/// Reads up to the end of a line, or until the line is too long: how many bytes, and whether its end was there.
fn read_line(input: &mut impl io::BufRead, line: &mut Vec<u8>) -> io::Result<(u64, bool)> {
    let mut count = 0;
    loop {
        let available = input.fill_buf()?;
        if available.is_empty() || line.len() >= LONGEST_LINE {
            return Ok((count, false));
        }
        let room = LONGEST_LINE - line.len();
        let piece = &available[..available.len().min(room)];
        let (used, whole) = piece.iter().position(|b| *b == b'\n').map_or((piece.len(), false), |at| (at + 1, true));
        line.extend_from_slice(&piece[..used]);
        input.consume(used);
        count += used as u64;
        if whole {
            return Ok((count, true));
        }
    }
}

fn document(shape: &Shape, reading: &mut Reading, number: usize, path: &str, file: &mut File) -> io::Result<Step> {
    let length = file.metadata()?.len();
    if length > LARGEST_DOCUMENT {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("{length} bytes are too many for one document"),
        ));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST_DOCUMENT).read_to_end(&mut bytes)?;
    let sum = sha256_hex(&bytes);
    if sum == reading.files[number].anchor {
        return Ok(Step::default());
    }
    // Half written: the next look finds it whole.
    let Some(whole) = lean::read(&bytes) else { return Ok(Step::default()) };
    let list = shape.list.as_ref().map(|path| path.all(&whole, &whole)).unwrap_or_default();
    let records: Vec<_> = list.into_iter().filter_map(|v| v.as_array()).flatten().collect();
    let before = reading.files[number].offset;
    reading.restart(path, true);
    let mut step = Step { moved: true, ..Step::default() };
    for (n, record) in (0_u64..).zip(records) {
        if n < before {
            read::tokens(shape, reading, number, record);
        } else {
            step.said.extend(read::record(shape, reading, number, record));
        }
        reading.files[number].offset = n + 1;
    }
    reading.files[number].anchor = sum;
    Ok(step)
}

/// What stands before an offset.
fn anchor(file: &mut File, offset: u64) -> io::Result<String> {
    let from = offset.saturating_sub(ANCHOR);
    piece(file, from, offset - from)
}

/// What a file begins with: nothing before there is as much.
fn head(file: &mut File) -> io::Result<String> {
    if file.metadata()?.len() < ANCHOR { Ok(String::new()) } else { piece(file, 0, ANCHOR) }
}

fn piece(file: &mut File, from: u64, length: u64) -> io::Result<String> {
    let at = file.stream_position()?;
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.by_ref().take(length).read_to_end(&mut bytes)?;
    file.seek(SeekFrom::Start(at))?;
    Ok(sha256_hex(&bytes).chars().take(16).collect())
}

#[cfg(test)]
mod tests;
