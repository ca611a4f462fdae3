//! The drawing operations on a screen: text, lines, the cursor, erasing and shifting.
//!
//! It is driven by `dispatch`; nothing here knows how an operation was asked for.

use unicode_width::UnicodeWidthChar;

use super::cell::{Cell, Width};
use super::grid::Row;
use super::modes::Mode;
use super::screen::Screen;

impl Screen {
    fn row(&mut self) -> &mut Row {
        self.page.grid.row_mut(self.cursor.row)
    }

    // ---- text

    /// Draws one character at the cursor.
    pub fn print(&mut self, c: char) {
        let c = self.cursor.charsets[self.cursor.gl].map(c);
        // The table of widths is asked only beyond ASCII.
        let width = if (' '..='~').contains(&c) { Some(1) } else { c.width() };
        let Some(width) = width else { return };
        if width == 0 {
            self.mark(c);
            return;
        }
        let cols = self.cols();
        if width > cols {
            return;
        }
        let autowrap = self.modes.has(Mode::Autowrap);
        if self.cursor.pending && autowrap {
            self.wrap();
        }
        if self.cursor.col + width > cols {
            if !autowrap {
                return;
            }
            // A wide character does not fit into the last column: that one is left blank.
            let col = self.cursor.col;
            self.page.grid.row_mut(self.cursor.row).draw(col, cols, ' ', &self.cursor.pen);
            self.wrap();
        }
        self.cursor.pending = false;
        let (col, bg) = (self.cursor.col, self.cursor.pen.bg);
        if self.modes.has(Mode::Insert) {
            self.row().insert(col, width, cols, bg);
        }
        let row = self.page.grid.row_mut(self.cursor.row);
        if width == 1 {
            row.draw(col, cols, c, &self.cursor.pen);
        } else {
            row.draw_wide(col, c, &self.cursor.pen);
        }
        if col + width < cols {
            self.cursor.col = col + width;
        } else {
            self.cursor.col = cols - 1;
            self.cursor.pending = autowrap;
        }
    }

    /// Adds a zero-width character to the one before the cursor; without one it is dropped.
    fn mark(&mut self, c: char) {
        let mut col = self.cursor.col;
        if !self.cursor.pending {
            if col == 0 {
                return;
            }
            col -= 1;
        }
        if self.row().cell(col).width == Width::Spacer {
            col = col.saturating_sub(1);
        }
        self.row().cell_mut(col).push_mark(c);
    }

    /// REP: draws the character before the cursor `n` more times.
    pub fn repeat(&mut self, n: usize) {
        let mut col = if self.cursor.pending { self.cursor.col } else { self.cursor.col.saturating_sub(1) };
        if self.row().cell(col).width == Width::Spacer {
            col = col.saturating_sub(1);
        }
        let c = self.row().cell(col).c;
        // Whole rows beyond a screenful would draw the same screen again.
        let most = self.cols() * self.rows();
        let n = if n > most { most + (n - most) % self.cols() } else { n };
        let (charsets, gl) = (std::mem::take(&mut self.cursor.charsets), self.cursor.gl);
        for _ in 0..n {
            self.print(c);
        }
        self.cursor.charsets = charsets;
        self.cursor.gl = gl;
    }

    pub(super) fn wrap(&mut self) {
        let from = self.cursor.row;
        let scrolls = from + 1 == self.margins.end;
        self.row().wrapped = scrolls || from + 1 < self.rows();
        self.next_row();
        self.cursor.col = 0;
    }

    // ---- lines

    /// IND: one row down, scrolling at the bottom margin. The line that is left ends here.
    pub fn index(&mut self) {
        self.row().wrapped = false;
        self.next_row();
    }

    fn next_row(&mut self) {
        self.cursor.pending = false;
        if self.cursor.row + 1 == self.margins.end {
            self.scroll_off(1);
        } else if self.cursor.row + 1 < self.rows() {
            self.cursor.row += 1;
        }
    }

    /// RI: one row up, scrolling at the top margin.
    pub fn reverse_index(&mut self) {
        self.cursor.pending = false;
        if self.cursor.row == self.margins.start {
            self.scroll_down(self.margins.start, 1);
        } else {
            self.cursor.row = self.cursor.row.saturating_sub(1);
        }
    }

    /// CR.
    pub fn carriage_return(&mut self) {
        self.cursor.col = 0;
        self.cursor.pending = false;
    }

    /// Scrolls the margins; what leaves the top of the primary screen is kept as history.
    fn scroll_off(&mut self, n: usize) {
        let keep = self.margins.start == 0 && self.behind.is_none();
        let (bg, scrolled) = (self.cursor.pen.bg, &mut self.scrolled);
        self.page.grid.scroll_up(self.margins.clone(), n, bg, |row| {
            if keep {
                scrolled.push(row);
            }
        });
    }

    /// SU and DL: rows from `top` to the bottom margin move up and are lost.
    pub fn scroll_up(&mut self, top: usize, n: usize) {
        self.page.grid.scroll_up(top..self.margins.end, n, self.cursor.pen.bg, |_| {});
    }

    /// SD and IL: rows from `top` to the bottom margin move down.
    pub fn scroll_down(&mut self, top: usize, n: usize) {
        self.page.grid.scroll_down(top..self.margins.end, n, self.cursor.pen.bg);
    }

    /// DECSTBM: `top` and `bottom` are rows from 1; a margin of less than two rows is refused.
    pub fn set_margins(&mut self, top: usize, bottom: usize) {
        let bottom = if bottom == 0 { self.rows() } else { bottom.min(self.rows()) };
        let top = top.max(1);
        if top < bottom {
            self.margins = top - 1..bottom;
            self.go(0, 0);
        }
    }

    // ---- cursor

    /// CUP: to a row and column from 0, counted from the top margin in origin mode.
    pub fn go(&mut self, row: usize, col: usize) {
        let rows = if self.cursor.origin { self.margins.clone() } else { 0..self.rows() };
        self.cursor.row = rows.start.saturating_add(row).min(rows.end - 1);
        self.column(col);
    }

    /// CHA: to a column from 0.
    pub fn column(&mut self, col: usize) {
        self.cursor.col = col.min(self.cols() - 1);
        self.cursor.pending = false;
    }

    /// CUU: up, not past the top margin if the cursor is below it.
    pub fn up(&mut self, n: usize) {
        let limit = if self.cursor.row >= self.margins.start { self.margins.start } else { 0 };
        self.cursor.row = self.cursor.row.saturating_sub(n).max(limit);
        self.cursor.pending = false;
    }

    /// CUD: down, not past the bottom margin if the cursor is above it.
    pub fn down(&mut self, n: usize) {
        let limit = if self.cursor.row < self.margins.end { self.margins.end } else { self.rows() };
        self.cursor.row = self.cursor.row.saturating_add(n).min(limit - 1);
        self.cursor.pending = false;
    }

    /// CUB.
    pub fn back(&mut self, n: usize) {
        self.column(self.cursor.col.saturating_sub(n));
    }

    /// CUF.
    pub fn forward(&mut self, n: usize) {
        self.column(self.cursor.col.saturating_add(n));
    }

    /// Row of the cursor as CUP counts it.
    #[must_use]
    pub fn reported_row(&self) -> usize {
        if self.cursor.origin { self.cursor.row - self.margins.start } else { self.cursor.row }
    }

    /// DECSC.
    pub fn save(&mut self) {
        self.page.saved = self.cursor.clone();
    }

    /// DECRC.
    pub fn restore(&mut self) {
        self.cursor = self.page.saved.clone();
        if self.cursor.origin {
            self.cursor.row = self.cursor.row.clamp(self.margins.start, self.margins.end - 1);
        }
    }

    /// HT and CHT.
    pub fn tab(&mut self, n: usize) {
        for _ in 0..n.min(self.cols()) {
            if self.cursor.pending {
                return;
            }
            let next = (self.cursor.col + 1..self.cols()).find(|col| self.tabs[*col]);
            self.cursor.col = next.unwrap_or(self.cols() - 1);
        }
    }

    /// CBT.
    pub fn tab_back(&mut self, n: usize) {
        self.cursor.pending = false;
        for _ in 0..n.min(self.cols()) {
            self.cursor.col = (0..self.cursor.col).rev().find(|col| self.tabs[*col]).unwrap_or(0);
        }
    }

    // ---- erasing and shifting

    /// EL: 0 to the right, 1 to the left, 2 the whole row.
    pub fn erase_line(&mut self, mode: u16) {
        let (cols, bg) = (self.cols(), self.cursor.pen.bg);
        // With a wrap pending the cursor stands behind the last column.
        let at = self.cursor.col + usize::from(self.cursor.pending);
        let range = match mode {
            0 => at..cols,
            1 => 0..(at + 1).min(cols),
            2 => 0..cols,
            _ => return,
        };
        self.row().erase(range, cols, bg);
    }

    /// ED: 0 below, 1 above, 2 all. 3 concerns the history, which is not kept here.
    pub fn erase_display(&mut self, mode: u16) {
        let (row, rows, bg) = (self.cursor.row, self.rows(), self.cursor.pen.bg);
        match mode {
            0 => {
                self.erase_line(0);
                self.page.grid.clear_rows(row + 1..rows, bg);
            }
            1 => {
                self.erase_line(1);
                self.page.grid.clear_rows(0..row, bg);
            }
            2 => self.page.grid.clear_rows(0..rows, bg),
            _ => {}
        }
    }

    /// ECH.
    pub fn erase_chars(&mut self, n: usize) {
        self.cursor.pending = false;
        let (cols, col, bg) = (self.cols(), self.cursor.col, self.cursor.pen.bg);
        self.row().erase(col..col.saturating_add(n).min(cols), cols, bg);
    }

    /// ICH.
    pub fn insert_chars(&mut self, n: usize) {
        self.cursor.pending = false;
        let (cols, col, bg) = (self.cols(), self.cursor.col, self.cursor.pen.bg);
        self.row().insert(col, n, cols, bg);
    }

    /// DCH.
    pub fn delete_chars(&mut self, n: usize) {
        self.cursor.pending = false;
        let (cols, col, bg) = (self.cols(), self.cursor.col, self.cursor.pen.bg);
        self.row().delete(col, n, cols, bg);
    }

    /// IL and DL act only between the margins and return the carriage.
    pub fn shift_lines(&mut self, n: usize, shift: fn(&mut Self, usize, usize)) {
        if self.margins.contains(&self.cursor.row) {
            shift(self, self.cursor.row, n);
            self.carriage_return();
        }
    }

    /// DECALN: the screen full of E.
    pub fn alignment_test(&mut self) {
        self.margins = 0..self.rows();
        self.cursor.origin = false;
        self.go(0, 0);
        let cols = self.cols();
        for row in 0..self.rows() {
            let cells = vec![Cell { c: 'E', ..Cell::default() }; cols];
            *self.page.grid.row_mut(row) = Row::from_cells(cells, false);
        }
    }
}
