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

/// The character at the front of `bytes` and its length, if it is whole and UTF-8.
fn character(bytes: &[u8]) -> Option<(char, usize)> {
    let lead = u32::from(*bytes.first()?);
    let tail = |at: usize| bytes.get(at).filter(|byte| **byte & 0xc0 == 0x80).map(|byte| u32::from(byte & 0x3f));
    let (code, len, least) = match lead {
        0..=0x7f => (lead, 1, 0),
        0xc2..=0xdf => ((lead & 0x1f) << 6 | tail(1)?, 2, 0x80),
        0xe0..=0xef => ((lead & 0x0f) << 12 | tail(1)? << 6 | tail(2)?, 3, 0x800),
        0xf0..=0xf4 => ((lead & 0x07) << 18 | tail(1)? << 12 | tail(2)? << 6 | tail(3)?, 4, 0x1_0000),
        _ => return None,
    };
    // A longer form of a shorter character is none; surrogates are refused here, too.
    char::from_u32(code).filter(|_| code >= least).map(|c| (c, len))
}

impl Screen {
    /// Draws the whole characters at the front of `bytes` and obeys the controls among them, up to the first sequence, C1
    /// character or broken character; how many bytes that were.
    pub fn text(&mut self, bytes: &[u8]) -> usize {
        let mut rest = bytes;
        while let Some(first) = rest.first() {
            let len = match first {
                b' '..=b'~' => {
                    let stretch = rest.iter().take_while(|byte| is_drawn(byte)).count();
                    self.stretch(&rest[..stretch]);
                    stretch
                }
                0x1b => break,
                0..=0x1f => {
                    self.execute(*first);
                    1
                }
                _ => match character(rest) {
                    Some(('\u{80}'..='\u{9f}', _)) | None => break,
                    Some((c, len)) => {
                        self.print(c);
                        len
                    }
                },
            };
            rest = &rest[len..];
        }
        bytes.len() - rest.len()
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
