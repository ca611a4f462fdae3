//! SGR both ways: parameters onto a pen, and a pen back into the shortest sequence that sets it.
//!
//! Links are not SGR; the serialiser writes them.

use std::fmt::Write as _;

use vte::Params;

use super::cell::{Attrs, Cell, Colour};

/// Applies `CSI … m` to the pen. Unknown parameters are skipped.
pub fn apply(pen: &mut Cell, params: &Params) {
    let mut iter = params.iter();
    while let Some(param) = iter.next() {
        match *param {
            [38] => set_some(&mut pen.fg, flat_colour(&mut iter)),
            [48] => set_some(&mut pen.bg, flat_colour(&mut iter)),
            [58] => {
                if let Some(colour) = flat_colour(&mut iter) {
                    pen.set_underline_colour(Some(colour));
                }
            }
            [38, ref rest @ ..] => set_some(&mut pen.fg, colon_colour(rest)),
            [48, ref rest @ ..] => set_some(&mut pen.bg, colon_colour(rest)),
            [58, ref rest @ ..] => {
                if let Some(colour) = colon_colour(rest) {
                    pen.set_underline_colour(Some(colour));
                }
            }
            [4, style] => pen.attrs = pen.attrs.with_underline(style),
            [code] => simple(pen, code),
            _ => {}
        }
    }
}

fn set_some(slot: &mut Colour, colour: Option<Colour>) {
    if let Some(colour) = colour {
        *slot = colour;
    }
}

fn byte(value: u16) -> Option<u8> {
    u8::try_from(value).ok()
}

/// `38;5;n` and `38;2;r;g;b`: the following parameters belong to the colour.
fn flat_colour<'a>(iter: &mut impl Iterator<Item = &'a [u16]>) -> Option<Colour> {
    let mut next = || iter.next().and_then(|param| param.first().copied());
    match next()? {
        5 => Some(Colour::Indexed(byte(next()?)?)),
        2 => {
            let (r, g, b) = (next()?, next()?, next()?);
            Some(Colour::Rgb(byte(r)?, byte(g)?, byte(b)?))
        }
        _ => None,
    }
}

/// `38:5:n`, `38:2:r:g:b` and `38:2:<colour space>:r:g:b`.
fn colon_colour(rest: &[u16]) -> Option<Colour> {
    match *rest {
        [5, n, ..] => Some(Colour::Indexed(byte(n)?)),
        [2, r, g, b] | [2, _, r, g, b, ..] => Some(Colour::Rgb(byte(r)?, byte(g)?, byte(b)?)),
        _ => None,
    }
}

fn simple(pen: &mut Cell, code: u16) {
    let attrs = &mut pen.attrs;
    match code {
        0 => {
            attrs.0 &= Attrs::PROTECTED;
            pen.fg = Colour::Default;
            pen.bg = Colour::Default;
            pen.set_underline_colour(None);
        }
        1 => attrs.0 |= Attrs::BOLD,
        2 => attrs.0 |= Attrs::DIM,
        3 => attrs.0 |= Attrs::ITALIC,
        4 => *attrs = attrs.with_underline(1),
        5 => attrs.0 |= Attrs::BLINK,
        6 => attrs.0 |= Attrs::RAPID,
        7 => attrs.0 |= Attrs::INVERSE,
        8 => attrs.0 |= Attrs::HIDDEN,
        9 => attrs.0 |= Attrs::STRIKE,
        21 => *attrs = attrs.with_underline(2),
        22 => attrs.0 &= !(Attrs::BOLD | Attrs::DIM),
        23 => attrs.0 &= !Attrs::ITALIC,
        24 => *attrs = attrs.with_underline(0),
        25 => attrs.0 &= !(Attrs::BLINK | Attrs::RAPID),
        27 => attrs.0 &= !Attrs::INVERSE,
        28 => attrs.0 &= !Attrs::HIDDEN,
        29 => attrs.0 &= !Attrs::STRIKE,
        53 => attrs.0 |= Attrs::OVERLINE,
        55 => attrs.0 &= !Attrs::OVERLINE,
        30..=37 => pen.fg = basic(code - 30),
        39 => pen.fg = Colour::Default,
        40..=47 => pen.bg = basic(code - 40),
        49 => pen.bg = Colour::Default,
        59 => pen.set_underline_colour(None),
        90..=97 => pen.fg = basic(code - 90 + 8),
        100..=107 => pen.bg = basic(code - 100 + 8),
        _ => {}
    }
}

fn basic(index: u16) -> Colour {
    byte(index).map_or(Colour::Default, Colour::Basic)
}

/// Whether two pens draw alike; character and link are not looked at.
#[must_use]
pub fn same(a: &Cell, b: &Cell) -> bool {
    let attrs = (a.attrs.0 ^ b.attrs.0) & !Attrs::PROTECTED;
    a.fg == b.fg && a.bg == b.bg && attrs == 0 && a.underline_colour() == b.underline_colour()
}

/// Appends what turns the pen `from` into `to`.
pub fn write_change(out: &mut String, from: &Cell, to: &Cell) {
    if same(from, to) {
        return;
    }
    let kept = to.attrs.has(from.attrs.0 & !(Attrs::UNDERLINE_MASK | Attrs::PROTECTED))
        && (to.fg == from.fg || to.fg != Colour::Default)
        && (to.bg == from.bg || to.bg != Colour::Default)
        && (to.attrs.underline() == from.attrs.underline() || to.attrs.underline() != 0)
        && (to.underline_colour() == from.underline_colour() || to.underline_colour().is_some());
    let blank = Cell::default();
    let (base, mut codes) = if kept { (from, Codes::new()) } else { (&blank, Codes::reset()) };
    codes.attrs(base.attrs, to.attrs);
    if to.fg != base.fg {
        codes.colour(30, to.fg);
    }
    if to.bg != base.bg {
        codes.colour(40, to.bg);
    }
    if let Some(colour) = to.underline_colour().filter(|_| to.underline_colour() != base.underline_colour()) {
        codes.underline_colour(colour);
    }
    codes.finish(out);
}

/// Parameters of the SGR sequence that sets the pen (DECRQSS).
#[must_use]
pub fn parameters(pen: &Cell) -> String {
    let mut out = String::new();
    write_change(&mut out, &Cell::default(), pen);
    let codes = out.trim_start_matches("\x1b[").trim_end_matches('m');
    if codes.is_empty() { "0".to_owned() } else { format!("0;{codes}") }
}

/// Appends what sets the pen from an unknown state.
pub fn write_whole(out: &mut String, pen: &Cell) {
    out.push_str("\x1b[m");
    write_change(out, &Cell::default(), pen);
}

struct Codes(String);

impl Codes {
    fn new() -> Self {
        Self(String::new())
    }

    fn reset() -> Self {
        Self(String::from("0"))
    }

    fn push(&mut self, code: std::fmt::Arguments<'_>) {
        if !self.0.is_empty() {
            self.0.push(';');
        }
        self.0.write_fmt(code).expect("writing to a String cannot fail");
    }

    fn attrs(&mut self, from: Attrs, to: Attrs) {
        const CODES: [(u16, u16); 9] = [
            (Attrs::BOLD, 1),
            (Attrs::DIM, 2),
            (Attrs::ITALIC, 3),
            (Attrs::BLINK, 5),
            (Attrs::RAPID, 6),
            (Attrs::INVERSE, 7),
            (Attrs::HIDDEN, 8),
            (Attrs::STRIKE, 9),
            (Attrs::OVERLINE, 53),
        ];
        for (bit, code) in CODES {
            if to.has(bit) && !from.has(bit) {
                self.push(format_args!("{code}"));
            }
        }
        match to.underline() {
            style if style == from.underline() => {}
            1 => self.push(format_args!("4")),
            style => self.push(format_args!("4:{style}")),
        }
    }

    fn colour(&mut self, base: u8, colour: Colour) {
        match colour {
            Colour::Default => self.push(format_args!("{}", base + 9)),
            Colour::Basic(n @ 0..=7) => self.push(format_args!("{}", base + n)),
            Colour::Basic(n) => self.push(format_args!("{}", base + 52 + n)),
            Colour::Indexed(n) => self.push(format_args!("{};5;{n}", base + 8)),
            Colour::Rgb(r, g, b) => self.push(format_args!("{};2;{r};{g};{b}", base + 8)),
        }
    }

    fn underline_colour(&mut self, colour: Colour) {
        match colour {
            Colour::Default => {}
            // 58 has no short form; the sixteen basic colours are the first of the indexed ones.
            Colour::Basic(n) | Colour::Indexed(n) => self.push(format_args!("58:5:{n}")),
            Colour::Rgb(r, g, b) => self.push(format_args!("58:2::{r}:{g}:{b}")),
        }
    }

    fn finish(self, out: &mut String) {
        if self.0 == "0" {
            out.push_str("\x1b[m");
        } else if !self.0.is_empty() {
            out.push_str("\x1b[");
            out.push_str(&self.0);
            out.push('m');
        }
    }
}
