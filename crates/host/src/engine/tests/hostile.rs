//! Bytes and sizes that nobody should send.

use proptest::prelude::*;

use super::compare;
use crate::engine::terminal::Terminal;
use crate::engine::{Engine, Size, TermEvent};

fn fed(bytes: &[u8]) -> Terminal {
    let mut engine = Terminal::new(Size::clamped(20, 6));
    engine.feed(bytes);
    engine
}

#[test]
fn an_endless_string_is_cut_and_what_follows_is_drawn() {
    for end in [&b"\x07"[..], b"\x1b\\", b"\x18", b"\x1b[m"] {
        let mut bytes = b"before\x1b]9;".to_vec();
        bytes.resize(300_000, b'x');
        bytes.extend_from_slice(end);
        bytes.extend_from_slice(b"after");
        for chunk in [1009, 65_536, bytes.len()] {
            let mut engine = fed(b"");
            for part in bytes.chunks(chunk) {
                engine.feed(part);
            }
            assert_eq!(engine.row_text(0), "beforeafter", "ended by {end:?} in chunks of {chunk}");
            assert_eq!(engine.ground_offset(), bytes.len() as u64);
            let events = engine.take_events();
            assert!(matches!(&events[..], [TermEvent::Osc(9, text)] if text.len() == 4096), "{}", events.len());
        }
    }
}

#[test]
fn an_endless_string_in_an_open_update_does_not_tear_it() {
    let mut bytes = b"\x1b[?2026hone\x1b]9;".to_vec();
    bytes.resize(200_000, b'x');
    bytes.extend_from_slice(b"\x1b\\two\x1bP");
    bytes.resize(400_000, b'y');
    bytes.extend_from_slice(b"\x1b\\three");
    for chunk in [997, 4096, bytes.len()] {
        let mut engine = fed(b"");
        for part in bytes.chunks(chunk) {
            engine.feed(part);
        }
        assert_eq!(engine.row_text(0), "", "held back");
        engine.feed(b"\x1b[?2026l!");
        assert_eq!(engine.row_text(0), "onetwothree!");
    }
}

#[test]
fn an_update_that_never_ends_is_drawn_after_150_ms_or_a_megabyte() {
    let mut engine = fed(b"");
    engine.tick(1000);
    engine.feed(b"\x1b[?2026hheld");
    assert_eq!((engine.row_text(0).as_str(), engine.ground_offset()), ("", 0));
    assert_eq!(engine.deadline(), Some(1151));
    engine.tick(1151);
    assert_eq!((engine.row_text(0).as_str(), engine.ground_offset()), ("held", 12));

    let mut engine = fed(b"\x1b[?2026hheld");
    engine.feed(&vec![b'\r'; 1024 * 1024]);
    assert_eq!(engine.row_text(0), "held");
}

#[test]
fn a_flood_of_queries_and_bells_is_answered_only_so_far() {
    let mut engine = fed(b"");
    for _ in 0..40_000 {
        engine.feed(b"\x1b[18t\x07");
    }
    let events = engine.take_events();
    let replies: usize =
        events.iter().map(|event| if let TermEvent::Reply(bytes) = event { bytes.len() } else { 0 }).sum();
    assert!(replies <= 64 * 1024 && replies > 0, "{replies}");
    assert!(events.len() < 24_000, "{}", events.len());
    engine.feed(b"\x1b[5n");
    assert_eq!(engine.take_events(), [TermEvent::Reply(b"\x1b[0n".to_vec())], "later questions are answered again");
}

#[test]
fn text_from_the_stream_is_cleaned_and_cut() {
    let mut bytes = b"\x1b]2;a\x01b\x7fc\xffd".to_vec();
    bytes.extend(std::iter::repeat_n("é".as_bytes(), 5000).flatten());
    bytes.push(7);
    let mut engine = fed(&bytes);
    assert!(engine.title().starts_with("abc\u{fffd}dé"), "{:?}", &engine.title()[..20]);
    assert!(engine.title().len() <= 4096);
    engine.take_events();
    engine.feed(b"\x1b]52;c;c2VjcmV0\x07\x1b]4;1;#fff\x07");
    assert_eq!(engine.take_events(), [], "clipboard and colours are no news");
}

#[test]
fn marks_on_one_cell_are_limited() {
    let mut bytes = b"e".to_vec();
    bytes.extend(std::iter::repeat_n("\u{301}".as_bytes(), 100_000).flatten());
    assert!(fed(&bytes).row_text(0).chars().count() < 20);
}

#[test]
fn a_repeat_of_65535_draws_what_counting_out_would_draw() {
    let mut long = Terminal::new(Size::clamped(7, 3));
    long.feed(b"x\x1b[65535b");
    let mut counted = Terminal::new(Size::clamped(7, 3));
    counted.feed(&[b'x'; 65_536]);
    // After either one something came that is no character.
    counted.feed(b"\x1b[m");
    assert_eq!(compare::screens(long.screen(), counted.screen()), Ok(()));
}

fn sizes() -> impl Strategy<Value = Size> {
    prop_oneof![(1u16..6, 1u16..6), (1u16..200, 1u16..60)].prop_map(|(cols, rows)| Size::clamped(cols, rows))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_and_sizes_never_panic(
        parts in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..400), sizes()), 1..8),
    ) {
        let mut engine = fed(b"");
        for (bytes, size) in parts {
            engine.feed(&bytes);
            let (row, col, _) = engine.cursor();
            prop_assert!(row < engine.size().rows && col < engine.size().cols);
            engine.resize(size);
            let (row, col, _) = engine.cursor();
            prop_assert!(row < size.rows && col < size.cols);
        }
    }

    #[test]
    fn nothing_of_a_line_is_lost_when_the_window_narrows_and_widens(
        text in "[a-z ]{1,60}[a-z]", widths in prop::collection::vec(2u16..70, 1..6),
    ) {
        let mut engine = Terminal::new(Size::clamped(80, 40));
        engine.feed(text.as_bytes());
        for cols in widths {
            engine.resize(Size::clamped(cols, 40));
        }
        engine.resize(Size::clamped(80, 40));
        prop_assert_eq!(engine.row_text(0), text);
        prop_assert!(engine.take_scrolled().is_empty());
    }
}

#[test]
fn a_line_of_ten_megabytes_is_drawn_and_little_is_kept() {
    let line = vec![b'x'; 10 * 1024 * 1024 + 7];
    let mut engine = fed(b"");
    for part in line.chunks(4096) {
        engine.feed(part);
        engine.take_scrolled();
    }
    assert_eq!(engine.ground_offset(), line.len() as u64);
    assert_eq!(engine.row_text(4), "x".repeat(20));
    assert!(engine.serialise().len() < 1000, "{}", engine.serialise().len());
}

#[test]
fn sizes_that_no_terminal_has_are_clamped() {
    for (cols, rows, clamped) in
        [(0, 0, (1, 1)), (10_000, 10_000, (500, 300)), (0, 10_000, (1, 300)), (10_000, 0, (500, 1))]
    {
        let size = Size::clamped(cols, rows);
        assert_eq!((size.cols, size.rows), clamped);
        let mut engine = Terminal::new(size);
        engine.feed("a漢字🙂👩\u{200d}👧\x1b[?69h\x1b[2;3s\x1b[999;999Hx\x1b[999S\x1b#8\x1b[4h漢\x1b[999@".as_bytes());
        let copy = compare::rebuilt(&engine);
        assert_eq!(compare::screens(engine.screen(), copy.screen()), Ok(()), "{clamped:?}");
    }
}

#[test]
fn what_is_no_utf_8_is_drawn_the_same_wherever_it_is_cut() {
    let broken = [
        &b"a\xffb"[..],
        b"\xc2",
        b"\xc0\xaf",
        b"\xe2\x94x",
        b"\xe2\x28\xa1",
        b"\xed\xa0\x80",
        b"\xf0\x9f\x98",
        b"\xf0\x9f\x1b[mx",
        b"\xf8\x88\x80\x80\x80",
        b"\xfe\xfe",
        b"\x80\x9b31m",
        b"\xc2\xc2\x9b1mz",
        b"\xe2\x94\xc2\x85y",
        b"\xf4\x90\x80\x80",
    ];
    let bytes = broken.concat();
    let mut whole = Terminal::new(Size::clamped(60, 6));
    whole.feed(&bytes);
    for cut in 0..=bytes.len() {
        let mut engine = Terminal::new(Size::clamped(60, 6));
        engine.feed(&bytes[..cut]);
        let mut copy = compare::rebuilt(&engine);
        let open = usize::try_from(engine.offset() - engine.ground_offset()).expect("short");
        copy.feed(&bytes[cut - open..]);
        engine.feed(&bytes[cut..]);
        assert_eq!(compare::screens(engine.screen(), whole.screen()), Ok(()), "cut at {cut}");
        assert_eq!(compare::screens(copy.screen(), whole.screen()), Ok(()), "rebuilt at {cut}");
    }
}

#[test]
fn a_c1_character_that_ends_an_endless_string_is_obeyed() {
    let mut bytes = b"before\x1b]9;".to_vec();
    bytes.resize(200_000, b'x');
    bytes.extend_from_slice("\u{9b}31mafter".as_bytes());
    for chunk in [1, 4096, bytes.len()] {
        let mut engine = fed(b"");
        bytes.chunks(chunk).for_each(|part| engine.feed(part));
        assert_eq!(engine.row_sgr(0), "before\u{1b}[31mafter\u{1b}[m");
        assert_eq!(engine.ground_offset(), bytes.len() as u64);
    }
}
