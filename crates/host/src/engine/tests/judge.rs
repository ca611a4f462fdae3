//! Three terminals behind one face, so that the fidelity table can be held against all.

use std::sync::{Arc, Mutex};

use alacritty_terminal::event::{Event, EventListener, WindowSize};
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::term::{Config, Term};
use alacritty_terminal::vte::ansi::{Color, NamedColor, Processor};

use crate::engine::cell::{Attrs, Cell, Colour};
use crate::engine::terminal::Terminal;
use crate::engine::{Engine, Size, TermEvent, sgr};

/// Columns and rows of the table's terminals.
const COLS: u16 = 20;
const ROWS: u16 = 6;

/// What the table asks of a terminal.
pub trait Judge {
    fn feed(&mut self, bytes: &[u8]);
    /// Text without trailing blanks.
    fn row(&self, row: usize) -> String;
    fn cursor(&self) -> (usize, usize);
    /// SGR parameters that set the look of a cell from the default one.
    fn style(&self, row: usize, col: usize) -> String;
    fn link(&self, row: usize, col: usize) -> String;
    /// Everything answered so far, escapes shown as `^[`.
    fn reply(&mut self) -> String;
    fn title(&self) -> String;
}

fn parameters(cell: &Cell) -> String {
    let mut out = String::new();
    sgr::write_change(&mut out, &Cell::default(), cell);
    out.trim_start_matches("\x1b[").trim_end_matches('m').to_owned()
}

pub struct Ours(Terminal);

impl Ours {
    pub fn new() -> Self {
        Self(Terminal::new(Size::clamped(COLS, ROWS)))
    }

    /// Goes on in a fresh terminal that was given the snapshot; how many bytes were not drawn yet.
    pub fn rebuild(&mut self) -> usize {
        let mut fresh = Terminal::new(self.0.size());
        let snapshot = self.0.serialise();
        fresh.feed(&snapshot);
        fresh.take_events();
        let fed = self.0.offset();
        let open = usize::try_from(fed - self.0.ground_offset()).expect("short inputs");
        self.0 = fresh;
        open
    }
}

impl Judge for Ours {
    fn feed(&mut self, bytes: &[u8]) {
        self.0.feed(bytes);
    }
    fn row(&self, row: usize) -> String {
        self.0.row_text(u16::try_from(row).expect("a row"))
    }
    fn cursor(&self) -> (usize, usize) {
        let (row, col, _) = self.0.cursor();
        (row.into(), col.into())
    }
    fn style(&self, row: usize, col: usize) -> String {
        parameters(self.0.screen().page.grid.row(row).cell(col))
    }
    fn link(&self, row: usize, col: usize) -> String {
        self.0.screen().page.grid.row(row).cell(col).link().map(|link| link.uri.clone()).unwrap_or_default()
    }
    fn reply(&mut self) -> String {
        let events = self.0.take_events();
        let replies = events.into_iter().filter_map(|event| match event {
            TermEvent::Reply(bytes) => Some(String::from_utf8(bytes).expect("replies are text")),
            _ => None,
        });
        replies.collect::<String>().replace('\x1b', "^[")
    }
    fn title(&self) -> String {
        self.0.title().to_owned()
    }
}

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<(String, String)>>);

impl EventListener for Heard {
    fn send_event(&self, event: Event) {
        let mut heard = self.0.lock().expect("one thread");
        match event {
            Event::PtyWrite(text) => heard.0.push_str(&text),
            Event::TextAreaSizeRequest(answer) => {
                let size = WindowSize { num_lines: ROWS, num_cols: COLS, cell_width: 8, cell_height: 16 };
                heard.0.push_str(&answer(size));
            }
            Event::Title(title) => heard.1 = title,
            Event::ResetTitle => heard.1.clear(),
            _ => {}
        }
    }
}

struct Dim;

impl Dimensions for Dim {
    fn total_lines(&self) -> usize {
        ROWS.into()
    }
    fn screen_lines(&self) -> usize {
        ROWS.into()
    }
    fn columns(&self) -> usize {
        COLS.into()
    }
}

pub struct Alacritty {
    term: Term<Heard>,
    parser: Processor,
    heard: Heard,
}

impl Alacritty {
    pub fn new() -> Self {
        let heard = Heard::default();
        let config = Config { scrolling_history: 0, kitty_keyboard: true, ..Config::default() };
        Self { term: Term::new(config, &Dim, heard.clone()), parser: Processor::new(), heard }
    }

    fn cell(&self, row: usize, col: usize) -> &alacritty_terminal::term::cell::Cell {
        &self.term.grid()[Line(i32::try_from(row).expect("a row"))][Column(col)]
    }
}

fn colour(colour: Color) -> Colour {
    match colour {
        Color::Named(name @ (NamedColor::Foreground | NamedColor::Background)) => {
            assert!(name as usize >= 256);
            Colour::Default
        }
        Color::Named(name) => Colour::Basic(u8::try_from(name as usize).unwrap_or(15)),
        Color::Indexed(index) => Colour::Indexed(index),
        Color::Spec(rgb) => Colour::Rgb(rgb.r, rgb.g, rgb.b),
    }
}

impl Judge for Alacritty {
    fn feed(&mut self, bytes: &[u8]) {
        self.parser.advance(&mut self.term, bytes);
    }
    fn row(&self, row: usize) -> String {
        let mut text = String::new();
        for col in 0..usize::from(COLS) {
            let cell = self.cell(row, col);
            if !cell.flags.intersects(Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER) {
                text.push(if cell.c == '\t' { ' ' } else { cell.c });
                text.extend(cell.zerowidth().unwrap_or_default());
            }
        }
        text.trim_end_matches(' ').to_owned()
    }
    fn cursor(&self) -> (usize, usize) {
        let point = self.term.grid().cursor.point;
        (usize::try_from(point.line.0).expect("a row"), point.column.0)
    }
    fn style(&self, row: usize, col: usize) -> String {
        let theirs = self.cell(row, col);
        let mut cell = Cell { fg: colour(theirs.fg), bg: colour(theirs.bg), ..Cell::default() };
        for (flag, bit) in [
            (Flags::BOLD, Attrs::BOLD),
            (Flags::DIM, Attrs::DIM),
            (Flags::ITALIC, Attrs::ITALIC),
            (Flags::INVERSE, Attrs::INVERSE),
            (Flags::HIDDEN, Attrs::HIDDEN),
            (Flags::STRIKEOUT, Attrs::STRIKE),
        ] {
            if theirs.flags.contains(flag) {
                cell.attrs.0 |= bit;
            }
        }
        let lines = [
            Flags::UNDERLINE,
            Flags::DOUBLE_UNDERLINE,
            Flags::UNDERCURL,
            Flags::DOTTED_UNDERLINE,
            Flags::DASHED_UNDERLINE,
        ];
        if let Some(style) = (1..).zip(lines).find_map(|(style, flag)| theirs.flags.contains(flag).then_some(style)) {
            cell.attrs = cell.attrs.with_underline(style);
        }
        cell.set_underline_colour(theirs.underline_color().map(colour));
        parameters(&cell)
    }
    fn link(&self, row: usize, col: usize) -> String {
        self.cell(row, col).hyperlink().map(|link| link.uri().to_owned()).unwrap_or_default()
    }
    fn reply(&mut self) -> String {
        std::mem::take(&mut self.heard.0.lock().expect("one thread").0).replace('\x1b', "^[")
    }
    fn title(&self) -> String {
        self.heard.0.lock().expect("one thread").1.clone()
    }
}

/// What `vt100` tells by callbacks: titles.
#[derive(Default)]
struct Told(String);

impl vt100::Callbacks for Told {
    fn set_window_title(&mut self, _: &mut vt100::Screen, title: &[u8]) {
        self.0 = String::from_utf8_lossy(title).into_owned();
    }
}

pub struct Vt100(vt100::Parser<Told>);

impl Vt100 {
    pub fn new() -> Self {
        let [rows, cols] = [ROWS, COLS].map(|size| size.try_into().expect("a size"));
        Self(vt100::Parser::new_with_callbacks(rows, cols, 0, Told::default()))
    }

    fn cell(&self, row: usize, col: usize) -> Option<&vt100::Cell> {
        self.0.screen().cell(u16::try_from(row).expect("a row"), u16::try_from(col).expect("a column"))
    }
}

fn vt100_colour(colour: vt100::Color) -> Colour {
    match colour {
        vt100::Color::Default => Colour::Default,
        // It does not tell the sixteen basic colours from the first indexed ones.
        vt100::Color::Idx(index @ 0..=15) => Colour::Basic(index),
        vt100::Color::Idx(index) => Colour::Indexed(index),
        vt100::Color::Rgb(r, g, b) => Colour::Rgb(r, g, b),
    }
}

impl Judge for Vt100 {
    fn feed(&mut self, bytes: &[u8]) {
        self.0.process(bytes);
    }
    fn row(&self, row: usize) -> String {
        let mut text = String::new();
        for cell in (0..COLS.into()).filter_map(|col| self.cell(row, col)) {
            if !cell.is_wide_continuation() {
                text.push_str(if cell.has_contents() { cell.contents() } else { " " });
            }
        }
        text.trim_end_matches(' ').to_owned()
    }
    fn cursor(&self) -> (usize, usize) {
        let (row, col) = self.0.screen().cursor_position();
        // It stands behind the last column while a wrap is pending.
        (row.into(), usize::from(col.min(COLS - 1)))
    }
    fn style(&self, row: usize, col: usize) -> String {
        let Some(theirs) = self.cell(row, col) else { return String::new() };
        let mut cell =
            Cell { fg: vt100_colour(theirs.fgcolor()), bg: vt100_colour(theirs.bgcolor()), ..Cell::default() };
        for (on, bit) in [
            (theirs.bold(), Attrs::BOLD),
            (theirs.dim(), Attrs::DIM),
            (theirs.italic(), Attrs::ITALIC),
            (theirs.inverse(), Attrs::INVERSE),
        ] {
            if on {
                cell.attrs.0 |= bit;
            }
        }
        if theirs.underline() {
            cell.attrs = cell.attrs.with_underline(1);
        }
        parameters(&cell)
    }
    /// It keeps no links.
    fn link(&self, _: usize, _: usize) -> String {
        String::new()
    }
    /// It answers nothing.
    fn reply(&mut self) -> String {
        String::new()
    }
    fn title(&self) -> String {
        self.0.callbacks().0.clone()
    }
}
