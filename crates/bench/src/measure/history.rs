//! Memory of a host with 10,000 rows to scroll, before and after somebody has scrolled through all of them.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::benchmark::Benchmark;
use crate::figure::{Bar, Figure, Figures, Quantity, Unit, middle};
use crate::launch::Launch;
use crate::peer::Tmux;
use crate::stage::directory;
use crate::stream::Stream;
use crate::{os, process};

const HOSTS: usize = 5;
/// Rows that can be scrolled to (issue B).
const ROWS: u64 = 10_000;
/// Megabytes (issue B; the aim is 0.5).
const MOST_MB: f64 = 1.5;
/// Bytes that scroll more rows than are kept.
const BYTES: usize = 2 << 20;
/// Memory is given back a second after output.
const QUIET: Duration = Duration::from_millis(1500);

pub const BENCHMARK: Benchmark = Benchmark {
    name: "history",
    about: "proportional memory of a host after 2 MB of log lines, with 10,000 rows to scroll, 120×40, medians of 5; beside what tmux with the same history needs more for it",
    by_default: true,
    run,
};

fn run(ao: &Path, _: &Path) -> Result<Figures> {
    let root = directory()?;
    let file = root.path().join("text");
    std::fs::write(&file, Stream::Plain.bytes(BYTES))?;
    let script = format!("cat {}; echo; echo ready; exec cat", file.display());
    let mut launches = Vec::new();
    for number in 0..HOSTS {
        launches.push(Launch::start(ao, root.path(), &format!("h{number}"), &["/bin/sh", "-c", &script])?);
    }
    for launch in &mut launches {
        launch.shows("ready")?;
    }
    rest()?;
    let before = memory(&launches)?;
    let mut rows = Vec::new();
    for launch in &mut launches {
        rows.push(launch.scroll(ROWS)?);
    }
    rest()?;
    let after = memory(&launches)?;
    let scrolled = middle(&rows);
    if scrolled < ROWS {
        bail!("only {scrolled} rows could be scrolled to");
    }
    drop(launches);
    let theirs = tmux(root.path(), &script)?;
    let figure = |name: &str, kb: f64| {
        let figure = Figure::new(name, Quantity::megabytes(kb)).bar(Bar::AtMost(MOST_MB));
        if let Some(theirs) = theirs { figure.floor(Quantity::megabytes(theirs)) } else { figure }
    };
    Ok(vec![
        figure("proportional memory, beside tmux", before),
        figure("proportional memory after scrolling through all rows, beside tmux", after),
        Figure::new("rows that could be scrolled to", Quantity::new(scrolled as f64, Unit::Count)),
    ])
}

fn rest() -> Result<()> {
    let begin = Instant::now();
    while begin.elapsed() < QUIET {
        os::go_on()?;
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn memory(launches: &[Launch]) -> Result<f64> {
    let each = launches.iter().map(|launch| Ok(process::memory(launch.pid())?.pss)).collect::<Result<Vec<_>>>()?;
    Ok(middle(&each))
}

/// Kilobytes that a tmux server needs more for such a session.
fn tmux(root: &Path, script: &str) -> Result<Option<f64>> {
    let Some(tmux) = Tmux::start(root)? else { return Ok(None) };
    let before = process::memory(tmux.server())?.pss;
    tmux.call(&["new-session", "-d", "-s", "work", "-x", "120", "-y", "40", script])?;
    let begin = Instant::now();
    while !tmux.call(&["capture-pane", "-p", "-t", "work"])?.contains("ready") {
        os::go_on()?;
        if begin.elapsed() > Duration::from_secs(60) {
            bail!("tmux does not show what was printed");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    rest()?;
    Ok(Some(process::memory(tmux.server())?.pss - before))
}
