//! An isolated place for `ao`: a home, a data root, a sample repository, a daemon. All of it is gone when it is dropped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use ao_host::record::HostRecord;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::{launch, os};

/// Files of the sample repository, as in the measurements that the bars come from.
const FILES: usize = 120;
/// Directories that they lie in.
const DIRECTORIES: usize = 12;
/// Lines of each, about 2 kB.
const LINES: usize = 60;
/// How long the daemon may take to start, to end, or to come to rest.
const LIMIT: Duration = Duration::from_secs(60);
/// The daemon is at rest when it used no CPU for so long.
const REST: Duration = Duration::from_millis(200);

/// Where temporary directories are made. Below /tmp whatever TMPDIR says: paths of sockets may have about a hundred bytes.
static PARENT: OnceLock<PathBuf> = OnceLock::new();

/// Makes every temporary directory in here from now on; the first call counts.
pub fn put_into(parent: PathBuf) {
    let _ = PARENT.set(parent);
}

/// A new directory that is gone when it is dropped.
pub fn directory() -> Result<TempDir> {
    let parent = PARENT.get().map_or(Path::new("/tmp"), PathBuf::as_path);
    tempfile::Builder::new().prefix("ab").tempdir_in(parent).with_context(|| parent.display().to_string())
}

/// The place.
#[derive(Debug)]
pub struct Stage {
    root: TempDir,
    ao: PathBuf,
    daemon: Option<Child>,
}

impl Stage {
    /// A place with a running daemon.
    pub fn with_daemon(ao: &Path) -> Result<Self> {
        Self::sized(ao, FILES)
    }

    /// A place with a daemon that starts when it is prepared.
    pub fn prepared(ao: &Path, prepare: impl FnOnce(&Self) -> Result<()>) -> Result<Self> {
        let mut stage = Self::made(ao, FILES)?;
        prepare(&stage)?;
        stage.start_daemon()?;
        Ok(stage)
    }

    /// A place with a running daemon and a repository of so many files.
    pub fn sized(ao: &Path, files: usize) -> Result<Self> {
        let mut stage = Self::made(ao, files)?;
        stage.start_daemon()?;
        Ok(stage)
    }

    fn made(ao: &Path, files: usize) -> Result<Self> {
        let root = directory()?;
        let stage = Self { root, ao: ao.to_owned(), daemon: None };
        fs::create_dir(stage.root().join("home"))?;
        stage.sample(files)?;
        Ok(stage)
    }

    /// Starts the daemon and waits until it has said where it is.
    pub fn start_daemon(&mut self) -> Result<()> {
        let stage = self;
        let log = fs::File::create(stage.root().join("daemon.log"))?;
        let daemon = stage
            .command(&["daemon", "run"])
            .env("AO_PLACES", "0")
            .stdout(log.try_clone()?)
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()?;
        stage.daemon = Some(daemon);
        let begin = Instant::now();
        while !stage.data().join("daemon.json").is_file() {
            os::go_on()?;
            if begin.elapsed() > LIMIT || stage.daemon.as_mut().is_none_or(|d| !matches!(d.try_wait(), Ok(None))) {
                let log = fs::read_to_string(stage.root().join("daemon.log")).unwrap_or_default();
                bail!("the daemon does not start: {}", log.trim());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Kills the daemon as a crash would, and leaves nothing that says where it was.
    pub fn kill_daemon(&mut self) -> Result<()> {
        let mut daemon = self.daemon.take().context("no daemon was started here")?;
        daemon.kill()?;
        daemon.wait()?;
        // The next one overwrites it; until then nobody must think that it is there.
        Ok(fs::remove_file(self.data().join("daemon.json"))?)
    }

    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The sample repository.
    pub fn repository(&self) -> PathBuf {
        self.root().join("app")
    }

    /// The data root.
    pub fn data(&self) -> PathBuf {
        self.root().join("d")
    }

    /// The daemon's process id.
    pub fn daemon(&self) -> Result<u32> {
        self.daemon.as_ref().map(Child::id).context("no daemon was started here")
    }

    /// The shipped binary, called in the repository by somebody who has nothing but a PATH.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.bare(&self.ao);
        command.args(args).env("AO_HOME", self.data());
        command
    }

    /// Any program in the same surroundings.
    pub fn bare(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("HOME", self.root().join("home")).env("LANG", "C.UTF-8").current_dir(self.repository());
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command
    }

    /// Runs a verb with `--json` and reads its answer.
    pub fn ask(&self, args: &[&str]) -> Result<Value> {
        let args = [&["--json"], args].concat();
        let said = self.command(&args).stdin(Stdio::null()).output()?;
        if !said.status.success() {
            bail!("ao {}: {}", args.join(" "), String::from_utf8_lossy(&said.stderr).trim());
        }
        serde_json::from_slice(&said.stdout).with_context(|| format!("ao {}", args.join(" ")))
    }

    /// Starts sessions of a shell at a prompt until there are so many, and waits until each has a host.
    pub fn idle_sessions(&self, count: usize) -> Result<Vec<HostRecord>> {
        self.more_sessions(count)
    }

    /// Starts so many more of them, and returns the hosts of all.
    pub fn more_sessions(&self, more: usize) -> Result<Vec<HostRecord>> {
        let count = launch::all_below(&self.data()).len() + more;
        for _ in 0..more {
            os::go_on()?;
            // A prompt sign with the cursor behind it: an agent that waits to be told something.
            self.ask(&["new", "--agent", "shell", "--no-prompt", "--", "sh", "-c", "printf '$ '; exec cat"])?;
        }
        let begin = Instant::now();
        loop {
            os::go_on()?;
            let hosts = launch::all_below(&self.data());
            if hosts.len() == count {
                self.rest()?;
                return Ok(hosts);
            }
            if begin.elapsed() > LIMIT {
                bail!("{} of {count} sessions have a host after {LIMIT:?}", hosts.len());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the daemon does nothing any more.
    pub fn rest(&self) -> Result<()> {
        let daemon = self.daemon()?;
        let begin = Instant::now();
        let mut last = (os::cpu_clock(daemon)?, Instant::now());
        while last.1.elapsed() < REST {
            os::go_on()?;
            if begin.elapsed() > LIMIT {
                bail!("the daemon does not come to rest within {LIMIT:?}");
            }
            std::thread::sleep(Duration::from_millis(10));
            let now = os::cpu_clock(daemon)?;
            if now != last.0 {
                last = (now, Instant::now());
            }
        }
        Ok(())
    }

    fn sample(&self, files: usize) -> Result<()> {
        let repository = self.root().join("app");
        for file in 0..files {
            let dir = repository.join(format!("dir{}", file % DIRECTORIES.max(files / 500)));
            fs::create_dir_all(&dir)?;
            let text: String = (0..LINES).map(|line| format!("file {file}, line {line} of the sample\n")).collect();
            fs::write(dir.join(format!("file{file}.txt")), text)?;
        }
        self.git(&["init", "-q", "-b", "main"])?;
        self.git(&["add", "."])?;
        self.git(&["-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "-q", "-m", "Sample"])
    }

    fn git(&self, args: &[&str]) -> Result<()> {
        let said = self.bare(Path::new("git")).args(args).output().context("git")?;
        if !said.status.success() {
            bail!("git {}: {}", args.join(" "), String::from_utf8_lossy(&said.stderr).trim());
        }
        Ok(())
    }

    fn end_daemon(&mut self) {
        let Some(mut daemon) = self.daemon.take() else { return };
        let begin = Instant::now();
        if let Some(pid) = i32::try_from(daemon.id()).ok().and_then(Pid::from_raw) {
            // Gone meanwhile: the same.
            let _ = kill_process(pid, Signal::TERM);
        }
        while matches!(daemon.try_wait(), Ok(None)) {
            if begin.elapsed() > LIMIT {
                drop(daemon.kill());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // The daemon first: it would see its sessions end and act on that.
        self.end_daemon();
        for host in launch::all_below(&self.data()) {
            launch::end(&host);
        }
    }
}
