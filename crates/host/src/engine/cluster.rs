//! Characters that join the one drawn before them: emoji sequences and flags, which together take two columns.
//!
//! Combining characters are marks of a cell wherever the cursor came from (`draw`). What takes columns when it stands
//! alone (an emoji after ZWJ, a skin tone, the second half of a flag) joins only right after the character it belongs to:
//! any sequence or control in between keeps them apart.

use super::cell::{Cell, Width};
use super::grid::Row;
use super::modes::Mode;
use super::screen::Screen;

/// Variation selector 16: the character before it is drawn as an emoji.
pub const EMOJI_STYLE: char = '\u{fe0f}';

/// Emoji and what Unicode keeps free for them (property `Extended_Pictographic`), without skin tones and flag halves.
#[must_use]
#[inline]
pub fn is_pictograph(c: char) -> bool {
    match c {
        // Most characters and most emoji, so that the list need not be searched.
        '\0'..='\u{a8}' | '\u{af}'..='\u{203b}' | '\u{329a}'..='\u{1efff}' => false,
        '\u{1f400}'..='\u{1faff}' => true,
        _ => is_listed(c),
    }
}

/// The property itself.
fn is_listed(c: char) -> bool {
    matches!(c,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2194}'..='\u{2199}'
        | '\u{21a9}' | '\u{21aa}' | '\u{231a}' | '\u{231b}' | '\u{2328}' | '\u{2388}' | '\u{23cf}'
        | '\u{23e9}'..='\u{23f3}' | '\u{23f8}'..='\u{23fa}' | '\u{24c2}' | '\u{25aa}' | '\u{25ab}' | '\u{25b6}'
        | '\u{25c0}' | '\u{25fb}'..='\u{25fe}' | '\u{2600}'..='\u{2605}' | '\u{2607}'..='\u{2612}'
        | '\u{2614}'..='\u{2685}' | '\u{2690}'..='\u{2705}' | '\u{2708}'..='\u{2712}' | '\u{2714}' | '\u{2716}'
        | '\u{271d}' | '\u{2721}' | '\u{2728}' | '\u{2733}' | '\u{2734}' | '\u{2744}' | '\u{2747}' | '\u{274c}'
        | '\u{274e}' | '\u{2753}'..='\u{2755}' | '\u{2757}' | '\u{2763}'..='\u{2767}' | '\u{2795}'..='\u{2797}'
        | '\u{27a1}' | '\u{27b0}' | '\u{27bf}' | '\u{2934}' | '\u{2935}' | '\u{2b05}'..='\u{2b07}' | '\u{2b1b}'
        | '\u{2b1c}' | '\u{2b50}' | '\u{2b55}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}'
        | '\u{1f000}'..='\u{1f1e5}' | '\u{1f200}'..='\u{1f3fa}' | '\u{1f400}'..='\u{1faff}'
        | '\u{1fc00}'..='\u{1fffd}')
}

/// Skin tones.
fn is_tone(c: char) -> bool {
    matches!(c, '\u{1f3fb}'..='\u{1f3ff}')
}

/// Halves of flags.
fn is_flag_half(c: char) -> bool {
    matches!(c, '\u{1f1e6}'..='\u{1f1ff}')
}

/// Whether `c` belongs to a cell drawn right before it.
#[must_use]
pub fn joins(cell: &Cell, c: char) -> bool {
    if is_flag_half(c) {
        return is_flag_half(cell.c) && !cell.marks().chars().any(is_flag_half);
    }
    let after_joiner = cell.is_joiner_last();
    is_pictograph(cell.c) && (is_tone(c) && !after_joiner || is_pictograph(c) && after_joiner)
}

/// Whether `c` may take columns alone and yet belong to the character before it.
#[must_use]
#[inline]
pub fn may_join(c: char) -> bool {
    is_pictograph(c) || is_tone(c) || is_flag_half(c)
}

/// Whether a variation selector makes `c` an emoji: pictographs and the bases of keycaps.
#[must_use]
pub fn has_emoji_style(c: char) -> bool {
    is_pictograph(c) || matches!(c, '0'..='9' | '#' | '*')
}

impl Screen {
    /// Column of the character that was drawn last, if the cursor stands right behind it and nothing came after it.
    #[must_use]
    pub fn drawn_before(&self) -> Option<usize> {
        let col = usize::from(self.drawn_last?);
        let cell = self.page.grid.row(self.cursor.row).cell(col);
        let next = col + if cell.is_wide() { 2 } else { 1 };
        (next == self.cursor.col + usize::from(self.cursor.pending)).then_some(col)
    }

    /// Joins `c`, which would take `width` columns alone, to the character before it; false if it does not belong there.
    pub fn join(&mut self, c: char, width: usize) -> bool {
        if !may_join(c) {
            return false;
        }
        let Some(col) = self.drawn_before() else { return false };
        let row = self.page.grid.row_mut(self.cursor.row);
        if !joins(row.cell(col), c) {
            return false;
        }
        let widens = row.cell(col).width == Width::Narrow && (width == 2 || is_flag_half(c));
        let Some(col) = (if widens { self.widen(col) } else { Some(col) }) else { return false };
        self.page.grid.row_mut(self.cursor.row).cell_mut(col).push_mark(c);
        self.drawn_last = u16::try_from(col).ok();
        true
    }

    /// Gives the narrow character at `col`, the one right before the cursor, a second column; where it is then. `None` if
    /// there is no room for it and lines do not wrap.
    pub fn widen(&mut self, col: usize) -> Option<usize> {
        let end = self.line_end(col);
        let cell = self.page.grid.row(self.cursor.row).cell(col).clone();
        if col + 1 == end {
            if !self.modes.has(Mode::Autowrap) || !self.cursor.pending || end < 2 {
                return None;
            }
            // Like a wide character that does not fit, it goes to the next row.
            let blank = cell.as_pen();
            *self.page.grid.row_mut(self.cursor.row).cell_mut(col) = blank;
            self.wrap();
            let col = self.cursor.col;
            if self.modes.has(Mode::Insert) {
                self.make_room(col, 2);
            }
            self.page.grid.row_mut(self.cursor.row).draw_again(col, &cell);
            self.passed(col + 2);
            return Some(col);
        }
        if self.modes.has(Mode::Insert) && self.sides.contains(&col) {
            self.make_room(col + 1, 1);
        }
        self.page.grid.row_mut(self.cursor.row).draw_again(col, &cell);
        self.passed(col + 2);
        Some(col)
    }

    /// The cursor stands at `col` after a character was drawn before it; behind the end of the line it waits.
    fn passed(&mut self, col: usize) {
        let end = self.line_end(col - 1);
        self.cursor.pending = col >= end;
        self.cursor.col = col.min(end - 1);
    }
}

impl Row {
    /// Draws a character that stood alone, with its marks, over two columns.
    fn draw_again(&mut self, col: usize, cell: &Cell) {
        self.draw_wide(col, cell.c, &cell.as_pen());
        self.cell_mut(col).extra.clone_from(&cell.extra);
    }
}
