//! A repository and a data root of their own, the real `ao` in them, and a look at everything that is left of it.

use ao_host::discover::{Found, discover};
use ao_host::platform::start_ticks;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Longer than anything here takes on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Between two looks at a condition.
const LOOK_EVERY: Duration = Duration::from_millis(5);

pub struct World {
    dir: tempfile::TempDir,
    ao: PathBuf,
    pub home: PathBuf,
    pub repo: PathBuf,
}

/// A daemon that was started, maybe not ready yet, maybe another's second.
pub struct Daemon {
    child: Child,
}

impl World {
    pub fn new() -> Self {
        // Short: sockets lie in it.
        let dir = tempfile::Builder::new().prefix("ao").tempdir_in("/tmp").unwrap();
        let root = fs::canonicalize(dir.path()).unwrap();
        let (home, repo, ao) = (root.join("h"), root.join("app"), root.join("ao"));
        for made in [&repo, &root.join("user"), &root.join("parts")] {
            fs::create_dir(made).unwrap();
        }
        // A link of its own: a build that goes on meanwhile does not replace what is tested.
        let built = Path::new(env!("CARGO_BIN_EXE_ao"));
        if fs::hard_link(built, &ao).is_err() {
            fs::copy(built, &ao).unwrap();
        }
        let world = Self { dir, ao, home, repo };
        world.git(&["init", "--quiet", "--initial-branch=main"]);
        world.git(&["commit", "--quiet", "--allow-empty", "--message=First"]);
        world
    }

    /// Where the parts leave their notes.
    pub fn parts(&self) -> PathBuf {
        fs::canonicalize(self.dir.path()).unwrap().join("parts")
    }

    fn program(&self, name: &Path) -> Command {
        let mut command = Command::new(name);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.dir.path().join("user"))
            .env("AO_HOME", &self.home)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("LANG", "C.UTF-8")
            .env("AO_PLACES", "200")
            .current_dir(&self.repo)
            .stdin(Stdio::null());
        command
    }

    pub fn git(&self, args: &[&str]) -> String {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "commit.gpgsign=false"];
        let ran = self.program(Path::new("git")).args(identity).args(args).output().unwrap();
        assert!(ran.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    }

    /// `ao`, not begun yet.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.program(&self.ao);
        command.args(args);
        command
    }

    /// Calls `ao`.
    pub fn ao(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Calls `ao`, which must work.
    #[track_caller]
    pub fn must(&self, args: &[&str]) -> String {
        let ran = self.ao(args);
        let err = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "ao {args:?}: {err}\n{}", self.log());
        String::from_utf8(ran.stdout).unwrap()
    }

    /// The daemon's log, for whoever reads of a failure.
    fn log(&self) -> String {
        fs::read_to_string(self.home.join("daemon.log")).unwrap_or_default()
    }

    /// Starts a daemon as `ao` does.
    pub fn daemon(&self) -> Daemon {
        fs::create_dir_all(&self.home).unwrap();
        let log = fs::File::options().append(true).create(true).open(self.home.join("daemon.log")).unwrap();
        let mut command = self.command(&["daemon", "run", "--detached", "--port-from", "3000"]);
        Daemon { child: command.stdout(Stdio::piped()).stderr(log).spawn().unwrap() }
    }

    /// Kills whatever daemon has the data root, by the file that names it.
    pub fn kill_named(&self) -> bool {
        let Ok(text) = fs::read(self.home.join("daemon.json")) else { return false };
        let Ok(file) = serde_json::from_slice::<Value>(&text) else { return false };
        let id = u32::try_from(file["pid"].as_u64().unwrap()).unwrap();
        let runs = || start_ticks(id) == file["started"].as_u64();
        let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
        let killed = runs() && pid.is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok());
        until("the end of the daemon", || !(killed && runs()));
        killed
    }

    /// Every launch there is.
    pub fn launches(&self) -> Vec<Found> {
        discover(&self.home).unwrap()
    }

    /// Sockets in the run directory.
    pub fn sockets(&self) -> Vec<String> {
        let entries = fs::read_dir(self.home.join("run")).unwrap().flatten();
        let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    /// Everything that still runs here: its environment or its working directory names this world.
    pub fn processes(&self) -> Vec<(u32, String)> {
        let ours = self.dir.path().to_str().unwrap().as_bytes();
        let ids = fs::read_dir("/proc").unwrap().flatten().filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
        let of_ours = |id: &u32| {
            let environ = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
            // Hosts have an empty environment: their arguments name this world.
            let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            [environ, line].iter().any(|text| text.windows(ours.len()).any(|w| w == ours))
        };
        let words = |id: u32| {
            (
                id,
                String::from_utf8_lossy(&fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default())
                    .replace('\0', " "),
            )
        };
        ids.filter(|id| *id != std::process::id()).filter(of_ours).map(words).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // A test that failed may have left everything running; each round finds what the last one's members started.
        let begun = Instant::now();
        while begun.elapsed() < LIMIT {
            let left = self.processes();
            if left.is_empty() {
                break;
            }
            for pid in left.into_iter().filter_map(|(id, _)| i32::try_from(id).ok().and_then(Pid::from_raw)) {
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

impl Daemon {
    /// Waits until it says that it serves, or that another one has the data root.
    pub fn ready(&mut self) {
        let mut line = String::new();
        if let Some(out) = self.child.stdout.take() {
            BufReader::new(out).read_line(&mut line).unwrap();
        }
        assert!(!line.contains("failed"), "{line}");
    }

    /// Kills it, whatever it is doing.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Waits until something holds.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < LIMIT, "not within {LIMIT:?}: {what}");
        std::thread::sleep(LOOK_EVERY);
    }
}
