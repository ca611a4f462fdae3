//! Starting the agent on its terminal.
//!
//! It reports why a program could not be started; what follows from that is decided elsewhere.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use rustix::fs::Mode;
use rustix::process::{Pid, WaitOptions, waitpid};

use super::facts::CannotKeep;
#[cfg(target_os = "linux")]
use super::linux::{Bounds, Cgroup};
#[cfg(not(target_os = "linux"))]
use super::other::{Bounds, Cgroup};
use super::pty::Pty;
use super::raw::{self, Fork};
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
    /// It would not be bounded as the configuration wants it.
    #[error(transparent)]
    Unbounded(#[from] CannotKeep),
    /// Anything else.
    #[error("{program}: {source}")]
    Other {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
}

/// Exit code of a process that could not become the program; nobody but the one that started it sees it.
const CODE_NOT_RUN: i32 = 127;

/// Starts the agent and returns its process id; it is in its control groups before its first instruction.
///
/// # Errors
/// When the program cannot be run, or the group cannot be entered; nothing is left behind then.
pub fn spawn(
    spec: &LaunchSpec,
    pty: &Pty,
    umask: Mode,
    group: Option<&Cgroup>,
    bounds: &Bounds,
) -> Result<u32, NotStarted> {
    let program = spec.argv.first().cloned().unwrap_or_default();
    if !spec.cwd.is_dir() {
        return Err(NotStarted::NoDirectory(spec.cwd.display().to_string()));
    }
    let started = match group {
        None => bounds.procs().and_then(|procs| start(spec, pty, umask, procs)),
        Some(group) => match start_inside(spec, pty, umask, group, bounds) {
            Ok(started) => started,
            Err(_) => start_and_move(spec, pty, umask, group, bounds),
        },
    };
    started.map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => NotStarted::NotFound(program),
        io::ErrorKind::PermissionDenied => NotStarted::Denied(program),
        _ => NotStarted::Other { program, source },
    })
}

/// Starts it by the usual way; it enters these groups by itself.
fn start(spec: &LaunchSpec, pty: &Pty, umask: Mode, procs: Vec<File>) -> io::Result<u32> {
    // The host waits for all its children at once, so the handle is not needed.
    command(spec, pty, umask, procs)?.spawn().map(|child| child.id())
}

/// The same with its own group among them, for kernels and filters that know no `clone3`.
fn start_and_move(spec: &LaunchSpec, pty: &Pty, umask: Mode, group: &Cgroup, bounds: &Bounds) -> io::Result<u32> {
    let mut procs = bounds.procs()?;
    procs.push(group.procs()?);
    start(spec, pty, umask, procs)
}

/// Starts it inside the group. The outer error: that is not possible here, and nothing was tried.
fn start_inside(
    spec: &LaunchSpec,
    pty: &Pty,
    umask: Mode,
    group: &Cgroup,
    bounds: &Bounds,
) -> io::Result<io::Result<u32>> {
    let dir = File::open(group.dir())?;
    let mut command = command(spec, pty, umask, bounds.procs()?)?;
    // Closed by the system when the program runs; until then it carries why that did not happen.
    let (mut told, mut tell) = UnixStream::pair()?;
    match raw::fork_into(dir.as_fd())? {
        Fork::Child => {
            let error = command.exec();
            let errno = error.raw_os_error().unwrap_or(libc::EINVAL);
            // Nobody else could be told.
            drop(tell.write_all(&errno.to_ne_bytes()));
            raw::exit_at_once(CODE_NOT_RUN)
        }
        Fork::Parent(pid) => {
            drop(tell);
            let mut errno = [0; 4];
            if told.read_exact(&mut errno).is_err() {
                return Ok(Ok(pid));
            }
            if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
                // Otherwise it would look like an agent that ended; it is our child, so waiting cannot fail.
                let _ = waitpid(Some(pid), WaitOptions::empty());
            }
            Ok(Err(io::Error::from_raw_os_error(i32::from_ne_bytes(errno))))
        }
    }
}

fn command(spec: &LaunchSpec, pty: &Pty, umask: Mode, procs: Vec<File>) -> io::Result<Command> {
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
    Ok(command)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::engine::Size;
    use crate::platform::pty::Taken;
    use crate::spec::CgroupParent;
    use std::time::{Duration, Instant};

    fn spec(dir: &tempfile::TempDir, argv: &[&str]) -> LaunchSpec {
        LaunchSpec {
            launch: format!("t.{}", dir.path().file_name().expect("named").to_string_lossy()),
            session: "t".into(),
            argv: argv.iter().map(|&arg| arg.into()).collect(),
            cwd: dir.path().into(),
            env: [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into(),
            size: Size::clamped(80, 24),
            socket: dir.path().join("s"),
            caps: Default::default(),
            cgroup: CgroupParent::Own,
            limits: Default::default(),
        }
    }

    fn ended(pid: u32) {
        waitpid(Pid::from_raw(i32::try_from(pid).expect("a pid")), WaitOptions::empty()).expect("our child");
    }

    /// What the program printed, up to the end of a line.
    fn line(pty: &Pty) -> String {
        let (mut text, mut bytes, begin) = (Vec::new(), [0; 256], Instant::now());
        while !text.contains(&b'\n') {
            assert!(begin.elapsed() < Duration::from_secs(20), "it printed {text:?}");
            if let Ok(Taken::Bytes(count)) = pty.take(&mut bytes) {
                text.extend_from_slice(&bytes[..count]);
            }
        }
        String::from_utf8(text).expect("UTF-8")
    }

    /// Hosts of the integration tests take the other way in, which is not for a process with threads like this one.
    fn moved(spec: &LaunchSpec, pty: &Pty, group: &Cgroup) -> io::Result<u32> {
        start_and_move(spec, pty, Mode::empty(), group, &Bounds::default())
    }

    #[test]
    fn a_program_that_moves_into_its_group_is_there_before_it_does_anything() {
        let dir = tempfile::tempdir().expect("a directory");
        let spec = spec(&dir, &["sh", "-c", "grep -c ao-session.t. /proc/self/cgroup"]);
        // A machine that has no groups to give has nothing to show here.
        let Ok(group) = Cgroup::create(&spec.cgroup, &spec.launch, &spec.limits) else { return };
        let pty = Pty::open(spec.size).expect("a terminal");
        let pid = moved(&spec, &pty, &group).expect("it starts");
        assert_eq!(line(&pty).trim(), "1");
        ended(pid);
        group.remove();
    }

    #[test]
    fn a_program_that_is_not_there_leaves_no_process() {
        let dir = tempfile::tempdir().expect("a directory");
        let spec = spec(&dir, &["ao-no-such-program"]);
        let Ok(group) = Cgroup::create(&spec.cgroup, &spec.launch, &spec.limits) else { return };
        let pty = Pty::open(spec.size).expect("a terminal");
        let error = moved(&spec, &pty, &group).expect_err("no program");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(group.is_empty().expect("a group"));
        group.remove();
    }
}
