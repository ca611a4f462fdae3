//! How long a newcomer waits: the first release build, and a test build after a change of the machine.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::benchmark::Benchmark;
use crate::figure::{Bar, Figure, Figures, Quantity};
use crate::stage::directory;

/// Seconds (issue A1: 6 min on two cores).
const MOST_FIRST: f64 = 360.0;
/// Seconds (issue A1).
const MOST_TOUCH: f64 = 45.0;
/// The file that the most depends on.
const TOUCHED: &str = "crates/core/src/machine.rs";
/// What is written there: a change that everything which depends on core must be built anew for.
const CHANGE: &str =
    "\n/// Nothing: a measurement of builds put it here.\n#[must_use]\npub const fn touched() -> u64 {\n    1\n}\n";

pub const BENCHMARK: Benchmark = Benchmark {
    name: "build",
    about: "a clone of the last commit: `cargo build --release` from nothing, and a test build after a change of core",
    by_default: false,
    run,
};

fn run(_: &Path, root: &Path) -> Result<Figures> {
    let place = directory()?;
    let clone = place.path().join("src");
    let cloned = Command::new("git").args(["clone", "--quiet", "--shared"]).arg(root).arg(&clone).status()?;
    if !cloned.success() {
        bail!("git clone failed");
    }
    let target = place.path().join("target");
    let first = cargo(&clone, &target, &["build", "--release", "--timings"])?;
    println!("first release build: {:.0} s", first.as_secs_f64());
    cargo(&clone, &target, &["test", "--workspace", "--no-run"])?;
    File::options().append(true).open(clone.join(TOUCHED))?.write_all(CHANGE.as_bytes())?;
    let changed = cargo(&clone, &target, &["test", "--workspace", "--no-run"])?;
    let name = format!("`cargo test --workspace --no-run` after a change of `{TOUCHED}`");
    Ok(vec![
        Figure::new("`cargo build --release` from nothing", Quantity::seconds(first)).bar(Bar::AtMost(MOST_FIRST)),
        Figure::new(name, Quantity::seconds(changed)).bar(Bar::AtMost(MOST_TOUCH)),
    ])
}

fn cargo(root: &Path, target: &Path, args: &[&str]) -> Result<Duration> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let begin = Instant::now();
    let status = Command::new(cargo)
        .args(args)
        .args(["--quiet", "--locked"])
        .current_dir(root)
        .env("CARGO_TARGET_DIR", target)
        .stdin(Stdio::null())
        .status()?;
    if !status.success() {
        bail!("cargo {} failed", args.join(" "));
    }
    Ok(begin.elapsed())
}
