//! One demo, followed from outside while it plays: its journal, its prompts, and what it leaves behind.

use crate::journal::Journal;
use crate::prompts::Prompts;
use crate::world::{LIMIT, Ran, Running, World, signal};
use rustix::process::Signal;
use std::path::PathBuf;
use std::process::Command;

/// A demo that runs or ran.
pub struct Play {
    pub world: World,
    pub dir: PathBuf,
    pub journal: Journal,
    pub prompts: Prompts,
    running: Option<Running>,
}

impl Play {
    /// Starts `ao demo --dir DIR` with further arguments.
    pub fn start(args: &[&str]) -> Self {
        let world = World::new();
        let dir = world.path("d");
        let mut command = world.ao(&world.path("unused"), &world.path("home"));
        // A fresh machine has no such variable.
        command.env_remove("AO_HOME").arg("demo").arg("--dir").arg(&dir).args(args);
        let running = Some(world.start(command));
        let (journal, prompts) = (Journal::follow(&dir.join("home")), Prompts::follow(&dir.join("prompts.jsonl")));
        Self { world, dir, journal, prompts, running }
    }

    pub fn home(&self) -> PathBuf {
        self.dir.join("home")
    }

    pub fn repository(&self) -> PathBuf {
        self.dir.join("shop")
    }

    /// `ao` on the demo's own data root.
    pub fn ao(&self, args: &[&str]) -> Command {
        let mut command = self.world.ao(&self.home(), &self.repository());
        command.args(args);
        command
    }

    /// Reads what is new; false once the demo has ended.
    pub fn look(&mut self) -> bool {
        let over = self.running.as_mut().is_none_or(Running::finished);
        // After the look at the process: what it left is then read whole.
        self.journal.look();
        self.prompts.look();
        !over
    }

    /// What it has said so far.
    pub fn said(&self) -> String {
        self.running.as_ref().map(Running::stderr).unwrap_or_default()
    }

    /// Presses Ctrl-C.
    pub fn interrupt(&self) {
        let running = self.running.as_ref().expect("it was started");
        signal(running, Signal::INT);
    }

    /// Follows it to its end.
    #[track_caller]
    pub fn end(&mut self) -> Ran {
        let begun = std::time::Instant::now();
        while self.look() {
            assert!(begun.elapsed() < LIMIT, "the demo does not end; it said:\n{}", self.said());
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        self.running.take().expect("it was started").end(LIMIT)
    }

    /// Everything of a demo that was kept is taken down, as the demo itself says how.
    #[track_caller]
    pub fn take_down(&mut self) {
        self.world.run(self.ao(&["stop", "--all"])).must(0);
        self.world.run(self.ao(&["daemon", "stop"])).must(0);
        self.journal.look();
        self.world.must_be_empty();
    }
}
