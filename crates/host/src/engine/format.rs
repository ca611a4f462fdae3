//! Rows as text, plain or with SGR sequences.
//!
//! For people and logs: links and the state of the terminal are the serialiser's work.

use super::cell::{BLANK, Width};
use super::grid::Row;
use super::sgr;

/// The characters of a row; trailing blanks are removed.
#[must_use]
pub fn row_text(row: &Row) -> String {
    let mut text = String::with_capacity(row.cells().len());
    for cell in row.cells().iter().filter(|cell| cell.width != Width::Spacer) {
        text.push(cell.c);
        text.push_str(cell.marks());
    }
    text.truncate(text.trim_end_matches(' ').len());
    text
}

/// The characters of a row with SGR sequences; the pen is plain before and after it.
#[must_use]
pub fn row_sgr(row: &Row) -> String {
    let mut text = String::new();
    push_row_sgr(&mut text, row);
    text
}

/// Appends what [`row_sgr`] gives.
pub fn push_row_sgr(text: &mut String, row: &Row) {
    let cells = &row.cells()[..row.used()];
    text.reserve(cells.len() + ROOM);
    let (mut pen, mut plain) = (&BLANK, true);
    let mut ascii = Ascii { bytes: [0; ASCII], len: 0 };
    for cell in cells {
        // Most rows are stretches in one pen, without extras.
        let alike = if plain { cell.is_plain() } else { cell.has_pen_of(pen) && pen.extra.is_none() };
        if !alike || cell.extra.is_some() {
            ascii.flush(text);
            sgr::write_change(text, pen, cell);
            (pen, plain) = (cell, cell.is_plain() && cell.extra.is_none());
        }
        if cell.width != Width::Spacer {
            ascii.push(text, cell.c);
        }
        if cell.extra.is_some() {
            ascii.flush(text);
            text.push_str(cell.marks());
        }
    }
    ascii.flush(text);
    sgr::write_change(text, pen, &BLANK);
}

/// Most ASCII characters that are appended together.
const ASCII: usize = 128;
/// Bytes beyond one for each cell that most rows need.
const ROOM: usize = 32;

/// ASCII characters that wait to be appended together.
struct Ascii {
    bytes: [u8; ASCII],
    len: usize,
}

impl Ascii {
    #[inline]
    fn push(&mut self, text: &mut String, c: char) {
        if !c.is_ascii() {
            self.flush(text);
            return text.push(c);
        }
        if self.len == ASCII {
            self.flush(text);
        }
        self.bytes[self.len] = c as u8;
        self.len += 1;
    }

    #[inline]
    fn flush(&mut self, text: &mut String) {
        if self.len > 0 {
            text.push_str(str::from_utf8(&self.bytes[..self.len]).unwrap_or_default());
            self.len = 0;
        }
    }
}
