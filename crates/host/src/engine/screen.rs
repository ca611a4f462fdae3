//! The whole state of one terminal, and the drawing operations that change it.
//!
//! It is driven by `dispatch`, which reads escape sequences; nothing here knows how an operation was asked for.

use std::collections::BTreeMap;
use std::ops::Range;

use unicode_width::UnicodeWidthChar;

use super::cell::{Cell, Width};
use super::format;
use super::grid::{Grid, Row};
use super::modes::{Mode, Modes};
use super::reflow::Place;
use super::said::Said;
use super::{Size, TermEvent};

/// Columns between the default tab stops (VT100).
const TAB_EVERY: usize = 8;
/// Saved titles; xterm keeps 10.
pub const MAX_TITLES: usize = 10;
/// Saved kitty keyboard flags per screen; the protocol asks for a limit and names none.
pub const MAX_KITTY: usize = 16;

/// A graphic character set that G0–G3 can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Charset {
    /// US ASCII.
    #[default]
    Ascii,
    /// DEC special graphics: line drawing.
    Drawing,
    /// ASCII with £ for #.
    British,
}

impl Charset {
    fn map(self, c: char) -> char {
        match (self, c) {
            (Self::Ascii, _) => c,
            (Self::British, '#') => '£',
            (Self::British, _) => c,
            (Self::Drawing, '`'..='~') => DRAWING[c as usize - '`' as usize],
            (Self::Drawing, '_') => ' ',
            (Self::Drawing, _) => c,
        }
    }
}

/// What DEC special graphics draws for ` to ~ (VT220 programmer's reference, table 2-4).
const DRAWING: [char; 31] = [
    '◆', '▒', '␉', '␌', '␍', '␊', '°', '±', '␤', '␋', '┘', '┐', '┌', '└', '┼', '⎺', '⎻', '─', '⎼', '⎽', '├', '┤', '┴',
    '┬', '│', '≤', '≥', 'π', '≠', '£', '·',
];

/// Where and how the next character is drawn; this is what DECSC saves.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Cursor {
    /// Row from 0, always on the screen.
    pub row: usize,
    /// Column from 0, always on the screen.
    pub col: usize,
    /// The last column was written; the next character wraps first.
    pub pending: bool,
    /// Attributes, colours and link of what is drawn; its character is a blank.
    pub pen: Cell,
    /// G0–G3.
    pub charsets: [Charset; 4],
    /// Which of them is in use, 0..=3.
    pub gl: usize,
    /// DECOM: positions count from the top margin.
    pub origin: bool,
}

/// Kitty keyboard flags of one screen.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Kitty {
    /// Flags in force.
    pub flags: u8,
    /// Flags to come back to, the latest last.
    pub stack: Vec<u8>,
}

/// What each of the two screens has of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// What is drawn.
    pub grid: Grid,
    /// What DECSC saved.
    pub saved: Cursor,
    /// Keyboard flags.
    pub kitty: Kitty,
}

impl Page {
    fn new(size: Size) -> Self {
        let grid = Grid::new(usize::from(size.cols), usize::from(size.rows));
        Self { grid, saved: Cursor::default(), kitty: Kitty::default() }
    }
}

/// The state of one terminal.
#[derive(Clone, Debug)]
pub struct Screen {
    /// Size in cells.
    pub size: Size,
    /// The screen that is shown.
    pub page: Page,
    /// The primary screen while the alternate one is shown.
    pub behind: Option<Box<Page>>,
    /// Cursor and pen; shared by both screens.
    pub cursor: Cursor,
    /// Rows that scroll (DECSTBM).
    pub margins: Range<usize>,
    /// One flag for each column.
    pub tabs: Vec<bool>,
    /// Modes.
    pub modes: Modes,
    /// Cursor style as in DECSCUSR, 0..=6; 0 is the terminal's own.
    pub cursor_style: u8,
    /// Window title, empty when never set.
    pub title: String,
    /// Titles pushed by `CSI 22 t`, the latest last.
    pub titles: Vec<String>,
    /// Colours changed by OSC 4 (0..=255) and OSC 10, 11, 12 (256 + 10, 11, 12).
    pub palette: BTreeMap<u16, [u8; 3]>,
    /// XTMODKEYS value of `modifyOtherKeys`.
    pub other_keys: u8,
    /// Rows that left the top of the primary screen.
    pub scrolled: Vec<String>,
    /// What the program said besides drawing.
    pub said: Said,
}

impl Screen {
    /// An empty terminal.
    #[must_use]
    pub fn new(size: Size) -> Self {
        Self {
            size,
            page: Page::new(size),
            behind: None,
            cursor: Cursor::default(),
            margins: 0..usize::from(size.rows),
            tabs: default_tabs(usize::from(size.cols)),
            modes: Modes::default(),
            cursor_style: 0,
            title: String::new(),
            titles: Vec::new(),
            palette: BTreeMap::new(),
            other_keys: 0,
            scrolled: Vec::new(),
            said: Said::default(),
        }
    }

    /// RIS: everything as it was at first; what was said and scrolled stays to be taken.
    pub fn reset(&mut self) {
        let fresh = Self::new(self.size);
        let old = std::mem::replace(self, fresh);
        self.scrolled = old.scrolled;
        self.said = old.said;
        if !old.title.is_empty() {
            self.said.push(TermEvent::Title(String::new()));
        }
    }

    /// DECSTR: the soft reset.
    pub fn soft_reset(&mut self) {
        for (mode, on) in [
            (Mode::CursorShown, true),
            (Mode::Autowrap, true),
            (Mode::Insert, false),
            (Mode::CursorKeys, false),
            (Mode::Keypad, false),
        ] {
            self.modes.set(mode, on);
        }
        self.margins = 0..self.rows();
        self.page.saved = Cursor::default();
        self.cursor = Cursor { row: self.cursor.row, col: self.cursor.col, ..Cursor::default() };
    }

    /// Columns.
    #[must_use]
    pub fn cols(&self) -> usize {
        usize::from(self.size.cols)
    }

    /// Rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        usize::from(self.size.rows)
    }

    fn row(&mut self) -> &mut Row {
        self.page.grid.row_mut(self.cursor.row)
    }

    // ---- text

    /// Draws one character at the cursor.
    pub fn print(&mut self, c: char) {
        let c = self.cursor.charsets[self.cursor.gl].map(c);
        let Some(width) = c.width() else { return };
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
            let pen = self.cursor.pen.clone();
            let col = self.cursor.col;
            self.row().part(col);
            *self.row().cell_mut(col) = pen;
            self.wrap();
        }
        self.cursor.pending = false;
        let (col, bg) = (self.cursor.col, self.cursor.pen.bg);
        if self.modes.has(Mode::Insert) {
            self.row().insert(col, width, cols, bg);
        }
        self.put(col, c, width);
        if col + width < cols {
            self.cursor.col = col + width;
        } else {
            self.cursor.col = cols - 1;
            self.cursor.pending = autowrap;
        }
    }

    fn put(&mut self, col: usize, c: char, width: usize) {
        let pen = self.cursor.pen.clone();
        let row = self.page.grid.row_mut(self.cursor.row);
        row.part(col);
        row.part(col + width);
        if width == 2 {
            *row.cell_mut(col + 1) = Cell { width: Width::Spacer, ..pen.clone() };
            *row.cell_mut(col) = Cell { c, width: Width::Wide, ..pen };
        } else {
            *row.cell_mut(col) = Cell { c, ..pen };
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

    fn wrap(&mut self) {
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
                scrolled.push(format::row_sgr(row));
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

    // ---- screens and size

    /// Shows the alternate screen, empty; nothing happens when it is shown already.
    pub fn enter_alternate(&mut self) {
        if self.behind.is_none() {
            let mut page = Page::new(self.size);
            page.grid.clear_rows(0..self.rows(), self.cursor.pen.bg);
            let primary = std::mem::replace(&mut self.page, page);
            self.behind = Some(Box::new(primary));
        }
    }

    /// Shows the primary screen again; what the alternate one showed is gone.
    pub fn leave_alternate(&mut self) {
        if let Some(primary) = self.behind.take() {
            self.page = *primary;
        }
    }

    /// Changes the size. The primary screen is re-wrapped, the alternate one cut; margins are reset.
    pub fn resize(&mut self, size: Size) {
        if size == self.size {
            return;
        }
        let (cols, rows) = (usize::from(size.cols), usize::from(size.rows));
        let pending = usize::from(self.cursor.pending);
        let here = Place { row: self.cursor.row, col: self.cursor.col + pending };
        let lost = if let Some(primary) = self.behind.as_deref_mut() {
            let resized = self.page.grid.crop(cols, rows, here);
            self.cursor.row = resized.cursor.row;
            self.cursor.col = resized.cursor.col.min(cols - 1);
            self.cursor.pending = false;
            let saved = Place { row: primary.saved.row, col: primary.saved.col };
            let resized = primary.grid.reflow(cols, rows, saved);
            primary.saved.row = resized.cursor.row;
            primary.saved.col = resized.cursor.col.min(cols - 1);
            primary.saved.pending = false;
            resized.lost
        } else {
            let resized = self.page.grid.reflow(cols, rows, here);
            self.page.saved.row = self.page.saved.row.saturating_sub(resized.lost.len());
            self.cursor.row = resized.cursor.row;
            self.cursor.pending = resized.cursor.col >= cols;
            self.cursor.col = resized.cursor.col.min(cols - 1);
            resized.lost
        };
        let saved = &mut self.page.saved;
        if saved.row >= rows || saved.col >= cols {
            saved.row = saved.row.min(rows - 1);
            saved.col = saved.col.min(cols - 1);
        }
        saved.pending = saved.pending && saved.col == cols - 1;
        self.scrolled.extend(lost.iter().map(format::row_sgr));
        let old = self.cols();
        self.tabs.truncate(cols);
        self.tabs.extend((old..cols).map(|col| col % TAB_EVERY == 0));
        self.size = size;
        self.margins = 0..rows;
    }
}

/// A stop every eight columns.
#[must_use]
pub fn default_tabs(cols: usize) -> Vec<bool> {
    (0..cols).map(|col| col % TAB_EVERY == 0).collect()
}
