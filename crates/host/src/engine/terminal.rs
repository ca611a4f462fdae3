//! The screen engine: parser, screen and the hold-back of synchronized updates behind the [`Engine`] trait.
//!
//! It does no input or output and reads no clock.

use vte::Parser;

use super::ground::Ground;
use super::screen::Screen;
use super::{Engine, Size, TermEvent, format, modes, serialise};

/// Bytes of a synchronized update that are held back; a longer one is drawn as it comes.
const MAX_HELD: usize = 1024 * 1024;

/// One terminal.
pub struct Terminal {
    parser: Parser,
    screen: Screen,
    ground: Ground,
    held: Vec<u8>,
}

impl Terminal {
    /// An empty terminal.
    #[must_use]
    pub fn new(size: Size) -> Self {
        Self { parser: Parser::new(), screen: Screen::new(size), ground: Ground::new(), held: Vec::new() }
    }

    /// The state that the bytes up to [`Engine::ground_offset`] made.
    #[must_use]
    pub fn screen(&self) -> &Screen {
        &self.screen
    }

    fn apply(&mut self, bytes: &[u8]) {
        self.parser.advance(&mut self.screen, bytes);
    }

    fn release(&mut self) {
        let held = std::mem::take(&mut self.held);
        self.apply(&held);
    }
}

impl Engine for Terminal {
    fn feed(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (was_held, was_overlong) = (self.ground.synchronized(), self.ground.overlong());
            let (part, next) = rest.split_at(self.ground.step(rest));
            rest = next;
            if !was_overlong {
                if was_held {
                    self.held.extend_from_slice(part);
                } else {
                    self.apply(part);
                }
            }
            // The parser would keep an overlong string whole: it gets a CAN, later its end is not shown to it.
            let overlong = self.ground.overlong();
            let instead: &[u8] = match (was_overlong, overlong, part.last()) {
                (false, true, _) => b"\x18",
                (true, false, Some(0x1b)) => b"\x1b",
                _ => b"",
            };
            if was_held {
                self.held.extend_from_slice(instead);
            } else {
                self.apply(instead);
            }
            if was_held && !self.ground.synchronized() {
                self.release();
            } else if self.held.len() > MAX_HELD {
                self.ground.give_up_sync();
                self.release();
            }
        }
    }

    fn tick(&mut self, now_ms: u64) {
        if self.ground.expire(now_ms) {
            self.release();
        }
    }

    fn deadline(&self) -> Option<u64> {
        self.ground.deadline()
    }

    fn ground_offset(&self) -> u64 {
        self.ground.ground_offset()
    }

    fn resize(&mut self, size: Size) {
        self.screen.resize(size);
    }

    fn size(&self) -> Size {
        self.screen.size
    }

    fn serialise(&self) -> Vec<u8> {
        serialise::snapshot(&self.screen)
    }

    fn row_text(&self, row: u16) -> String {
        self.row(row).map(format::row_text).unwrap_or_default()
    }

    fn row_sgr(&self, row: u16) -> String {
        self.row(row).map(format::row_sgr).unwrap_or_default()
    }

    fn cursor(&self) -> (u16, u16, bool) {
        let cursor = &self.screen.cursor;
        let small = |place: usize| u16::try_from(place).unwrap_or(u16::MAX);
        (small(cursor.row), small(cursor.col), self.screen.modes.has(modes::Mode::CursorShown))
    }

    fn title(&self) -> &str {
        &self.screen.title
    }

    fn bracketed_paste(&self) -> bool {
        self.screen.modes.has(modes::Mode::BracketedPaste)
    }

    fn alternate_screen(&self) -> bool {
        self.screen.behind.is_some()
    }

    fn take_scrolled(&mut self) -> Vec<String> {
        std::mem::take(&mut self.screen.scrolled)
    }

    fn take_events(&mut self) -> Vec<TermEvent> {
        self.screen.said.take()
    }
}

impl Terminal {
    fn row(&self, row: u16) -> Option<&super::grid::Row> {
        (row < self.screen.size.rows).then(|| self.screen.page.grid.row(usize::from(row)))
    }
}
