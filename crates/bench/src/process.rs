//! What the kernel tells of a living process: memory, threads, wake-ups, CPU time of ended children.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

/// Length of a tick in `/proc/PID/stat`: USER_HZ is 100 on every Linux that Rust runs on.
const TICK: Duration = Duration::from_millis(10);

/// Memory in kilobytes, as `smaps_rollup` has it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    pub rss: f64,
    pub pss: f64,
    /// Private clean and private dirty.
    pub private: f64,
}

/// Memory of a process.
pub fn memory(pid: u32) -> Result<Memory> {
    let text = read(pid, "smaps_rollup")?;
    let of = |name: &str| -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0.0)
    };
    Ok(Memory { rss: of("Rss"), pss: of("Pss"), private: of("Private_Clean") + of("Private_Dirty") })
}

/// CPU time of children that a process has waited for.
pub fn children_cpu(pid: u32) -> Result<Duration> {
    let text = read(pid, "stat")?;
    let (_, rest) = text.rsplit_once(") ").context("a stat line")?;
    // cutime and cstime are fields 16 and 17; the first behind the name is field 3.
    let ticks: u32 = rest.split(' ').skip(13).take(2).filter_map(|field| field.parse::<u32>().ok()).sum();
    Ok(TICK * ticks)
}

/// Threads of a process, and how often any of them has waited for something.
pub fn threads(pid: u32) -> Result<(usize, u64)> {
    let (mut threads, mut waits) = (0, 0);
    for entry in fs::read_dir(format!("/proc/{pid}/task")).context("threads")? {
        let Ok(status) = fs::read_to_string(entry?.path().join("status")) else { continue };
        threads += 1;
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        waits += line.and_then(|n| n.trim().parse::<u64>().ok()).unwrap_or(0);
    }
    Ok((threads, waits))
}

/// Identities of a process's threads.
pub fn thread_ids(pid: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

fn read(pid: u32, file: &str) -> Result<String> {
    let path = Path::new("/proc").join(pid.to_string()).join(file);
    fs::read_to_string(&path).with_context(|| path.display().to_string())
}
