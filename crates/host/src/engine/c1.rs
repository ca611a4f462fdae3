//! C1 controls written as characters (U+0080–U+009F), which mean what ESC and a letter mean.
//!
//! xterm, VTE and xterm.js obey them in UTF-8 streams, so a viewer would: the host must see them, too. Both forms take two
//! bytes, so that no offset changes. A lone byte 0x80–0x9F is no character and means nothing.

use std::borrow::Cow;

const ESC: u8 = 0x1b;
/// First byte of U+0080–U+00BF; it is never a continuation byte.
pub const LEAD: u8 = 0xc2;

/// The letter after ESC that means the same as the control whose second byte is `byte`.
#[must_use]
pub fn letter(byte: u8) -> Option<u8> {
    matches!(byte, 0x80..=0x9f).then(|| byte - 0x40)
}

/// `bytes` with every C1 character as ESC and a letter.
#[must_use]
pub fn plain(bytes: &[u8]) -> Cow<'_, [u8]> {
    let is_c1 = |pair: &[u8]| pair[0] == LEAD && letter(pair[1]).is_some();
    if !bytes.windows(2).any(is_c1) {
        return Cow::Borrowed(bytes);
    }
    let mut out = bytes.to_vec();
    for at in 1..out.len() {
        if let (LEAD, Some(letter)) = (out[at - 1], letter(out[at])) {
            (out[at - 1], out[at]) = (ESC, letter);
        }
    }
    Cow::Owned(out)
}

/// The same for a stream read byte by byte: holds a [`LEAD`] back until the next byte.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    lead: bool,
}

impl Stream {
    /// Whether a first byte is held back.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.lead
    }

    /// What stands for `byte` and a byte held back before it: none, one or two bytes; and whether that was a control.
    pub fn push(&mut self, byte: u8) -> (impl Iterator<Item = u8> + use<>, bool) {
        let held = std::mem::replace(&mut self.lead, byte == LEAD);
        let control = if held { letter(byte) } else { None };
        let pair = match (control, held) {
            (Some(letter), _) => [Some(ESC), Some(letter)],
            (None, true) => [Some(LEAD), Some(byte)],
            (None, false) => [Some(byte), None],
        };
        let keep = pair.into_iter().flatten().count() - usize::from(self.lead);
        (pair.into_iter().flatten().take(keep), control.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_agree_wherever_the_stream_is_cut() {
        let bytes = "a\u{9b}31mé\u{a0}\u{9d}0;t\u{9c}\u{85}".as_bytes();
        let bytes = [bytes, b"\xc2\xc2\x9b\xc2x\xe2\x94\xc2\x80"].concat();
        let mut stream = Stream::default();
        let mut out: Vec<u8> = Vec::new();
        for byte in &bytes {
            out.extend(stream.push(*byte).0);
        }
        assert!(!stream.holds());
        assert_eq!(out, plain(&bytes).as_ref());
        assert_eq!(out.len(), bytes.len());
        assert!(out.starts_with(b"a\x1b[31m\xc3\xa9\xc2\xa0\x1b]0;t\x1b\\\x1bE\xc2\x1b[\xc2x"));
    }
}
