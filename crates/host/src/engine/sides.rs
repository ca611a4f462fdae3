//! Left and right margins (DECSLRM): where lines end inside them, and what shifts between them.
//!
//! With margins at the edges of the screen everything here is what `draw` does without them.

use std::ops::Range;

use super::cell::{Cell, Colour};
use super::grid::{Grid, Row};
use super::modes::Mode;
use super::screen::Screen;

impl Screen {
    /// Whether the margins are the edges of the screen.
    #[must_use]
    pub fn full_width(&self) -> bool {
        self.sides.len() == self.cols()
    }

    /// Where a line that is written at `col` ends: the column behind the right margin, or the edge beyond it.
    #[must_use]
    pub fn line_end(&self, col: usize) -> usize {
        if col < self.sides.end { self.sides.end } else { self.cols() }
    }

    /// Where the carriage returns to from `col`.
    #[must_use]
    pub fn line_start(&self, col: usize) -> usize {
        if col >= self.sides.start || self.cursor.origin { self.sides.start } else { 0 }
    }

    /// A wrap that waits at a margin, not at the edge, does not outlast a change of margins or pages.
    pub fn give_up_margin_wrap(&mut self) {
        if self.cursor.col + 1 < self.cols() {
            self.cursor.pending = false;
        }
    }

    /// DECLRMM off: the margins are the edges again.
    pub fn forget_sides(&mut self) {
        self.give_up_margin_wrap();
        self.sides = 0..self.cols();
    }

    /// DECSLRM: `left` and `right` are columns from 1; a margin of less than two columns is refused.
    pub fn set_sides(&mut self, left: usize, right: usize) {
        let right = if right == 0 { self.cols() } else { right.min(self.cols()) };
        let left = left.max(1);
        if left < right {
            self.sides = left - 1..right;
            self.go(0, 0);
        }
    }

    /// Whether the cursor is inside all four margins.
    fn inside(&self) -> bool {
        self.margins.contains(&self.cursor.row) && self.sides.contains(&self.cursor.col)
    }

    /// DECIC and DECDC: blank columns enter at `col`, or `n` of them leave, in every row between the margins.
    pub fn shift_columns(&mut self, col: usize, n: usize, shift: fn(&mut Row, Range<usize>, usize, Colour)) {
        if self.inside() {
            for row in self.margins.clone() {
                shift(self.page.grid.row_mut(row), col..self.sides.end, n, self.cursor.pen.bg);
            }
            self.cursor.pending = false;
        }
    }

    /// DECBI: back one column, or the rest is pushed right from the left margin.
    pub fn back_index(&mut self) {
        if self.cursor.col == self.sides.start && self.inside() {
            self.shift_columns(self.sides.start, 1, Row::insert_between);
        } else {
            self.column_on_screen(self.cursor.col.saturating_sub(1));
        }
    }

    /// DECFI: forward one column, or the rest is pulled left at the right margin.
    pub fn forward_index(&mut self) {
        if self.cursor.col + 1 == self.sides.end && self.inside() {
            self.shift_columns(self.sides.start, 1, Row::delete_between);
        } else {
            self.column_on_screen(self.cursor.col + 1);
        }
    }

    /// CUB and BS: not past the left margin if the cursor is at or right of it. In mode 45 they go on at the end of the row
    /// before, if that one was wrapped by the terminal.
    pub fn back(&mut self, n: usize) {
        let mut n = n;
        let reverse = self.modes.has(Mode::ReverseWrap) && self.modes.has(Mode::Autowrap);
        if reverse && self.cursor.pending {
            n -= 1;
        }
        loop {
            let limit = if self.cursor.col >= self.sides.start { self.sides.start } else { 0 };
            let left = n.min(self.cursor.col - limit);
            self.column_on_screen(self.cursor.col - left);
            n -= left;
            let row = self.cursor.row;
            let wrapped = row > self.margins.start && self.page.grid.row(row - 1).wrapped;
            if n == 0 || !reverse || !wrapped || !self.full_width() {
                return;
            }
            n -= 1;
            let (before, here) = (self.page.grid.row(row - 1), self.page.grid.row(row));
            let last = self.cols() - 1;
            // The last column is blank where a wide character did not fit.
            let early = here.cell(0).is_wide() && !before.cell(last).has_text();
            self.cursor.row -= 1;
            self.cursor.col = last - usize::from(early && last > 0);
        }
    }

    /// CUF: not past the right margin if the cursor is left of it.
    pub fn forward(&mut self, n: usize) {
        self.column_on_screen(self.cursor.col.saturating_add(n).min(self.line_end(self.cursor.col) - 1));
    }
}

impl Row {
    /// Shifts the cells of `range` to the right by `n`; what passes its end is lost.
    pub fn insert_between(&mut self, range: Range<usize>, n: usize, bg: Colour) {
        let n = n.min(range.len());
        let cells = self.apart(&range);
        cells.rotate_right(n);
        cells[..n].fill(Cell::erased(bg));
        self.part_end(range.end);
    }

    /// Removes `n` cells from the start of `range`; blanks enter at its end.
    pub fn delete_between(&mut self, range: Range<usize>, n: usize, bg: Colour) {
        let n = n.min(range.len());
        self.part(range.start + n);
        let cells = self.apart(&range);
        cells.rotate_left(n);
        let kept = cells.len() - n;
        cells[kept..].fill(Cell::erased(bg));
    }

    /// The cells of `range`, all of them stored, with no wide character across its ends.
    fn apart(&mut self, range: &Range<usize>) -> &mut [Cell] {
        self.cell_mut(range.end - 1);
        self.part(range.start);
        self.part(range.end);
        self.wrapped = false;
        &mut self.cells_mut()[range.clone()]
    }

    /// Blanks the left half of a wide character whose right half was pushed over `end`.
    fn part_end(&mut self, end: usize) {
        if self.cell(end - 1).is_wide() {
            let bg = self.cell(end - 1).bg;
            *self.cell_mut(end - 1) = Cell::erased(bg);
        }
    }
}

impl Grid {
    /// Moves the cells in `cols` of the rows in `region` up by `n`, or down if `down`; blank ones enter.
    pub fn scroll_between(&mut self, region: Range<usize>, cols: Range<usize>, n: usize, down: bool, bg: Colour) {
        let n = n.min(region.len());
        let mut block: Vec<Vec<Cell>> = region.clone().map(|row| self.row_mut(row).apart(&cols).to_vec()).collect();
        let blank = vec![Cell::erased(bg); cols.len()];
        if down {
            block.rotate_right(n);
            block[..n].fill(blank);
        } else {
            block.rotate_left(n);
            let kept = block.len() - n;
            block[kept..].fill(blank);
        }
        for (row, cells) in region.zip(block) {
            self.row_mut(row).cells_mut()[cols.clone()].clone_from_slice(&cells);
        }
    }
}
