//! What is said of the machine: enough to read the figures by, nothing that tells whose it is.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

/// Facts of the machine.
#[derive(Clone, Debug)]
pub struct Machine {
    cores: usize,
    memory_gb: u64,
    kernel: String,
    rustc: String,
    git: String,
    load: String,
}

impl Machine {
    pub fn look() -> Result<Self> {
        let meminfo = fs::read_to_string("/proc/meminfo").context("figures are measured on Linux")?;
        let kilobytes: u64 = meminfo.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0);
        let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
        // Behind the numbers stand names that somebody gave to a build.
        let kernel = release.trim().split('-').next().unwrap_or_default().to_owned();
        let load = fs::read_to_string("/proc/loadavg")?;
        Ok(Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gb: kilobytes.div_ceil(1024 * 1024),
            kernel,
            rustc: version("rustc")?,
            git: version("git")?,
            load: load.split_whitespace().next().unwrap_or_default().to_owned(),
        })
    }

    /// All of it in one line.
    pub fn line(&self) -> String {
        let Self { cores, memory_gb, kernel, rustc, git, load } = self;
        format!("{cores} cores, {memory_gb} GB, Linux {kernel}, rustc {rustc}, git {git}, load at the start {load}")
    }
}

/// The number that a program gives as its version.
fn version(program: &str) -> Result<String> {
    let said = Command::new(program).arg("--version").output().with_context(|| format!("{program} --version"))?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let number = said.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    Ok(number.unwrap_or("unknown").to_owned())
}
