//! The drawing operations on a screen: text, lines, the cursor, erasing and shifting.
//!
//! It is driven by `dispatch`; nothing here knows how an operation was asked for.

use unicode_width::UnicodeWidthChar;

use super::cell::{Cell, Width};
use super::cluster::{EMOJI_STYLE, has_emoji_style};
use super::grid::Row;
use super::modes::Mode;
use super::screen::{Cursor, Screen};

impl Screen {
    fn row(&mut self) -> &mut Row {
        self.page.grid.row_mut(self.cursor.row)
    }

    // ---- text

    /// Draws one character at the cursor.
    pub fn print(&mut self, c: char) {
        let set = match std::mem::take(&mut self.single_shift) {
            0 => self.cursor.gl,
            set => usize::from(set),
        };
        let c = self.cursor.charsets[set].map(c);
        // The table of widths is asked only beyond ASCII.
        let width = if (' '..='~').contains(&c) { Some(1) } else { c.width() };
        let Some(width) = width else { return };
        if width == 0 {
            self.mark(c);
            return;
        }
        let cols = self.cols();
        if width > cols || self.join(c, width) {
            return;
        }
        let autowrap = self.modes.has(Mode::Autowrap);
        if self.cursor.pending && autowrap {
            self.wrap();
        }
        if self.cursor.col + width > self.line_end(self.cursor.col) {
            if !autowrap {
                self.cursor.pending = false;
                return;
            }
            // A wide character does not fit into the last column: that one is left blank.
            let col = self.cursor.col;
            self.page.grid.row_mut(self.cursor.row).draw(col, cols, ' ', &self.cursor.pen);
            self.wrap();
        }
        self.cursor.pending = false;
        let col = self.cursor.col;
        let end = self.line_end(col);
        if self.modes.has(Mode::Insert) {
            self.make_room(col, width);
        }
        let row = self.page.grid.row_mut(self.cursor.row);
        if width == 1 {
            row.draw(col, cols, c, &self.cursor.pen);
        } else {
            row.draw_wide(col, c, &self.cursor.pen);
        }
        if col + width < end {
            self.cursor.col = col + width;
        } else {
            self.cursor.col = end - 1;
            self.cursor.pending = true;
        }
        self.drawn_last = u16::try_from(col).ok();
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
        let is_last = self.drawn_last.is_some_and(|last| usize::from(last) == col);
        let cell = self.row().cell_mut(col);
        if c == EMOJI_STYLE && !cell.is_wide() && has_emoji_style(cell.c) {
            let Some(wider) = self.widen(col) else { return };
            col = wider;
        }
        self.row().cell_mut(col).push_mark(c);
        self.drawn_last = if is_last { u16::try_from(col).ok() } else { None };
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
        self.drawn_last = None;
    }

    pub(super) fn wrap(&mut self) {
        let from = self.cursor.row;
        let scrolls = from + 1 == self.margins.end;
        // What wraps at a margin inside the screen does not go on in the whole next row.
        self.row().wrapped = self.full_width() && (scrolls || from + 1 < self.rows());
        self.cursor.col = self.line_start(self.cursor.col);
        self.next_row();
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
            if self.sides.contains(&self.cursor.col) {
                self.scroll_off(1);
            }
        } else if self.cursor.row + 1 < self.rows() {
            self.cursor.row += 1;
        }
    }

    /// RI: one row up, scrolling at the top margin.
    pub fn reverse_index(&mut self) {
        self.cursor.pending = false;
        if self.cursor.row == self.margins.start {
            if self.sides.contains(&self.cursor.col) {
                self.scroll_down(self.margins.start, 1);
            }
        } else {
            self.cursor.row = self.cursor.row.saturating_sub(1);
        }
    }

    /// CR.
    pub fn carriage_return(&mut self) {
        self.cursor.col = self.line_start(self.cursor.col);
        self.cursor.pending = false;
    }

    /// Scrolls the margins; what leaves the top of the primary screen is kept as history.
    fn scroll_off(&mut self, n: usize) {
        if !self.full_width() {
            return self.scroll_up(self.margins.start, n);
        }
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
        let (rows, bg) = (top..self.margins.end, self.cursor.pen.bg);
        if self.full_width() {
            self.page.grid.scroll_up(rows, n, bg, |_| {});
        } else {
            self.page.grid.scroll_between(rows, self.sides.clone(), n, false, bg);
        }
    }

    /// SD and IL: rows from `top` to the bottom margin move down.
    pub fn scroll_down(&mut self, top: usize, n: usize) {
        let (rows, bg) = (top..self.margins.end, self.cursor.pen.bg);
        if self.full_width() {
            self.page.grid.scroll_down(rows, n, bg);
        } else {
            self.page.grid.scroll_between(rows, self.sides.clone(), n, true, bg);
        }
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

    /// CUP: to a row and column from 0, counted from the margins in origin mode.
    pub fn go(&mut self, row: usize, col: usize) {
        let rows = if self.cursor.origin { self.margins.clone() } else { 0..self.rows() };
        self.cursor.row = rows.start.saturating_add(row).min(rows.end - 1);
        self.column(col);
    }

    /// VPA: to a row from 0, in the same column.
    pub fn row_only(&mut self, row: usize) {
        let col = self.cursor.col;
        self.go(row, 0);
        self.column_on_screen(col);
    }

    /// CHA: to a column from 0, counted from the left margin in origin mode.
    pub fn column(&mut self, col: usize) {
        let cols = if self.cursor.origin { self.sides.clone() } else { 0..self.cols() };
        self.column_on_screen(cols.start.saturating_add(col).min(cols.end - 1));
    }

    /// To a column from 0 wherever the margins are.
    pub fn column_on_screen(&mut self, col: usize) {
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

    /// Row and column of the cursor as CUP counts them.
    #[must_use]
    pub fn reported_place(&self) -> (usize, usize) {
        let Cursor { row, col, origin, .. } = self.cursor;
        if origin { (row - self.margins.start, col - self.sides.start) } else { (row, col) }
    }

    /// DECSC.
    pub fn save(&mut self) {
        self.page.saved = self.cursor.clone();
        self.page.saved.pending &= self.cursor.col + 1 == self.cols();
    }

    /// DECRC.
    pub fn restore(&mut self) {
        self.cursor = self.page.saved.clone();
        if self.cursor.origin {
            self.cursor.row = self.cursor.row.clamp(self.margins.start, self.margins.end - 1);
            self.cursor.col = self.cursor.col.clamp(self.sides.start, self.sides.end - 1);
            self.give_up_margin_wrap();
        }
    }

    /// HT and CHT.
    pub fn tab(&mut self, n: usize) {
        for _ in 0..n.min(self.cols()) {
            if self.cursor.pending {
                return;
            }
            let end = self.line_end(self.cursor.col);
            let next = (self.cursor.col + 1..end).find(|col| self.tabs[*col]);
            self.cursor.col = next.unwrap_or(end - 1);
        }
    }

    /// CBT.
    pub fn tab_back(&mut self, n: usize) {
        self.cursor.pending = false;
        for _ in 0..n.min(self.cols()) {
            let start = if self.cursor.origin { self.sides.start } else { 0 };
            self.cursor.col = (start..self.cursor.col).rev().find(|col| self.tabs[*col]).unwrap_or(start);
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

    /// DECSEL: like EL, but what is protected stays.
    pub fn erase_line_selectively(&mut self, mode: u16) {
        let at = self.cursor.col + usize::from(self.cursor.pending);
        let (cols, bg) = (self.cols(), self.cursor.pen.bg);
        let range = match mode {
            0 => at..cols,
            1 => 0..(at + 1).min(cols),
            2 => 0..cols,
            _ => return,
        };
        self.row().erase_unprotected(range, bg);
    }

    /// DECSED: like ED, but what is protected stays.
    pub fn erase_display_selectively(&mut self, mode: u16) {
        let (row, cols, bg) = (self.cursor.row, self.cols(), self.cursor.pen.bg);
        let others = match mode {
            0 => row + 1..self.rows(),
            1 => 0..row,
            2 => 0..self.rows(),
            _ => return,
        };
        if mode < 2 {
            self.erase_line_selectively(mode);
        }
        for row in others {
            self.page.grid.row_mut(row).erase_unprotected(0..cols, bg);
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
        self.make_room(self.cursor.col, n);
    }

    /// Inserts `n` blanks at `col` of the cursor's row; nothing happens outside of the left and right margins.
    pub(super) fn make_room(&mut self, col: usize, n: usize) {
        let (cols, bg) = (self.cols(), self.cursor.pen.bg);
        if self.full_width() {
            self.row().insert(col, n, cols, bg);
        } else if self.sides.contains(&col) {
            let end = self.sides.end;
            self.row().insert_between(col..end, n, bg);
        }
    }

    /// DCH, between the left and right margins.
    pub fn delete_chars(&mut self, n: usize) {
        self.cursor.pending = false;
        let (cols, col, bg) = (self.cols(), self.cursor.col, self.cursor.pen.bg);
        if self.full_width() {
            self.row().delete(col, n, cols, bg);
        } else if self.sides.contains(&col) {
            let end = self.sides.end;
            self.row().delete_between(col..end, n, bg);
        }
    }

    /// IL and DL act only between the margins and return the carriage.
    pub fn shift_lines(&mut self, n: usize, shift: fn(&mut Self, usize, usize)) {
        if self.margins.contains(&self.cursor.row) && self.sides.contains(&self.cursor.col) {
            shift(self, self.cursor.row, n);
            self.carriage_return();
        }
    }

    /// DECALN: the screen full of E.
    pub fn alignment_test(&mut self) {
        self.margins = 0..self.rows();
        self.sides = 0..self.cols();
        self.cursor.origin = false;
        self.go(0, 0);
        let cols = self.cols();
        for row in 0..self.rows() {
            let cells = vec![Cell { c: 'E', ..Cell::default() }; cols];
            *self.page.grid.row_mut(row) = Row::from_cells(cells, false);
        }
    }
}
