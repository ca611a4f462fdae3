//! Replays what `vttest` wrote for its menus 1, 2, 3 and 8 (`scripts/test-vttest.sh` records it) and compares every screen
//! that it holds for a person with the screens that were looked at (`AO_UPDATE_DOCS=1` writes them anew: look again).

use std::fmt::Write as _;
use std::path::PathBuf;

use super::compare;
use crate::engine::terminal::Terminal;
use crate::engine::{Engine, Size};

/// What stands on every screen that waits for a person.
const HOLD: &[u8] = b"Push <RETURN>";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// The stream in pieces that end where a person is waited for.
fn pieces(bytes: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(HOLD.len()).position(|part| part == HOLD) {
        let (piece, next) = rest.split_at(at + HOLD.len());
        pieces.push(piece);
        rest = next;
    }
    pieces.push(rest);
    pieces
}

#[test]
fn every_screen_is_the_one_that_was_looked_at() {
    for menu in [1, 2, 3, 8] {
        let bytes = std::fs::read(folder().join(format!("vttest-{menu}.80x24"))).expect("a recording");
        let mut engine = Terminal::new(Size::clamped(80, 24));
        let mut seen = String::new();
        for (number, piece) in pieces(&bytes).into_iter().enumerate() {
            engine.feed(piece);
            let copy = compare::rebuilt(&engine);
            assert_eq!(compare::screens(engine.screen(), copy.screen()), Ok(()), "menu {menu}, screen {number}");
            writeln!(seen, "---- screen {number}, cursor {:?}", engine.cursor()).expect("a String");
            for row in 0..24 {
                writeln!(seen, "{}", engine.row_sgr(row).replace('\x1b', "^[")).expect("a String");
            }
        }
        let path = folder().join(format!("vttest-{menu}.screens.txt"));
        if std::env::var_os("AO_UPDATE_DOCS").is_some() {
            std::fs::write(&path, seen).expect("the screens can be written");
        } else {
            let wanted = std::fs::read_to_string(&path).expect("the screens");
            let difference = seen.lines().zip(wanted.lines()).position(|(seen, wanted)| seen != wanted);
            assert!(seen == wanted, "menu {menu}: line {difference:?} of {}", path.display());
        }
    }
}
