//! A machine of its own for the real binary: an empty HOME, a bare PATH, a place for everything it makes.
//!
//! It never sleeps blindly: it waits for a condition with a limit, and ends by its id whatever a test left running.

use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Longer than anything takes on a busy machine: a demo builds and tests a repository a dozen times.
pub const LIMIT: Duration = Duration::from_secs(600);

/// Between two looks at a condition.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What is on the PATH beside Rust: git, what a linker needs, and what a check in `sh` needs. No node, no tmux.
const PROGRAMS: [&str; 16] =
    ["git", "cc", "ld", "as", "sh", "cat", "cp", "echo", "grep", "head", "ls", "mkdir", "rm", "sleep", "touch", "yes"];

/// The machine.
pub struct World {
    dir: tempfile::TempDir,
    bin: PathBuf,
    ao: PathBuf,
}

/// A command that ran to its end.
#[derive(Debug)]
pub struct Ran {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }

    /// The output, with everything a person would want to see when it is not as expected.
    #[track_caller]
    pub fn must(self, code: i32) -> Self {
        assert_eq!(self.code(), code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

/// A command that runs; its output goes to files, so that nobody waits for a pipe that a daemon inherited.
pub struct Running {
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Running {
    pub fn finished(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_some()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.err).expect("its output")).into_owned()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn end(mut self, limit: Duration) -> Ran {
        let until = Instant::now() + limit;
        while !self.finished() {
            if Instant::now() > until {
                let _ = self.child.kill();
                let _ = self.child.wait();
                panic!("it did not end within {} s; it said:\n{}", limit.as_secs(), self.stderr());
            }
            std::thread::sleep(LOOK_EVERY);
        }
        let status = self.child.wait().expect("it is our child");
        let stdout = String::from_utf8_lossy(&fs::read(&self.out).expect("its output")).into_owned();
        Ran { status, stdout, stderr: self.stderr() }
    }
}

/// Sends a signal to a process of ours that runs.
pub fn signal(running: &Running, signal: Signal) {
    let pid = i32::try_from(running.pid()).ok().and_then(Pid::from_raw).expect("a process");
    kill_process(pid, signal).expect("it runs");
}

/// Waits for a condition.
#[track_caller]
pub fn wait<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "waited {} s in vain for {what}", limit.as_secs());
        std::thread::sleep(LOOK_EVERY);
    }
}

impl World {
    pub fn new() -> Self {
        // Short: sockets lie below it.
        let dir = tempfile::Builder::new().prefix("ao").tempdir().expect("a temporary directory");
        let (home, bin) = (dir.path().join("home"), dir.path().join("bin"));
        for made in [&home, &bin] {
            fs::create_dir(made).expect("a directory");
        }
        // The compiler itself, not rustup's proxy: that would look for a toolchain in the empty HOME.
        let cargo = PathBuf::from(std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into()));
        let toolchain = fs::canonicalize(cargo).expect("cargo runs this test");
        for tool in ["cargo", "rustc", "rustdoc"] {
            symlink(toolchain.with_file_name(tool), bin.join(tool)).expect("a link");
        }
        for program in PROGRAMS {
            symlink(which(program), bin.join(program)).expect("a link");
        }
        // A link of its own: a build that goes on meanwhile does not replace what is tested.
        let ao = bin.join("ao");
        let built = Path::new(env!("CARGO_BIN_EXE_ao"));
        if fs::hard_link(built, &ao).is_err() {
            fs::copy(built, &ao).expect("a copy of the binary");
        }
        Self { dir, bin, ao }
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A program on this world's PATH.
    pub fn bin(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// Any program with nothing in its environment but HOME, PATH and `AO_HOME`.
    pub fn program(&self, name: impl AsRef<OsStr>, home: &Path, cwd: &Path) -> Command {
        let mut command = Command::new(name);
        command.env_clear().env("HOME", self.path("home")).env("PATH", &self.bin).env("AO_HOME", home);
        command.current_dir(cwd).stdin(Stdio::null());
        command
    }

    /// `ao` with this data root.
    pub fn ao(&self, home: &Path, cwd: &Path) -> Command {
        self.program(&self.ao, home, cwd)
    }

    /// Starts a command.
    pub fn start(&self, mut command: Command) -> Running {
        let place = tempfile::tempdir_in(self.dir.path()).expect("a directory").keep();
        let (out, err) = (place.join("out"), place.join("err"));
        command.stdout(File::create(&out).expect("a file")).stderr(File::create(&err).expect("a file"));
        Running { child: command.spawn().expect("it starts"), out, err }
    }

    /// Runs a command to its end.
    #[track_caller]
    pub fn run(&self, command: Command) -> Ran {
        self.start(command).end(LIMIT)
    }

    /// Runs git and returns what it said.
    #[track_caller]
    pub fn git(&self, repository: &Path, args: &[&str]) -> String {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@invalid"];
        let mut command = self.program(self.bin("git"), &self.path("unused"), repository);
        command.args(identity).args(args);
        let ran = self.run(command);
        assert!(ran.status.success(), "git {args:?}: {}", ran.stderr);
        ran.stdout
    }

    /// Everything that still runs here: its environment or its working directory names this world.
    pub fn processes(&self) -> Vec<(i32, String)> {
        let ours = self.dir.path().to_str().expect("a path in UTF-8").as_bytes();
        let entries = fs::read_dir("/proc").expect("/proc");
        let ids = entries.flatten().filter_map(|e| e.file_name().to_str()?.parse::<i32>().ok());
        let ids = ids.filter(|id| u32::try_from(*id).is_ok_and(|id| id != std::process::id()));
        let of_ours = |id: &i32| {
            let environ = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
            // A zombie has no environment any more: it is somebody's to wait for, and runs nothing.
            environ.windows(ours.len()).any(|w| w == ours)
                || fs::read_link(format!("/proc/{id}/cwd")).is_ok_and(|cwd| cwd.starts_with(self.dir.path()))
        };
        let words = |id: i32| {
            let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            (id, String::from_utf8_lossy(&line).replace('\0', " "))
        };
        ids.filter(of_ours).map(words).collect()
    }

    /// Waits until nothing runs here any more. What is being ended when a command returns is gone in a moment.
    #[track_caller]
    pub fn must_be_empty(&self) {
        let until = Instant::now() + LIMIT;
        loop {
            let left = self.processes();
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < until, "left running: {left:#?}");
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // A test that failed may have left its daemon and its agents; each round finds what the last one's members started.
        for _ in 0..100 {
            let left = self.processes();
            if left.is_empty() {
                break;
            }
            for pid in left.into_iter().filter_map(|(id, _)| Pid::from_raw(id)) {
                // Gone already.
                let _ = kill_process(pid, Signal::KILL);
            }
            std::thread::sleep(LOOK_EVERY);
        }
        if std::thread::panicking() && std::env::var_os("AO_TEST_KEEP").is_some() {
            self.dir.disable_cleanup(true);
            eprintln!("kept: {}", self.dir.path().display());
        }
    }
}

fn which(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").expect("a PATH");
    let found = std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file());
    fs::canonicalize(found.unwrap_or_else(|| panic!("{program} is not installed"))).expect("it is there")
}
