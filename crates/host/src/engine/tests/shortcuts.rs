//! The short ways of drawing against the long one: the parser that gives every character and sequence alone.

use proptest::prelude::*;
use vte::Parser;

use super::compare;
use crate::engine::screen::Screen;
use crate::engine::terminal::Terminal;
use crate::engine::{Engine, Size, c1};

fn piece() -> impl Strategy<Value = Vec<u8>> {
    let sequences: [&[u8]; 24] = [
        b"\x1b[1;31m",
        b"\x1b[m",
        b"\x1b[44m",
        b"\x1b[4h",
        b"\x1b[4l",
        b"\x1b[?7l",
        b"\x1b[?7h",
        b"\x1b(0",
        b"\x1b(B",
        b"\x0e",
        b"\x0f",
        b"\x1b[2;4r",
        b"\x1b[3;5H",
        b"\x1b[2A",
        b"\x1b[K",
        b"\x1b[1K",
        b"\x1b]8;;http://a/\x1b\\",
        b"\x1b]8;;\x1b\\",
        b"\x1b[?1049h",
        b"\x1b[?1049l",
        b"\x1b[3b",
        b"\x1b[58:5:1m",
        b"\x1b[2X",
        b"\x1b[?6h",
    ];
    prop_oneof![
        4 => "[ -~]{1,30}".prop_map(String::into_bytes),
        2 => "[a\u{7f}\u{85}日本한é\u{301}\u{200d}🚀─\u{a0}]{1,8}".prop_map(String::into_bytes),
        2 => "[#a한─©👩👦🏽🇩🇪\u{fe0f}\u{200d}⸻ﬀ한]{1,8}".prop_map(String::into_bytes),
        2 => prop::sample::select(vec!["\r\n", "\n", "\r", "\t", "\x08", "\x07"]).prop_map(|s| s.as_bytes().to_vec()),
        3 => prop::sample::select(sequences.to_vec()).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 1..4),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn stretches_draw_what_characters_draw(
        pieces in prop::collection::vec(piece(), 0..60), cols in 1u16..24, rows in 1u16..6, chunk in 1usize..50,
    ) {
        let size = Size::clamped(cols, rows);
        // An end that leaves nothing open, whatever came before.
        let bytes = [pieces.concat(), b"\x18 \x18".to_vec()].concat();
        let mut short = Terminal::new(size);
        for part in bytes.chunks(chunk) {
            short.feed(part);
        }
        let (mut parser, mut long) = (Parser::new(), Screen::new(size));
        parser.advance(&mut long, &c1::plain(&bytes));
        prop_assert_eq!(short.take_scrolled(), std::mem::take(&mut long.scrolled));
        compare::screens(short.screen(), &long).map_err(TestCaseError::fail)?;
    }
}
