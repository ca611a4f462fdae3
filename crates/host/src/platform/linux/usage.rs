//! What the processes of a session use, from their control groups, else added up from `/proc`.
//!
//! It is asked for by people; nothing looks at it by itself.

use std::fs;
use std::path::Path;

use super::bounds::Bounds;
use super::cgroup::Cgroup;
use super::tree::stat;
use crate::platform::facts::TreeUsage;

/// Clock ticks a second in `/proc`: what every architecture that we build for tells programs.
const TICKS: u64 = 100;

/// What these processes use. A group remembers the time of processes that ended; without one the host, their last parent,
/// remembers that of those it has waited for.
#[must_use]
pub fn usage(host: u32, pids: &[u32], group: Option<&Cgroup>, bounds: &Bounds) -> TreeUsage {
    let live: Vec<u32> = pids.iter().copied().filter(|pid| stat(*pid).is_some_and(|stat| stat.lives)).collect();
    let grouped = group.map(Cgroup::dir);
    let cpu_us = grouped.and_then(cpu_of_group).or_else(|| cpu_of(host, pids));
    let memory_bytes = grouped
        .and_then(|dir| number(&dir.join("memory.current")))
        .or_else(|| bounds.dirs().iter().find_map(|dir| number(&dir.join("memory.usage_in_bytes"))))
        .or_else(|| Some(live.iter().filter_map(|pid| own_memory(*pid)).sum()));
    TreeUsage { cpu_us, memory_bytes, processes: u32::try_from(live.len()).ok() }
}

/// `usage_usec` of `cpu.stat`: every group counts, whatever controllers it has.
fn cpu_of_group(dir: &Path) -> Option<u64> {
    let text = fs::read_to_string(dir.join("cpu.stat")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("usage_usec ")?.parse().ok())
}

fn cpu_of(host: u32, pids: &[u32]) -> Option<u64> {
    let waited = stat(host)?.children_ticks;
    let living: u64 = pids.iter().filter_map(|pid| stat(*pid)).map(|stat| stat.cpu_ticks).sum();
    Some((waited + living) * (1_000_000 / TICKS))
}

fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Memory that is a process's own or shared by request, in bytes; pages of files are nobody's.
fn own_memory(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kilobytes = |key: &str| -> Option<u64> {
        text.lines().find_map(|line| line.strip_prefix(key)?.trim().strip_suffix(" kB")?.parse().ok())
    };
    Some((kilobytes("RssAnon:")? + kilobytes("RssShmem:").unwrap_or(0)) * 1024)
}
