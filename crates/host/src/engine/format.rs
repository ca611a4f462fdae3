//! Rows as text, plain or with SGR sequences.
//!
//! For people and logs: links and the state of the terminal are the serialiser's work.

use super::cell::{BLANK, Cell, Width};
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
    let mut cells = &row.cells()[..row.used()];
    text.reserve(cells.len());
    let mut pen = &BLANK;
    while let Some(cell) = cells.first() {
        // Most rows are stretches in one pen, without extras.
        let alike = |other: &&Cell| other.extra.is_none() && other.has_pen_of(cell);
        let stretch = cells.iter().take_while(alike).count().max(1);
        let (now, rest) = cells.split_at(stretch);
        cells = rest;
        sgr::write_change(text, pen, cell);
        pen = cell;
        if now.iter().all(|cell| cell.c.is_ascii() && cell.width == Width::Narrow) {
            push_ascii(text, now);
        } else {
            text.extend(now.iter().filter(|cell| cell.width != Width::Spacer).map(|cell| cell.c));
        }
        text.push_str(cell.marks());
    }
    sgr::write_change(text, pen, &BLANK);
}

/// Appends the characters of cells that hold nothing but ASCII, by the buffer instead of one by one.
fn push_ascii(text: &mut String, cells: &[Cell]) {
    let mut buffer = [0; 64];
    for part in cells.chunks(buffer.len()) {
        for (byte, cell) in buffer.iter_mut().zip(part) {
            *byte = cell.c as u8;
        }
        text.push_str(str::from_utf8(&buffer[..part.len()]).unwrap_or_default());
    }
}
