//! The whole state of a terminal as escape sequences that rebuild it in a fresh terminal of the same size.
//!
//! Not rebuilt: mode 2026, because a snapshot is taken where no update is open. What other terminals keep of the character
//! before, apart from the screen (what REP repeats, what marks and emoji join), is rebuilt by drawing it last
//! ([`Writer::last`]), unless something came after it: then such terminals have forgotten it, too.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use super::cell::{Attrs, Cell, Link, Width};
use super::cluster;
use super::grid::Grid;
use super::modes::{self, Mode, Modes};
use super::osc::{DYNAMIC, spell};
use super::screen::{Charset, Cursor, Kitty, Page, Screen, default_tabs};
use super::sgr;

/// Brings a terminal that is not quite fresh to default margins, pen, charsets and an empty screen.
const PRELUDE: &str = "\x1b[!p\x1b[m\x1b[H\x1b[2J";

/// Keeps the next character from joining the one before and changes nothing else (SGR 10, the usual font).
const APART: &str = "\x1b[10m";

/// Escape sequences that rebuild `screen`.
#[must_use]
pub fn snapshot(screen: &Screen) -> Vec<u8> {
    let mut out = Writer::new();
    out.text.push_str(PRELUDE);
    out.saved_modes(&screen.saved_modes);
    out.palette(screen);
    out.titles(screen);
    if let Some(primary) = screen.behind.as_deref() {
        out.page(primary);
        out.plain();
        out.text.push_str("\x1b[?1047h");
    }
    out.page(&screen.page);
    out.tabs(screen);
    if screen.margins != (0..screen.rows()) {
        out.sequence(format_args!("\x1b[{};{}r", screen.margins.start + 1, screen.margins.end));
    }
    if screen.modes.has(Mode::Sides) {
        out.text.push_str("\x1b[?69h");
    }
    if !screen.full_width() {
        out.sequence(format_args!("\x1b[{};{}s", screen.sides.start + 1, screen.sides.end));
    }
    let corner = (screen.margins.start, screen.sides.start);
    out.cursor(&screen.cursor, &screen.page.grid, corner);
    out.modes(&screen.modes);
    if screen.cursor_style != 0 {
        out.sequence(format_args!("\x1b[{} q", screen.cursor_style));
    }
    if screen.other_keys != 0 {
        out.sequence(format_args!("\x1b[>4;{}m", screen.other_keys));
    }
    match screen.single_shift {
        0 => out.last(screen, corner),
        2 => out.text.push_str("\x1bN"),
        _ => out.text.push_str("\x1bO"),
    }
    out.text.into_bytes()
}

/// What was written so far and what the terminal's pen is after it.
struct Writer {
    text: String,
    pen: Cell,
    link: Option<Arc<Link>>,
    /// What was drawn last: the next cell must not join it.
    before: Cell,
}

impl Writer {
    fn new() -> Self {
        Self { text: String::new(), pen: Cell::default(), link: None, before: Cell::default() }
    }

    fn sequence(&mut self, text: std::fmt::Arguments<'_>) {
        self.text.write_fmt(text).expect("writing to a String cannot fail");
    }

    fn go(&mut self, row: usize, col: usize) {
        self.sequence(format_args!("\x1b[{};{}H", row + 1, col + 1));
    }

    /// Makes the terminal's pen draw like `cell`, link included.
    fn pen(&mut self, cell: &Cell) {
        sgr::write_change(&mut self.text, &self.pen, cell);
        if cell.attrs.has(Attrs::PROTECTED) != self.pen.attrs.has(Attrs::PROTECTED) {
            self.sequence(format_args!("\x1b[{}\"q", u8::from(cell.attrs.has(Attrs::PROTECTED))));
        }
        self.pen = cell.clone();
        if self.link.as_ref() != cell.link() {
            match cell.link() {
                None => self.text.push_str("\x1b]8;;\x1b\\"),
                Some(link) if link.id.is_empty() => self.sequence(format_args!("\x1b]8;;{}\x1b\\", link.uri)),
                Some(link) => self.sequence(format_args!("\x1b]8;id={};{}\x1b\\", link.id, link.uri)),
            }
            self.link = cell.link().cloned();
        }
    }

    fn plain(&mut self) {
        self.pen(&Cell::default());
    }

    fn draw(&mut self, cell: &Cell) {
        if cell.width != Width::Spacer {
            self.pen(cell);
            if cluster::joins(&self.before, cell.c) {
                self.text.push_str(APART);
            }
            self.text.push(cell.c);
            self.text.push_str(cell.marks());
            self.before = cell.clone();
        }
    }

    /// Draws the character before the cursor once more if it was drawn last, with nothing behind it.
    fn last(&mut self, screen: &Screen, (top, left): (usize, usize)) {
        let Some(col) = screen.drawn_before() else {
            if screen.cursor.pending {
                self.text.push_str(APART);
            }
            return;
        };
        let (cursor, cell) = (&screen.cursor, screen.page.grid.row(screen.cursor.row).cell(col));
        let (top, left) = if cursor.origin { (top, left) } else { (0, 0) };
        self.go(cursor.row - top, col - left);
        self.pen(cell);
        if screen.modes.has(Mode::Insert) {
            // Drawing inserts again what this takes away.
            self.sequence(format_args!("\x1b[{}P", if cell.is_wide() { 2 } else { 1 }));
        }
        if cursor.charsets[cursor.gl].map(cell.c) != cell.c {
            // Another set than the one in use was shifted to for it.
            let third = cursor.charsets[3].map(cell.c) == cell.c && cursor.charsets[2].map(cell.c) != cell.c;
            self.text.push_str(if third { "\x1bO" } else { "\x1bN" });
        }
        self.draw(cell);
    }

    fn saved_modes(&mut self, saved: &BTreeMap<u16, bool>) {
        for (mode, on) in saved {
            let default = Modes::default().private(*mode).unwrap_or_default();
            let letter = |on: bool| if on { 'h' } else { 'l' };
            if *on == default {
                self.sequence(format_args!("\x1b[?{mode}s"));
            } else {
                let (now, back) = (letter(*on), letter(default));
                self.sequence(format_args!("\x1b[?{mode}{now}\x1b[?{mode}s\x1b[?{mode}{back}"));
            }
        }
    }

    fn palette(&mut self, screen: &Screen) {
        for (key, rgb) in &screen.palette {
            match key.checked_sub(DYNAMIC) {
                None => self.sequence(format_args!("\x1b]4;{key};{}\x1b\\", spell(*rgb))),
                Some(number) => self.sequence(format_args!("\x1b]{number};{}\x1b\\", spell(*rgb))),
            }
        }
    }

    fn titles(&mut self, screen: &Screen) {
        for title in &screen.titles {
            self.sequence(format_args!("\x1b]2;{title}\x1b\\\x1b[22;2t"));
        }
        if !screen.title.is_empty() || !screen.titles.is_empty() {
            self.sequence(format_args!("\x1b]2;{}\x1b\\", screen.title));
        }
    }

    /// Rows, saved cursor and keyboard flags of the screen that is shown at this point.
    fn page(&mut self, page: &Page) {
        self.rows(&page.grid);
        if page.saved != Cursor::default() {
            self.saved(&page.saved, &page.grid);
        }
        self.kitty(&page.kitty);
    }

    fn rows(&mut self, grid: &Grid) {
        let mut after_wrap = false;
        for index in 0..grid.height() {
            let row = grid.row(index);
            // A wrapped row is written to its end, and the next one right after it, so that the terminal wraps too.
            let end = match (row.wrapped, after_wrap) {
                (true, _) => grid.width(),
                (false, true) => row.used().max(1),
                (false, false) => row.used(),
            };
            let mut col = 0;
            if !after_wrap {
                while col < end && !row.wrapped && row.cell(col).is_blank() {
                    col += 1;
                }
                if col < end {
                    self.go(index, col);
                }
            }
            while col < end {
                self.draw(row.cell(col));
                col += 1;
            }
            after_wrap = row.wrapped;
        }
    }

    /// Puts the cursor where `cursor` is, a pending wrap included. Margins are full or origin mode is as it should be.
    fn place(&mut self, cursor: &Cursor, grid: &Grid, (top, left): (usize, usize)) {
        let (top, left) = if cursor.origin { (top, left) } else { (0, 0) };
        let row = cursor.row - top;
        if !cursor.pending {
            self.go(row, cursor.col - left);
            return;
        }
        let line = grid.row(cursor.row);
        let wide = line.cell(cursor.col).width == Width::Spacer;
        let col = cursor.col - usize::from(wide);
        self.go(row, col - left);
        self.draw(line.cell(col));
    }

    fn charsets(&mut self, cursor: &Cursor) {
        for (set, charset) in "()*+".chars().zip(cursor.charsets) {
            let name = match charset {
                Charset::Ascii => continue,
                Charset::Drawing => '0',
                Charset::British => 'A',
            };
            self.sequence(format_args!("\x1b{set}{name}"));
        }
        self.text.push_str(["", "\x0e", "\x1bn", "\x1bo"][cursor.gl]);
    }

    fn saved(&mut self, saved: &Cursor, grid: &Grid) {
        if saved.origin {
            self.text.push_str("\x1b[?6h");
        }
        self.place(saved, grid, (0, 0));
        self.pen(&saved.pen);
        self.charsets(saved);
        self.text.push_str("\x1b7");
        if saved.origin {
            self.text.push_str("\x1b[?6l");
        }
        if saved.charsets != <[Charset; 4]>::default() {
            self.text.push_str("\x1b(B\x1b)B\x1b*B\x1b+B");
        }
        if saved.gl != 0 {
            self.text.push('\x0f');
        }
    }

    fn kitty(&mut self, kitty: &Kitty) {
        let mut flags = kitty.stack.iter().chain([&kitty.flags]);
        if let Some(first) = flags.next().filter(|first| **first != 0) {
            self.sequence(format_args!("\x1b[={first};1u"));
        }
        for next in flags {
            self.sequence(format_args!("\x1b[>{next}u"));
        }
    }

    fn tabs(&mut self, screen: &Screen) {
        if screen.tabs != default_tabs(screen.cols()) {
            self.text.push_str("\x1b[3g");
            for col in (0..screen.cols()).filter(|col| screen.tabs[*col]) {
                self.sequence(format_args!("\x1b[1;{}H\x1bH", col + 1));
            }
        }
    }

    fn cursor(&mut self, cursor: &Cursor, grid: &Grid, corner: (usize, usize)) {
        if cursor.origin {
            self.text.push_str("\x1b[?6h");
        }
        self.place(cursor, grid, corner);
        self.pen(&cursor.pen);
        self.charsets(cursor);
    }

    /// After the cursor, because insert mode and autowrap would change how its place is drawn.
    fn modes(&mut self, now: &Modes) {
        let default = Modes::default();
        let letter = |mode: Mode| if now.has(mode) { 'h' } else { 'l' };
        for (number, mode) in modes::PRIVATE {
            if now.has(mode) != default.has(mode) {
                self.sequence(format_args!("\x1b[?{number}{}", letter(mode)));
            }
        }
        for (number, mode) in modes::ANSI {
            if now.has(mode) != default.has(mode) {
                self.sequence(format_args!("\x1b[{number}{}", letter(mode)));
            }
        }
        for number in [now.mouse, now.mouse_encoding].into_iter().filter(|number| *number != 0) {
            self.sequence(format_args!("\x1b[?{number}h"));
        }
    }
}
