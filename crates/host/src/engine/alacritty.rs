//! The screen engine over `alacritty_terminal`; its serialiser covers the visible screen, cursor and modes.
//!
//! It does no input or output and keeps no history: rows that scroll off are handed out by `take_scrolled`.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use alacritty_terminal::event::{Event, EventListener};
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::term::{Config, Term, TermMode};
use alacritty_terminal::vte::ansi::{Color, NamedColor, Processor};

use super::{Engine, Size, TermEvent};

/// Rows kept by the grid between two reads; drained after every feed.
const HISTORY: usize = 200;

#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<TermEvent>>>);

impl EventListener for Said {
    fn send_event(&self, event: Event) {
        let said = match event {
            Event::Title(text) => TermEvent::Title(text),
            Event::ResetTitle => TermEvent::Title(String::new()),
            Event::Bell => TermEvent::Bell,
            Event::PtyWrite(text) => TermEvent::Reply(text.into_bytes()),
            _ => return,
        };
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(said);
    }
}

struct Dim(Size);
impl Dimensions for Dim {
    fn total_lines(&self) -> usize {
        usize::from(self.0.rows)
    }
    fn screen_lines(&self) -> usize {
        usize::from(self.0.rows)
    }
    fn columns(&self) -> usize {
        usize::from(self.0.cols)
    }
}

/// One terminal.
pub struct AlacrittyEngine {
    term: Term<Said>,
    parser: Processor,
    said: Said,
    size: Size,
    title: String,
    scrolled: Vec<String>,
}

impl AlacrittyEngine {
    /// An empty terminal of `size`.
    #[must_use]
    pub fn new(size: Size) -> Self {
        let said = Said::default();
        let config = Config {
            scrolling_history: HISTORY,
            ..Config::default()
        };
        let term = Term::new(config, &Dim(size), said.clone());
        Self {
            term,
            parser: Processor::new(),
            said,
            size,
            title: String::new(),
            scrolled: Vec::new(),
        }
    }

    fn drain_history(&mut self) {
        let rows = self.term.grid().history_size();
        for line in (1..=rows).rev() {
            let row = self.line_sgr(-i32::try_from(line).unwrap_or(1));
            self.scrolled.push(row);
        }
        self.term.grid_mut().clear_history();
    }

    fn line_sgr(&self, line: i32) -> String {
        let row = &self.term.grid()[Line(line)];
        let cells: Vec<&Cell> = row.into_iter().collect();
        let end = cells
            .iter()
            .rposition(|c| c.c != ' ' || c.bg != Color::Named(NamedColor::Background))
            .map_or(0, |i| i + 1);
        let mut out = String::new();
        let mut last = String::new();
        for cell in &cells[..end] {
            if cell
                .flags
                .intersects(Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER)
            {
                continue;
            }
            let style = sgr(cell);
            if style != last {
                out.push_str(if style.is_empty() { "\x1b[m" } else { &style });
                last = style;
            }
            out.push(cell.c);
            out.extend(cell.zerowidth().unwrap_or_default());
        }
        if !last.is_empty() {
            out.push_str("\x1b[m");
        }
        out
    }
}

fn colour(out: &mut String, base: u8, colour: Color) {
    let _ = match colour {
        Color::Named(name) if (name as usize) < 8 => {
            write!(out, ";{}", usize::from(base) + name as usize)
        }
        Color::Named(name) if (name as usize) < 16 => {
            write!(out, ";{}", usize::from(base) + 52 + name as usize)
        }
        Color::Named(_) => Ok(()),
        Color::Indexed(i) => write!(out, ";{};5;{i}", base + 8),
        Color::Spec(rgb) => write!(out, ";{};2;{};{};{}", base + 8, rgb.r, rgb.g, rgb.b),
    };
}

fn sgr(cell: &Cell) -> String {
    let mut out = String::new();
    for (flag, code) in [
        (Flags::BOLD, "1"),
        (Flags::DIM, "2"),
        (Flags::ITALIC, "3"),
        (Flags::UNDERLINE, "4"),
        (Flags::INVERSE, "7"),
        (Flags::STRIKEOUT, "9"),
    ] {
        if cell.flags.contains(flag) {
            out.push(';');
            out.push_str(code);
        }
    }
    colour(&mut out, 30, cell.fg);
    colour(&mut out, 40, cell.bg);
    if out.is_empty() {
        out
    } else {
        format!("\x1b[0{out}m")
    }
}

impl Engine for AlacrittyEngine {
    fn feed(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(usize::from(self.size.cols).min(HISTORY)) {
            self.parser.advance(&mut self.term, part);
            if !self.alternate_screen() {
                self.drain_history();
            }
        }
        for event in self
            .said
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            if let TermEvent::Title(title) = event {
                self.title.clone_from(title);
            }
        }
    }
    fn resize(&mut self, size: Size) {
        self.size = size;
        self.term.resize(Dim(size));
    }
    fn size(&self) -> Size {
        self.size
    }
    fn serialise(&self) -> Vec<u8> {
        let mut out = String::from("\x1bc");
        if self.alternate_screen() {
            out.push_str("\x1b[?1049h");
        }
        for row in 0..self.size.rows {
            let _ = write!(out, "\x1b[{};1H{}", row + 1, self.row_sgr(row));
        }
        let (row, col, shown) = self.cursor();
        let _ = write!(out, "\x1b[{};{}H", row + 1, col + 1);
        for (on, mode) in [
            (self.bracketed_paste(), "2004"),
            (self.term.mode().contains(TermMode::FOCUS_IN_OUT), "1004"),
        ] {
            if on {
                let _ = write!(out, "\x1b[?{mode}h");
            }
        }
        if !shown {
            out.push_str("\x1b[?25l");
        }
        out.into_bytes()
    }
    fn row_text(&self, row: u16) -> String {
        let cells = &self.term.grid()[Line(i32::from(row))];
        let mut text = String::new();
        for column in 0..usize::from(self.size.cols) {
            let cell = &cells[Column(column)];
            if !cell
                .flags
                .intersects(Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER)
            {
                text.push(cell.c);
                text.extend(cell.zerowidth().unwrap_or_default());
            }
        }
        text.truncate(text.trim_end_matches(' ').len());
        text
    }
    fn row_sgr(&self, row: u16) -> String {
        self.line_sgr(i32::from(row))
    }
    fn cursor(&self) -> (u16, u16, bool) {
        let point = self.term.grid().cursor.point;
        let row = u16::try_from(point.line.0).unwrap_or(0);
        let col = u16::try_from(point.column.0).unwrap_or(0);
        (row, col, self.term.mode().contains(TermMode::SHOW_CURSOR))
    }
    fn title(&self) -> &str {
        &self.title
    }
    fn bracketed_paste(&self) -> bool {
        self.term.mode().contains(TermMode::BRACKETED_PASTE)
    }
    fn alternate_screen(&self) -> bool {
        self.term.mode().contains(TermMode::ALT_SCREEN)
    }
    fn take_scrolled(&mut self) -> Vec<String> {
        std::mem::take(&mut self.scrolled)
    }
    fn take_events(&mut self) -> Vec<TermEvent> {
        std::mem::take(&mut *self.said.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scrolled_row_is_handed_out_once() {
        let mut engine = AlacrittyEngine::new(Size::clamped(10, 2));
        engine.feed(b"one\r\n\x1b[31mtwo\x1b[m\r\nthree");
        assert_eq!(engine.take_scrolled(), ["one"]);
        assert_eq!(engine.row_text(0), "two");
        assert_eq!(engine.row_sgr(0), "\x1b[0;31mtwo\x1b[m");
        assert!(engine.take_scrolled().is_empty());
    }
}
