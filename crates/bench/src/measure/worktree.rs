//! A new session in a repository of 20,000 files, beside `git worktree add` and the same program on a terminal.

use std::path::Path;

use anyhow::Result;

use super::new::beside_git;
use crate::benchmark::Benchmark;
use crate::figure::Figures;
use crate::stage::Stage;

/// Files of the repository (issue B).
const FILES: usize = 20_000;
const ROUNDS: usize = 7;
/// Times bare git (issue B).
const MOST_TIMES: f64 = 1.1;

pub const BENCHMARK: Benchmark = Benchmark {
    name: "worktree",
    about: "`ao new` to the agent's first byte in a repository of 20,000 files; beside `git worktree add -b`, then the same program on a bare terminal (wall: medians of 7, taking turns)",
    by_default: true,
    run,
};

fn run(ao: &Path, _: &Path) -> Result<Figures> {
    let stage = Stage::sized(ao, FILES)?;
    beside_git(&stage, ROUNDS, MOST_TIMES)
}
