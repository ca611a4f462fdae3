//! Where the byte stream may be cut: follows it and knows the last offset at which nothing was open.
//!
//! It draws nothing and keeps no bytes; time is a parameter.

use super::c1;
use super::lexer::{self, Kind, Lexer, Token};

/// How long a synchronized update may hold the screen back, in milliseconds (the limit the mode's users agreed on).
pub const SYNC_LIMIT_MS: u64 = 150;
/// Longest string (OSC, DCS …) that is handed to the parser, in bytes; what follows is skipped up to its end.
const MAX_STRING: u64 = 64 * 1024;
/// Parameter bytes looked at to find mode 2026.
const MAX_PARAMS: usize = 64;

/// Follows a stream and knows G, its last offset in ground state.
#[derive(Clone, Debug, Default)]
pub struct Ground {
    lexer: Lexer,
    c1: c1::Stream,
    /// Where the last C1 character ended.
    last_c1: u64,
    offset: u64,
    /// Last offset with no sequence open.
    lexed: u64,
    /// Last offset with no sequence and no synchronized update open.
    ground: u64,
    /// When the open synchronized update began.
    sync_since: Option<u64>,
    /// What followed `CSI` so far.
    params: Vec<u8>,
    string_len: u64,
    time: u64,
}

impl Ground {
    /// A stream at offset 0, in ground state.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Follows `bytes`, read at `now_ms` on any clock that does not go back.
    pub fn feed(&mut self, bytes: &[u8], now_ms: u64) {
        self.expire(now_ms);
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = self.step(rest);
            rest = &rest[taken..];
        }
    }

    /// Gives up an update that has been open for longer than [`SYNC_LIMIT_MS`]; true if there was one.
    pub fn expire(&mut self, now_ms: u64) -> bool {
        self.time = self.time.max(now_ms);
        let late = self.sync_since.is_some_and(|since| self.time - since > SYNC_LIMIT_MS);
        if late {
            self.give_up_sync();
        }
        late
    }

    /// Treats the open update as closed.
    pub fn give_up_sync(&mut self) {
        self.sync_since = None;
        self.ground = self.lexed;
    }

    /// When [`Ground::expire`] should be called at the latest, if an update is open.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        self.sync_since.map(|since| since + SYNC_LIMIT_MS + 1)
    }

    /// Whether a synchronized update is open.
    #[must_use]
    pub fn synchronized(&self) -> bool {
        self.sync_since.is_some()
    }

    /// Whether the open string has grown beyond what the parser is given.
    #[must_use]
    pub fn overlong(&self) -> bool {
        self.string_len > MAX_STRING
    }

    /// G: the last offset in ground state.
    #[must_use]
    pub fn ground_offset(&self) -> u64 {
        self.ground
    }

    /// Where the last C1 character ended; 0 if there was none.
    #[must_use]
    pub fn last_c1(&self) -> u64 {
        self.last_c1
    }

    /// Bytes followed so far.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Follows `bytes` up to the next change of [`Ground::synchronized`] or [`Ground::overlong`]; how many were taken.
    pub(super) fn step(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while let Some(byte) = bytes.get(taken) {
            if self.lexer.in_ground() && !self.c1.holds() {
                let rest = &bytes[taken..];
                let leap = if *byte == 0x1b { plain_csi_len(rest) } else { lexer::text_len(rest) };
                if leap > 0 {
                    self.leap(leap);
                    taken += leap;
                    continue;
                }
            }
            taken += 1;
            if self.byte(*byte) {
                break;
            }
        }
        taken
    }

    /// Most of a stream: bytes that leave the ground state as it is.
    fn leap(&mut self, count: usize) {
        self.offset += count as u64;
        self.reached();
    }

    /// No sequence is open.
    fn reached(&mut self) {
        self.lexed = self.offset;
        if self.sync_since.is_none() {
            self.ground = self.offset;
        }
    }

    /// True when `synchronized` or `overlong` changed.
    fn byte(&mut self, byte: u8) -> bool {
        let before = (self.synchronized(), self.overlong());
        self.offset += 1;
        let (bytes, control) = self.c1.push(byte);
        if control {
            self.last_c1 = self.offset;
        }
        bytes.for_each(|byte| self.lex(byte));
        before != (self.synchronized(), self.overlong())
    }

    fn lex(&mut self, byte: u8) {
        let was_ground = self.lexer.in_ground();
        let token = self.lexer.push(byte);
        if self.lexer.in_ground() {
            self.string_len = 0;
            if token == Token::Done(Kind::Csi(byte)) && matches!(byte, b'h' | b'l') {
                self.mode_switch(byte == b'h');
            }
            self.reached();
        } else if was_ground || byte == 0x1b {
            self.params.clear();
            self.string_len = 0;
        } else if self.lexer.in_string() {
            self.string_len += 1;
        } else if self.params.len() < MAX_PARAMS {
            self.params.push(byte);
        }
    }

    fn mode_switch(&mut self, on: bool) {
        // Controls may stand inside a sequence; they are not part of its parameters.
        self.params.retain(|byte| !byte.is_ascii_control());
        let Some(list) = self.params.strip_prefix(b"[?") else { return };
        let number = |field: &[u8]| std::str::from_utf8(field).ok().and_then(|text| text.parse::<u32>().ok());
        if list.split(|byte| *byte == b';').any(|field| number(field) == Some(2026)) {
            self.sync_since = match (on, self.sync_since) {
                (true, None) => Some(self.time),
                (true, open) => open,
                (false, _) => None,
            };
        }
    }
}

/// Length of a whole control sequence that cannot switch mode 2026; 0 for anything else.
fn plain_csi_len(bytes: &[u8]) -> usize {
    let switches = |len: &usize| bytes[2] == b'?' && matches!(bytes[len - 1], b'h' | b'l');
    lexer::csi_len(bytes).filter(|len| !switches(len)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use vte::{Parser, Perform};

    use super::*;

    const SEQUENCES: [&[u8]; 13] = [
        b"\x1b[1;31m",
        b"\x1b[?1049h",
        b"\x1b7",
        b"\x1b(0",
        b"\x1b#8",
        b"\x1b]0;title\x07",
        b"\x1b]8;;http://a/\x1b\\",
        b"\x1bP$qm\x1b\\",
        b"\x1b_Gi=1\x1b\\",
        b"\xc3\xa9",
        b"\xe2\x94\x80",
        b"\xf0\x9f\x98\x80",
        b"\x1b[38:2::1:2:3m",
    ];

    #[test]
    fn a_sequence_cut_at_any_byte_is_ground_only_at_its_ends() {
        for sequence in SEQUENCES {
            for cut in 0..=sequence.len() {
                let mut ground = Ground::new();
                ground.feed(b"ab", 0);
                ground.feed(&sequence[..cut], 0);
                let expected = if cut == sequence.len() { 2 + cut as u64 } else { 2 };
                assert_eq!(ground.ground_offset(), expected, "{sequence:?} cut at {cut}");
                assert_eq!(ground.offset(), 2 + cut as u64);
                ground.feed(&sequence[cut..], 0);
                assert_eq!(ground.ground_offset(), 2 + sequence.len() as u64, "{sequence:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn an_open_update_holds_the_ground_at_its_start_until_it_ends() {
        let frame = b"\x1b[?2026hdraw\x1b[1mmore\x1b[?2026l";
        for cut in 1..frame.len() {
            let mut ground = Ground::new();
            ground.feed(b"x", 10);
            ground.feed(&frame[..cut], 10);
            assert_eq!(ground.ground_offset(), 1, "cut at {cut}");
            ground.feed(&frame[cut..], 11);
            assert_eq!(ground.ground_offset(), 1 + frame.len() as u64, "cut at {cut}");
        }
    }

    #[test]
    fn an_update_open_for_more_than_150_ms_no_longer_holds() {
        let mut ground = Ground::new();
        ground.feed(b"\x1b[?25;2026hdraw", 1000);
        assert_eq!(ground.deadline(), Some(1151));
        assert!(!ground.expire(1150));
        assert_eq!(ground.ground_offset(), 0);
        assert!(ground.expire(1151));
        assert_eq!(ground.ground_offset(), ground.offset());
        ground.feed(b"on\x1b[", 1152);
        assert_eq!(ground.ground_offset(), ground.offset() - 2);
    }

    #[test]
    fn an_update_is_not_made_longer_by_beginning_it_again() {
        let mut ground = Ground::new();
        ground.feed(b"\x1b[?2026h", 0);
        ground.feed(b"\x1b[?2026h", 100);
        ground.feed(b"x", 151);
        assert_eq!(ground.ground_offset(), ground.offset());
    }

    #[test]
    fn a_broken_off_character_or_sequence_ends_where_the_next_begins() {
        let mut ground = Ground::new();
        ground.feed(b"\xe2\x94A", 0);
        assert_eq!(ground.ground_offset(), 3);
        ground.feed(b"\x1b[12\x18", 0);
        assert_eq!(ground.ground_offset(), 8);
        ground.feed(b"\x1b]0;never ended\x1b[", 0);
        assert_eq!(ground.ground_offset(), 8);
        ground.feed(b"m", 0);
        assert_eq!(ground.ground_offset(), ground.offset());
    }

    #[derive(Default)]
    struct Last(Vec<char>);

    impl Perform for Last {
        fn print(&mut self, c: char) {
            self.0.push(c);
        }
    }

    /// Whether the real parser is in ground state after `bytes`: then, and only then, a letter is printed alone.
    fn parser_in_ground(bytes: &[u8]) -> bool {
        let mut parser = Parser::new();
        parser.advance(&mut Last::default(), bytes);
        let mut last = Last::default();
        parser.advance(&mut last, b"Z");
        last.0 == ['Z']
    }

    fn piece() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            any::<u8>().prop_map(|byte| vec![byte]),
            prop::sample::select(SEQUENCES.to_vec()).prop_map(<[u8]>::to_vec),
            prop::sample::select(b"\x1b\x1b\x1b[]P_X^?;:0142mhlq$ !\"(#\x07\x18\x1a\x9c\\\xc3\xe2\x94\xf0".to_vec())
                .prop_map(|byte| vec![byte]),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn ground_is_where_the_parser_says_it_is(pieces in prop::collection::vec(piece(), 0..40)) {
            let bytes = pieces.concat();
            let mut lexer = Lexer::default();
            for end in 0..=bytes.len() {
                prop_assert_eq!(lexer.in_ground(), parser_in_ground(&bytes[..end]), "after {:?}", &bytes[..end]);
                if let Some(byte) = bytes.get(end) {
                    lexer.push(*byte);
                }
            }
        }

        #[test]
        fn many_bytes_at_once_lead_where_single_ones_do(pieces in prop::collection::vec(piece(), 0..40)) {
            let bytes = pieces.concat();
            let (mut leaping, mut stepping) = (Ground::new(), Ground::new());
            leaping.feed(&bytes, 0);
            let mut lexer = Lexer::default();
            let mut c1 = c1::Stream::default();
            for byte in &bytes {
                stepping.feed(&[*byte], 0);
                c1.push(*byte).0.for_each(|byte| {
                    lexer.push(byte);
                });
            }
            let ends = |ground: &Ground| (ground.ground_offset(), ground.lexed, ground.last_c1(), ground.synchronized());
            prop_assert_eq!(ends(&leaping), ends(&stepping));
            prop_assert_eq!(leaping.lexer.in_ground() && !leaping.c1.holds(), lexer.in_ground() && !c1.holds());
        }
    }
}
