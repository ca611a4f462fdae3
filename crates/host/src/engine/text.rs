//! Text without sequences onto the screen: most of any stream, so it is drawn in stretches instead of by characters.
//!
//! What a character does alone is in `draw`; a test there holds both ways against each other.

use vte::Perform as _;

use super::cell::Cell;
use super::grid::Row;
use super::modes::Mode;
use super::screen::{Charset, Screen};

/// Whether a byte is an ASCII character that takes a column.
const fn is_drawn(byte: &u8) -> bool {
    matches!(*byte, b' '..=b'~')
}

impl Screen {
    /// Draws text and obeys the controls in it; it holds no ESC.
    pub fn text(&mut self, text: &str) {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let stretch = rest.bytes().take_while(is_drawn).count();
            if stretch > 0 {
                let (now, next) = rest.split_at(stretch);
                self.stretch(now.as_bytes());
                rest = next;
                continue;
            }
            match c {
                '\0'..='\x1f' | '\u{80}'..='\u{9f}' => self.execute(c as u8),
                c => self.print(c),
            }
            rest = &rest[c.len_utf8()..];
        }
    }

    /// Draws ASCII characters, each of one column.
    fn stretch(&mut self, mut bytes: &[u8]) {
        let (cols, autowrap) = (self.cols(), self.modes.has(Mode::Autowrap));
        let as_they_are = self.cursor.charsets[self.cursor.gl] == Charset::Ascii && !self.modes.has(Mode::Insert);
        let as_they_are = as_they_are && self.single_shift == 0 && self.full_width();
        if !as_they_are || !autowrap {
            return bytes.iter().for_each(|byte| self.print(char::from(*byte)));
        }
        while !bytes.is_empty() {
            if self.cursor.pending {
                self.wrap();
            }
            let col = self.cursor.col;
            let (now, next) = bytes.split_at(bytes.len().min(cols - col));
            self.page.grid.row_mut(self.cursor.row).draw_ascii(col, cols, now, &self.cursor.pen);
            self.cursor.pending = col + now.len() == cols;
            self.cursor.col = (col + now.len()).min(cols - 1);
            bytes = next;
        }
    }
}

impl Row {
    /// Draws ASCII characters from `col` on; they end at the last of `cols` columns at the latest.
    fn draw_ascii(&mut self, col: usize, cols: usize, bytes: &[u8], pen: &Cell) {
        self.part(col);
        self.part(col + bytes.len());
        let kept = self.cells_from(col, bytes.len(), cols);
        let (over, new) = bytes.split_at(kept.len());
        let draw = |byte: &u8| Cell { c: char::from(*byte), ..pen.clone() };
        for (cell, byte) in kept.iter_mut().zip(over) {
            *cell = draw(byte);
        }
        self.extend(new.iter().map(draw));
    }
}
