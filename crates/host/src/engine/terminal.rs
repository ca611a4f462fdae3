//! The screen engine: parser, screen and the hold-back of synchronized updates behind the [`Engine`] trait.
//!
//! It does no input or output and reads no clock.

use vte::Parser;

use super::ground::Ground;
use super::screen::Screen;
use super::scrolled::Scrolled;
use super::{Engine, Size, TermEvent, c1, format, lexer, modes, serialise};

/// Bytes of a synchronized update that are held back; a longer one is drawn as it comes.
const MAX_HELD: usize = 1024 * 1024;
/// Capacity of the hold-back that is kept for the next update.
const KEPT_HELD: usize = 4096;

/// One terminal. Its screen is always exactly what the bytes up to G made: what is open after G waits in `held`.
pub struct Terminal {
    parser: Parser,
    screen: Screen,
    ground: Ground,
    /// What the parser is still to be given.
    held: Vec<u8>,
    /// The offset up to which everything was drawn.
    drawn: u64,
    /// How many bytes after G `held` lacks, because their string is too long, and the offset at which that ended.
    skipped: (i64, u64),
}

impl Terminal {
    /// An empty terminal.
    #[must_use]
    pub fn new(size: Size) -> Self {
        let (parser, screen) = (Parser::new(), Screen::new(size));
        Self { parser, screen, ground: Ground::new(), held: Vec::new(), drawn: 0, skipped: (0, 0) }
    }

    /// The state that the bytes up to [`Engine::ground_offset`] made.
    #[must_use]
    pub fn screen(&self) -> &Screen {
        &self.screen
    }

    /// Bytes fed so far.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.ground.offset()
    }

    /// How many of the bytes held (or just read) come after G.
    fn open(&mut self) -> usize {
        let ground = self.ground.ground_offset();
        if ground >= self.skipped.1 {
            self.skipped.0 = 0;
        }
        let open = i64::try_from(self.ground.offset() - ground).unwrap_or(i64::MAX) - self.skipped.0;
        usize::try_from(open).unwrap_or(0)
    }

    /// Draws what is held up to G.
    fn settle(&mut self) {
        let ready = self.held.len().saturating_sub(self.open());
        let held = std::mem::take(&mut self.held);
        self.draw(&held[..ready]);
        self.held = held;
        self.held.drain(..ready);
        if self.held.is_empty() && self.held.capacity() > KEPT_HELD {
            self.held = Vec::new();
        }
    }

    /// Draws the bytes up to G.
    fn draw(&mut self, bytes: &[u8]) {
        let from = std::mem::replace(&mut self.drawn, self.ground.ground_offset());
        if self.ground.last_c1() > from {
            play(&mut self.parser, &mut self.screen, &c1::plain(bytes));
        } else {
            play(&mut self.parser, &mut self.screen, bytes);
        }
    }

    /// A string grew too long for the parser, or such a string ended: the parser sees it cut short by a CAN instead.
    fn skip(&mut self, part: &[u8], was_overlong: bool) {
        self.skipped.1 = self.ground.offset();
        if was_overlong {
            self.skipped.0 += i64::try_from(part.len()).unwrap_or(i64::MAX);
        }
        let instead: &[u8] = match (was_overlong, self.ground.overlong(), part.last()) {
            (false, true, _) => &[0x18],
            (true, false, Some(0x1b)) => &[0x1b],
            (true, false, Some(last)) if self.ground.last_c1() == self.ground.offset() => &[c1::LEAD, *last],
            _ => return,
        };
        self.held.extend_from_slice(instead);
        self.skipped.0 -= i64::try_from(instead.len()).unwrap_or(i64::MAX);
    }
}

/// Draws bytes that begin and end in the ground state: text directly, sequences through the parser.
fn play(parser: &mut Parser, screen: &mut Screen, bytes: &[u8]) {
    let mut rest = bytes;
    while let Some(first) = rest.first() {
        let mut len = screen.text(rest);
        if len == 0 {
            len = if *first == 0x1b { lexer::sequence_len(rest) } else { broken_len(rest) };
            parser.advance(screen, &rest[..len]);
        }
        rest = &rest[len..];
    }
}

/// Length of a stretch that begins with bytes that are no text: up to the next sequence.
fn broken_len(bytes: &[u8]) -> usize {
    memchr::memchr(0x1b, bytes).unwrap_or(bytes.len())
}

impl Engine for Terminal {
    fn feed(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let was_overlong = self.ground.overlong();
            let (part, next) = rest.split_at(self.ground.step(rest));
            rest = next;
            if was_overlong || self.ground.overlong() {
                if !was_overlong {
                    self.held.extend_from_slice(part);
                }
                self.skip(part, was_overlong);
                self.settle();
            } else if self.held.is_empty() {
                let (ready, open) = part.split_at(part.len().saturating_sub(self.open()));
                self.draw(ready);
                self.held.extend_from_slice(open);
            } else {
                self.held.extend_from_slice(part);
                self.settle();
            }
            if self.held.len() > MAX_HELD {
                self.ground.give_up_sync();
                self.settle();
            }
        }
    }

    fn tick(&mut self, now_ms: u64) {
        if self.ground.expire(now_ms) {
            self.settle();
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

    fn take_scrolled(&mut self) -> Scrolled {
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
