//! Where sequences begin and end in the byte stream: the state machine of the parser without its actions.
//!
//! It agrees byte for byte with the parser of `vte` (a property test compares them) and keeps no text.

use super::c1;

/// A sequence that ends at a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `ESC x`.
    Escape,
    /// `CSI … x`; the final byte is the argument.
    Csi(u8),
    /// A string: OSC, DCS, or one of SOS, PM, APC.
    String(Family),
    /// Given up in the middle (CAN, SUB, or a sequence that means nothing).
    Cancelled,
}

/// The kinds of strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Operating system command; the only one that BEL ends.
    Osc,
    /// Device control string.
    Dcs,
    /// SOS, PM and APC.
    Other,
}

/// What a byte was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// Text or a control character outside of any sequence.
    Text,
    /// Inside a sequence or a UTF-8 character.
    Part,
    /// The last byte of a sequence.
    Done(Kind),
    /// An `ESC` that broke off the string before it, and begins the next sequence (or is the start of the string's `ST`).
    Broke(Family),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ground,
    /// Continuation bytes missing, and the range of the next one.
    Utf8 {
        left: u8,
        low: u8,
        high: u8,
    },
    Escape,
    EscapeIntermediate,
    CsiEntry,
    CsiParam,
    CsiIntermediate,
    CsiIgnore,
    Osc,
    DcsEntry,
    DcsParam,
    DcsIntermediate,
    DcsIgnore,
    DcsPassthrough,
    Other,
}

/// The state machine.
#[derive(Clone, Debug)]
pub struct Lexer {
    state: State,
}

impl Default for Lexer {
    fn default() -> Self {
        Self { state: State::Ground }
    }
}

const CAN: u8 = 0x18;
const SUB: u8 = 0x1a;
const ESC: u8 = 0x1b;

/// Length of the text (characters and controls, broken ones too) at the front of `bytes`, up to the first sequence, C1
/// character or unfinished character: from the ground state it leads to the ground state.
#[must_use]
pub fn text_len(bytes: &[u8]) -> usize {
    let is_end = |at: &usize| bytes[*at] == ESC || bytes.get(at + 1).is_none_or(|next| c1::letter(*next).is_some());
    let mut end = memchr::memchr2_iter(ESC, c1::LEAD, bytes).find(is_end).unwrap_or(bytes.len());
    // What an unfinished character broke off may be unfinished itself.
    loop {
        match unfinished_len(&bytes[..end]) {
            0 => return end,
            unfinished => end -= unfinished,
        }
    }
}

/// Length of the unfinished character at the end of text. What came before the last byte that continues nothing does not
/// matter, because every such byte begins anew; no character has more than three that continue it.
fn unfinished_len(text: &[u8]) -> usize {
    let begins = |byte: &u8| byte & 0xc0 != 0x80;
    let Some(back) = text.iter().rev().take(3).position(begins) else { return 0 };
    let last = &text[text.len() - back - 1..];
    let mut lexer = Lexer::default();
    last.iter().for_each(|byte| {
        lexer.push(*byte);
    });
    if lexer.in_ground() { 0 } else { last.len() }
}

/// Length of the control sequence at the front of `bytes`, if one is there as a whole and nothing odd is in it.
#[must_use]
pub fn csi_len(bytes: &[u8]) -> Option<usize> {
    let body = bytes.strip_prefix(b"\x1b[")?;
    let end = body.iter().position(|byte| !(0x20..=0x3f).contains(byte))?;
    (0x40..=0x7e).contains(&body[end]).then_some(end + 3)
}

/// Length of what stands at the front of `bytes`, which begins in the ground state: up to where that is reached again.
#[must_use]
pub fn sequence_len(bytes: &[u8]) -> usize {
    csi_len(bytes).unwrap_or_else(|| {
        let mut lexer = Lexer::default();
        let ends = |byte: &u8| {
            lexer.push(*byte);
            lexer.in_ground()
        };
        bytes.iter().position(ends).map_or(bytes.len(), |at| at + 1)
    })
}

impl Lexer {
    /// Whether neither a sequence nor a UTF-8 character is open.
    #[must_use]
    pub fn in_ground(&self) -> bool {
        self.state == State::Ground
    }

    /// Whether a sequence is open; a UTF-8 character is none.
    #[must_use]
    pub fn in_sequence(&self) -> bool {
        !matches!(self.state, State::Ground | State::Utf8 { .. })
    }

    /// Whether a string (OSC, DCS, SOS, PM, APC) is open.
    #[must_use]
    pub fn in_string(&self) -> bool {
        matches!(self.state, State::Osc | State::DcsPassthrough | State::DcsIgnore | State::Other)
    }

    /// Reads one byte.
    pub fn push(&mut self, byte: u8) -> Token {
        match self.state {
            State::Ground => self.ground(byte),
            State::Utf8 { left, low, high } => {
                if (low..=high).contains(&byte) {
                    let open = State::Utf8 { left: left - 1, low: 0x80, high: 0xbf };
                    self.state = if left == 1 { State::Ground } else { open };
                    if left == 1 { Token::Text } else { Token::Part }
                } else {
                    self.ground(byte)
                }
            }
            State::Escape => self.escape(byte),
            State::EscapeIntermediate => match byte {
                0x30..=0x7e => self.done(Kind::Escape),
                _ => self.anywhere(byte),
            },
            State::CsiEntry | State::CsiParam | State::CsiIntermediate | State::CsiIgnore => self.csi(byte),
            State::DcsEntry | State::DcsParam | State::DcsIntermediate => self.dcs(byte),
            State::Osc => match byte {
                0x07 => self.done(Kind::String(Family::Osc)),
                _ => self.string(byte, Family::Osc),
            },
            State::DcsPassthrough if byte == 0x9c => self.done(Kind::String(Family::Dcs)),
            State::DcsPassthrough | State::DcsIgnore => self.string(byte, Family::Dcs),
            State::Other => self.string(byte, Family::Other),
        }
    }

    fn done(&mut self, kind: Kind) -> Token {
        self.state = State::Ground;
        Token::Done(kind)
    }

    fn ground(&mut self, byte: u8) -> Token {
        let utf8 = |left, low, high| State::Utf8 { left, low, high };
        self.state = match byte {
            ESC => State::Escape,
            0xc2..=0xdf => utf8(1, 0x80, 0xbf),
            0xe0 => utf8(2, 0xa0, 0xbf),
            0xed => utf8(2, 0x80, 0x9f),
            0xe1..=0xef => utf8(2, 0x80, 0xbf),
            0xf0 => utf8(3, 0x90, 0xbf),
            0xf1..=0xf3 => utf8(3, 0x80, 0xbf),
            0xf4 => utf8(3, 0x80, 0x8f),
            _ => State::Ground,
        };
        if self.in_ground() { Token::Text } else { Token::Part }
    }

    fn anywhere(&mut self, byte: u8) -> Token {
        match byte {
            CAN | SUB => self.done(Kind::Cancelled),
            ESC => {
                self.state = State::Escape;
                Token::Part
            }
            _ => Token::Part,
        }
    }

    fn string(&mut self, byte: u8, family: Family) -> Token {
        match byte {
            CAN | SUB => self.done(Kind::Cancelled),
            ESC => {
                self.state = State::Escape;
                Token::Broke(family)
            }
            _ => Token::Part,
        }
    }

    fn escape(&mut self, byte: u8) -> Token {
        self.state = match byte {
            0x20..=0x2f => State::EscapeIntermediate,
            b'P' => State::DcsEntry,
            b'X' | b'^' | b'_' => State::Other,
            b'[' => State::CsiEntry,
            b']' => State::Osc,
            0x30..=0x7e => return self.done(Kind::Escape),
            _ => return self.anywhere(byte),
        };
        Token::Part
    }

    fn csi(&mut self, byte: u8) -> Token {
        self.state = match (self.state, byte) {
            (State::CsiIgnore, 0x40..=0x7e) => return self.done(Kind::Cancelled),
            (_, 0x40..=0x7e) => return self.done(Kind::Csi(byte)),
            (State::CsiIgnore, 0x20..=0x3f) => State::CsiIgnore,
            (_, 0x20..=0x2f) => State::CsiIntermediate,
            (State::CsiIntermediate, 0x30..=0x3f) => State::CsiIgnore,
            (State::CsiParam, 0x3c..=0x3f) => State::CsiIgnore,
            (_, 0x30..=0x3f) => State::CsiParam,
            _ => return self.anywhere(byte),
        };
        Token::Part
    }

    fn dcs(&mut self, byte: u8) -> Token {
        self.state = match (self.state, byte) {
            (_, 0x40..=0x7e) => State::DcsPassthrough,
            (_, 0x20..=0x2f) => State::DcsIntermediate,
            (State::DcsIntermediate, 0x30..=0x3f) => State::DcsIgnore,
            (State::DcsParam, 0x3c..=0x3f) => State::DcsIgnore,
            (_, 0x30..=0x3f) => State::DcsParam,
            _ => return self.anywhere(byte),
        };
        Token::Part
    }
}
