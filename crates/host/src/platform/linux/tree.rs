//! Who descends from whom, from `/proc`.
//!
//! A scan is a picture of a moving thing; callers that need certainty stop the processes and scan again.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// Parts of `/proc/PID/stat` that we use.
pub(super) struct Stat {
    pub parent: u32,
    pub start_ticks: u64,
    /// Processor time in clock ticks, that of children it has waited for included.
    pub cpu_ticks: u64,
    /// The same of the children only.
    pub children_ticks: u64,
    /// False for one that ended and was not waited for.
    pub lives: bool,
}

/// Reads `/proc/PID/stat`; `None` when there is no such process.
pub(super) fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The name, field 2, stands in parentheses and may hold anything, so fields are counted from its end.
    let end = text.iter().rposition(|&byte| byte == b')')?;
    let fields = std::str::from_utf8(text.get(end + 1..)?).ok()?;
    let mut fields = fields.split_ascii_whitespace();
    let lives = !matches!(fields.next()?, "Z" | "X");
    let parent = fields.next()?.parse().ok()?;
    // Fields 14 to 17: in the program, in the kernel, and both of its children.
    let mut ticks = [0_u64; 4];
    fields.by_ref().nth(8)?;
    for part in &mut ticks {
        *part = fields.next()?.parse().ok()?;
    }
    let start_ticks = fields.nth(4)?.parse().ok()?;
    let [user, kernel, children_user, children_kernel] = ticks;
    let children_ticks = children_user + children_kernel;
    Some(Stat { parent, start_ticks, cpu_ticks: user + kernel + children_ticks, children_ticks, lives })
}

/// Start of a living process in clock ticks since boot (`/proc/PID/stat`, field 22); `None` when there is none.
#[must_use]
pub fn start_ticks(pid: u32) -> Option<u64> {
    stat(pid).filter(|stat| stat.lives).map(|stat| stat.start_ticks)
}

/// Process ids of all descendants, nearest first, those that ended but were not waited for included.
#[must_use]
pub fn descendants(root: u32) -> Vec<u32> {
    if Path::new("/proc/thread-self/children").exists() {
        walk(root, children)
    } else {
        let table = parents();
        walk(root, |pid| table.get(&pid).cloned().unwrap_or_default())
    }
}

fn walk(root: u32, mut children: impl FnMut(u32) -> Vec<u32>) -> Vec<u32> {
    let mut found = children(root);
    let mut next = 0;
    while let Some(&pid) = found.get(next) {
        found.extend(children(pid));
        next += 1;
    }
    found
}

/// Children of all threads of a process (`CONFIG_PROC_CHILDREN`).
fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|list| list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>())
        .collect()
}

/// Children by parent for every process, where the kernel keeps no list.
fn parents() -> HashMap<u32, Vec<u32>> {
    let mut table: HashMap<u32, Vec<u32>> = HashMap::new();
    let Ok(entries) = fs::read_dir("/proc") else { return table };
    for pid in entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()) {
        if let Some(stat) = stat(pid) {
            table.entry(stat.parent).or_default().push(pid);
        }
    }
    table
}
