//! Starting the agent on its terminal.
//!
//! It reports why a program could not be started; what follows from that is decided elsewhere.

use std::fs::File;
use std::io;
use std::process::{Command, Stdio};

use rustix::fs::Mode;

use super::pty::Pty;
use super::raw;
use crate::spec::LaunchSpec;

/// Terminal that the screen engine emulates; the child's `TERM`, whatever its environment says.
const TERM: &str = "xterm-256color";

/// Why the agent could not be started.
#[derive(Debug, thiserror::Error)]
pub enum NotStarted {
    /// Its working directory is not there.
    #[error("working directory {0} not found")]
    NoDirectory(String),
    /// The program is not there.
    #[error("{0} not found")]
    NotFound(String),
    /// The program may not be run.
    #[error("{0}: permission denied")]
    Denied(String),
    /// Anything else.
    #[error("{program}: {source}")]
    Other {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
}

/// Starts the agent and returns its process id; with `cgroup_procs` it enters that control group first.
///
/// # Errors
/// When the program cannot be run, or the group cannot be entered; nothing is left behind then.
pub fn spawn(spec: &LaunchSpec, pty: &Pty, umask: Mode, cgroup_procs: Option<File>) -> Result<u32, NotStarted> {
    let program = spec.argv.first().cloned().unwrap_or_default();
    if !spec.cwd.is_dir() {
        return Err(NotStarted::NoDirectory(spec.cwd.display().to_string()));
    }
    attempt(spec, pty, umask, cgroup_procs).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => NotStarted::NotFound(program),
        io::ErrorKind::PermissionDenied => NotStarted::Denied(program),
        _ => NotStarted::Other { program, source },
    })
}

fn attempt(spec: &LaunchSpec, pty: &Pty, umask: Mode, procs: Option<File>) -> io::Result<u32> {
    let terminal = pty.open_terminal()?;
    let mut command = Command::new(&spec.argv[0]);
    command
        .args(&spec.argv[1..])
        .current_dir(&spec.cwd)
        .env_clear()
        .envs(&spec.env)
        .env("TERM", TERM)
        .stdin(Stdio::from(terminal.try_clone()?))
        .stdout(Stdio::from(terminal.try_clone()?))
        .stderr(Stdio::from(terminal));
    raw::before_exec(&mut command, umask, procs);
    // The host waits for all its children at once, so the handle is not needed.
    command.spawn().map(|child| child.id())
}
