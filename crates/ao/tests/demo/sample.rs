//! A small repository whose check is a shell script, with an agent that follows a script: a whole `ao fix` takes seconds.

use crate::journal::Journal;
use crate::world::{LIMIT, Ran, Running, World};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// Fails as long as the part is not good. The exit code is all that is read of it: one failure, one session.
const CHECK: &str =
    "read -r word <part && test \"$word\" = good && echo all is well || { echo the part is bad; exit 1; }\n";

/// A repository, a data root, and what is run on them.
pub struct Sample {
    pub world: World,
    pub repository: PathBuf,
    pub home: PathBuf,
    pub journal: Journal,
}

/// The step that mends the sample.
pub const MENDS: &str = r#"{"when": {"all": ["Fix this failure"]}, "say": "mended", "edits": [{"file": "part", "write": "good\n"}], "commit": "Mend the part"}"#;

impl Sample {
    /// The sample with the answers of its agent.
    pub fn new(steps: &str) -> Self {
        let world = World::new();
        let (repository, home) = (world.path("r"), world.path("h"));
        fs::create_dir(&repository).expect("a directory");
        for (file, text) in [("check.sh", CHECK), ("part", "bad\n"), ("other", "as it was\n")] {
            fs::write(repository.join(file), text).expect("a file");
        }
        world.git(&repository, &["init", "--quiet", "--initial-branch=main"]);
        world.git(&repository, &["add", "--all"]);
        world.git(&repository, &["commit", "--quiet", "--message=first"]);
        fs::write(world.path("script.json"), format!("{{\"steps\": [{steps}]}}")).expect("a file");
        let journal = Journal::follow(&home);
        Self { world, repository, home, journal }
    }

    /// A configuration beside the repository, and `ao` told of it.
    pub fn configure(&self, text: &str) {
        fs::write(self.world.path("config.yaml"), text).expect("a file");
    }

    pub fn ao(&self, args: &[&str]) -> Command {
        let mut command = self.world.ao(&self.home, &self.repository);
        command.args(args);
        let config = self.world.path("config.yaml");
        if config.exists() {
            command.env("AO_CONFIG", config);
        }
        command
    }

    /// `ao fix` with the scripted agent.
    pub fn fix_command(&self, check: &str) -> Command {
        let mut command = self.ao(&["fix", "--check", check, "--agent", "scripted", "--", "--script"]);
        command.arg(self.world.path("script.json")).arg("--log").arg(self.world.path("prompts.jsonl"));
        command
    }

    #[track_caller]
    pub fn fix(&self, check: &str) -> Ran {
        self.world.run(self.fix_command(check))
    }

    pub fn start_fix(&self) -> Running {
        self.world.start(self.fix_command("sh check.sh"))
    }

    /// What `main` holds of a file.
    #[track_caller]
    pub fn on_main(&self, file: &str) -> String {
        self.world.git(&self.repository, &["show", &format!("main:{file}")])
    }

    pub fn value_of_main(&self) -> String {
        self.world.git(&self.repository, &["rev-parse", "main"])
    }

    /// The most memory that the daemon has had in RAM, in bytes.
    pub fn peak_of_daemon(&self) -> u64 {
        let text = fs::read(self.home.join("daemon.json")).expect("a daemon runs");
        let file: ao_api::project::DaemonFile = serde_json::from_slice(&text).expect("its file");
        let status = fs::read_to_string(format!("/proc/{}/status", file.pid)).expect("a daemon runs");
        let peak =
            status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse::<u64>().ok());
        peak.expect("Linux says it") * 1024
    }

    /// Our worktrees that git knows: those of sessions and the scratch checkouts.
    fn registered(&self) -> Vec<String> {
        let all = self.world.git(&self.repository, &["worktree", "list", "--porcelain"]);
        let ours = self.home.to_string_lossy().into_owned();
        all.lines().filter(|l| l.starts_with("worktree ") && l.contains(&ours)).map(str::to_owned).collect()
    }

    /// The daemon removes scratch checkouts behind the back of whoever waits for a run: this waits for it.
    #[track_caller]
    fn must_unregister(&self) {
        let until = Instant::now() + LIMIT;
        while !self.registered().is_empty() {
            assert!(Instant::now() < until, "worktrees stay registered: {:?}", self.registered());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Takes everything down as a person would, and looks for what should not be there any more.
    #[track_caller]
    pub fn leave_nothing(mut self) {
        self.world.run(self.ao(&["stop", "--all", "--cleanup"])).must(0);
        self.world.run(self.ao(&["cleanup", "--ended"])).must(0);
        self.must_unregister();
        self.world.run(self.ao(&["daemon", "stop"])).must(0);
        self.journal.look();
        self.world.must_be_empty();
        let run = self.home.join("run");
        let sockets: Vec<_> =
            fs::read_dir(&run).expect("the directory of sockets").flatten().map(|e| e.path()).collect();
        assert!(sockets.is_empty(), "sockets are left: {sockets:?}");
        assert!(!self.home.join("daemon.json").exists(), "a daemon that is gone is announced");
        let git = self.repository.join(".git");
        let locks: Vec<_> =
            files_below(&git).into_iter().filter(|f| f.extension().is_some_and(|e| e == "lock")).collect();
        assert!(locks.is_empty(), "locks are left: {locks:?}");
        assert_eq!(self.registered(), Vec::<String>::new(), "worktrees are left");
        let lost = self.world.git(&self.repository, &["worktree", "prune", "--dry-run", "--verbose"]);
        assert_eq!(lost, "", "registrations are left of worktrees that are gone");
    }
}

fn files_below(dir: &std::path::Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("a directory").flatten();
    entries.flat_map(|e| if e.path().is_dir() { files_below(&e.path()) } else { vec![e.path()] }).collect()
}
