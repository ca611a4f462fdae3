//! Processes found by what their environment or their arguments say: the only trace of an agent whose host and control group are gone.
//!
//! A process that was given another environment is not found, so "none" proves nothing.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::platform::facts::HOST_NAME;

/// Ids of this user's processes whose environment holds all of these `NAME=value`s.
#[must_use]
pub fn marked(marks: &[String]) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|pid| *pid != std::process::id() && holds(*pid, marks)).collect()
}

/// The host that was started for this launch directory, whatever became of the directory: its arguments name it.
#[must_use]
pub fn host_of(launch_dir: &Path) -> Option<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.find(|pid| {
        let named = fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim_end() == HOST_NAME);
        let line = if named { fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default() } else { Vec::new() };
        line.split(|byte| *byte == 0).any(|word| word == launch_dir.as_os_str().as_bytes())
    })
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
