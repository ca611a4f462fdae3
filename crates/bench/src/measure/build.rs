//! How long a newcomer waits: the first release build, and a test build after a change of the machine.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

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

pub const BENCHMARK: Benchmark = Benchmark {
    name: "build",
    about: "`cargo build --release` from nothing, and `cargo test --workspace --no-run` after touching core",
    by_default: false,
    run,
};

fn run(_: &Path, root: &Path) -> Result<Figures> {
    let target = directory()?;
    let first = cargo(root, target.path(), &["build", "--release", "--timings"])?;
    println!("first release build: {:.0} s", first.as_secs_f64());
    cargo(root, target.path(), &["test", "--workspace", "--no-run"])?;
    let file = std::fs::File::options().write(true).open(root.join(TOUCHED))?;
    file.set_modified(SystemTime::now())?;
    drop(file);
    let touched = cargo(root, target.path(), &["test", "--workspace", "--no-run"])?;
    Ok(vec![
        Figure::new("`cargo build --release` from nothing", Quantity::seconds(first)).bar(Bar::AtMost(MOST_FIRST)),
        Figure::new(
            format!("`cargo test --workspace --no-run` after touching `{TOUCHED}`"),
            Quantity::seconds(touched),
        )
        .bar(Bar::AtMost(MOST_TOUCH)),
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
