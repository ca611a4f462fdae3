//! Processes found by what their environment says: the only trace of an agent whose host and control group are gone.
//!
//! A process that was given another environment is not found, so "none" proves nothing.

use std::fs;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// Ids of this user's processes whose environment holds all of these `NAME=value`s.
#[must_use]
pub fn marked(marks: &[String]) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|pid| *pid != std::process::id() && holds(*pid, marks)).collect()
}

/// Kills those processes, each only if it still is what was looked at.
pub fn kill_marked(marks: &[String]) {
    for pid in marked(marks) {
        let Some(raw) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { continue };
        let Ok(process) = pidfd_open(raw, PidfdFlags::empty()) else { continue };
        // The id may have changed hands before it was opened, not after.
        if holds(pid, marks) {
            // Gone is what was wanted; what refuses is seen at the next look.
            let _ = pidfd_send_signal(&process, Signal::KILL);
        }
    }
}

/// Whether a process says all of it. What ended has no environment any more, others' cannot be read.
fn holds(pid: u32, marks: &[String]) -> bool {
    let Ok(environ) = fs::read(format!("/proc/{pid}/environ")) else { return false };
    !marks.is_empty() && marks.iter().all(|mark| environ.split(|byte| *byte == 0).any(|word| word == mark.as_bytes()))
}
