//! The whole state of one terminal: two pages, cursor, modes, and what changes them as a whole.
//!
//! Drawing is in `draw`; reading escape sequences is in `dispatch`.

use std::collections::BTreeMap;
use std::ops::Range;

use super::cell::Cell;
use super::grid::Grid;
use super::modes::{Mode, Modes};
use super::reflow::Place;
use super::said::Said;
use super::scrolled::Scrolled;
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
    /// What is drawn for `c`.
    #[must_use]
    pub fn map(self, c: char) -> char {
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
    /// The last column was written; the next character wraps first, if it may then.
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
    /// Columns between the left and right margin (DECSLRM).
    pub sides: Range<usize>,
    /// The set (2 or 3) that SS2 or SS3 chose for the next character; 0 for none.
    pub single_shift: u8,
    /// Column of the last character, if nothing but marks came after it; see [`Screen::drawn_before`].
    pub drawn_last: Option<u16>,
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
    /// Private modes as XTSAVE found them.
    pub saved_modes: BTreeMap<u16, bool>,
    /// The setting that an open DECRQSS asks for.
    pub asked: Option<Vec<u8>>,
    /// Rows that left the top of the primary screen.
    pub scrolled: Scrolled,
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
            sides: 0..usize::from(size.cols),
            single_shift: 0,
            drawn_last: None,
            tabs: default_tabs(usize::from(size.cols)),
            modes: Modes::default(),
            cursor_style: 0,
            title: String::new(),
            titles: Vec::new(),
            palette: BTreeMap::new(),
            other_keys: 0,
            saved_modes: BTreeMap::new(),
            asked: None,
            scrolled: Scrolled::default(),
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
            (Mode::ReverseWrap, false),
            (Mode::Sides, false),
        ] {
            self.modes.set(mode, on);
        }
        self.margins = 0..self.rows();
        self.forget_sides();
        self.single_shift = 0;
        self.page.saved = Cursor::default();
        let Cursor { row, col, pending, .. } = self.cursor;
        self.cursor = Cursor { row, col, pending, ..Cursor::default() };
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

    /// Shows the alternate screen, empty; nothing happens when it is shown already.
    pub fn enter_alternate(&mut self) {
        if self.behind.is_none() {
            let mut page = Page::new(self.size);
            page.grid.clear_rows(0..self.rows(), self.cursor.pen.bg);
            let primary = std::mem::replace(&mut self.page, page);
            self.give_up_margin_wrap();
            self.behind = Some(Box::new(primary));
        }
    }

    /// Shows the primary screen again; what the alternate one showed is gone.
    pub fn leave_alternate(&mut self) {
        if let Some(primary) = self.behind.take() {
            self.page = *primary;
            self.give_up_margin_wrap();
        }
    }

    /// Changes the size. The primary screen is re-wrapped, the alternate one cut; margins are reset.
    pub fn resize(&mut self, size: Size) {
        if size == self.size {
            return;
        }
        let (cols, rows) = (usize::from(size.cols), usize::from(size.rows));
        self.forget_sides();
        self.drawn_last = None;
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
        lost.iter().for_each(|row| self.scrolled.push(row));
        let old = self.cols();
        self.tabs.truncate(cols);
        self.tabs.extend((old..cols).map(|col| col % TAB_EVERY == 0));
        self.size = size;
        self.margins = 0..rows;
        self.sides = 0..cols;
    }
}

/// A stop every eight columns.
#[must_use]
pub fn default_tabs(cols: usize) -> Vec<bool> {
    (0..cols).map(|col| col % TAB_EVERY == 0).collect()
}
