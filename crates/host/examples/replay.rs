//! Replays a recording through the screen engine and prints, as JSON lines, what it shows after every few KB.
//!
//! For `scripts/test-xterm.sh`, which holds it against another terminal; it judges nothing.

use std::io::Write as _;

use ao_host::engine::terminal::Terminal;
use ao_host::engine::{Engine, Size};

/// Bytes between two reports: a prime, so that sequences are cut at ever different places.
const STEP: usize = 2039;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: replay RECORDING.cast")?;
    let text = std::fs::read_to_string(path)?;
    let mut engine = Terminal::new(Size::clamped(120, 40));
    for line in text.lines().skip(1) {
        let (_, kind, data): (f64, String, String) = serde_json::from_str(line)?;
        if kind == "o" {
            for part in data.as_bytes().chunks(STEP) {
                engine.feed(part);
                report(&engine)?;
            }
        } else if let Some((cols, rows)) = data.split_once('x').filter(|_| kind == "r") {
            engine.resize(Size::clamped(cols.parse()?, rows.parse()?));
        }
    }
    Ok(())
}

fn report(engine: &Terminal) -> Result<(), Box<dyn std::error::Error>> {
    let (row, col, shown) = engine.cursor();
    let rows: Vec<String> = (0..engine.size().rows).map(|row| engine.row_text(row)).collect();
    let line = serde_json::json!({
        "fed": engine.offset(),
        "ground": engine.ground_offset(),
        "size": [engine.size().cols, engine.size().rows],
        "snapshot": String::from_utf8(engine.serialise())?,
        "rows": rows,
        "cursor": [row, col],
        "shown": shown,
    });
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
