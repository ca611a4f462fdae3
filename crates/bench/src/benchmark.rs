//! What a benchmark is, and how one command is timed. Which ones there are stands in `measure`.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::figure::Figures;
use crate::os::{self, Usage};

/// One benchmark.
#[derive(Debug)]
pub struct Benchmark {
    pub name: &'static str,
    pub about: &'static str,
    /// Whether it runs when nobody names one.
    pub by_default: bool,
    /// Measures the given binary; the second path is the workspace.
    pub run: fn(&Path, &Path) -> Result<Figures>,
}

/// Runs a command to its end: time on the wall, and what it used. Its output goes nowhere.
pub fn timed(command: &mut Command) -> Result<(Duration, Usage)> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begin = Instant::now();
    let child = command.spawn()?;
    let usage = os::wait(child.id())?;
    let wall = begin.elapsed();
    if usage.status != 0 {
        bail!("{command:?} ended with status {}", usage.status);
    }
    Ok((wall, usage))
}
