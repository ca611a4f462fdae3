//! One character cell: what is drawn in it and how.
//!
//! It knows nothing of escape sequences (`sgr`) or of positions (`grid`).

use std::sync::Arc;

/// Combining characters kept on one cell; more are dropped so that a hostile stream cannot grow a cell without end.
const MAX_MARKS: u8 = 16;
/// Bytes that so many characters take at most.
const MARK_BYTES: usize = MAX_MARKS as usize * 4;
/// Zero width joiner.
pub const ZWJ: char = '\u{200d}';

/// A colour as the program named it, so that it can be named the same way again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Colour {
    /// The terminal's own foreground or background.
    #[default]
    Default,
    /// SGR 30–37 and 90–97 (0..=15).
    Basic(u8),
    /// SGR 38;5;n.
    Indexed(u8),
    /// SGR 38;2;r;g;b.
    Rgb(u8, u8, u8),
}

/// Drawing attributes as a set of bits; the underline style is a number of three bits (0 none, 1–5 as in SGR 4:n).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Attrs(pub u16);

impl Attrs {
    /// SGR 1.
    pub const BOLD: u16 = 1;
    /// SGR 2.
    pub const DIM: u16 = 1 << 1;
    /// SGR 3.
    pub const ITALIC: u16 = 1 << 2;
    /// SGR 5.
    pub const BLINK: u16 = 1 << 3;
    /// SGR 6.
    pub const RAPID: u16 = 1 << 4;
    /// SGR 7.
    pub const INVERSE: u16 = 1 << 5;
    /// SGR 8.
    pub const HIDDEN: u16 = 1 << 6;
    /// SGR 9.
    pub const STRIKE: u16 = 1 << 7;
    /// SGR 53.
    pub const OVERLINE: u16 = 1 << 8;
    /// DECSCA: selective erasing leaves it. Not one of the attributes of SGR.
    pub const PROTECTED: u16 = 1 << 12;
    const UNDERLINE_SHIFT: u16 = 9;
    /// The bits of the underline style.
    pub const UNDERLINE_MASK: u16 = 0b111 << Self::UNDERLINE_SHIFT;

    /// Whether every bit of `bits` is set.
    #[must_use]
    pub fn has(self, bits: u16) -> bool {
        self.0 & bits == bits
    }

    /// Underline style: 0 none, 1 single, 2 double, 3 curly, 4 dotted, 5 dashed.
    #[must_use]
    pub fn underline(self) -> u16 {
        (self.0 & Self::UNDERLINE_MASK) >> Self::UNDERLINE_SHIFT
    }

    /// The same attributes with another underline style (0..=5).
    #[must_use]
    pub fn with_underline(self, style: u16) -> Self {
        Self(self.0 & !Self::UNDERLINE_MASK | (style.min(5) << Self::UNDERLINE_SHIFT))
    }
}

/// An OSC 8 hyperlink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The `id=` parameter, empty when the program gave none.
    pub id: String,
    /// Where the link leads, never empty.
    pub uri: String,
}

/// Zero-width characters drawn over a character, in order. They lie where they are: a heap of them would cost more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marks {
    /// UTF-8; zeros behind the last one.
    bytes: [u8; MARK_BYTES],
    len: u8,
    count: u8,
}

impl Default for Marks {
    fn default() -> Self {
        Self { bytes: [0; MARK_BYTES], len: 0, count: 0 }
    }
}

impl Marks {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only whole characters are ever added.
        str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }

    /// Adds one; beyond [`MAX_MARKS`] it is dropped.
    fn push(&mut self, mark: char) {
        if self.count < MAX_MARKS {
            let len = mark.encode_utf8(&mut self.bytes[usize::from(self.len)..]).len();
            // Four at most.
            self.len += u8::try_from(len).unwrap_or(0);
            self.count += 1;
        }
    }

    fn ends_with(&self, mark: char) -> bool {
        self.bytes[..usize::from(self.len)].ends_with(mark.encode_utf8(&mut [0; 4]).as_bytes())
    }
}

/// What few cells have, kept out of the cell so that the others stay small.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Extra {
    /// Zero-width characters drawn over the cell's character.
    pub marks: Marks,
    /// SGR 58.
    pub underline_colour: Option<Colour>,
    /// OSC 8.
    pub link: Option<Arc<Link>>,
}

/// How many columns the character of a cell takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Width {
    /// One column.
    #[default]
    Narrow,
    /// Two columns; the next cell is its [`Width::Spacer`].
    Wide,
    /// The right half of the wide character in the cell before.
    Spacer,
}

/// One cell; also used as the pen, whose character is a blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The character; a blank where nothing was drawn.
    pub c: char,
    /// Foreground.
    pub fg: Colour,
    /// Background.
    pub bg: Colour,
    /// Attributes.
    pub attrs: Attrs,
    /// Columns taken.
    pub width: Width,
    /// Marks, underline colour and link, if any.
    pub extra: Option<Arc<Extra>>,
}

/// A cell in which nothing was drawn.
pub static BLANK: Cell = Cell::erased(Colour::Default);

impl Default for Cell {
    fn default() -> Self {
        Self::erased(Colour::Default)
    }
}

impl Cell {
    /// What an erasing sequence leaves: a blank in the pen's background.
    #[must_use]
    pub const fn erased(bg: Colour) -> Self {
        Self { c: ' ', fg: Colour::Default, bg, attrs: Attrs(0), width: Width::Narrow, extra: None }
    }

    /// Whether it looks like a cell in which nothing was ever drawn.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        *self == BLANK
    }

    /// Whether it is the left half of a wide character.
    #[must_use]
    pub fn is_wide(&self) -> bool {
        self.width == Width::Wide
    }

    /// The pen that drew it.
    #[must_use]
    pub fn as_pen(&self) -> Self {
        let mut pen = Self { c: ' ', width: Width::Narrow, ..self.clone() };
        if !pen.marks().is_empty() {
            Arc::make_mut(pen.extra.get_or_insert_default()).marks = Marks::default();
            pen.drop_empty_extra();
        }
        pen
    }

    /// Whether it holds something to read (colour alone does not count).
    #[must_use]
    pub fn has_text(&self) -> bool {
        self.c != ' ' || self.width != Width::Narrow || !self.marks().is_empty()
    }

    /// Whether it has the colours and attributes of another cell; characters, widths and extras are not looked at.
    #[must_use]
    pub fn has_pen_of(&self, other: &Self) -> bool {
        self.fg == other.fg && self.bg == other.bg && self.attrs == other.attrs
    }

    /// Whether it has no colours and no attributes; characters, widths and extras are not looked at.
    #[must_use]
    #[inline]
    pub fn is_plain(&self) -> bool {
        self.attrs.0 == 0 && matches!((self.fg, self.bg), (Colour::Default, Colour::Default))
    }

    /// Zero-width characters over this cell.
    #[must_use]
    pub fn marks(&self) -> &str {
        self.extra.as_ref().map_or("", |extra| extra.marks.as_str())
    }

    /// Whether the last of them is a zero width joiner.
    #[must_use]
    pub fn is_joiner_last(&self) -> bool {
        self.extra.as_ref().is_some_and(|extra| extra.marks.ends_with(ZWJ))
    }

    /// Adds a zero-width character; beyond [`MAX_MARKS`] it is dropped.
    pub fn push_mark(&mut self, mark: char) {
        Arc::make_mut(self.extra.get_or_insert_default()).marks.push(mark);
    }

    /// SGR 58 colour.
    #[must_use]
    pub fn underline_colour(&self) -> Option<Colour> {
        self.extra.as_ref()?.underline_colour
    }

    /// OSC 8 link.
    #[must_use]
    pub fn link(&self) -> Option<&Arc<Link>> {
        self.extra.as_ref()?.link.as_ref()
    }

    /// Sets or removes the underline colour.
    pub fn set_underline_colour(&mut self, colour: Option<Colour>) {
        if colour != self.underline_colour() {
            Arc::make_mut(self.extra.get_or_insert_default()).underline_colour = colour;
            self.drop_empty_extra();
        }
    }

    /// Sets or removes the link.
    pub fn set_link(&mut self, link: Option<Arc<Link>>) {
        if link.as_ref() != self.link() {
            Arc::make_mut(self.extra.get_or_insert_default()).link = link;
            self.drop_empty_extra();
        }
    }

    fn drop_empty_extra(&mut self) {
        if self.extra.as_deref() == Some(&Extra::default()) {
            self.extra = None;
        }
    }
}
