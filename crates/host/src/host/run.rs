//! `ao host <launch directory>`: from a launch that was written down to a host that serves it.
//!
//! The caller's process ends as soon as the host is ready (or is not); the host itself goes on in the background.

use std::fs::{File, TryLockError};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use rustix::fs::Mode;
use rustix::process::Signal;

use super::display::Display;
use super::listen::bind;
use super::serve::Host;
use super::stop::Family;
use super::typing::Typing;
use super::watch::Watch;
use crate::files::{DeliveryLog, OutputLog, RowLog};
use crate::platform::{self, Bounds, Cgroup, Fork, HOST_NAME, NotStarted, Pty, Signals};
use crate::record::{
    self, Durability, EXIT_FILE, Ending, ExitRecord, HOST_FILE, HostRecord, LOCK_FILE, Tree, now_ms, now_us,
};
use crate::spec::LaunchSpec;
use crate::wire::{PROTOCOL_MAX, PROTOCOL_MIN};

/// Exit code: the launch has ended before; a launch is started once.
pub const CODE_ENDED: u8 = 3;
/// Exit code: the agent's program could not be started; `exit.json` says why.
pub const CODE_NOT_STARTED: u8 = 4;

/// Tries to get the lock; `discover` holds it for the moment that a look takes.
const LOCK_TRIES: u32 = 20;
/// Time between two tries.
const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// What the starter is told, as one line of standard output.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Started(u32),
    AlreadyRunning,
    Ended,
    NotStarted(String),
    Failed(String),
}

impl Outcome {
    fn line(&self) -> String {
        match self {
            Self::Started(pid) => format!("started {pid}"),
            Self::AlreadyRunning => "already_running".to_owned(),
            Self::Ended => "ended".to_owned(),
            Self::NotStarted(reason) => format!("not_started {reason}"),
            Self::Failed(reason) => format!("failed {reason}"),
        }
    }

    fn code(&self) -> ExitCode {
        match self {
            Self::Started(_) | Self::AlreadyRunning => ExitCode::SUCCESS,
            Self::Ended => ExitCode::from(CODE_ENDED),
            Self::NotStarted(_) => ExitCode::from(CODE_NOT_STARTED),
            Self::Failed(_) => ExitCode::FAILURE,
        }
    }
}

/// Runs a launch.
///
/// Prints one line (`started PID`, `already_running`, `ended`, `not_started REASON`, `failed REASON`) and returns when
/// the host serves in the background: 0 for the first two, [`CODE_ENDED`], [`CODE_NOT_STARTED`] or 1 for the others.
///
/// Must be the first thing a program does: inherited descriptors are closed and the process is forked.
#[must_use]
pub fn run(launch_dir: &Path) -> ExitCode {
    platform::close_inherited();
    match start(launch_dir) {
        Ok(Side::Starter(outcome)) => {
            // Nobody may be reading; the exit code says the same.
            drop(writeln!(io::stdout(), "{}", outcome.line()));
            outcome.code()
        }
        Ok(Side::Host) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(io::stdout(), "{}", Outcome::Failed(error.to_string()).line()));
            ExitCode::FAILURE
        }
    }
}

/// Which process returns.
enum Side {
    Starter(Outcome),
    Host,
}

fn start(launch_dir: &Path) -> io::Result<Side> {
    let dir = launch_dir.canonicalize()?;
    let spec = LaunchSpec::read(&dir)?;
    let Some(lock) = lock(&dir)? else { return Ok(Side::Starter(Outcome::AlreadyRunning)) };
    if dir.join(HOST_FILE).exists() || dir.join(EXIT_FILE).exists() {
        return Ok(Side::Starter(Outcome::Ended));
    }
    let (told, tell) = UnixStream::pair()?;
    match platform::fork()? {
        Fork::Parent(_) => {
            drop(tell);
            Ok(Side::Starter(listen(told)))
        }
        Fork::Child => {
            drop(told);
            match prepare(&dir, spec) {
                Ok(Prepared::Ready(host, signals, listener)) => {
                    report(tell, &Outcome::Started(host.family.host));
                    platform::detach_stdio()?;
                    host.serve(&signals, listener);
                }
                Ok(Prepared::NotStarted(reason)) => report(tell, &Outcome::NotStarted(reason)),
                Err(error) => report(tell, &Outcome::Failed(error.to_string())),
            }
            drop(lock);
            Ok(Side::Host)
        }
    }
}

/// Takes the launch's lock; `None` when another host has it.
fn lock(dir: &Path) -> io::Result<Option<File>> {
    let file = File::options().write(true).create(true).truncate(false).mode(0o600).open(dir.join(LOCK_FILE))?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(None)
}

fn report(mut tell: UnixStream, outcome: &Outcome) {
    // The starter may be gone; the files say the same.
    drop(tell.write_all(outcome.line().as_bytes()));
}

fn listen(told: UnixStream) -> Outcome {
    let mut line = String::new();
    let read = BufReader::new(told).read_line(&mut line);
    let words = line.trim_end();
    match (read, words.split_once(' ')) {
        (Ok(_), Some(("started", pid))) => Outcome::Started(pid.parse().unwrap_or(0)),
        (Ok(_), Some(("not_started", reason))) => Outcome::NotStarted(reason.to_owned()),
        (Ok(_), Some(("failed", reason))) => Outcome::Failed(reason.to_owned()),
        _ => Outcome::Failed("the host ended before it was ready".to_owned()),
    }
}

enum Prepared {
    Ready(Box<Host>, Signals, UnixListener),
    NotStarted(String),
}

/// Leaves the starter's session and builds the host around a running child.
fn prepare(dir: &Path, spec: LaunchSpec) -> io::Result<Prepared> {
    rustix::process::setsid()?;
    // A host must not keep anybody's directory busy.
    rustix::process::chdir("/")?;
    let umask = rustix::process::umask(Mode::RWXG | Mode::RWXO);
    for signal in [Signal::INT, Signal::QUIT, Signal::PIPE, Signal::TSTP, Signal::TTIN, Signal::TTOU] {
        platform::ignore_signal(signal);
    }
    let signals = Signals::catch(&[Signal::CHILD, Signal::TERM, Signal::HUP])?;
    platform::name_process(HOST_NAME);
    let adopts = platform::adopt_orphans().is_ok();
    let host_pid = rustix::process::getpid().as_raw_nonzero().get().unsigned_abs();
    let membership = platform::nearest_session(host_pid);

    let pty = Pty::open(spec.size)?;
    let listener = bind(&spec.socket)?;
    let mut output = OutputLog::new(dir, spec.caps.raw_log_bytes);
    output.resized(spec.size, now_us());
    let (child, cgroup, bounds) = match spawn(&spec, &pty, umask) {
        Ok(started) => started,
        Err(error) => {
            drop(std::fs::remove_file(&spec.socket));
            return not_started(dir, &spec, &error).map(Prepared::NotStarted);
        }
    };
    let family = Family { host: host_pid, child, cgroup, bounds, frozen: false, adopts };
    let record = HostRecord {
        launch: spec.launch.clone(),
        session: spec.session.clone(),
        pid: host_pid,
        start_ticks: platform::start_ticks(host_pid).unwrap_or(0),
        boot_id: platform::boot_id(),
        child_pid: child,
        socket: spec.socket.clone(),
        protocol_min: PROTOCOL_MIN,
        protocol_max: PROTOCOL_MAX,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_ms: now_ms(),
        cgroup: family.cgroup.as_ref().map(|group| group.dir().to_owned()),
        bounds: family.bounds.dirs().to_owned(),
    };
    if let Err(error) = record::write_json(&dir.join(HOST_FILE), &record, Durability::Process) {
        // Nobody could ever find it again.
        family.end_at_once();
        drop(std::fs::remove_file(&spec.socket));
        return Err(error);
    }
    let host = Host {
        pty,
        display: Display::new(spec.size),
        output,
        rows: RowLog::new(dir, spec.caps.history_rows),
        typing: Typing::new(DeliveryLog::new(dir)),
        watch: Watch::default(),
        conns: Vec::new(),
        family,
        stopping: None,
        exit: None,
        exit_written: true,
        leave_at: None,
        size_owner: None,
        hung_up: None,
        retry_at: None,
        stop_look_at: None,
        leaving: false,
        tidied: 0,
        tidy_at: None,
        next_conn: 0,
        membership,
        uid: rustix::process::geteuid().as_raw(),
        dir: dir.to_owned(),
        spec,
    };
    Ok(Prepared::Ready(Box::new(host), signals, listener))
}

/// Starts the agent in control groups of its own. Where they cannot be had it runs without, unless it is to be bounded.
fn spawn(spec: &LaunchSpec, pty: &Pty, umask: Mode) -> Result<(u32, Option<Cgroup>, Bounds), NotStarted> {
    let group = Cgroup::create(&spec.cgroup, &spec.launch, &spec.limits).ok();
    let inside = |group: Option<&Cgroup>| {
        let bounds = Bounds::set(&spec.cgroup, &spec.launch, &spec.limits, group)?;
        match platform::spawn(spec, pty, umask, group, &bounds) {
            Ok(child) => Ok((child, bounds)),
            Err(error) => {
                bounds.remove();
                Err(error)
            }
        }
    };
    match (inside(group.as_ref()), group) {
        (Ok((child, bounds)), group) => Ok((child, group, bounds)),
        (Err(error), Some(group)) => {
            group.remove();
            if !spec.limits.is_none() {
                return Err(error);
            }
            inside(None).map(|(child, bounds)| (child, None, bounds))
        }
        (Err(error), None) => Err(error),
    }
}

/// Records that the program never ran.
fn not_started(dir: &Path, spec: &LaunchSpec, error: &NotStarted) -> io::Result<String> {
    let reason = error.to_string();
    let exit = ExitRecord {
        launch: spec.launch.clone(),
        session: spec.session.clone(),
        ending: Ending::NotStarted { reason: reason.clone() },
        at_ms: now_ms(),
        last_offset: 0,
        rows_total: 0,
        size: spec.size,
        screen: Vec::new(),
        tree: Tree::Empty,
    };
    record::write_json(&dir.join(EXIT_FILE), &exit, Durability::Power)?;
    Ok(reason)
}
