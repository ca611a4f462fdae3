//! Rows as text, plain or with SGR sequences.
//!
//! For people and logs: links and the state of the terminal are the serialiser's work.

use super::cell::{Cell, Width};
use super::grid::Row;
use super::sgr;

/// The characters of a row; trailing blanks are removed.
#[must_use]
pub fn row_text(row: &Row) -> String {
    let mut text = String::new();
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
    let plain = Cell::default();
    let mut pen = &plain;
    let mut text = String::new();
    for cell in row.cells()[..row.used()].iter().filter(|cell| cell.width != Width::Spacer) {
        sgr::write_change(&mut text, pen, cell);
        pen = cell;
        text.push(cell.c);
        text.push_str(cell.marks());
    }
    sgr::write_change(&mut text, pen, &plain);
    text
}
