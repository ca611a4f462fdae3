//! Memory of session hosts that wait: 50 of the shipped binary, 120×40, after 100 lines.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::benchmark::Benchmark;
use crate::figure::{Bar, Figure, Figures, Quantity, middle};
use crate::launch::Launch;
use crate::os;
use crate::process::{self, Memory};
use crate::stage::directory;

/// Hosts that there are (issue A1).
const HOSTS: usize = 50;
/// Kilobytes (issue A1; the aim is half of it).
const MOST_KB: f64 = 500.0;
/// What a host still has to do after output: screens are pushed 100 ms after it, memory is given back after a second.
const QUIET: Duration = Duration::from_millis(1500);
/// The agent.
const SCRIPT: &str =
    "i=0; while [ $i -lt 100 ]; do i=$((i+1)); echo \"line $i of what an agent says\"; done; echo ready; exec cat";

pub const BENCHMARK: Benchmark = Benchmark {
    name: "idle-hosts",
    about: "memory of 50 idle hosts of the shipped binary, 120×40, after 100 lines; floor: `sleep`",
    by_default: true,
    run,
};

fn run(ao: &Path, _: &Path) -> Result<Figures> {
    let root = directory()?;
    let mut launches = Vec::new();
    for number in 0..HOSTS {
        os::go_on()?;
        launches.push(Launch::start(ao, root.path(), &format!("h{number}"), &["/bin/sh", "-c", SCRIPT])?);
    }
    for launch in &mut launches {
        launch.shows("ready")?;
    }
    let begin = Instant::now();
    while begin.elapsed() < QUIET {
        os::go_on()?;
        std::thread::sleep(Duration::from_millis(50));
    }
    let memory = launches.iter().map(|launch| process::memory(launch.pid())).collect::<Result<Vec<_>>>()?;
    drop(launches);
    let floor = floor()?;
    let of = |field: fn(&Memory) -> f64| memory.iter().map(field).collect::<Vec<_>>();
    let private = of(|m| m.private);
    let most = private.iter().copied().fold(0.0, f64::max);
    let figure = |name, values: &[f64], floor: f64| {
        Figure::new(name, Quantity::kilobytes(middle(values))).floor(Quantity::kilobytes(floor))
    };
    Ok(vec![
        figure("private memory, median", &private, floor.private).bar(Bar::AtMost(MOST_KB)),
        Figure::new("private memory, the largest", Quantity::kilobytes(most)).bar(Bar::AtMost(MOST_KB)),
        figure("proportional memory, median", &of(|m| m.pss), floor.pss),
        figure("resident memory, median", &of(|m| m.rss), floor.rss),
    ])
}

/// A process that waits and does nothing else.
fn floor() -> Result<Memory> {
    let mut child = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn()?;
    // It is still this program until it has become the other one, and has loaded it.
    std::thread::sleep(Duration::from_millis(200));
    let memory = process::memory(child.id());
    child.kill()?;
    child.wait()?;
    memory
}
