//! Raw bytes and sizes to the screen engine: it does not panic, what it keeps is bounded, and cuts change nothing.

use ao_host::engine::terminal::Terminal;
use ao_host::engine::{Engine, Size};

/// One step of a test's input.
enum Part<'a> {
    /// Output of a program.
    Bytes(&'a [u8]),
    /// Another size.
    Size(u8, u8),
}

/// Cuts an input at `ESC ! cols rows`.
fn parts(bytes: &[u8]) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(4).position(|four| four.starts_with(b"\x1b!")) {
        parts.push(Part::Bytes(&rest[..at]));
        parts.push(Part::Size(rest[at + 2], rest[at + 3]));
        rest = &rest[at + 4..];
    }
    parts.push(Part::Bytes(rest));
    parts
}

/// The cursor is on the screen, and nothing grows beyond what a screen of this size can hold.
fn check(engine: &mut Terminal) {
    let Size { cols, rows } = engine.size();
    let (row, col, _) = engine.cursor();
    assert!(row < rows && col < cols, "the cursor is at {row},{col} of {rows},{cols}");
    let events = engine.take_events().len();
    assert!(events <= 70_000, "{events} events");
    engine.take_scrolled();
    // 40 bytes of colours, 16 marks and a link of 2,333 bytes in every cell of both screens, ten titles, the palette.
    let cells = 2 * usize::from(cols) * usize::from(rows);
    let most = 100_000 + cells * 2_500;
    let snapshot = engine.serialise().len();
    assert!(snapshot <= most, "a snapshot of {snapshot} bytes");
    for row in 0..engine.screen().page.grid.height() {
        let cells = engine.screen().page.grid.row(row).cells();
        assert!(cells.len() <= usize::from(cols), "a row of {} cells", cells.len());
        assert!(cells.iter().all(|cell| cell.marks().chars().count() <= 16), "marks without end");
    }
}

/// Panics when something does not hold of `bytes`.
pub fn holds(bytes: &[u8]) {
    let [cols, rows, piece, rest @ ..] = bytes else { return };
    let size = Size::clamped(u16::from(*cols % 40), u16::from(*rows % 12));
    let [mut whole, mut cut] = [Terminal::new(size), Terminal::new(size)];
    for part in parts(rest) {
        match part {
            Part::Bytes(bytes) => {
                whole.feed(bytes);
                bytes.chunks(1 + usize::from(*piece % 23)).for_each(|piece| cut.feed(piece));
            }
            Part::Size(cols, rows) => {
                let size = Size::clamped(u16::from(cols), u16::from(rows));
                whole.resize(size);
                cut.resize(size);
            }
        }
        check(&mut whole);
        check(&mut cut);
    }
    assert_eq!(whole.ground_offset(), cut.ground_offset(), "G does not depend on cuts");
    assert_eq!(whole.serialise(), cut.serialise(), "the screen does not depend on cuts");
}
