//! `ao exec-launch DIR`: becomes the agent of a launch on a terminal that another program holds, a pane of tmux for example.
//!
//! Whoever holds the terminal sees the agent's end; here only what must hold before its first instruction is done: that it
//! begins once, inside a control group of its own, under its limits, with its own environment and nothing else.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use serde::{Deserialize, Serialize};

use crate::host::CODE_NOT_STARTED;
use crate::platform::{self, Bounds, Cgroup};
use crate::record::{self, Durability, EXIT_FILE, Ending, ExitRecord, Tree, now_ms};
use crate::spec::LaunchSpec;

/// Name of the record that an agent began, written by itself.
pub const AGENT_FILE: &str = "agent.json";
/// Name of the file whose making decides who begins.
const BEGUN_FILE: &str = "agent.begun";

/// An agent that began on somebody else's terminal: `agent.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRecord {
    /// The launch.
    pub launch: String,
    /// Its process id; means nothing without the next two.
    pub pid: u32,
    /// Clock ticks between boot and its start; 0 where unsupported.
    pub start_ticks: u64,
    /// The boot; empty where unsupported.
    pub boot_id: String,
    /// Directory of its control group, when one could be made.
    pub cgroup: Option<PathBuf>,
    /// Directories of groups of the older kind that bound it.
    #[serde(default)]
    pub bounds: Vec<PathBuf>,
}

impl AgentRecord {
    /// The record of a launch directory; none when the agent did not begin.
    #[must_use]
    pub fn read(launch_dir: &Path) -> Option<Self> {
        record::read_json(&launch_dir.join(AGENT_FILE)).ok()
    }

    /// Its control group.
    #[must_use]
    pub fn group(&self) -> Option<Cgroup> {
        Cgroup::known(self.cgroup.as_deref()?, &self.launch).ok()
    }

    /// The groups of the older kind that bound it.
    #[must_use]
    pub fn older_groups(&self) -> Bounds {
        Bounds::known(&self.bounds, &self.launch)
    }

    /// Whether the process that began is still there; `None` where that cannot be told.
    #[must_use]
    pub fn is_running(&self) -> Option<bool> {
        let boot = platform::boot_id();
        if boot.is_empty() || self.boot_id.is_empty() {
            return None;
        }
        Some(boot == self.boot_id && platform::start_ticks(self.pid) == Some(self.start_ticks))
    }
}

/// Becomes the agent. Returns only when that failed: `exit.json` says why then.
///
/// Must be the first thing a program does: inherited descriptors are closed.
#[must_use]
pub fn exec_launch(launch_dir: &Path) -> ExitCode {
    platform::close_inherited();
    let spec = match LaunchSpec::read(launch_dir) {
        Ok(spec) => spec,
        Err(error) => return failed(&format!("{}: {error}", launch_dir.display())),
    };
    match begin(launch_dir) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return failed("this launch began before"),
        Err(error) => return failed(&format!("{}: {error}", launch_dir.display())),
    }
    let reason = match enter(launch_dir, &spec) {
        Ok(()) => become_it(&spec),
        Err(reason) => reason,
    };
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
    if let Err(error) = record::write_json(&launch_dir.join(EXIT_FILE), &exit, Durability::Power) {
        failed(&format!("{}: {error}", launch_dir.display()));
    }
    failed(&reason);
    ExitCode::from(CODE_NOT_STARTED)
}

/// Says on the terminal why nothing runs there.
fn failed(reason: &str) -> ExitCode {
    // Nobody else could be told.
    drop(writeln!(io::stderr(), "ao exec-launch: {reason}"));
    ExitCode::FAILURE
}

/// Only the first one makes this file.
fn begin(launch_dir: &Path) -> io::Result<()> {
    File::options().write(true).create_new(true).mode(0o600).open(launch_dir.join(BEGUN_FILE)).map(drop)
}

/// Enters groups of its own and leaves a record of them.
fn enter(launch_dir: &Path, spec: &LaunchSpec) -> Result<(), String> {
    // Where there are none, nothing holds the agent's processes together, and the record says so.
    let group = Cgroup::create(&spec.cgroup, &spec.launch, &spec.limits).ok();
    let bounds = Bounds::set(&spec.cgroup, &spec.launch, &spec.limits, group.as_ref()).map_err(|e| e.to_string())?;
    let entered = group.as_ref().filter(|group| fs::write(group.dir().join("cgroup.procs"), "0").is_ok());
    for dir in bounds.dirs() {
        fs::write(dir.join("cgroup.procs"), "0").map_err(|e| format!("{}: {e}", dir.display()))?;
    }
    let pid = std::process::id();
    let agent = AgentRecord {
        launch: spec.launch.clone(),
        pid,
        start_ticks: platform::start_ticks(pid).unwrap_or(0),
        boot_id: platform::boot_id(),
        cgroup: entered.map(|group| group.dir().to_owned()),
        bounds: bounds.dirs().to_vec(),
    };
    let path = launch_dir.join(AGENT_FILE);
    record::write_json(&path, &agent, Durability::Process).map_err(|e| format!("{}: {e}", path.display()))
}

/// Runs the program in this process's place; why it could not.
fn become_it(spec: &LaunchSpec) -> String {
    let program = spec.argv.first().cloned().unwrap_or_default();
    if !spec.cwd.is_dir() {
        return format!("working directory {} not found", spec.cwd.display());
    }
    let mut command = Command::new(&program);
    command.args(spec.argv.iter().skip(1)).current_dir(&spec.cwd).env_clear().envs(&spec.env);
    let error = command.exec();
    match error.kind() {
        ErrorKind::NotFound => format!("{program} not found"),
        ErrorKind::PermissionDenied => format!("{program}: permission denied"),
        _ => format!("{program}: {error}"),
    }
}
