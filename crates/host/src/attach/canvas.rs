//! Draws cells on the person's terminal: only what changed since it was drawn last.
//!
//! It knows where a cell goes, not why.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::engine::Size;
use crate::engine::cell::{BLANK, Cell, Colour, Link, Width};
use crate::engine::sgr;

/// Rows of cells, as large as the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Picture {
    /// Columns.
    pub cols: usize,
    /// The cells.
    pub rows: Vec<Vec<Cell>>,
    /// Where the cursor is (row, column), if anywhere.
    pub cursor: Option<(usize, usize)>,
}

impl Picture {
    /// An empty picture.
    pub fn new(size: Size) -> Self {
        let cols = usize::from(size.cols);
        Self { cols, rows: vec![vec![BLANK.clone(); cols]; usize::from(size.rows)], cursor: None }
    }

    /// Puts cells at the beginning of a row; a wide character that does not fit becomes a blank.
    pub fn put<'a>(&mut self, row: usize, cells: impl Iterator<Item = &'a Cell>) {
        let Some(line) = self.rows.get_mut(row) else { return };
        for (to, from) in line.iter_mut().zip(cells) {
            to.clone_from(from);
        }
        // Cropping may have cut a wide character in two, on either side.
        if let Some(first) = line.first_mut()
            && first.width == Width::Spacer
        {
            *first = Cell::erased(first.bg);
        }
        if let Some(last) = line.last_mut()
            && last.width == Width::Wide
        {
            *last = Cell::erased(last.bg);
        }
    }

    /// Writes a line of text over a row, from its beginning.
    pub fn text(&mut self, row: usize, text: &str, pen: &Cell) {
        let Some(line) = self.rows.get_mut(row) else { return };
        let chars = text.chars().filter(|c| !c.is_control()).chain(std::iter::repeat(' '));
        for (cell, c) in line.iter_mut().zip(chars) {
            *cell = Cell { c, ..pen.clone() };
        }
    }
}

/// What the terminal shows.
#[derive(Debug, Default)]
pub(super) struct Canvas {
    shown: Option<Picture>,
    pen: Cell,
    link: Option<Arc<Link>>,
    /// Where the terminal's cursor is, if that is sure.
    at: Option<(usize, usize)>,
}

impl Canvas {
    /// Nothing is known of what the terminal shows any more.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Appends what makes the terminal show the picture.
    pub fn draw(&mut self, picture: Picture, out: &mut String) {
        if self.shown.as_ref() == Some(&picture) {
            return;
        }
        let whole = self
            .shown
            .as_ref()
            .is_none_or(|shown| shown.cols != picture.cols || shown.rows.len() != picture.rows.len());
        if whole {
            out.push_str("\x1b]8;;\x1b\\\x1b[m\x1b[H\x1b[2J");
            (self.pen, self.link, self.at) = (Cell::default(), None, Some((0, 0)));
        }
        let before = self.shown.take().filter(|_| !whole);
        for (row, line) in picture.rows.iter().enumerate() {
            match &before {
                Some(before) => self.row(row, &before.rows[row], line, out),
                None => self.row(row, &vec![BLANK.clone(); line.len()], line, out),
            }
        }
        self.look(&BLANK, out);
        if let Some((row, col)) = picture.cursor {
            self.go(row, col, out);
        }
        self.shown = Some(picture);
    }

    fn row(&mut self, row: usize, before: &[Cell], now: &[Cell], out: &mut String) {
        let Some(mut first) = (0..now.len()).find(|col| before[*col] != now[*col]) else { return };
        let last = (first..now.len()).rfind(|col| before[*col] != now[*col]).unwrap_or(first);
        // A wide character is drawn whole or not at all; what was one half of it is gone with the other half.
        while first > 0 && (now[first].width == Width::Spacer || before[first].width == Width::Spacer) {
            first -= 1;
        }
        let end = (last + 1..now.len()).find(|col| now[*col].width != Width::Spacer).unwrap_or(now.len());
        let blank_from = now.iter().rposition(|cell| !cell.is_blank()).map_or(0, |used| used + 1);
        let mut col = first;
        while col < end.min(blank_from.max(first)) {
            let cell = &now[col];
            if cell.width == Width::Spacer {
                col += 1;
                continue;
            }
            self.go(row, col, out);
            self.look(cell, out);
            out.push(cell.c);
            out.push_str(cell.marks());
            col += if cell.width == Width::Wide { 2 } else { 1 };
            // How far a terminal goes for such a character is its own opinion; and at the edge it waits.
            self.at = Some((row, col)).filter(|_| is_sure(cell) && col < now.len());
        }
        if col < end {
            self.go(row, col, out);
            self.look(&BLANK, out);
            out.push_str("\x1b[K");
        }
    }

    fn go(&mut self, row: usize, col: usize, out: &mut String) {
        if self.at != Some((row, col)) {
            // Writing to a String cannot fail, here and below.
            let _ = write!(out, "\x1b[{};{}H", row + 1, col + 1);
            self.at = Some((row, col));
        }
    }

    fn look(&mut self, cell: &Cell, out: &mut String) {
        sgr::write_change(out, &self.pen, cell);
        self.pen.clone_from(cell);
        if self.link.as_ref() != cell.link() {
            let _ = match cell.link() {
                None => write!(out, "\x1b]8;;\x1b\\"),
                Some(link) if link.id.is_empty() => write!(out, "\x1b]8;;{}\x1b\\", link.uri),
                Some(link) => write!(out, "\x1b]8;id={};{}\x1b\\", link.id, link.uri),
            };
            self.link = cell.link().cloned();
        }
    }
}

/// Whether every terminal agrees on the width: letters of the first blocks, and the lines and boxes of tables.
fn is_sure(cell: &Cell) -> bool {
    cell.marks().is_empty() && matches!(cell.c, '\0'..='\u{2ff}' | '\u{2500}'..='\u{259f}') && cell.c != '\u{ad}'
}

/// Colours as the session's program named them, or as it changed them: the person's own palette stays as it is.
pub(super) fn painted(cell: &Cell, palette: &std::collections::BTreeMap<u16, [u8; 3]>) -> Cell {
    use crate::engine::osc::DYNAMIC;
    let colour = |colour: Colour, default: u16| {
        let key = match colour {
            Colour::Default => default,
            Colour::Basic(n) | Colour::Indexed(n) => u16::from(n),
            Colour::Rgb(..) => return colour,
        };
        palette.get(&key).map_or(colour, |[r, g, b]| Colour::Rgb(*r, *g, *b))
    };
    Cell { fg: colour(cell.fg, DYNAMIC + 10), bg: colour(cell.bg, DYNAMIC + 11), ..cell.clone() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::Engine;
    use crate::engine::terminal::Terminal;

    fn picture_of(engine: &Terminal) -> Picture {
        let screen = engine.screen();
        let mut picture = Picture::new(screen.size);
        for row in 0..screen.rows() {
            let line: Vec<Cell> = (0..screen.cols()).map(|col| screen.page.grid.row(row).cell(col).clone()).collect();
            picture.put(row, line.iter());
        }
        picture.cursor = Some((screen.cursor.row, screen.cursor.col));
        picture
    }

    fn drawn(outer: &Terminal) -> Vec<Vec<Cell>> {
        picture_of(outer).rows
    }

    /// What a program may print.
    fn chunk() -> impl Strategy<Value = String> {
        let text = "[a-zé你界é─🙂 ]{0,30}";
        let control = prop_oneof![
            "\x1b\\[[0-9;]{0,6}m".prop_map(String::from),
            (1u8..12, 1u8..24).prop_map(|(row, col)| format!("\x1b[{row};{col}H")),
            prop_oneof![
                "\x1b\\[K",
                "\x1b\\[1K",
                "\x1b\\[J",
                "\x1b\\[2P",
                "\x1b\\[3@",
                "\x1b\\[L",
                "\r\n",
                "\x1b\\[?1049h",
                "\x1b\\[?1049l"
            ],
            Just("\x1b]8;;http://x/\x1b\\".to_owned()),
            Just("\x1b]8;;\x1b\\".to_owned()),
            (16u8..=255).prop_map(|n| format!("\x1b[48;5;{n}m")),
        ];
        prop_oneof![text.prop_map(String::from), control]
    }

    proptest! {
        #[test]
        fn the_terminal_shows_what_the_session_shows(chunks in proptest::collection::vec(chunk(), 1..40)) {
            let size = Size::clamped(20, 8);
            let (mut session, mut outer) = (Terminal::new(size), Terminal::new(size));
            let mut canvas = Canvas::default();
            for chunk in chunks {
                session.feed(chunk.as_bytes());
                let picture = picture_of(&session);
                let mut out = String::new();
                canvas.draw(picture.clone(), &mut out);
                outer.feed(out.as_bytes());
                prop_assert_eq!(drawn(&outer), picture.rows);
                let at = (outer.screen().cursor.row, outer.screen().cursor.col);
                prop_assert_eq!(Some(at), picture.cursor);
            }
        }
    }

    #[test]
    fn what_did_not_change_costs_nothing() {
        let mut session = Terminal::new(Size::clamped(80, 24));
        session.feed(b"one\r\ntwo\r\nthree");
        let mut canvas = Canvas::default();
        canvas.draw(picture_of(&session), &mut String::new());
        let mut out = String::new();
        canvas.draw(picture_of(&session), &mut out);
        assert_eq!(out, "");
        session.feed(b"!");
        canvas.draw(picture_of(&session), &mut out);
        assert_eq!(out, "!");
    }

    #[test]
    fn a_changed_palette_is_drawn_and_not_changed_in_the_persons_terminal() {
        let palette = [(1, [1, 2, 3]), (267, [4, 5, 6])].into();
        let cell = Cell { fg: Colour::Basic(1), ..Cell::default() };
        let painted = painted(&cell, &palette);
        assert_eq!((painted.fg, painted.bg), (Colour::Rgb(1, 2, 3), Colour::Rgb(4, 5, 6)));
    }
}
