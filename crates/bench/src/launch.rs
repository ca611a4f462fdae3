//! Hosts of the shipped binary without a daemon: this program watches them instead.
//!
//! A launch that is dropped is stopped with everything in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use ao_host::client::Client;
use ao_host::engine::Size;
use ao_host::record::{HOST_FILE, HostRecord, read_json};
use ao_host::spec::{Caps, CgroupParent, LaunchSpec};
use ao_host::wire::{Push, Reply, Request, RowRange, Stop, WatchFrom};
use rustix::process::{Pid, Signal, kill_process};

/// Size of the terminals (issue A1: 120×40).
const SIZE: (u16, u16) = (120, 40);
/// How long a host may take for anything that is not measured.
const LIMIT: Duration = Duration::from_secs(120);

/// A host and the connection that watches it, as the daemon would.
#[derive(Debug)]
pub struct Launch {
    record: HostRecord,
    client: Client,
}

impl Launch {
    /// Starts a host for this command in `root`, which is of this name only.
    pub fn start(ao: &Path, root: &Path, name: &str, argv: &[&str]) -> Result<Self> {
        let dir = root.join(name);
        let socket = root.join(format!("{name}.sock"));
        let env = [("PATH", "/usr/bin:/bin"), ("HOME", "/nonexistent")];
        let spec = LaunchSpec {
            launch: name.to_owned(),
            session: name.to_owned(),
            argv: argv.iter().map(|&arg| arg.to_owned()).collect(),
            cwd: root.to_owned(),
            env: env.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            size: Size::clamped(SIZE.0, SIZE.1),
            socket: socket.clone(),
            caps: Caps::default(),
            cgroup: CgroupParent::Own,
            limits: Default::default(),
        };
        spec.write(&dir)?;
        let said = Command::new(ao).arg("host").arg(&dir).env_clear().stdin(Stdio::null()).output()?;
        if !said.stdout.starts_with(b"started ") {
            bail!("ao host: {}", String::from_utf8_lossy(&said.stdout).trim());
        }
        let record: HostRecord = read_json(&dir.join(HOST_FILE))?;
        let client = match Client::connect(&socket, Some(name)) {
            Ok(client) => client,
            Err(error) => {
                end(&record);
                return Err(error).context("the host does not answer");
            }
        };
        let mut launch = Self { record, client };
        match launch.client.request(&Request::Watch(WatchFrom::default()))? {
            Reply::Done => Ok(launch),
            other => bail!("the host does not let itself be watched: {other:?}"),
        }
    }

    /// Process id of the host.
    pub fn pid(&self) -> u32 {
        self.record.pid
    }

    /// Waits until a row of the screen holds the text.
    pub fn shows(&mut self, text: &str) -> Result<()> {
        self.until(|push| matches!(push, Push::Screen(screen) if screen.rows.iter().any(|row| row.text.contains(text))))
    }

    /// Reads the last `count` rows of the history, or as many as there are, and says how many it got.
    pub fn scroll(&mut self, count: u64) -> Result<u64> {
        let ask = |client: &mut Client, from, to| match client.request(&Request::Rows(RowRange { from, to }))? {
            Reply::RowsAre(rows) => Ok((rows.from, rows.rows.len() as u64, rows.total)),
            other => bail!("the host does not give rows: {other:?}"),
        };
        let total = ask(&mut self.client, 0, 0)?.2;
        let (mut at, mut got) = (total.saturating_sub(count), 0);
        while at < total {
            let (from, rows, _) = ask(&mut self.client, at, total)?;
            if rows == 0 {
                break;
            }
            (at, got) = (from + rows, got + rows);
        }
        Ok(got)
    }

    /// Waits for the end of the command.
    pub fn ended(&mut self) -> Result<()> {
        self.until(|push| matches!(push, Push::ExitIs(_)))
    }

    fn until(&mut self, wanted: impl Fn(&Push) -> bool) -> Result<()> {
        let begin = Instant::now();
        while begin.elapsed() < LIMIT {
            crate::os::go_on()?;
            if self.client.next_push(Duration::from_secs(1))?.is_some_and(|push| wanted(&push)) {
                return Ok(());
            }
        }
        bail!("nothing came of it within {LIMIT:?}")
    }
}

impl Drop for Launch {
    fn drop(&mut self) {
        end(&self.record);
    }
}

/// Ends a host and everything it started, and waits until it is gone.
pub fn end(record: &HostRecord) {
    if record.is_running() != Some(true) {
        return;
    }
    let asked = Client::connect(&record.socket, None).and_then(|mut client| {
        client.request_within(&Request::Stop(Stop { grace_ms: 0, keys: None }), Duration::from_secs(10))?;
        client.request(&Request::AckExit)
    });
    let begin = Instant::now();
    let limit = if asked.is_ok() { Duration::from_secs(5) } else { Duration::ZERO };
    while record.is_running() == Some(true) {
        if begin.elapsed() >= limit
            && let Some(pid) = i32::try_from(record.pid).ok().and_then(Pid::from_raw)
        {
            // Gone meanwhile: the same.
            let _ = kill_process(pid, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Every host below a data root that was ever started.
pub fn all_below(root: &Path) -> Vec<HostRecord> {
    launches(root).filter_map(|launch| read_json(&launch.join(HOST_FILE)).ok()).collect()
}

/// Bytes of output in the logs of every launch below a data root.
pub fn logged_below(root: &Path) -> u64 {
    let logs = launches(root)
        .flat_map(|launch| children(&launch))
        .filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("out-")));
    logs.filter_map(|log| Some(fs::metadata(log).ok()?.len())).sum()
}

fn launches(root: &Path) -> impl Iterator<Item = PathBuf> {
    let sessions = children(root).into_iter().flat_map(|project| children(&project.join("sessions")));
    sessions.flat_map(|session| children(&session))
}

fn children(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten();
    entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect()
}
