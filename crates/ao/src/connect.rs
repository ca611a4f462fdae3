//! Finds the daemon of the data root, and starts it when a verb needs one. What it decides is the daemon's business.

use crate::context::Context;
use crate::patience::saying;
use ao_api::client::Client;
use ao_api::fault::ErrorView;
use ao_api::project::DaemonFile;
use ao_core::kind::{Fault, Kind};
use ao_daemon::instance;
use ao_daemon::start::Port;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::process::Command;
use tokio::time::{Instant, sleep, timeout};

/// This binary's version: daemon and CLI must agree.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A daemon may take this long to start: it reads the journal and looks at every live session first.
const STARTS_WITHIN: Duration = Duration::from_secs(30);
/// A daemon may take this long to end: it waits for git commands that are on their way.
const ENDS_WITHIN: Duration = Duration::from_secs(30);
/// A daemon that ends without a word while it starts was killed; so often in a row it is not somebody's doing any more.
const SILENT_ENDS: u32 = 3;
/// Between two looks at a daemon that starts or ends.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// A log longer than this is put aside when a daemon starts: one old log is kept.
const LOG_LIMIT: u64 = 10 << 20;

/// What a detached daemon says on its standard output once, before it closes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// It serves.
    Ready(DaemonFile),
    /// It does not.
    Failed(ErrorView),
    /// Another daemon has the data root.
    Taken,
}

/// How the daemon of a data root stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It runs and answers.
    Running(DaemonFile),
    /// It ended without taking its file away: killed, or the machine went down.
    Crashed,
    /// It was stopped, or never started.
    Absent,
}

/// Where a detached daemon logs.
#[must_use]
pub fn log_file(context: &Context) -> PathBuf {
    context.paths.root().join("daemon.log")
}

/// Looks for the daemon without starting it.
pub async fn look(context: &Context) -> Standing {
    let Ok(text) = std::fs::read(context.paths.daemon_file()) else { return Standing::Absent };
    let Ok(file) = serde_json::from_slice::<DaemonFile>(&text) else { return Standing::Crashed };
    // Its process first: another daemon may be starting on the same socket.
    let same = instance::start_time(file.pid).unwrap_or(0) == file.started;
    if same && UnixStream::connect(&file.socket).await.is_ok() { Standing::Running(file) } else { Standing::Crashed }
}

/// A client of the running daemon, of which there need be none.
///
/// # Errors
/// `conflict` when it is of another version.
pub async fn running(context: &Context) -> Result<Option<Client>, Fault> {
    match look(context).await {
        Standing::Running(file) => client_of(&file).map(Some),
        Standing::Crashed | Standing::Absent => Ok(None),
    }
}

/// A client of the daemon, which is started if it does not run.
///
/// # Errors
/// Why it does not start; `conflict` when it is of another version.
pub async fn client(context: &Context) -> Result<Client, Fault> {
    client_of(&ensure(context, None).await?)
}

/// Makes sure that the daemon runs. `port` is the one that a configuration asks for.
///
/// # Errors
/// As for [`client`].
pub async fn ensure(context: &Context, port: Option<u16>) -> Result<DaemonFile, Fault> {
    ensure_at(context, port.map(Port::Exactly)).await
}

/// As [`ensure`], with a port that may be a wish only.
///
/// # Errors
/// As for [`client`].
pub async fn ensure_at(context: &Context, port: Option<Port>) -> Result<DaemonFile, Fault> {
    if let Standing::Running(file) = look(context).await {
        return same_version(file);
    }
    saying(&context.out, "starting the daemon", start(context, port)).await
}

async fn start(context: &Context, port: Option<Port>) -> Result<DaemonFile, Fault> {
    let until = Instant::now() + STARTS_WITHIN;
    let mut silent = 0;
    loop {
        if let Standing::Running(file) = look(context).await {
            return same_version(file);
        }
        // Another one is starting, or ending: two verbs at once make one daemon.
        if !instance::is_running(context.paths.root()) {
            match spawn(context, port).await? {
                Some(Report::Ready(file)) => return same_version(file),
                Some(Report::Failed(view)) => return Err(view.into()),
                Some(Report::Taken) => {}
                None => silent += 1,
            }
            if silent == SILENT_ENDS {
                let fault = Fault::unavailable(format!("the daemon ended while it started{}", last_words(context)));
                return Err(fault.hint(format!("its log is {}", log_file(context).display())));
            }
        }
        if Instant::now() > until {
            let fault = Fault::unavailable(format!(
                "a daemon has the data root {} and does not answer",
                context.paths.root().display()
            ));
            return Err(fault
                .hint(format!("{} may say why; `ao daemon restart` starts another one", log_file(context).display())));
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Starts `ao daemon run` apart from this terminal and waits for its report; none when it ended without one.
async fn spawn(context: &Context, port: Option<Port>) -> Result<Option<Report>, Fault> {
    let root = context.paths.root();
    let storage = |e: std::io::Error| {
        Fault::new(Kind::StorageFailed, format!("the data root {} cannot be used: {e}", root.display()))
    };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(root).map_err(storage)?;
    let log = open_log(context).map_err(storage)?;
    let failed = |e: std::io::Error| Fault::unavailable(format!("the daemon cannot be started: {e}"));
    let ao = std::env::current_exe().map_err(failed)?;
    let mut command = Command::new(ao);
    command.args(["daemon", "run", "--detached"]).env("AO_HOME", root).current_dir(root);
    let port = match port {
        Some(Port::Exactly(port)) => Some(("--port", port)),
        Some(Port::From(port)) => Some(("--port-from", port)),
        None => None,
    };
    if let Some((option, port)) = port {
        command.arg(option).arg(port.to_string());
    }
    // What a session's environment says about its agent is not true of the daemon.
    for name in ["AO_SESSION", "AO_LAUNCH", "AO_HOOK_SECRET"] {
        command.env_remove(name);
    }
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().map_err(failed)?;
    let Some(stdout) = child.stdout.take() else {
        return Err(Fault::new(Kind::Bug, "the daemon has no standard output"));
    };
    let mut line = String::new();
    let read = timeout(STARTS_WITHIN, BufReader::new(stdout).read_line(&mut line)).await;
    match (read, serde_json::from_str::<Report>(&line)) {
        (_, Ok(report)) => Ok(Some(report)),
        (Ok(_), Err(_)) => Ok(None),
        (Err(_), Err(_)) => {
            Err(Fault::unavailable(format!("the daemon did not start within {} s", STARTS_WITHIN.as_secs()))
                .hint(format!("its log is {}", log_file(context).display())))
        }
    }
}

fn open_log(context: &Context) -> std::io::Result<File> {
    let path = log_file(context);
    if std::fs::metadata(&path).is_ok_and(|m| m.len() > LOG_LIMIT) {
        std::fs::rename(&path, path.with_extension("log.1"))?;
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

fn last_words(context: &Context) -> String {
    let text = std::fs::read_to_string(log_file(context)).unwrap_or_default();
    text.lines().rev().find(|l| !l.trim().is_empty()).map(|l| format!(": {}", l.trim())).unwrap_or_default()
}

/// The port of the daemon that runs or crashed; none when it was stopped.
#[must_use]
pub fn last_port(context: &Context) -> Option<u16> {
    let file: DaemonFile = serde_json::from_slice(&std::fs::read(context.paths.daemon_file()).ok()?).ok()?;
    file.url.rsplit(':').next()?.parse().ok()
}

/// Ends the daemon and waits until it is gone; sessions live on. False when none ran.
///
/// # Errors
/// `unavailable` when it does not end.
pub async fn stop(context: &Context) -> Result<bool, Fault> {
    let Ok(text) = std::fs::read(context.paths.daemon_file()) else { return Ok(false) };
    let Ok(file) = serde_json::from_slice::<DaemonFile>(&text) else { return Ok(false) };
    let alive =
        || instance::start_time(file.pid).unwrap_or(0) == file.started && instance::is_running(context.paths.root());
    let Some(pid) = i32::try_from(file.pid).ok().and_then(rustix::process::Pid::from_raw) else { return Ok(false) };
    if !alive() {
        return Ok(false);
    }
    rustix::process::kill_process(pid, rustix::process::Signal::TERM)
        .map_err(|e| Fault::unavailable(format!("the daemon (process {}) cannot be told to end: {e}", file.pid)))?;
    let gone = gone(context, &file, alive);
    saying(&context.out, "waiting for the daemon to end", gone).await?;
    Ok(true)
}

async fn gone(context: &Context, file: &DaemonFile, alive: impl Fn() -> bool) -> Result<(), Fault> {
    let begun = Instant::now();
    while alive() {
        if begun.elapsed() > ENDS_WITHIN {
            let fault = Fault::unavailable(format!("the daemon (process {}) does not end", file.pid));
            return Err(fault.hint(format!("{} may say why", log_file(context).display())));
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// A client of this daemon.
///
/// # Errors
/// `conflict` when it is of another version.
pub fn client_of(file: &DaemonFile) -> Result<Client, Fault> {
    let file = same_version(file.clone())?;
    Ok(Client::new(file.socket.as_ref()))
}

fn same_version(file: DaemonFile) -> Result<DaemonFile, Fault> {
    if file.version == VERSION {
        return Ok(file);
    }
    let fault = Fault::conflict(format!("the daemon is ao {}, and this is ao {VERSION}", file.version));
    Err(fault.hint("`ao daemon restart` starts this version; sessions live on"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_of_another_version_is_named_with_the_way_out() {
        let file = |version: &str| DaemonFile {
            pid: 1,
            started: 1,
            version: version.to_owned(),
            url: String::new(),
            socket: String::new(),
        };
        assert!(same_version(file(VERSION)).is_ok());
        let fault = same_version(file("0.0.1")).unwrap_err();
        assert_eq!(fault.kind, Kind::Conflict);
        assert!(fault.message.contains("0.0.1") && fault.hint.unwrap().contains("ao daemon restart"));
    }
}
