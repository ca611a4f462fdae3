//! `kill -9` of the daemon, another one, and the same screen again.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::benchmark::Benchmark;
use crate::figure::{Bar, Figure, Figures, Quantity, Unit, middle};
use crate::os;
use crate::stage::Stage;
use crate::stream::Stream;
use crate::web::{Web, port};

/// Sessions that the new daemon finds.
const SESSIONS: usize = 20;
const ROUNDS: usize = 7;
/// Milliseconds (issue B).
const MOST_MS: f64 = 200.0;
const LIMIT: Duration = Duration::from_secs(20);
/// Kind, columns, rows, history and offset come before a screen's bytes.
const HEAD: usize = 21;

pub const BENCHMARK: Benchmark = Benchmark {
    name: "reattach",
    about: "from `kill -9` of a daemon with 20 sessions to the identical screen out of the next one, by WebSocket; the daemon is started again at once (medians of 7)",
    by_default: true,
    run,
};

fn run(ao: &Path, _: &Path) -> Result<Figures> {
    let mut stage = Stage::with_daemon(ao)?;
    stage.idle_sessions(SESSIONS - 1)?;
    let file = stage.root().join("tui");
    std::fs::write(&file, Stream::Tui.bytes(256 << 10))?;
    let script = format!("cat {}; exec cat", file.display());
    let said = stage.ask(&["new", "--agent", "shell", "--no-prompt", "--", "sh", "-c", &script])?;
    let id = said["id"].as_str().context("an id")?.to_owned();
    stage.rest()?;
    let before = screen(&stage, &id)?;
    if before.len() < 1000 {
        bail!("the screen has only {} bytes", before.len());
    }
    let (mut all, mut starts) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        os::go_on()?;
        stage.rest()?;
        let begin = Instant::now();
        stage.kill_daemon()?;
        stage.start_daemon()?;
        starts.push(begin.elapsed());
        let after = loop {
            match screen(&stage, &id) {
                Ok(screen) => break screen,
                Err(error) if begin.elapsed() > LIMIT => return Err(error),
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        all.push(begin.elapsed());
        if after != before {
            bail!("the screen is another one");
        }
    }
    let milliseconds = |times: &[Duration]| Quantity::new(middle(times).as_secs_f64() * 1000.0, Unit::Milliseconds);
    Ok(vec![
        Figure::new("to the identical screen", milliseconds(&all)).bar(Bar::AtMost(MOST_MS)),
        Figure::new("of that until the daemon has its address", milliseconds(&starts)),
    ])
}

/// What a viewer is given first, without its head.
fn screen(stage: &Stage, id: &str) -> Result<Vec<u8>> {
    let path = format!("/api/sessions/{id}/terminal?cols=120&rows=40");
    let mut message = Web::connect(port(&stage.data())?)?.upgrade(&path)?.next()?;
    Ok(message.split_off(HEAD.min(message.len())))
}
