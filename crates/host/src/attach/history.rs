//! Scrolling back while attached: rows of the session's history by number, then the screen below them.
//!
//! Rows are fetched from the host when they are looked at; nothing is replayed.

use std::collections::BTreeMap;

use super::canvas::Picture;
use crate::client::{Client, ClientError};
use crate::engine::cell::{Attrs, Cell};
use crate::engine::terminal::Terminal;
use crate::engine::{Engine, Size};
use crate::wire::{Reply, Request, RowRange};

/// A way to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// Towards older rows.
    Up(u64),
    /// Towards newer rows.
    Down(u64),
    /// To the oldest.
    Top,
}

/// A place in the history.
#[derive(Debug)]
pub(super) struct History {
    /// Number of the first row shown; the screen's rows are numbered on from the history's.
    top: u64,
    oldest: u64,
    /// Rows that are there, as text with SGR.
    rows: BTreeMap<u64, String>,
}

impl History {
    /// The place where the screen begins.
    pub fn at_end(total: u64) -> Self {
        Self { top: total, oldest: 0, rows: BTreeMap::new() }
    }

    /// Goes somewhere else.
    pub fn go(&mut self, way: Move, total: u64) {
        self.top = match way {
            Move::Up(rows) => self.top.saturating_sub(rows).max(self.oldest),
            Move::Down(rows) => self.top.saturating_add(rows).min(total),
            Move::Top => self.oldest,
        };
    }

    /// Whether nothing but the screen is shown.
    pub fn is_over(&self, total: u64) -> bool {
        self.top >= total
    }

    /// What is to be seen from here; the last row says where that is.
    pub fn picture(
        &mut self,
        client: &mut Client,
        engine: &Terminal,
        total: u64,
        size: Size,
    ) -> Result<Picture, ClientError> {
        let mut picture = Picture::new(size);
        let height = u64::from(size.rows.saturating_sub(1));
        self.fetch(client, self.top..(self.top + height).min(total))?;
        let screen = engine.screen();
        for (row, number) in (self.top..self.top + height).enumerate() {
            if let Some(text) = self.rows.get(&number) {
                picture.put(row, cells(text, size.cols).iter());
            } else if let Some(below) = number.checked_sub(total).and_then(|row| usize::try_from(row).ok())
                && below < screen.rows()
            {
                let line = screen.page.grid.row(below);
                picture.put(row, (0..screen.cols()).map(|col| line.cell(col)));
            }
        }
        let bar = Cell { attrs: Attrs(Attrs::INVERSE), ..Cell::default() };
        let text = format!(" {} of {total} rows above · ↑ ↓ PgUp PgDn Home · q: back to the session", self.top);
        picture.text(usize::from(size.rows) - 1, &text, &bar);
        Ok(picture)
    }

    /// Makes sure that the rows are there; what is gone stays away.
    fn fetch(&mut self, client: &mut Client, wanted: std::ops::Range<u64>) -> Result<(), ClientError> {
        self.rows.retain(|number, _| wanted.contains(number));
        let mut from = wanted.start;
        while from < wanted.end {
            if self.rows.contains_key(&from) {
                from += 1;
                continue;
            }
            let reply = client.request(&Request::Rows(RowRange { from, to: wanted.end }))?;
            let Reply::RowsAre(rows) = reply else { return Err(ClientError::Unexpected) };
            self.oldest = rows.oldest;
            self.top = self.top.max(rows.oldest);
            if rows.rows.is_empty() {
                return Ok(());
            }
            let end = rows.from + rows.rows.len() as u64;
            self.rows.extend((rows.from..).zip(rows.rows));
            from = end.max(from + 1);
        }
        Ok(())
    }
}

/// The cells of a line of text with SGR.
pub(super) fn cells(text: &str, cols: u16) -> Vec<Cell> {
    let mut line = Terminal::new(Size::clamped(cols, 1));
    line.feed(b"\x1b[?7l");
    line.feed(text.as_bytes());
    let row = line.screen().page.grid.row(0);
    (0..line.screen().cols()).map(|col| row.cell(col).clone()).collect()
}
