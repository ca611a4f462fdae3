//! Stands for an agent in a session of `status`: plays a recording's output at the recording's own pace, again and again.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// Says what this program is to play: arguments would stand behind those of the real agent.
pub const RECORDING: &str = "AO_BENCH_RECORDING";
/// Between the end of a recording and its next beginning.
const REST: Duration = Duration::from_secs(1);
/// Leaves the alternate screen, resets modes and margins, and clears the screen: each playing begins on an empty one.
const FRESH: &[u8] = b"\x1b[?1049l\x1b[!p\x1b[H\x1b[2J";

/// Output and when it comes, counted from the beginning.
type Piece = (Duration, Vec<u8>);

/// Plays until the terminal is gone.
pub fn play(recording: &Path) -> Result<()> {
    let pieces = pieces(recording)?;
    let mut terminal = tcgetattr(io::stdin())?;
    // Agents do the same; what was recorded is what came out.
    terminal.make_raw();
    tcsetattr(io::stdin(), OptionalActions::Now, &terminal)?;
    let mut out = io::stdout();
    loop {
        let begin = Instant::now();
        for (at, bytes) in &pieces {
            std::thread::sleep(at.saturating_sub(begin.elapsed()));
            out.write_all(bytes)?;
            out.flush()?;
        }
        std::thread::sleep(REST);
        out.write_all(FRESH)?;
    }
}

/// How long a recording lasts, and how many bytes it has.
pub fn measure(recording: &Path) -> Result<(Duration, usize)> {
    let pieces = pieces(recording)?;
    let last = pieces.last().map_or(Duration::ZERO, |(at, _)| *at);
    Ok((last, pieces.iter().map(|(_, bytes)| bytes.len()).sum()))
}

/// The output of a recording (asciicast 2).
fn pieces(recording: &Path) -> Result<Vec<Piece>> {
    let text = fs::read_to_string(recording).with_context(|| recording.display().to_string())?;
    let mut pieces = Vec::new();
    for line in text.lines().skip(1).filter(|line| !line.trim().is_empty()) {
        let (at, kind, data): (f64, String, String) =
            serde_json::from_str(line).with_context(|| format!("{}: {line}", recording.display()))?;
        if kind == "o" {
            pieces.push((Duration::try_from_secs_f64(at)?, data.into_bytes()));
        }
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_output_is_played_and_at_its_times() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.cast");
        let text = "{\"version\": 2}\n[0.5, \"o\", \"a\\u001b[m\"]\n[1, \"i\", \"k\"]\n[1.25, \"m\", \"h\"]\n[2, \"o\", \"é\"]\n";
        fs::write(&file, text).unwrap();
        let expected = vec![(Duration::from_millis(500), b"a\x1b[m".to_vec()), (Duration::from_secs(2), "é".into())];
        assert_eq!(pieces(&file).unwrap(), expected);
        assert_eq!(measure(&file).unwrap(), (Duration::from_secs(2), 6));
    }
}
