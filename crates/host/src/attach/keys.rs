//! What comes from the person's keyboard and mouse, cut into keys, presses of the detach key, and the mouse.
//!
//! A pasted text is one long key, whatever is in it.

use std::ops::Range;

/// Ctrl among the modifiers of the keyboard protocols, which are sent plus one.
const CTRL: u32 = 4;
/// Modifiers that are keys; the bits above are locks.
const MODIFIER_KEYS: u32 = 0b0011_1111;

const PASTE_BEGIN: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

/// Longest control sequence of a keyboard or mouse that is waited for to be whole.
const LONGEST: usize = 64;

/// The key that detaches: Ctrl and a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DetachKey {
    /// The byte that terminals send by default, below 32.
    control: u8,
}

impl Default for DetachKey {
    fn default() -> Self {
        Self { control: 0x1c }
    }
}

/// The text names no such key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no key that can detach: ctrl- and a letter or one of @ \\ ] ^ _, such as ctrl-q")]
pub struct NoDetachKey(String);

impl std::str::FromStr for DetachKey {
    type Err = NoDetachKey;

    fn from_str(text: &str) -> Result<Self, NoDetachKey> {
        let lower = text.to_ascii_lowercase();
        let name = ["ctrl-", "ctrl+", "c-", "^"].iter().find_map(|start| lower.strip_prefix(start));
        match name.map(str::as_bytes) {
            // Ctrl-[ is Escape, which begins every other key; Ctrl-M and Ctrl-I are Return and Tab.
            Some(&[c @ (b'@' | b'a'..=b'h' | b'j'..=b'l' | b'n'..=b'z' | b'\\' | b']' | b'^' | b'_')]) => {
                Ok(Self { control: c & 0x1f })
            }
            _ => Err(NoDetachKey(text.to_owned())),
        }
    }
}

impl std::fmt::Display for DetachKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ctrl-{}", char::from(self.control | 0x40))
    }
}

impl DetachKey {
    /// Code points with which keyboard protocols number the key: letters without Shift.
    fn numbers(self) -> [u32; 2] {
        let upper = u32::from(self.control | 0x40);
        [upper, u32::from((self.control | 0x40).to_ascii_lowercase())]
    }
}

/// One thing that the person did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Keys, as they came.
    Keys(Vec<u8>),
    /// The detach key, as it came.
    Detach(Vec<u8>),
    /// The mouse, in SGR encoding.
    Mouse(Mouse),
}

/// A report of the mouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mouse {
    /// Button and modifiers as reported; 64 and 65 are the wheel.
    pub button: u32,
    /// Column from 1.
    pub col: u32,
    /// Row from 1.
    pub row: u32,
    /// Whether the button was let go.
    pub released: bool,
}

impl Mouse {
    /// The report as a terminal sends it.
    pub fn spell(self) -> Vec<u8> {
        let end = if self.released { 'm' } else { 'M' };
        format!("\x1b[<{};{};{}{end}", self.button, self.col, self.row).into_bytes()
    }
}

/// Cuts what comes from the terminal.
#[derive(Debug)]
pub(super) struct Keys {
    detach: DetachKey,
    pasting: bool,
    /// A sequence whose end has not come.
    held: Vec<u8>,
}

impl Keys {
    pub fn new(detach: DetachKey) -> Self {
        Self { detach, pasting: false, held: Vec::new() }
    }

    /// Whether a half sequence waits; [`Keys::flush`] it when nothing follows.
    pub fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// Gives out what waited: it was a key after all.
    pub fn flush(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    /// Cuts what came into pieces.
    pub fn cut(&mut self, bytes: &[u8]) -> Vec<Piece> {
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(bytes);
        let mut pieces = Vec::new();
        let mut keys = Vec::new();
        let mut at = 0;
        while at < all.len() {
            let rest = &all[at..];
            if self.pasting {
                let end = find(rest, PASTE_END).map(|found| found + PASTE_END.len());
                self.pasting = end.is_none();
                let length = end.unwrap_or_else(|| rest.len() - begun(rest, PASTE_END));
                keys.extend_from_slice(&rest[..length]);
                at += length;
                if self.pasting {
                    self.held = all.split_off(at);
                    break;
                }
                continue;
            }
            let length = match sequence(rest) {
                Cut::Whole(length) => length,
                Cut::Open => {
                    self.held = rest.to_vec();
                    break;
                }
            };
            let piece = &rest[..length];
            if piece == PASTE_BEGIN {
                self.pasting = true;
                keys.extend_from_slice(piece);
            } else if self.is_detach(piece) {
                push_keys(&mut pieces, &mut keys);
                pieces.push(Piece::Detach(piece.to_vec()));
            } else if let Some(mouse) = mouse(piece) {
                push_keys(&mut pieces, &mut keys);
                pieces.push(Piece::Mouse(mouse));
            } else {
                keys.extend_from_slice(piece);
            }
            at += length;
        }
        push_keys(&mut pieces, &mut keys);
        pieces
    }

    fn is_detach(&self, piece: &[u8]) -> bool {
        match piece {
            [byte] => *byte == self.detach.control,
            _ => piece.strip_prefix(b"\x1b[").is_some_and(|rest| self.is_detach_csi(rest)),
        }
    }

    /// Whether what follows `CSI` is the key: `code ; modifiers [: event] u`, or `27 ; modifiers ; code ~`. A key let go is
    /// none.
    fn is_detach_csi(&self, rest: &[u8]) -> bool {
        let Some((end, fields)) = rest.split_last() else { return false };
        let number = |bytes: &[u8]| std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<u32>().ok());
        let fields: Vec<Vec<Option<u32>>> =
            fields.split(|byte| *byte == b';').map(|field| field.split(|b| *b == b':').map(number).collect()).collect();
        let first = |index: usize| fields.get(index).and_then(|field| field.first().copied().flatten());
        let event = fields.get(1).and_then(|field| field.get(1).copied().flatten()).unwrap_or(1);
        let ctrl = first(1).is_some_and(|sent| sent.wrapping_sub(1) & MODIFIER_KEYS == CTRL) && event != 3;
        let is_key = |code: Option<u32>| code.is_some_and(|code| self.detach.numbers().contains(&code));
        match end {
            b'u' => ctrl && is_key(first(0)),
            b'~' => ctrl && first(0) == Some(27) && is_key(first(2)),
            _ => false,
        }
    }
}

fn push_keys(pieces: &mut Vec<Piece>, keys: &mut Vec<u8>) {
    if !keys.is_empty() {
        pieces.push(Piece::Keys(std::mem::take(keys)));
    }
}

/// The keys one by one.
pub(super) fn each(mut keys: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let length = match sequence(keys) {
            _ if keys.is_empty() => return None,
            Cut::Whole(length) => length,
            Cut::Open => keys.len(),
        };
        let (key, rest) = keys.split_at(length);
        keys = rest;
        Some(key)
    })
}

enum Cut {
    Whole(usize),
    Open,
}

/// Where the first key ends. A lone ESC is the Escape key: a terminal writes a sequence in one piece.
fn sequence(bytes: &[u8]) -> Cut {
    if bytes.starts_with(b"\x1bO") && bytes.len() > 2 {
        return Cut::Whole(3);
    }
    let Some(body) = bytes.strip_prefix(b"\x1b[") else { return Cut::Whole(1) };
    match body.iter().position(|byte| (0x40..=0x7e).contains(byte)) {
        // The oldest mouse encoding: three bytes follow.
        Some(0) if body[0] == b'M' => Cut::Whole((2 + 4).min(bytes.len())),
        Some(end) => Cut::Whole(2 + end + 1),
        None if body.len() < LONGEST && body.iter().all(|byte| (0x20..=0x3f).contains(byte)) => Cut::Open,
        None => Cut::Whole(1),
    }
}

fn mouse(piece: &[u8]) -> Option<Mouse> {
    let body = std::str::from_utf8(piece).ok()?.strip_prefix("\x1b[<")?;
    let released = body.ends_with('m');
    let mut numbers = body.strip_suffix(['m', 'M'])?.split(';').map(|number| number.parse::<u32>().ok());
    let (button, col, row) = (numbers.next()??, numbers.next()??, numbers.next()??);
    Some(Mouse { button, col, row, released })
}

fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}

/// How many bytes at the end may be the beginning of `text`.
fn begun(bytes: &[u8], text: &[u8]) -> usize {
    let lengths: Range<usize> = 1..text.len().min(bytes.len() + 1);
    lengths.rev().find(|length| bytes.ends_with(&text[..*length])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Piece {
        Piece::Keys(text.as_bytes().to_vec())
    }

    fn cut(bytes: &str) -> Vec<Piece> {
        Keys::new(DetachKey::default()).cut(bytes.as_bytes())
    }

    #[test]
    fn the_detach_key_is_known_in_every_spelling() {
        for key in ["\x1c", "\x1b[92;5u", "\x1b[92;5:1u", "\x1b[92:124;69u", "\x1b[27;5;92~"] {
            let detach = Piece::Detach(key.as_bytes().to_vec());
            assert_eq!(cut(&format!("ab{key}cd")), [keys("ab"), detach, keys("cd")], "{key:?}");
        }
        for key in ["\\", "\x1b\\", "\x1b[92;3u", "\x1b[92u", "\x1b[93;5u", "\x1b[92;5:3u", "\x1b[27;5;9~", "\x1b[1;5A"]
        {
            assert_eq!(cut(key), [keys(key)]);
        }
    }

    #[test]
    fn another_key_can_detach() {
        let named = |name: &str| name.parse::<DetachKey>();
        assert_eq!(named("ctrl-q"), Ok(DetachKey { control: 17 }));
        assert_eq!(named("C-]").map(|key| key.to_string()), Ok("Ctrl-]".to_owned()));
        for bad in ["q", "ctrl-", "ctrl-m", "ctrl-[", "ctrl-qq", "alt-q", ""] {
            assert!(named(bad).is_err(), "{bad:?}");
        }
        let mut other = Keys::new(DetachKey { control: 17 });
        assert_eq!(other.cut(b"\x1c\x1b[113;5u"), [keys("\x1c"), Piece::Detach(b"\x1b[113;5u".to_vec())]);
    }

    #[test]
    fn nothing_in_a_paste_detaches_however_it_is_cut() {
        let text = "\x1b[200~a\x1cb\x1b[92;5u\x1b[<0;1;1Mc\x1b[201~";
        for at in 0..text.len() {
            let mut cutter = Keys::new(DetachKey::default());
            let (one, two) = text.as_bytes().split_at(at);
            let mut all = cutter.cut(one);
            all.extend(cutter.cut(two));
            all.push(Piece::Keys(cutter.flush()));
            let joined: Vec<u8> = all
                .into_iter()
                .flat_map(|piece| match piece {
                    Piece::Keys(bytes) => bytes,
                    // Cut inside its beginning, a paste cannot be known.
                    Piece::Detach(bytes) => {
                        assert!(at < 2, "{at}");
                        bytes
                    }
                    Piece::Mouse(mouse) => {
                        assert!(at < 2, "{at}");
                        mouse.spell()
                    }
                })
                .collect();
            assert_eq!(joined, text.as_bytes(), "{at}");
        }
        let mut cutter = Keys::new(DetachKey::default());
        cutter.cut(text.as_bytes());
        assert_eq!(cutter.cut(b"\x1c"), [Piece::Detach(vec![0x1c])], "the paste is over");
    }

    #[test]
    fn half_a_sequence_waits_and_the_mouse_is_read() {
        let mut cutter = Keys::new(DetachKey::default());
        assert_eq!(cutter.cut(b"x\x1b[<64;1"), [keys("x")]);
        assert!(cutter.holds());
        let mouse = Mouse { button: 64, col: 12, row: 3, released: false };
        assert_eq!(cutter.cut(b"2;3M"), [Piece::Mouse(mouse)]);
        assert_eq!(mouse.spell(), b"\x1b[<64;12;3M");
        assert_eq!(cutter.cut(b"\x1b"), [keys("\x1b")], "Escape does not wait");
        assert_eq!(
            cutter.cut(b"\x1b[M\x20\x1c\x21"),
            [keys("\x1b[M\x20\x1c\x21")],
            "an old mouse report is no detach key"
        );
        cutter.cut(b"\x1b[1;");
        assert_eq!(cutter.flush(), b"\x1b[1;");
    }
}
