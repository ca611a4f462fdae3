//! Snapshots of states that recordings seldom show, one by one and at random.

use proptest::prelude::*;

use super::grammar::{self, Reader};
use super::{compare, cuts};
use crate::engine::terminal::Terminal;
use crate::engine::{Engine, Size};

fn fed(bytes: &[u8]) -> Terminal {
    let mut engine = Terminal::new(Size::clamped(20, 6));
    engine.feed(bytes);
    engine
}

fn survives(bytes: &[u8]) {
    let engine = fed(bytes);
    assert_ne!(
        compare::screens(engine.screen(), fed(b"").screen()),
        Ok(()),
        "{:?} changed nothing, so this shows nothing",
        String::from_utf8_lossy(bytes)
    );
    let copy = compare::rebuilt(&engine);
    if let Err(why) = compare::screens(engine.screen(), copy.screen()) {
        panic!("{:?}: {why}\n{:?}", String::from_utf8_lossy(bytes), String::from_utf8_lossy(&engine.serialise()));
    }
}

#[test]
fn attributes_colours_and_links_survive() {
    survives(b"\x1b[1;3;4:3;58:5:9;38;2;1;2;3;48;5;200mx\x1b[22;24;53;5my\x1b[0;2;7;8;9;6;21mz\x1b[91;104mq");
    survives(b"a\x1b]8;id=k;http://x/?a;b\x1b\\link\x1b]8;;\x1b\\ plain");
    survives(b"\x1b]8;;http://open/\x07the pen keeps its link");
    survives(b"\x1b[44m\x1b[2J\x1b[3;3Hx\x1b[m\x1b[5;1H\x1b[41m\x1b[K");
}

#[test]
fn wide_and_combined_characters_survive() {
    survives("e\u{301}x漢字🙂\u{20d0}".as_bytes());
    survives("123456789012345678901漢".as_bytes());
    survives("1234567890123456789漢字".as_bytes());
}

#[test]
fn a_pending_wrap_survives() {
    survives(b"12345678901234567890");
    survives("123456789012345678漢".as_bytes());
    survives(b"12345678901234567890\x1b[?7l\x1b[4h");
    survives(b"12345678901234567890\x1b7\x1b[H");
    survives(b"\x1b[3;1H\x1b[31m12345678901234567890\x1b[2K\x1b[32m");
}

#[test]
fn a_wrap_that_waits_with_autowrap_off_survives() {
    survives(b"\x1b[?7l12345678901234567890");
    survives(b"\x1b[?7l12345678901234567890\x1b[?7h");
    survives("\x1b[?7l\x1b[4h123456789012345678漢".as_bytes());
    survives(b"\x1b[?69h\x1b[3;9s\x1b[?7l\x1b[2;3H12345678");
    // As Copilot draws the last corner of a frame.
    survives(b"\x1b[6;1H1234567890123456789\x1b[?7l+\x1b[?7h\x1b[m");
}

/// Terminals that let a combining character, REP or a keycap sign join only what was printed right before it must have
/// just printed it after a snapshot, too.
#[test]
fn what_was_drawn_last_comes_last_in_a_snapshot() {
    for (bytes, end) in [
        ("xe", "e"),
        ("e\u{301}", "e\u{301}"),
        ("x\x1b[31;1me", "e"),
        ("字", "字"),
        ("12345678901234567890", "0"),
        ("1234567890123456789字", "字"),
        ("\x1b[?7l12345678901234567890", "0"),
        ("\x1b[2;5r\x1b[?6h\x1b[2;4Hq", "q"),
        ("\x1b[?69h\x1b[3;9s\x1b[?6h\x1b[2;2Hq", "q"),
        ("abc\x1b[H\x1b[4he", "e"),
        ("\x1b(0q", "─"),
        ("\x1b(0\x1b*B\x1bNq", "\x1bNq"),
        ("\x1b)A\x0e\x1b*A\x1bO#", "\x1bO#"),
        ("\x1b]8;;http://a/\x07\x1b[1\"qe", "e"),
    ] {
        survives(bytes.as_bytes());
        let engine = fed(bytes.as_bytes());
        let snapshot = String::from_utf8(engine.serialise()).expect("UTF-8");
        assert!(snapshot.ends_with(end), "{bytes:?}: {snapshot:?}");
        let more = [bytes, "\u{302}\x1b[2bx"].concat();
        let mut copy = compare::rebuilt(&engine);
        copy.feed("\u{302}\x1b[2bx".as_bytes());
        assert_eq!(compare::screens(fed(more.as_bytes()).screen(), copy.screen()), Ok(()), "{bytes:?}");
    }
    for bytes in ["e\x1b[m", "e\x07", "\x1b[2;4H", "e\x1b[b", "12345678901234567890\x1b[m"] {
        let snapshot = String::from_utf8(fed(bytes.as_bytes()).serialise()).expect("UTF-8");
        assert!(snapshot.ends_with(['m', 'H']), "{bytes:?}: {snapshot:?}");
    }
}

#[test]
fn wrapped_lines_survive() {
    survives(b"a line that is longer than twenty columns and goes on");
    survives(b"12345678901234567890x\x1b[2;1H\x1b[K");
    survives(b"12345678901234567890x\x1b[1;20H\x1b[K");
}

#[test]
fn cursor_margins_origin_tabs_and_charsets_survive() {
    survives(b"\x1b[2;5r\x1b[?6h\x1b[2;4H");
    survives(b"\x1b[2;5r\x1b[6;7H");
    survives(b"\x1b[3g\x1b[1;4H\x1bH\x1b[1;11H\x1bH");
    survives(b"\x1b(0\x1b)A\x0e\x1b*0\x1bn");
    survives(b"\x1b[?6h\x1b[1;35m\x1b(0\x1b7\x1b[?6l\x1b[m\x1b(B\x1b[4;4H");
    survives(b"\x1b[5 q\x1b[?25l\x1b[?12h");
}

#[test]
fn the_screen_behind_the_alternate_one_survives() {
    let bytes = b"primary\r\n\x1b[32mtext\x1b[>1u\x1b[?1049h\x1b[44m\x1b[2J\x1b[>5u\x1b[>7ualternate\x1b7\x1b[2;3H";
    survives(bytes);
    let mut engine = fed(bytes);
    let mut copy = compare::rebuilt(&engine);
    for engine in [&mut engine, &mut copy] {
        engine.feed(b"\x1b[?1049l!");
        assert_eq!(engine.row_text(0), "primary");
        assert_eq!(engine.row_text(1), "text!");
    }
    assert_eq!(compare::screens(engine.screen(), copy.screen()), Ok(()));
}

#[test]
fn modes_titles_palette_and_keyboards_survive() {
    survives(b"\x1b[?2004h\x1b[?1004h\x1b[?1003h\x1b[?1006h\x1b[?1h\x1b=\x1b[4h\x1b[20h\x1b[?7l\x1b[?5h\x1b[?1007h");
    survives(b"\x1b]2;one\x07\x1b[22t\x1b]2;two\x07\x1b[22;2t\x1b]0;three\x07");
    survives(b"\x1b]4;3;rgb:12/34/56;250;#abcdef\x07\x1b]11;#fff\x1b\\");
    survives(b"\x1b[>1u\x1b[>15u\x1b[=4;2u\x1b[>4;2m");
}

#[test]
fn a_snapshot_repairs_a_terminal_that_was_used_before() {
    let engine = fed(b"short\x1b[2;1H");
    let mut used = fed(b"much longer text on the screen\x1b[2;4r\x1b[?6h\x1b[31m\x1b(0\x1b[4h");
    used.feed(&engine.serialise());
    assert_eq!(compare::screens(engine.screen(), used.screen()), Ok(()));
}

#[test]
fn a_snapshot_after_any_byte_changes_nothing_of_what_follows() {
    for text in cuts::MARKED.iter().chain(&cuts::CUTS) {
        let mut engine = Terminal::new(Size::clamped(20, 6));
        compare::follow(&mut engine, text.as_bytes(), 1).unwrap_or_else(|why| panic!("{text:?}: {why}"));
    }
}

const PIECES: [&str; 68] = [
    "a",
    "bc",
    "long text that wraps ",
    "漢",
    "🙂",
    "e\u{301}",
    "\u{200d}",
    "\r",
    "\n",
    "\r\n",
    "\t",
    "\x08",
    "\x0e",
    "\x0f",
    "\x1b[H",
    "\x1b[3;18H",
    "\x1b[6;20H",
    "\x1b[2;19H",
    "\x1b[A",
    "\x1b[2B",
    "\x1b[3C",
    "\x1b[D",
    "\x1b[J",
    "\x1b[1J",
    "\x1b[2J",
    "\x1b[K",
    "\x1b[1K",
    "\x1b[2K",
    "\x1b[L",
    "\x1b[2M",
    "\x1b[2P",
    "\x1b[3@",
    "\x1b[2X",
    "\x1b[S",
    "\x1b[2T",
    "\x1b[b",
    "\x1b[30b",
    "\x1b[2;4r",
    "\x1b[r",
    "\x1b[?6h",
    "\x1b[?6l",
    "\x1b[?7l",
    "\x1b[?7h",
    "\x1b[4h",
    "\x1b[4l",
    "\x1b7",
    "\x1b8",
    "\x1bM",
    "\x1bD",
    "\x1bE",
    "\x1bH",
    "\x1b[g",
    "\x1b[3g",
    "\x1b(0",
    "\x1b(B",
    "\x1b)0",
    "\x1b[?1049h",
    "\x1b[?1049l",
    "\x1b[?47h",
    "\x1b[?47l",
    "\x1b[m",
    "\x1b[1;4:3;31m",
    "\x1b[7;44m",
    "\x1b]8;;u\x07",
    "\x1b]8;;\x07",
    "\x1b[!p",
    "\x1b#8",
    "\x1b[?2026h",
];

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        12 => prop::sample::select(PIECES.to_vec()).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => Just(b"\x1b[?2026l".to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..4),
    ];
    prop::collection::vec(piece, 1..80).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_snapshot_of_random_output_rebuilds_the_same_terminal(
        bytes in stream(), chunk in 1usize..60, cols in 1u16..25, rows in 1u16..8,
    ) {
        let mut engine = Terminal::new(Size::clamped(cols, rows));
        let result = compare::follow(&mut engine, &bytes, chunk);
        prop_assert!(result.is_ok(), "{} in {:?}", result.unwrap_err(), String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn a_snapshot_of_grammatical_output_rebuilds_the_same_terminal(
        entropy in prop::collection::vec(any::<u8>(), 1..600), chunk in 1usize..60, cols in 1u16..25, rows in 1u16..8,
    ) {
        let reader = if chunk % 8 == 0 { Reader::XtermJs } else { Reader::Engine };
        let bytes = grammar::stream(&entropy, reader);
        let mut engine = Terminal::new(Size::clamped(cols, rows));
        let result = compare::follow(&mut engine, &bytes, chunk);
        prop_assert!(result.is_ok(), "{} in {:?}", result.unwrap_err(), String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn a_snapshot_after_random_changes_of_size_rebuilds_the_same_terminal(
        parts in prop::collection::vec((stream(), 1u16..30, 1u16..10), 1..6),
    ) {
        let mut engine = Terminal::new(Size::clamped(20, 6));
        for (bytes, cols, rows) in parts {
            engine.feed(&bytes);
            engine.resize(Size::clamped(cols, rows));
            let copy = compare::rebuilt(&engine);
            let result = compare::screens(engine.screen(), copy.screen());
            prop_assert!(result.is_ok(), "{} at {cols}x{rows}", result.unwrap_err());
        }
    }
}
