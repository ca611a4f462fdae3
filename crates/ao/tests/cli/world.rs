//! A repository, a home and a data root of their own, and `ao` called in them; everything that was started ends with them.

use rustix::process::{Pid, Signal};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// Longer than anything here takes on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(120);

/// Between two looks: whoever looks all the time takes the processor from what it waits for.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The world of one test.
pub struct World {
    dir: tempfile::TempDir,
    /// Data root.
    pub home: PathBuf,
    /// The repository that `ao` is called in.
    pub repo: PathBuf,
}

/// What a call of `ao` said.
#[derive(Debug)]
pub struct Said {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl World {
    /// With a repository `app` that has one commit on `main`.
    pub fn new() -> Self {
        let world = Self::without_commits();
        world.write("README.md", "an app\n");
        world.git(&["add", "--all"]);
        world.git(&["commit", "--quiet", "--message=First"]);
        world
    }

    /// With a repository that has none.
    pub fn without_commits() -> Self {
        // Short: sockets lie in it.
        let dir = tempfile::Builder::new().prefix("ao").tempdir_in("/tmp").unwrap();
        let root = std::fs::canonicalize(dir.path()).unwrap();
        let (home, repo) = (root.join("h"), root.join("app"));
        for made in [&repo, &root.join("user"), &root.join("outside")] {
            std::fs::create_dir(made).unwrap();
        }
        let world = Self { dir, home, repo };
        world.git(&["init", "--quiet", "--initial-branch=main"]);
        world
    }

    /// A file beside the repository.
    pub fn beside(&self, name: &str) -> PathBuf {
        std::fs::canonicalize(self.dir.path()).unwrap().join(name)
    }

    /// Writes a file of the repository.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.repo.join(name), text).unwrap();
    }

    /// Runs git in the repository and returns what it printed.
    pub fn git(&self, args: &[&str]) -> String {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "commit.gpgsign=false"];
        let ran =
            self.environment(Command::new("git").args(identity).args(args).current_dir(&self.repo)).output().unwrap();
        assert!(ran.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    }

    /// A call of `ao` in the repository, not begun yet.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ao"));
        self.environment(command.args(args).current_dir(&self.repo));
        command.stdin(Stdio::null());
        command
    }

    fn environment<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        let path = std::env::var_os("PATH").unwrap_or_default();
        command
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.dir.path().join("user"))
            .env("AO_HOME", &self.home)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("LANG", "C.UTF-8")
    }

    /// Calls `ao` in the repository.
    pub fn ao(&self, args: &[&str]) -> Said {
        said(self.command(args).output().unwrap())
    }

    /// Calls `ao` in another directory.
    pub fn ao_in(&self, dir: &Path, args: &[&str]) -> Said {
        said(self.command(args).current_dir(dir).output().unwrap())
    }

    /// Calls `ao --json` and reads its answer.
    pub fn json(&self, args: &[&str]) -> Value {
        let said = self.ao(&[&["--json"], args].concat()).ok();
        serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {said:?}"))
    }

    /// A session of a plain shell command; its id.
    pub fn shell(&self, command: &str) -> String {
        let new = ["new", "a task", "--agent", "shell", "--no-prompt", "--", "sh", "-c", command];
        self.json(&new)["id"].as_str().unwrap().to_owned()
    }

    /// Process of the daemon.
    pub fn daemon(&self) -> u32 {
        let text = std::fs::read(self.home.join("daemon.json")).unwrap();
        let file: Value = serde_json::from_slice(&text).unwrap();
        u32::try_from(file["pid"].as_u64().unwrap()).unwrap()
    }

    /// Sends a signal. With the system call: `kill` the program is not on every machine.
    pub fn signal(pid: u32, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let stopped = self.ao(&["stop", "--all"]);
        let ended = self.ao(&["daemon", "stop"]);
        if (stopped.code, ended.code) != (0, 0) && !std::thread::panicking() {
            panic!("something is left: {stopped:?} {ended:?}");
        }
    }
}

impl Said {
    /// It went well.
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }

    /// It failed with this code and these words on standard error, and nothing on standard output.
    pub fn fails(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        for word in words {
            assert!(self.err.contains(word), "{word:?} is missing: {self:?}");
        }
        assert!(!self.err.chars().any(|c| c.is_control() && c != '\n'), "control characters: {self:?}");
        self
    }
}

fn said(output: Output) -> Said {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

/// A port that is free and stays so until it is taken: given to no other test, and below those that systems give to clients.
pub fn free_port() -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + u16::try_from(std::process::id() % 1000).unwrap() * 10;
    let mut ports = std::iter::repeat_with(|| first + GIVEN.fetch_add(1, Ordering::Relaxed));
    ports.find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}

/// Waits until something holds.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < LIMIT, "not within {LIMIT:?}: {what}");
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Waits for a process and reads what it said.
pub fn finish(child: Child) -> Said {
    said(child.wait_with_output().unwrap())
}
