//! The rows of one screen: lines of cells that can be scrolled, cut and written.
//!
//! Rows keep cells only up to the last one written, so an empty screen costs almost nothing; the grid has no cursor.

use std::collections::VecDeque;
use std::ops::Range;

use super::cell::{Attrs, BLANK, Cell, Colour, Width};

/// Cells by which a row's memory grows: rows are kept for long and most are far from full.
const GROW: usize = 16;

/// One row. Cells beyond the stored ones are blank.
#[derive(Clone, Debug, Default)]
pub struct Row {
    cells: Vec<Cell>,
    /// The text of this row goes on in the next one because the terminal wrapped it.
    pub wrapped: bool,
}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        let len = self.cells.len().max(other.cells.len());
        self.wrapped == other.wrapped && (0..len).all(|col| self.cell(col) == other.cell(col))
    }
}

impl Row {
    /// A row of these cells.
    #[must_use]
    pub fn from_cells(cells: Vec<Cell>, wrapped: bool) -> Self {
        Self { cells, wrapped }
    }

    /// The cell at `col`.
    #[must_use]
    pub fn cell(&self, col: usize) -> &Cell {
        self.cells.get(col).unwrap_or(&BLANK)
    }

    /// The cell at `col` for writing.
    pub fn cell_mut(&mut self, col: usize) -> &mut Cell {
        self.store(col + 1);
        &mut self.cells[col]
    }

    /// Stores at least the first `len` cells.
    fn store(&mut self, len: usize) {
        if self.cells.len() < len {
            self.cells.reserve_exact(len.next_multiple_of(GROW) - self.cells.len());
            self.cells.resize(len, BLANK.clone());
        }
    }

    /// Draws a narrow character at `col` of a row `cols` wide.
    #[inline]
    pub fn draw(&mut self, col: usize, cols: usize, c: char, pen: &Cell) {
        if self.cells.len() <= col {
            self.store((col + 1).next_multiple_of(GROW).min(cols));
        }
        let old = &mut self.cells[col];
        // Most cells have no extras on either side; then nothing is counted or freed.
        if old.width == Width::Narrow && old.extra.is_none() && pen.extra.is_none() {
            (old.c, old.fg, old.bg, old.attrs) = (c, pen.fg, pen.bg, pen.attrs);
        } else {
            self.part(col);
            self.part(col + 1);
            self.cells[col] = Cell { c, ..pen.clone() };
        }
    }

    /// Replaces the cells from `col` on. They must fit into `cols` columns; halves of wide characters are the caller's.
    #[inline]
    pub(super) fn put(&mut self, col: usize, cols: usize, new: impl ExactSizeIterator<Item = Cell>) {
        let end = col + new.len();
        if self.cells.capacity() < end {
            self.cells.reserve_exact(end.next_multiple_of(GROW).min(cols) - self.cells.len());
        }
        self.store(col);
        let mut new = new;
        for (cell, new) in self.cells[col..].iter_mut().zip(&mut new) {
            *cell = new;
        }
        self.cells.extend(new);
    }

    /// Blanks the right half of a wide character at `col` whose left half was just drawn over.
    pub(super) fn drop_half(&mut self, col: usize) {
        if let Some(cell) = self.cells.get_mut(col).filter(|cell| cell.width == Width::Spacer) {
            *cell = Cell::erased(cell.bg);
        }
    }

    /// Draws a character of two columns at `col`.
    pub fn draw_wide(&mut self, col: usize, c: char, pen: &Cell) {
        self.part(col);
        self.part(col + 2);
        self.store(col);
        // In most text it is the last of the row so far.
        if self.cells.len() < col + 2 {
            self.cells.truncate(col);
            self.cells.reserve_exact((col + 2).next_multiple_of(GROW) - col);
            self.cells.extend([Cell::default(), Cell::default()]);
        }
        self.cells[col] = Cell { c, width: Width::Wide, ..pen.clone() };
        self.cells[col + 1] = Cell { width: Width::Spacer, ..pen.clone() };
    }

    /// The stored cells for writing.
    pub(super) fn cells_mut(&mut self) -> &mut [Cell] {
        &mut self.cells
    }

    /// The stored cells; all others are blank.
    #[must_use]
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Columns up to the last one that is not blank.
    #[must_use]
    pub fn used(&self) -> usize {
        self.cells.iter().rposition(|cell| !cell.is_blank()).map_or(0, |col| col + 1)
    }

    /// Columns up to the last one that holds text.
    #[must_use]
    pub fn text_len(&self) -> usize {
        self.cells.iter().rposition(Cell::has_text).map_or(0, |col| col + 1)
    }

    fn clear(&mut self, cols: usize, bg: Colour) {
        self.wrapped = false;
        self.cells.clear();
        if bg != Colour::Default {
            self.cells.resize(cols, Cell::erased(bg));
        }
    }

    /// Blanks the halves of wide characters that a change starting at column `at` would leave alone.
    pub fn part(&mut self, at: usize) {
        if at > 0 && self.cells.get(at).is_some_and(|cell| cell.width == Width::Spacer) {
            for cell in &mut self.cells[at - 1..=at] {
                *cell = Cell::erased(cell.bg);
            }
        }
    }

    /// Erases `range` of a row `cols` wide.
    pub fn erase(&mut self, range: Range<usize>, cols: usize, bg: Colour) {
        if range.is_empty() {
            return;
        }
        self.part(range.start);
        self.part(range.end);
        if range.end >= cols {
            self.wrapped = false;
        }
        if bg == Colour::Default && range.end >= self.cells.len() {
            self.cells.truncate(range.start);
        } else {
            for col in range {
                *self.cell_mut(col) = Cell::erased(bg);
            }
        }
    }

    /// Erases what is not protected in `range`.
    pub fn erase_unprotected(&mut self, range: Range<usize>, bg: Colour) {
        for col in range {
            if !self.cell(col).attrs.has(Attrs::PROTECTED) && (!self.cell(col).is_blank() || bg != Colour::Default) {
                self.part(col);
                self.part(col + 1);
                *self.cell_mut(col) = Cell::erased(bg);
            }
        }
    }

    /// Shifts the cells from `at` to the right by `n`; what passes `cols` is lost.
    pub fn insert(&mut self, at: usize, n: usize, cols: usize, bg: Colour) {
        let n = n.min(cols - at);
        self.part(at);
        self.part(cols - n);
        self.wrapped = false;
        if at < self.cells.len() || bg != Colour::Default {
            self.cell_mut(at);
            self.cells.splice(at..at, std::iter::repeat_n(Cell::erased(bg), n));
            self.cells.truncate(cols);
        }
    }

    /// Removes `n` cells from `at`; blanks enter at the right.
    pub fn delete(&mut self, at: usize, n: usize, cols: usize, bg: Colour) {
        let n = n.min(cols - at);
        self.part(at);
        self.part(at + n);
        self.wrapped = false;
        if bg != Colour::Default {
            self.cell_mut(cols - 1);
        }
        if at < self.cells.len() {
            self.cells.drain(at..(at + n).min(self.cells.len()));
        }
        if bg != Colour::Default {
            self.cells.resize(cols, Cell::erased(bg));
        }
    }

    /// Cuts the row to `cols` columns without moving text to another row.
    pub fn cut(&mut self, cols: usize) {
        self.part(cols);
        self.cells.truncate(cols);
        self.wrapped = false;
    }
}

/// All rows of one screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    pub(super) rows: VecDeque<Row>,
    pub(super) cols: usize,
}

impl Grid {
    /// An empty grid; both dimensions are at least 1.
    #[must_use]
    pub fn new(cols: usize, rows: usize) -> Self {
        Self { rows: std::iter::repeat_n(Row::default(), rows).collect(), cols }
    }

    /// Number of rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.rows.len()
    }

    /// Number of columns.
    #[must_use]
    pub fn width(&self) -> usize {
        self.cols
    }

    /// One row.
    #[must_use]
    pub fn row(&self, row: usize) -> &Row {
        &self.rows[row]
    }

    /// One row for writing.
    pub fn row_mut(&mut self, row: usize) -> &mut Row {
        &mut self.rows[row]
    }

    /// Blanks whole rows.
    pub fn clear_rows(&mut self, rows: Range<usize>, bg: Colour) {
        for row in rows {
            self.rows[row].clear(self.cols, bg);
        }
    }

    /// Moves the rows of `region` up by `n`, blank ones enter at its bottom; `lost` sees each row that leaves.
    pub fn scroll_up(&mut self, region: Range<usize>, n: usize, bg: Colour, mut lost: impl FnMut(&Row)) {
        for _ in 0..n.min(region.len()) {
            if region.len() == self.rows.len() {
                self.rows.rotate_left(1);
            } else {
                let Some(row) = self.rows.remove(region.start) else { return };
                self.rows.insert(region.end - 1, row);
            }
            let row = &mut self.rows[region.end - 1];
            lost(row);
            row.clear(self.cols, bg);
        }
    }

    /// Moves the rows of `region` down by `n`; blank ones enter at its top, the lowest are lost.
    pub fn scroll_down(&mut self, region: Range<usize>, n: usize, bg: Colour) {
        for _ in 0..n.min(region.len()) {
            let Some(mut row) = self.rows.remove(region.end - 1) else { return };
            row.clear(self.cols, bg);
            self.rows.insert(region.start, row);
        }
        self.unwrap_last();
    }

    /// The last row of a screen cannot go on in a next one.
    pub(super) fn unwrap_last(&mut self) {
        if let Some(last) = self.rows.back_mut() {
            last.wrapped = false;
        }
    }
}
