//! Keeps terminal queries from viewers and viewers' replies from programs: the host alone answers (`answers`).
//!
//! Both filters hold back an unfinished sequence, so that cutting the stream anywhere changes nothing. They draw nothing.

use super::c1;
use super::lexer::{Family, Kind, Lexer, Token};

/// Longest sequence that is held back to be judged; every query and reply known is far shorter.
const MAX_HELD: usize = 4096;

/// How long a person's half sequence (`ESC`, `Alt+[`) may be held before [`ReplyFilter::flush`], in milliseconds.
/// A terminal writes its reply in one piece; this bridges a piece cut by the network.
pub const INPUT_WAIT_MS: u64 = 50;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Keep,
    Drop,
}

/// Cuts a stream into text and sequences, and keeps or drops each sequence as a whole.
#[derive(Clone, Debug, Default)]
struct Cutter {
    lexer: Lexer,
    /// The sequence that is open, as far as it was not handed on.
    open: Vec<u8>,
    /// An ESC in `open` broke off a string that ends here: it begins the string's terminator or the next sequence.
    broke: Option<(usize, Family)>,
    /// What was decided about the open sequence before its end.
    decided: Option<Verdict>,
}

impl Cutter {
    fn push(&mut self, byte: u8, judge: fn(&[u8], Kind) -> Verdict, out: &mut Vec<u8>) {
        if let Some((end, family)) = self.broke.take() {
            if byte == b'\\' {
                self.lexer.push(byte);
                self.open.push(byte);
                self.finish(Kind::String(family), judge, out);
                return;
            }
            let next = self.open.split_off(end);
            self.finish(Kind::String(family), judge, out);
            self.open = next;
        }
        let was_open = self.lexer.in_sequence();
        match self.lexer.push(byte) {
            Token::Broke(family) => {
                self.broke = Some((self.open.len(), family));
                self.open.push(byte);
            }
            Token::Done(kind) => {
                self.open.push(byte);
                self.finish(kind, judge, out);
            }
            Token::Text | Token::Part if !self.lexer.in_sequence() => out.push(byte),
            Token::Text | Token::Part => {
                if was_open && byte == 0x1b {
                    // The sequence was given up for a new one.
                    self.finish(Kind::Cancelled, judge, out);
                }
                self.open.push(byte);
                if self.open.len() > MAX_HELD {
                    let verdict = self.decided.unwrap_or_else(|| judge(&self.open, self.kind_so_far()));
                    self.decided = Some(verdict);
                    self.hand_on(verdict, out);
                }
            }
        }
    }

    fn kind_so_far(&self) -> Kind {
        match self.open.get(1) {
            Some(b']') => Kind::String(Family::Osc),
            Some(b'P') => Kind::String(Family::Dcs),
            Some(b'_' | b'^' | b'X') => Kind::String(Family::Other),
            _ => Kind::Cancelled,
        }
    }

    fn finish(&mut self, kind: Kind, judge: fn(&[u8], Kind) -> Verdict, out: &mut Vec<u8>) {
        let verdict = self.decided.take().unwrap_or_else(|| judge(&self.open, kind));
        self.hand_on(verdict, out);
    }

    fn hand_on(&mut self, verdict: Verdict, out: &mut Vec<u8>) {
        match verdict {
            Verdict::Keep => out.append(&mut self.open),
            Verdict::Drop => {
                // Controls inside a control sequence take effect on their own.
                let controls = self.open.get(1) == Some(&b'[');
                let effective = self.open.drain(..).filter(|byte| controls && matches!(byte, 0x07..=0x0f));
                out.extend(effective);
            }
        }
    }
}

/// The parts of `CSI <prefix> numbers <intermediates> final`.
struct Csi<'a> {
    prefix: Option<u8>,
    numbers: &'a [u8],
    intermediates: &'a [u8],
    last: u8,
}

impl<'a> Csi<'a> {
    fn of(sequence: &'a [u8], last: u8) -> Option<Self> {
        let body = sequence.strip_prefix(b"\x1b[")?.strip_suffix(&[last])?;
        let prefix = body.first().copied().filter(|byte| (b'<'..=b'?').contains(byte));
        let body = &body[usize::from(prefix.is_some())..];
        let cut = body.iter().position(|byte| (0x20..=0x2f).contains(byte)).unwrap_or(body.len());
        let (numbers, intermediates) = body.split_at(cut);
        Some(Self { prefix, numbers, intermediates, last })
    }

    fn number(&self, index: usize) -> Option<u32> {
        let field = self.numbers.split(|byte| *byte == b';').nth(index)?;
        std::str::from_utf8(field).ok()?.parse().ok()
    }
}

/// Fields of a string between its introducer and its end.
fn fields(sequence: &[u8]) -> Vec<&[u8]> {
    let body = sequence.get(2..).unwrap_or_default();
    let body = body.strip_suffix(b"\x1b\\").or_else(|| body.strip_suffix(b"\x07")).unwrap_or(body);
    body.split(|byte| *byte == b';').collect()
}

fn judge_output(sequence: &[u8], kind: Kind) -> Verdict {
    let is_query = match kind {
        Kind::Escape => sequence == b"\x1bZ",
        Kind::Csi(last) => Csi::of(sequence, last).is_some_and(|csi| is_csi_query(&csi)),
        Kind::String(Family::Osc) => is_osc_query(&fields(sequence)),
        Kind::String(Family::Dcs) => sequence.starts_with(b"\x1bP$q") || sequence.starts_with(b"\x1bP+q"),
        Kind::String(Family::Other) => is_graphics_query(sequence),
        Kind::Cancelled => false,
    };
    if is_query { Verdict::Drop } else { Verdict::Keep }
}

fn is_csi_query(csi: &Csi<'_>) -> bool {
    match (csi.prefix, csi.intermediates, csi.last) {
        // Device attributes, DECREQTPARM.
        (_, b"", b'c') | (None, b"", b'x') => true,
        // DSR; with `>` it switches modifyOtherKeys off.
        (None | Some(b'?'), b"", b'n') => true,
        // XTVERSION, kitty flags, XTQMODKEYS, XTSMGRAPHICS.
        (Some(b'>'), b"", b'q') | (Some(b'?'), b"", b'u' | b'm' | b'S') => true,
        // DECRQM, DECRQPSR, DECRQTSR, DECRQUPSS, DECRQCRA, DECRQLP, XTREPORTSGR, XTREPORTCOLORS.
        (_, b"$", b'p' | b'w' | b'u')
        | (_, b"&", b'u')
        | (_, b"*", b'y')
        | (_, b"'", b'|')
        | (_, b"#", b'|' | b'R') => true,
        // Reports of the window.
        (None, b"", b't') => matches!(csi.number(0), Some(11 | 13..=16 | 18..=21)),
        _ => false,
    }
}

fn is_osc_query(fields: &[&[u8]]) -> bool {
    let number = fields.first().and_then(|field| std::str::from_utf8(field).ok()?.parse::<u16>().ok());
    let asks = fields.iter().skip(1).any(|field| field.first() == Some(&b'?'));
    let asks_at_end = fields.iter().skip(1).any(|field| field.ends_with(b"?"));
    match number {
        Some(4 | 5 | 10..=19 | 22 | 50 | 52) => asks,
        Some(21) => asks_at_end,
        Some(60 | 61) => true,
        Some(99) => fields.get(1).is_some_and(|meta| meta.split(|byte| *byte == b':').any(|pair| pair == b"p=?")),
        Some(1337) => fields.get(1).is_some_and(|field| {
            [&b"Report"[..], b"Request", b"Capabilities"].iter().any(|name| field.starts_with(name))
        }),
        _ => false,
    }
}

/// Kitty graphics, action query.
fn is_graphics_query(sequence: &[u8]) -> bool {
    let Some(body) = sequence.strip_prefix(b"\x1b_G") else { return false };
    let control = body.split(|byte| *byte == b';').next().unwrap_or_default();
    control.split(|byte| *byte == b',').any(|pair| pair.strip_suffix(b"\x1b\\").unwrap_or(pair) == b"a=q")
}

/// Removes queries from what viewers receive.
#[derive(Clone, Debug, Default)]
pub struct QueryFilter {
    cutter: Cutter,
    c1: c1::Stream,
}

impl QueryFilter {
    /// A filter at a ground offset of the stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The bytes for viewers; an unfinished sequence comes with the call that finishes it. C1 characters come as ESC and
    /// a letter, which every viewer understands.
    #[must_use]
    pub fn filter_output(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        for byte in bytes {
            for byte in self.c1.push(*byte).0 {
                // ENQ asks for the answerback.
                if byte != 0x05 || self.cutter.lexer.in_string() {
                    self.cutter.push(byte, judge_output, &mut out);
                }
            }
        }
        out
    }
}

fn judge_input(sequence: &[u8], kind: Kind) -> Verdict {
    let is_reply = match kind {
        Kind::Csi(last) => Csi::of(sequence, last).is_some_and(|csi| is_csi_reply(&csi)),
        Kind::String(_) => true,
        Kind::Escape | Kind::Cancelled => false,
    };
    if is_reply { Verdict::Drop } else { Verdict::Keep }
}

fn is_csi_reply(csi: &Csi<'_>) -> bool {
    match (csi.prefix, csi.intermediates, csi.last) {
        // Device attributes, DSR, kitty flags, DECXCPR, XTSMGRAPHICS.
        (Some(_), b"", b'c') | (None | Some(b'?'), b"", b'n') | (Some(b'?'), b"", b'u' | b'R' | b'S') => true,
        // `CSI 1 ; modifiers R` is F3 with Shift, Alt or Ctrl; elsewhere on the screen it is the cursor's place.
        (None, b"", b'R') => match (csi.number(0), csi.number(1)) {
            (Some(1), Some(2..=16)) | (None, _) | (_, None) => false,
            (Some(_), Some(_)) => true,
        },
        // DECRPM, window reports, DECREPTPARM, XTQMODKEYS; `CSI < … m` is a mouse button.
        (_, b"$", b'y') | (None, b"", b't' | b'x') | (Some(b'>'), b"", b'm') => true,
        _ => false,
    }
}

/// Removes what a viewer's terminal replies from what its person types. One for each viewer.
#[derive(Clone, Debug, Default)]
pub struct ReplyFilter {
    cutter: Cutter,
    /// Bytes of `PASTE_END` matched so far; `None` outside of a paste.
    pasting: Option<usize>,
}

const PASTE_BEGIN: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

impl ReplyFilter {
    /// A filter for one viewer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What the person typed. A half sequence at the end is held until the rest comes or [`ReplyFilter::flush`];
    /// the caller must flush after [`INPUT_WAIT_MS`] while [`ReplyFilter::holds`], or the Escape key would be lost.
    #[must_use]
    pub fn filter_input(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        for byte in bytes {
            if let Some(matched) = self.pasting {
                out.push(*byte);
                let matched = if PASTE_END[matched] == *byte { matched + 1 } else { usize::from(*byte == 0x1b) };
                self.pasting = Some(matched).filter(|matched| *matched < PASTE_END.len());
                continue;
            }
            self.cutter.push(*byte, judge_input, &mut out);
            if self.cutter.lexer.in_sequence() && !may_be_reply(&self.cutter.open) {
                out.extend(self.flush());
            }
            if out.ends_with(PASTE_BEGIN) && !self.holds() {
                self.pasting = Some(0);
            }
        }
        out
    }

    /// Whether a half sequence is held.
    #[must_use]
    pub fn holds(&self) -> bool {
        !self.cutter.open.is_empty()
    }

    /// Gives out what is held: it was typed after all.
    #[must_use]
    pub fn flush(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.cutter).open
    }
}

/// Whether a sequence that began so may become a reply; `Alt+P` and `Alt+]` begin like strings, too.
fn may_be_reply(open: &[u8]) -> bool {
    match open {
        [0x1b, b'P', next, ..] => next.is_ascii_digit() || matches!(next, b'>' | b'!' | b'=' | b'$' | b'+'),
        [0x1b, b']', next, ..] => next.is_ascii_digit() || matches!(next, b'l' | b'L'),
        [0x1b, b'_', next, ..] => *next == b'G',
        [0x1b, b'X' | b'^', ..] => false,
        _ => true,
    }
}
