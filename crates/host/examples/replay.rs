//! Replays recordings, raw streams or random ones through the screen engine and prints, as JSON lines, what it shows.
//!
//! For `scripts/test-xterm.sh` and `scripts/test-vttest.sh`, which hold it against another terminal; it judges nothing.
//!
//! `replay FILE.cast …`, `replay FILE …` (raw bytes, 80 × 24 or as in `NAME.COLSxROWS`), `replay --random FIRST COUNT` (that
//! many streams by their numbers), `replay --cuts` (a report after every byte of short streams).
//! Each begins with `{"stream": name, "size": [cols, rows]}` (and `"ownWidths": true` if the other terminal is to count
//! columns by its own tables); then come its bytes (`{"bytes": [...]}`), changes of size and reports, in the order in which
//! the engine saw them.

use std::io::Write as _;

use ao_host::engine::terminal::Terminal;
use ao_host::engine::{Engine, Size};

#[path = "../src/engine/tests/cuts.rs"]
mod cuts;
#[path = "../src/engine/tests/grammar.rs"]
mod grammar;

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Bytes between two reports: a prime, so that sequences are cut at ever different places.
const STEP: usize = 2039;
/// The same for random streams, which are short.
const RANDOM_STEP: usize = 127;
/// Where `vttest` waits for a person: a report is made there, too.
const HOLD: &[u8] = b"Push <RETURN>";
/// Bytes of entropy of a random stream.
const ENTROPY: usize = 400;

fn main() -> Outcome {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--random", first, count] => {
            let first: u64 = first.parse()?;
            (first..first + count.parse::<u64>()?).try_for_each(random)
        }
        ["--cuts"] => {
            cuts::MARKED.iter().try_for_each(|text| cut(text, true))?;
            cuts::CUTS.iter().try_for_each(|text| cut(text, false))
        }
        ref paths if !paths.is_empty() => paths.iter().try_for_each(|path| file(path)),
        _ => Err("usage: replay FILE… | --random FIRST COUNT | --cuts".into()),
    }
}

fn file(path: &str) -> Outcome {
    if !path.ends_with(".cast") {
        let named = path.rsplit_once('.').and_then(|(_, size)| size.split_once('x'));
        let parsed = named.and_then(|(cols, rows)| Some((cols.parse().ok()?, rows.parse().ok()?)));
        let (cols, rows) = parsed.unwrap_or((80, 24));
        let mut engine = begin(path, Size::clamped(cols, rows))?;
        let bytes = std::fs::read(path)?;
        let mut rest = &bytes[..];
        while let Some(at) = rest.windows(HOLD.len()).position(|part| part == HOLD) {
            let (screen, next) = rest.split_at(at + HOLD.len());
            feed(&mut engine, screen, STEP)?;
            rest = next;
        }
        return feed(&mut engine, rest, STEP);
    }
    let text = std::fs::read_to_string(path)?;
    let mut engine = begin(path, Size::clamped(120, 40))?;
    for line in text.lines().skip(1) {
        let (_, kind, data): (f64, String, String) = serde_json::from_str(line)?;
        if kind == "o" {
            feed(&mut engine, data.as_bytes(), STEP)?;
        } else if let Some((cols, rows)) = data.split_once('x').filter(|_| kind == "r") {
            engine.resize(Size::clamped(cols.parse()?, rows.parse()?));
        }
    }
    Ok(())
}

/// xorshift64*: the same streams for the same numbers, everywhere.
fn random(number: u64) -> Outcome {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_be_bytes()[0]
    };
    let size = Size::clamped(10 + u16::from(next() % 20), 3 + u16::from(next() % 6));
    let entropy: Vec<u8> = (0..ENTROPY).map(|_| next()).collect();
    let bytes = grammar::stream(&entropy, grammar::Reader::XtermJs);
    feed(&mut begin(&format!("random {number}"), size)?, &bytes, RANDOM_STEP)
}

/// A report after every byte.
fn cut(text: &str, own_widths: bool) -> Outcome {
    let size = Size::clamped(20, 6);
    print(&serde_json::json!({
        "stream": format!("cut {text:?}"), "size": [size.cols, size.rows], "ownWidths": own_widths,
    }))?;
    feed(&mut Terminal::new(size), text.as_bytes(), 1)
}

fn begin(name: &str, size: Size) -> Result<Terminal, Box<dyn std::error::Error>> {
    print(&serde_json::json!({ "stream": name, "size": [size.cols, size.rows] }))?;
    Ok(Terminal::new(size))
}

fn feed(engine: &mut Terminal, bytes: &[u8], step: usize) -> Outcome {
    for part in bytes.chunks(step) {
        engine.feed(part);
        print(&serde_json::json!({ "bytes": part }))?;
        report(engine)?;
    }
    Ok(())
}

fn report(engine: &Terminal) -> Outcome {
    let (row, col, shown) = engine.cursor();
    let rows: Vec<String> = (0..engine.size().rows).map(|row| engine.row_text(row)).collect();
    print(&serde_json::json!({
        "fed": engine.offset(),
        "ground": engine.ground_offset(),
        "size": [engine.size().cols, engine.size().rows],
        "snapshot": String::from_utf8(engine.serialise())?,
        "rows": rows,
        "cursor": [row, col],
        "shown": shown,
    }))
}

fn print(line: &serde_json::Value) -> Outcome {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
