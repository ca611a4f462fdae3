//! What runs in the sessions: this same test binary, told by `AO_CHAOS_PART` to write numbers or to draw.
//!
//! Without that word `play` does nothing, as when all tests are run.

use crate::painter::Painter;
use ao_testkit::dice::Dice;
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Says which part is to be played: `writer N DIR` or `painter N DIR`.
pub const PART: &str = "AO_CHAOS_PART";
/// Ends what the test harness prints first; everything after it belongs to the part.
pub const BEGIN: &[u8] = b"<<<begin>>>\r\n";
/// Bytes of one record: its number in fifteen digits and a line feed.
pub const RECORD: u64 = 16;
/// Once this file is there, the parts stop to write, say how much it was, and wait for their end.
pub const ENOUGH: &str = "enough";

/// Between two bursts of a part: thirty of them leave half of a small machine to the daemon.
const PAUSE: Duration = Duration::from_millis(25);
/// Longest burst of a writer in bytes; bursts end anywhere in a record.
const BURST: u64 = 2048;

/// The command of a session that plays a part.
pub fn command(part: &str, n: u64, dir: &Path, seed: u64) -> String {
    let this = std::env::current_exe().expect("this program");
    let task = format!("{part} {n} {} {seed}", dir.display());
    format!("exec env '{PART}={task}' '{}' --exact child::play --nocapture --test-threads=1", this.display())
}

/// Where a part notes that it runs (one line a start) and what it wrote.
pub fn note(dir: &Path, part: &str, n: u64, what: &str) -> PathBuf {
    dir.join(format!("{part}-{n}.{what}"))
}

#[test]
fn play() {
    let Ok(task) = std::env::var(PART) else { return };
    let words: Vec<&str> = task.split(' ').collect();
    let [part, n, dir, seed] = words[..] else { panic!("{task:?}") };
    let (n, dir): (u64, _) = (n.parse().expect("a number"), PathBuf::from(dir));
    let mut dice = Dice::new(seed.parse().expect("a seed"), n);
    let mut started =
        std::fs::File::options().append(true).create(true).open(note(&dir, part, n, "started")).expect("a file");
    writeln!(started, "{}", std::process::id()).expect("noted");

    let mut out = std::io::stdout();
    let mut terminal = tcgetattr(&out).expect("a terminal");
    terminal.make_raw();
    tcsetattr(&out, OptionalActions::Now, &terminal).expect("raw");
    let mut write = |bytes: &[u8]| out.write_all(bytes).and_then(|()| out.flush()).expect("the host drains");
    write(BEGIN);
    let written = match part {
        "writer" => numbers(&dir, &mut dice, write),
        _ => drawing(&dir, &mut dice, write),
    };
    let said = note(&dir, part, n, "written");
    std::fs::write(said.with_extension("new"), format!("{written}\n")).expect("noted");
    std::fs::rename(said.with_extension("new"), said).expect("noted");
    // It stays until it is stopped, as an agent does.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

fn enough(dir: &Path) -> bool {
    std::thread::sleep(PAUSE);
    dir.join(ENOUGH).exists()
}

/// Writes numbered records in bursts of any length, whole ones in the end; how many bytes it were.
fn numbers(dir: &Path, dice: &mut Dice, mut write: impl FnMut(&[u8])) -> u64 {
    let (mut at, mut end) = (0, 0);
    while !enough(dir) {
        end = at + 1 + dice.below(BURST);
        write(&records(at, end));
        at = end;
    }
    end = end.next_multiple_of(RECORD);
    write(&records(at, end));
    end
}

/// Bytes `[from, to)` of the endless sequence of records.
pub fn records(from: u64, to: u64) -> Vec<u8> {
    let first = from / RECORD;
    let text: String = (first..to.div_ceil(RECORD)).map(|n| format!("{n:015}\n")).collect();
    let cut = |at: u64| usize::try_from(at - first * RECORD).expect("a burst");
    text.as_bytes()[cut(from)..cut(to)].to_vec()
}

/// Draws, cut anywhere; how many bytes it were.
fn drawing(dir: &Path, dice: &mut Dice, mut write: impl FnMut(&[u8])) -> u64 {
    let mut painter = Painter::new(dice.clone());
    let (mut bytes, mut written) = (Vec::new(), 0);
    while !enough(dir) {
        while bytes.len() < 700 {
            painter.stroke(&mut bytes);
        }
        // What is left over begins the next burst: between the two lies half a sequence.
        let now: Vec<u8> = bytes.drain(..1 + usize::try_from(dice.below(600)).expect("small")).collect();
        write(&now);
        written += now.len() as u64;
    }
    written
}
