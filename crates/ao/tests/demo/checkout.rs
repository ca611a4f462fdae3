//! An independent checkout of the demo's repository: a clone that `ao` knows nothing of, and the whole gate run in it.

use crate::play::Play;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The clone.
pub struct Checkout<'a> {
    play: &'a Play,
    dir: PathBuf,
}

/// What the gate said about one commit.
pub struct Gate {
    pub passed: bool,
    /// Names of the tests that failed, read from the tool's own lines and not by the product's readers.
    pub failed: BTreeSet<String>,
}

impl<'a> Checkout<'a> {
    pub fn new(play: &'a Play) -> Self {
        let dir = play.world.path("independent");
        let repository = play.repository();
        let from = repository.to_str().expect("a path in UTF-8");
        play.world.git(&play.world.path("."), &["clone", "--quiet", "--no-local", from, "independent"]);
        Self { play, dir }
    }

    /// Every value of `main` since the first one, oldest first, as the repository itself remembers them.
    pub fn values_of_main(&self) -> Vec<String> {
        let reflog = self.play.world.git(&self.play.repository(), &["log", "--walk-reflogs", "--format=%H", "main"]);
        let mut values: Vec<String> = reflog.lines().map(str::to_owned).collect();
        values.reverse();
        values
    }

    /// Runs the whole gate on a commit.
    pub fn gate(&self, commit: &str) -> Gate {
        self.play.world.git(&self.dir, &["checkout", "--quiet", "--detach", commit]);
        let mut check = self.play.world.program(self.play.world.bin("cargo"), &self.play.home(), &self.dir);
        check.args(["test", "--offline", "--no-fail-fast"]);
        let ran = self.play.world.run(check);
        let failed = ran.stdout.lines().filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"));
        Gate { passed: ran.status.success(), failed: failed.map(str::to_owned).collect() }
    }
}
