//! `ao export --cast`: a session's terminal as a recording that asciinema and its kin play, secrets of known shapes masked.
//!
//! asciicast version 2: every player reads it; version 3 differs in how times are written, and few read it yet.

use crate::context::Context;
use crate::exit::Ended;
use crate::recorded::{self, Launch};
use crate::redact::redact;
use crate::render::words::{count, line};
use ao_core::kind::{Fault, Kind};
use ao_host::engine::Size;
use ao_host::files::{IndexKind, IndexRecord, read_index, read_output};
use serde_json::json;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Session
    session: String,
    /// As an asciicast (version 2), the only kind so far
    #[arg(long, required = true)]
    cast: bool,
    /// Into this file, readable by you alone; else to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Which start of the agent, counted from 1; the newest when left out
    #[arg(long, value_name = "N")]
    launch: Option<u32>,
}

/// What a recording holds.
#[derive(Debug, Default, PartialEq, Eq)]
struct Written {
    secrets: usize,
    /// Bytes that are missing: given up because of the cap, or refused by the disk.
    missing: u64,
}

/// Writes the recording.
pub async fn run(context: &Context, args: Args) -> Ended {
    let id = recorded::session_id(context, &args.session).await?;
    let launch = recorded::launch(context, &id, args.launch)?;
    if launch.found.record.is_none() {
        let fault = Fault::new(Kind::Unsupported, format!("session {id} has no recording here"));
        return Err(fault.hint("only sessions of the runtime `process` keep every byte"));
    }
    let unreadable = |e: io::Error| Fault::new(Kind::StorageFailed, format!("the recording of session {id}: {e}"));
    let written = match &args.output {
        Some(path) => {
            let unwritable = |e: io::Error| Fault::new(Kind::StorageFailed, format!("{}: {e}", path.display()));
            let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
            let mut to = BufWriter::new(file.map_err(unwritable)?);
            let written = write(&launch, &mut to).map_err(unreadable)?;
            to.flush().map_err(unwritable)?;
            written
        }
        None => {
            let mut to = BufWriter::new(io::stdout().lock());
            match write(&launch, &mut to).and_then(|written| to.flush().map(|()| written)) {
                // Whoever read it has enough.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
                other => other.map_err(unreadable)?,
            }
        }
    };
    let out = &context.out;
    if written.missing > 0 {
        out.note(&format!(
            "{} bytes are not in it: they were given up to make room, or the disk refused them",
            written.missing
        ));
    }
    out.note(&format!(
        "masked {} of known shapes; what has no shape, such as a password, is still in it: look before you share it",
        count(written.secrets, "secret")
    ));
    Ok(ExitCode::SUCCESS)
}

fn write(launch: &Launch, to: &mut impl Write) -> io::Result<Written> {
    let dir = &launch.found.launch_dir;
    let index = read_index(dir)?;
    let mut pieces = pieces(dir)?;
    let mut written = Written::default();
    for (_, bytes) in &mut pieces {
        written.secrets += redact(bytes);
    }
    let size = first_size(&index);
    let began = index.first().map_or(0, |record| record.at_us);
    let header = json!({
        "version": 2, "width": size.cols, "height": size.rows, "timestamp": began / 1_000_000,
        // The exact beginning, Unix seconds: the format has none smaller.
        "x_epoch": began as f64 / 1e6, "title": line(&launch.session), "env": {"TERM": "xterm-256color"},
    });
    writeln!(to, "{header}")?;
    let mut cast = Cast { to, began, held: Vec::new() };
    let mut at = 0;
    for (from, bytes) in &pieces {
        if *from > at {
            written.missing += from - at;
            cast.event(cast_time(&index, *from, began), "m", &format!("{} bytes are missing", from - at))?;
        }
        cast.piece(&index, *from, bytes)?;
        at = from + bytes.len() as u64;
    }
    Ok(written)
}

/// Stretches of output without a hole, each with the offset of its first byte.
fn pieces(dir: &Path) -> io::Result<Vec<(u64, Vec<u8>)>> {
    let mut pieces = Vec::new();
    let mut at = 0;
    loop {
        let (from, bytes) = read_output(dir, at, usize::MAX)?;
        if bytes.is_empty() {
            return Ok(pieces);
        }
        at = from + bytes.len() as u64;
        pieces.push((from, bytes));
    }
}

/// The size at the beginning.
fn first_size(index: &[IndexRecord]) -> Size {
    let sizes = index.iter().filter_map(|record| match record.kind {
        IndexKind::Resize(size) => Some(size),
        IndexKind::Data | IndexKind::Gap { .. } => None,
    });
    sizes.into_iter().next().unwrap_or(Size { cols: 80, rows: 24 })
}

/// When the byte at this offset came, in microseconds since `began`.
fn cast_time(index: &[IndexRecord], offset: u64, began: u64) -> u64 {
    let before = index.iter().rfind(|record| record.offset <= offset);
    before.map_or(0, |record| record.at_us.saturating_sub(began))
}

struct Cast<'a, W: Write> {
    to: &'a mut W,
    began: u64,
    /// The beginning of a character whose end has not come.
    held: Vec<u8>,
}

impl<W: Write> Cast<'_, W> {
    /// Writes one stretch, cut where the index has a time or a size.
    fn piece(&mut self, index: &[IndexRecord], from: u64, bytes: &[u8]) -> io::Result<()> {
        let end = from + bytes.len() as u64;
        let mut at = from;
        let mut now = cast_time(index, from, self.began);
        let inside = index.iter().filter(|record| (from..=end).contains(&record.offset));
        for record in inside {
            if record.offset > at {
                self.output(now, &bytes[place(at - from)..place(record.offset - from)])?;
                at = record.offset;
            }
            now = now.max(record.at_us.saturating_sub(self.began));
            if let IndexKind::Resize(size) = record.kind
                && now > 0
            {
                self.event(now, "r", &format!("{}x{}", size.cols, size.rows))?;
            }
        }
        self.output(now, &bytes[place(at - from)..])?;
        let rest = String::from_utf8_lossy(&std::mem::take(&mut self.held)).into_owned();
        if rest.is_empty() { Ok(()) } else { self.event(now, "o", &rest) }
    }

    /// Writes output; a character cut in two waits for its end.
    fn output(&mut self, at_us: u64, bytes: &[u8]) -> io::Result<()> {
        self.held.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.held) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            // Invalid bytes become replacement characters, which is what a terminal draws.
            Ok(_) | Err(_) => self.held.len() - unfinished(&self.held),
        };
        let rest = self.held.split_off(whole);
        let text = String::from_utf8_lossy(&std::mem::replace(&mut self.held, rest)).into_owned();
        if text.is_empty() { Ok(()) } else { self.event(at_us, "o", &text) }
    }

    fn event(&mut self, at_us: u64, code: &str, data: &str) -> io::Result<()> {
        let data = serde_json::to_string(data)?;
        writeln!(self.to, "[{}.{:06}, \"{code}\", {data}]", at_us / 1_000_000, at_us % 1_000_000)
    }
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

/// Bytes at the end that may be the beginning of a character.
fn unfinished(bytes: &[u8]) -> usize {
    let last = &bytes[bytes.len().saturating_sub(3)..];
    let lengths = (1..=last.len()).rev();
    let open = |length: &usize| {
        let tail = &last[last.len() - length..];
        std::str::from_utf8(tail).is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    lengths.into_iter().find(open).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(offset: u64, at_us: u64, kind: IndexKind) -> IndexRecord {
        IndexRecord { offset, at_us, kind }
    }

    #[test]
    fn output_keeps_its_times_and_sizes_and_characters_stay_whole() {
        let size = |cols, rows| IndexKind::Resize(Size { cols, rows });
        let index = [
            record(0, 5_000_000, size(80, 24)),
            record(0, 5_000_000, IndexKind::Data),
            record(3, 5_250_000, IndexKind::Data),
            record(5, 6_000_000, size(100, 30)),
            record(5, 6_500_001, IndexKind::Data),
        ];
        let mut to = Vec::new();
        let mut cast = Cast { to: &mut to, began: 5_000_000, held: Vec::new() };
        cast.piece(&index, 0, b"ab\xc3\xa9cd\xff\xe2\x82").unwrap();
        let text = String::from_utf8(to).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                r#"[0.000000, "o", "ab"]"#,
                r#"[0.250000, "o", "éc"]"#,
                r#"[1.000000, "r", "100x30"]"#,
                "[1.500001, \"o\", \"d\u{fffd}\"]",
                "[1.500001, \"o\", \"\u{fffd}\"]",
            ]
        );
    }
}
