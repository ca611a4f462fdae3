//! Streams that know the grammar: the snapshot after every piece rebuilds the same terminal, now and after what follows.

use ao_host::engine::Size;
use ao_host::engine::terminal::Terminal;

use super::{compare, grammar};

/// Panics when something does not hold of `bytes`.
pub fn holds(bytes: &[u8]) {
    let [cols, rows, chunk, entropy @ ..] = bytes else { return };
    let bytes = grammar::stream(entropy, grammar::Reader::Engine);
    let mut engine = Terminal::new(Size::clamped(u16::from(*cols % 30), u16::from(*rows % 9)));
    if let Err(why) = compare::follow(&mut engine, &bytes, 7 + usize::from(*chunk)) {
        panic!("{why}\n{:?}", String::from_utf8_lossy(&bytes));
    }
}
