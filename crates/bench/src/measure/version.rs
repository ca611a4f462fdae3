//! `ao --version`: what any call of the binary costs at least.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::benchmark::{Benchmark, timed};
use crate::figure::{Bar, Figure, Figures, Quantity, middle};
use crate::os;

const ROUNDS: usize = 41;
/// Milliseconds (issue B).
const MOST_MS: f64 = 10.0;

pub const BENCHMARK: Benchmark = Benchmark {
    name: "version",
    about: "`ao --version`; floor: `/bin/true`, started the same way (medians of 41, taking turns)",
    by_default: true,
    run,
};

fn run(ao: &Path, _: &Path) -> Result<Figures> {
    let (mut ours, mut floors) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        os::go_on()?;
        ours.push(timed(Command::new(ao).arg("--version").env_clear())?);
        floors.push(timed(Command::new("/bin/true").env_clear())?);
    }
    let wall = |runs: &[(std::time::Duration, os::Usage)]| {
        Quantity::milliseconds(middle(&runs.iter().map(|(wall, _)| *wall).collect::<Vec<_>>()))
    };
    let cpu = |runs: &[(std::time::Duration, os::Usage)]| {
        Quantity::milliseconds(middle(&runs.iter().map(|(_, usage)| usage.cpu).collect::<Vec<_>>()))
    };
    Ok(vec![
        Figure::new("wall", wall(&ours)).floor(wall(&floors)).bar(Bar::AtMost(MOST_MS)),
        Figure::new("CPU", cpu(&ours)).floor(cpu(&floors)),
    ])
}
