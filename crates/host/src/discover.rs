//! Finding hosts again after the daemon died (`docs/design/host.md`, "Being found again").
//!
//! It looks and tells; only [`clear`] ends anything, and only what a dead host left behind.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};

use crate::client::{Client, ClientError};
use crate::platform::{self, Cgroup};
use crate::record::{self, EXIT_FILE, ExitRecord, HOST_FILE, HostRecord, LAUNCH_FILE, LOCK_FILE, Tree};
use crate::spec::LaunchSpec;
use crate::wire::{ErrorKind, HelloOk, PROTOCOL_MAX, PROTOCOL_MIN};

/// Variables that together name one launch on this machine.
const MARKS: [&str; 2] = ["AO_HOME", "AO_LAUNCH"];

/// How a launch stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It was written down and nothing more happened: it may still be started.
    NotStarted,
    /// Its host is gone; without an exit the end is lost.
    Dead {
        /// `exit.json`, if the host came to write it.
        exit: Option<ExitRecord>,
    },
    /// Its host answers.
    Alive {
        /// What it said.
        hello: HelloOk,
    },
    /// There is a host that does not answer: ask again, for ever; it is neither killed nor given up.
    Unknown {
        /// What was tried, in words.
        why: String,
    },
}

/// One launch directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The directory.
    pub launch_dir: PathBuf,
    /// `host.json`, if there is one.
    pub record: Option<HostRecord>,
    /// How it stands.
    pub standing: Standing,
}

impl HostRecord {
    /// Whether the recorded process still exists: same id, same start, same boot. `None` where that cannot be told.
    #[must_use]
    pub fn is_running(&self) -> Option<bool> {
        let boot = platform::boot_id();
        if boot.is_empty() || self.boot_id.is_empty() {
            return None;
        }
        Some(boot == self.boot_id && platform::start_ticks(self.pid) == Some(self.start_ticks))
    }
}

/// What is left of a dead host's processes: its control group knows, without one it cannot be told.
#[must_use]
pub fn remains(record: &HostRecord) -> Tree {
    let Some(group) = group(record) else { return Tree::Unknown };
    match (group.is_empty(), group.pids()) {
        (Ok(true), _) => Tree::Empty,
        (Ok(false), Ok(pids)) => Tree::Left { pids },
        // The group is gone: the host removed it when it was empty.
        (Err(error), _) | (_, Err(error)) if error.kind() == io::ErrorKind::NotFound => Tree::Empty,
        (Err(_), _) | (_, Err(_)) => Tree::Unknown,
    }
}

/// Kills what is left of a dead host's processes and removes its control group and socket.
///
/// Returns what is left then; killing takes effect a moment later, so callers look again with [`remains`].
#[must_use]
pub fn clear(record: &HostRecord) -> Tree {
    let group = group(record);
    if let Some(group) = &group {
        // What cannot be killed shows in the answer.
        let _ = group.kill();
    }
    // A socket that somebody listens on is another launch's.
    if UnixStream::connect(&record.socket).is_err() {
        let _ = fs::remove_file(&record.socket);
    }
    let left = remains(record);
    if left == Tree::Empty
        && let Some(group) = group
    {
        group.remove();
    }
    left
}

/// As [`remains`], from the launch's files: a host of another boot left nothing; where there is no control group, processes
/// are looked for by what the launch wrote into their environment, and none found is still no proof.
#[must_use]
pub fn left_behind(launch_dir: &Path) -> Tree {
    match read_host(launch_dir) {
        Some(record) if is_of_another_boot(&record) => Tree::Empty,
        Some(record) => match remains(&record) {
            Tree::Unknown => found(platform::marked(&marks(launch_dir))),
            told => told,
        },
        None => found(platform::marked(&marks(launch_dir))),
    }
}

/// As [`clear`], from the launch's files, with whatever [`left_behind`] finds.
#[must_use]
pub fn clear_behind(launch_dir: &Path) -> Tree {
    if let Some(record) = read_host(launch_dir).filter(|record| !is_of_another_boot(record)) {
        let told = clear(&record);
        if told != Tree::Unknown {
            return told;
        }
    }
    platform::kill_marked(&marks(launch_dir));
    left_behind(launch_dir)
}

/// Pids of another boot mean nothing, and none of its processes can live.
fn is_of_another_boot(record: &HostRecord) -> bool {
    let boot = platform::boot_id();
    !boot.is_empty() && !record.boot_id.is_empty() && boot != record.boot_id
}

fn read_host(launch_dir: &Path) -> Option<HostRecord> {
    record::read_json(&launch_dir.join(HOST_FILE)).ok()
}

fn found(pids: Vec<u32>) -> Tree {
    if pids.is_empty() { Tree::Unknown } else { Tree::Left { pids } }
}

/// What every process of a launch has in its environment and no other: which launch of which data root it is. Without
/// both nobody is looked for.
fn marks(launch_dir: &Path) -> Vec<String> {
    let Ok(spec) = LaunchSpec::read(launch_dir) else { return Vec::new() };
    let marks: Vec<String> = MARKS.iter().filter_map(|name| Some(format!("{name}={}", spec.env.get(*name)?))).collect();
    if marks.len() == MARKS.len() { marks } else { Vec::new() }
}

fn group(record: &HostRecord) -> Option<Cgroup> {
    Cgroup::known(record.cgroup.as_deref()?, &record.launch).ok()
}

/// Looks at every launch under a data root: `{project}/sessions/{session}.d/{launch}/`.
///
/// # Errors
/// When the root cannot be read; one that is not there has no launches.
pub fn discover(data_root: &Path) -> io::Result<Vec<Found>> {
    let mut found = Vec::new();
    for project in directories(data_root)? {
        for session in directories(&project.join("sessions"))? {
            if session.extension().is_none_or(|extension| extension != "d") {
                continue;
            }
            for launch in directories(&session)? {
                if launch.join(HOST_FILE).exists() || launch.join(LAUNCH_FILE).exists() {
                    found.push(probe(&launch));
                }
            }
        }
    }
    Ok(found)
}

/// Looks at one launch.
#[must_use]
pub fn probe(launch_dir: &Path) -> Found {
    let record: Option<HostRecord> = record::read_json(&launch_dir.join(HOST_FILE)).ok();
    let standing = match is_locked(launch_dir) {
        Ok(true) => ask(record.as_ref()),
        Ok(false) => gone(launch_dir, record.as_ref()),
        Err(error) => Standing::Unknown { why: format!("{}: {error}", launch_dir.join(LOCK_FILE).display()) },
    };
    Found { launch_dir: launch_dir.to_owned(), record, standing }
}

/// The lock is held: the host answers for its launch, or it is unknown.
fn ask(record: Option<&HostRecord>) -> Standing {
    let Some(record) = record else { return Standing::Unknown { why: "the host is starting".to_owned() } };
    match Client::connect(&record.socket, Some(&record.launch)) {
        Ok(client) => Standing::Alive { hello: client.hello().clone() },
        Err(ClientError::Io(error)) if is_deaf(&error) && ask_to_listen(record) => Standing::Unknown {
            why: format!("{}: {error}; its host was asked to listen again", record.socket.display()),
        },
        Err(ClientError::Refused(refusal)) if refusal.kind == ErrorKind::Version => {
            let ours = format!("{PROTOCOL_MIN} to {PROTOCOL_MAX}");
            Standing::Unknown {
                why: format!("its host is of another version of ao: {}, and this ao {ours}", refusal.message),
            }
        }
        Err(error) => Standing::Unknown { why: error.to_string() },
    }
}

/// Its socket was deleted, or replaced by one that nobody listens on.
fn is_deaf(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

/// Asks a host by a signal to make its socket anew; older ones ignore it. Only the very process that was recorded is asked.
fn ask_to_listen(record: &HostRecord) -> bool {
    let pid = i32::try_from(record.pid).ok().and_then(Pid::from_raw);
    record.is_running() == Some(true) && pid.is_some_and(|pid| kill_process(pid, Signal::HUP).is_ok())
}

/// The lock is free: the host is dead, or never was.
fn gone(launch_dir: &Path, record: Option<&HostRecord>) -> Standing {
    let path = launch_dir.join(EXIT_FILE);
    match (record::read_json(&path), record) {
        (Ok(exit), _) => Standing::Dead { exit: Some(exit) },
        // Half a record says nothing of the end, but the host is proven dead.
        (Err(error), Some(record))
            if error.kind() == io::ErrorKind::InvalidData && record.is_running() == Some(false) =>
        {
            Standing::Dead { exit: None }
        }
        (Err(error), _) if error.kind() != io::ErrorKind::NotFound => {
            Standing::Unknown { why: format!("{}: {error}", path.display()) }
        }
        // Locks can lie (some network file systems); a process with the same id, start and boot does not.
        (Err(_), Some(record)) if record.is_running() == Some(true) => {
            Standing::Unknown { why: format!("the lock is free, but process {} is the host", record.pid) }
        }
        (Err(_), Some(_)) => Standing::Dead { exit: None },
        (Err(_), None) if launch_dir.join(HOST_FILE).exists() => {
            Standing::Unknown { why: format!("{} is not readable", launch_dir.join(HOST_FILE).display()) }
        }
        (Err(_), None) if launch_dir.exists() => Standing::NotStarted,
        (Err(_), None) => absent(launch_dir),
    }
}

/// There is no such directory: it was never made, or it was taken away from under a host, or with the disk that it lies on.
fn absent(launch_dir: &Path) -> Standing {
    if let Some(pid) = platform::host_of(launch_dir) {
        return Standing::Unknown { why: format!("its files are gone, but process {pid} is its host") };
    }
    match launch_dir.ancestors().nth(2) {
        Some(sessions) if !sessions.exists() => {
            Standing::Unknown { why: format!("{} is not there: is its disk mounted?", sessions.display()) }
        }
        _ => Standing::NotStarted,
    }
}

fn is_locked(launch_dir: &Path) -> io::Result<bool> {
    let file = match File::open(launch_dir.join(LOCK_FILE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        other => other?,
    };
    // Shared, so that two who look at the same time do not take each other for a host.
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Directories below `dir` by name; none if it is not there.
fn directories(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        other => other?,
    };
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    found.sort_unstable();
    Ok(found)
}
