//! Text without sequences onto the screen: most of any stream, so it is drawn in stretches instead of by characters.
//!
//! What a character does alone is in `draw`; a test there holds both ways against each other.

use vte::Perform as _;

use unicode_width::UnicodeWidthChar;

use super::cell::{Cell, Width};
use super::cluster;
use super::grid::Row;
use super::modes::Mode;
use super::screen::{Charset, Screen};

/// Bytes that are looked at together.
const LANES: usize = 16;

/// Whether a byte is an ASCII character that takes a column.
const fn is_drawn(byte: u8) -> bool {
    byte.wrapping_sub(b' ') < b'~' - b' ' + 1
}

/// How many of the bytes at the front are such characters.
#[inline]
fn ascii_len(bytes: &[u8]) -> usize {
    let (whole, _) = bytes.as_chunks::<LANES>();
    let all_drawn = |lanes: &&[u8; LANES]| lanes.iter().fold(true, |all, byte| all & is_drawn(*byte));
    let len = whole.iter().take_while(all_drawn).count() * LANES;
    len + bytes[len..].iter().take_while(|byte| is_drawn(**byte)).count()
}

/// The character at the front of `bytes` and its length, if it is whole and UTF-8.
#[inline]
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

/// Columns (1 or 2) of a character that is drawn the same way whatever stands before it; 0 for all others.
#[inline]
fn columns(c: char) -> usize {
    match c {
        // What terminals draw most, so that the tables need not be asked.
        '\u{3a3}'..='\u{482}' | '\u{2500}'..='\u{259f}' => 1,
        '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' => 2,
        _ if cluster::may_join(c) => 0,
        _ => c.width().filter(|width| *width <= 2).unwrap_or(0),
    }
}

/// The character at the front of `bytes` that is drawn whatever stands before it: how many bytes and columns it takes.
#[inline]
fn drawn(bytes: &[u8]) -> Option<(char, usize, usize)> {
    let (c, len) = character(bytes)?;
    let columns = if c.is_ascii() { usize::from(is_drawn(bytes[0])) } else { columns(c) };
    (columns > 0).then_some((c, len, columns))
}

impl Screen {
    /// Draws the whole characters at the front of `bytes` and obeys the controls among them, up to the first sequence, C1
    /// character or broken character; how many bytes that were.
    pub fn text(&mut self, bytes: &[u8]) -> usize {
        let mut rest = bytes;
        while let Some(first) = rest.first() {
            let len = match first {
                0x1b => break,
                0..=0x1f => {
                    self.execute(*first);
                    1
                }
                _ => match self.stretch(rest) {
                    0 => match character(rest) {
                        Some(('\u{80}'..='\u{9f}', _)) | None => break,
                        Some((c, len)) => {
                            self.print(c);
                            len
                        }
                    },
                    len => len,
                },
            };
            rest = &rest[len..];
        }
        bytes.len() - rest.len()
    }

    /// Draws the characters at the front of `bytes` for which nothing but their columns counts; how many bytes that were.
    fn stretch(&mut self, bytes: &[u8]) -> usize {
        let cols = self.cols();
        let as_they_are = self.cursor.charsets[self.cursor.gl] == Charset::Ascii && self.single_shift == 0;
        let in_lines = self.modes.has(Mode::Autowrap) && !self.modes.has(Mode::Insert) && self.full_width();
        if !as_they_are || !in_lines || cols < 2 {
            return 0;
        }
        let mut rest = bytes;
        if self.cursor.pending {
            if drawn(rest).is_none() {
                return 0;
            }
            self.wrap();
        }
        loop {
            let (col, row) = (self.cursor.col, self.page.grid.row_mut(self.cursor.row));
            let (len, col, goes_on) = row.fill(col, cols, rest, &self.cursor.pen);
            rest = &rest[len..];
            self.cursor.pending = col == cols;
            self.cursor.col = col.min(cols - 1);
            if !goes_on {
                if rest.len() < bytes.len() {
                    let wide = self.page.grid.row(self.cursor.row).cell(col - 1).width == Width::Spacer;
                    self.drawn_last = u16::try_from(col - if wide { 2 } else { 1 }).ok();
                }
                return bytes.len() - rest.len();
            }
            if col < cols {
                // A wide character does not fit into the last column: that one is left blank.
                self.page.grid.row_mut(self.cursor.row).draw(col, cols, ' ', &self.cursor.pen);
            }
            self.wrap();
        }
    }
}

impl Row {
    /// Draws characters from `col` on, as long as they are [`drawn`] and fit into `cols` columns: how many bytes they took,
    /// the column behind them, and whether there is such a character that does not fit.
    fn fill(&mut self, start: usize, cols: usize, bytes: &[u8], pen: &Cell) -> (usize, usize, bool) {
        let (mut col, mut rest) = (start, bytes);
        let goes_on = loop {
            let ascii = ascii_len(&rest[..rest.len().min(cols - col)]);
            if ascii > 0 {
                if col == start {
                    self.part(col);
                }
                self.put(col, cols, rest[..ascii].iter().map(|byte| Cell { c: char::from(*byte), ..pen.clone() }));
                rest = &rest[ascii..];
                col += ascii;
            }
            let Some((c, len, columns)) = drawn(rest) else { break false };
            if col + columns > cols {
                break true;
            }
            if col == start {
                self.part(col);
            }
            let cell = Cell { c, ..pen.clone() };
            if columns == 1 {
                self.put(col, cols, [cell].into_iter());
            } else {
                let spacer = Cell { width: Width::Spacer, ..pen.clone() };
                self.put(col, cols, [Cell { width: Width::Wide, ..cell }, spacer].into_iter());
            }
            rest = &rest[len..];
            col += columns;
        };
        if col > start {
            self.drop_half(col);
        }
        (bytes.len() - rest.len(), col, goes_on)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_are_drawn_alone_take_what_the_table_says() {
        for c in '\0'..=char::MAX {
            let width = c.width().unwrap_or(0);
            let expected = if cluster::may_join(c) || width > 2 { 0 } else { width };
            assert_eq!(columns(c), expected, "{c:?}");
        }
    }

    #[test]
    fn stretches_of_ascii_end_at_the_first_other_byte() {
        for len in 0..40 {
            let text = vec![b'~'; len];
            assert_eq!(ascii_len(&text), len);
            for other in [0, 0x1b, 0x1f, 0x7f, 0x80, 0xff] {
                assert_eq!(ascii_len(&[&text[..], &[other], b"abc"].concat()), len);
            }
        }
    }
}
