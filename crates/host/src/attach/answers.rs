//! What a terminal answers when it is asked how it is: modes, keyboard, cursor style.
//!
//! It reads bytes and touches no terminal; whatever is no answer was typed by the person.

use crate::engine::lexer::{Family, Kind, Lexer, Token};
use crate::engine::modes::{ANSI, MOUSE, MOUSE_ENCODING, Modes, PRIVATE};

/// The alternate screen.
const ALTERNATE: u16 = 1049;

/// A terminal before anything was switched in it; what it does not say is as in a fresh one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Before {
    /// Modes.
    pub modes: Modes,
    /// The alternate screen is shown.
    pub alternate: bool,
    /// Cursor style as in DECSCUSR.
    pub style: u8,
    /// XTMODKEYS value, if it says.
    pub other_keys: Option<u8>,
}

/// Every private mode that is asked for.
pub(super) fn asked() -> impl Iterator<Item = u16> {
    let switches = PRIVATE.into_iter().map(|(number, _)| number);
    switches.chain(MOUSE).chain(MOUSE_ENCODING).chain([ALTERNATE])
}

/// Reads what came: how the terminal is, what the person typed, and whether the last answer is there.
pub(super) fn read(came: &[u8]) -> (Before, Vec<u8>, bool) {
    let (mut before, mut typed, mut over) = (Before::default(), Vec::new(), false);
    let mut lexer = Lexer::default();
    let mut open = Vec::new();
    let mut broke = false;
    for &byte in came {
        let token = lexer.push(byte);
        open.push(byte);
        let whole = match token {
            // The string's terminator is one more sequence.
            Token::Broke(Family::Dcs) => {
                broke = true;
                continue;
            }
            Token::Done(Kind::Escape) if broke => Some(Answer::of(&open)),
            Token::Done(_) => Some(Answer::of(&open)),
            Token::Text => None,
            Token::Part | Token::Broke(_) => continue,
        };
        broke = false;
        match whole.flatten() {
            Some(answer) => over |= answer.note(&mut before),
            None => typed.extend_from_slice(&open),
        }
        open.clear();
    }
    // A key that looks like the beginning of an answer is one, once nothing follows; half an answer is dropped.
    if open == b"\x1b" {
        typed.extend(open);
    }
    (before, typed, over)
}

enum Answer {
    Mode(u16, bool),
    AnsiMode(u16, bool),
    OtherKeys(u8),
    Style(u8),
    /// To the last question, or to one that has no meaning here.
    Attributes,
    Other,
}

impl Answer {
    fn of(sequence: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(sequence).ok()?;
        if let Some(body) = text.strip_prefix("\x1bP") {
            let style = body.strip_prefix("1$r").and_then(|rest| rest.strip_suffix(" q\x1b\\")?.parse().ok());
            return Some(style.map_or(Self::Other, Self::Style));
        }
        let body = text.strip_prefix("\x1b[")?;
        if let Some(numbers) = body.strip_suffix("$y") {
            let (private, numbers) = numbers.strip_prefix('?').map_or((false, numbers), |rest| (true, rest));
            let (mode, state) = numbers.split_once(';')?;
            let (mode, state): (u16, u8) = (mode.parse().ok()?, state.parse().ok()?);
            // 1 is set, 3 set for good; 0 is unknown.
            let on = match state {
                1 | 3 => true,
                2 | 4 => false,
                _ => return Some(Self::Other),
            };
            return Some(if private { Self::Mode(mode, on) } else { Self::AnsiMode(mode, on) });
        }
        if body.starts_with('?') && body.ends_with('c') {
            return Some(Self::Attributes);
        }
        let keys = body.strip_prefix(">4;")?.strip_suffix('m')?;
        keys.parse().ok().map(Self::OtherKeys)
    }

    /// Notes the answer; true when it was the last.
    fn note(self, before: &mut Before) -> bool {
        match self {
            Self::Mode(ALTERNATE, on) => before.alternate = on,
            // Of the mouse modes that are said to be on the last one asked for counts.
            Self::Mode(mode, false) if MOUSE.contains(&mode) || MOUSE_ENCODING.contains(&mode) => {}
            Self::Mode(mode, on) => {
                before.modes.set_private(mode, on);
            }
            Self::AnsiMode(mode, on) => {
                if let Some((_, known)) = ANSI.iter().find(|(number, _)| *number == mode) {
                    before.modes.set(*known, on);
                }
            }
            Self::OtherKeys(keys) => before.other_keys = Some(keys),
            // The terminal's own is told as the first one, which it looks like.
            Self::Style(style) => before.style = if style == 1 { 0 } else { style },
            Self::Attributes => return true,
            Self::Other => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::modes::Mode;

    #[test]
    fn answers_are_told_from_keys() {
        let came = b"ab\x1b[?2004;1$y\x1b[?1000;2$y\x1b[?1002;1$y\x1b[?1006;1$y\x1b[4;1$y\x1b[?1049;2$y\x1b[A\
            \x1b[>4;2m\x1bP1$r3 q\x1b\\\x1bOB\x1bP0$r\x1b\\\x1b[?62;22c\xc3\xa9";
        let (before, typed, over) = read(came);
        assert!(over);
        assert_eq!(typed, "ab\x1b[A\x1bOBé".as_bytes());
        assert!(before.modes.has(Mode::BracketedPaste) && before.modes.has(Mode::Insert));
        assert_eq!((before.modes.mouse, before.modes.mouse_encoding), (1002, 1006));
        assert_eq!((before.alternate, before.style, before.other_keys), (false, 3, Some(2)));
    }

    #[test]
    fn a_terminal_that_says_nothing_is_taken_for_a_fresh_one() {
        assert_eq!(read(b""), (Before::default(), Vec::new(), false));
        assert_eq!(read(b"x\x1b[?1;"), (Before::default(), b"x".to_vec(), false));
        assert_eq!(read(b"\x1b").1, b"\x1b");
    }
}
