//! Figures of the shipped binary, each beside a floor that was measured in the same run.
//!
//! `cargo run -p bench --release [NAME…] [-- OPTION…]`. It prints; only `--write` touches `docs/benchmarks.md`.

mod benchmark;
mod figure;
mod launch;
mod machine;
mod measure;
mod os;
mod page;
mod peer;
mod player;
mod process;
mod relay;
mod stage;
mod stream;
mod terminal;
mod trace;
mod web;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::benchmark::Benchmark;
use crate::figure::table;
use crate::machine::Machine;
use crate::measure::ALL;

const USAGE: &str = "usage: cargo run -p bench --release [NAME…] [-- --write] [--strict] [--build]
  NAME      version, list, http, idle-daemon, idle-200, new, worktree, reattach, idle-hosts, history, pty, echo, status, delivery;
            all of them when none is named
  --build   cargo build from nothing and a test build after touching core; only with it, takes many minutes
  --write   rewrite the parts of docs/benchmarks.md that were measured
  --peers   install what others made (packages of npm) into a temporary folder and measure it, too
  --strict  fail when a figure is over its bar
  --in DIR  put everything there instead of below /tmp: file systems differ; the path must be short
  --ao PATH measure this binary instead: another version, another way of linking";

/// What was asked for.
#[derive(Debug, Default)]
struct Wanted {
    names: Vec<String>,
    write: bool,
    strict: bool,
    ao: Option<PathBuf>,
}

fn main() -> ExitCode {
    // As the agent in a session of `delivery`.
    if let Some(notes) = std::env::var_os(ao_testkit::tui::NOTES) {
        return if ao_testkit::tui::play(Path::new(&notes)).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    // As the agent in a session of `status`.
    if let Some(recording) = std::env::var_os(player::RECORDING) {
        return if player::play(Path::new(&recording)).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<ExitCode> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.iter().any(|arg| arg == "--help" || arg == "-h") {
        println!("{USAGE}");
        return Ok(ExitCode::SUCCESS);
    }
    let wanted = wanted(&args)?;
    if cfg!(debug_assertions) && wanted.ao.is_none() {
        bail!("figures need the shipped build\n{USAGE}");
    }
    let benchmarks = chosen(&wanted.names)?;
    os::catch_interrupts();
    let root = workspace();
    let ao = match &wanted.ao {
        Some(ao) => ao.canonicalize().with_context(|| ao.display().to_string())?,
        None => build(&root)?,
    };
    let machine = Machine::look()?;
    println!("{}", machine.line());
    let mut over = 0;
    for benchmark in benchmarks {
        println!("\n## {}: {}", benchmark.name, benchmark.about);
        let figures = (benchmark.run)(&ao, &root).with_context(|| format!("benchmark {}", benchmark.name))?;
        let table = table(&figures);
        println!("\n{table}");
        over += figures.iter().filter(|figure| figure.is_over()).count();
        if wanted.write {
            page::write(&root, benchmark, &machine, &table)?;
        }
    }
    if over > 0 {
        println!("\n{over} over the bar");
    }
    Ok(if over > 0 && wanted.strict { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn wanted(args: &[String]) -> Result<Wanted> {
    let mut wanted = Wanted::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--ao" => wanted.ao = Some(args.next().with_context(|| format!("--ao needs a path\n{USAGE}"))?.into()),
            "--in" => stage::put_into(args.next().with_context(|| format!("--in needs a directory\n{USAGE}"))?.into()),
            "--write" => wanted.write = true,
            "--peers" => peer::allow_installing(),
            "--strict" => wanted.strict = true,
            "--build" => wanted.names.push("build".to_owned()),
            option if option.starts_with('-') => bail!("there is no option {option}\n{USAGE}"),
            name => wanted.names.push(name.to_owned()),
        }
    }
    if wanted.write && wanted.ao.is_some() {
        bail!("the page is about the binary of this workspace: --write and --ao exclude each other");
    }
    Ok(wanted)
}

fn chosen(names: &[String]) -> Result<Vec<&'static Benchmark>> {
    if names.is_empty() {
        return Ok(ALL.iter().filter(|benchmark| benchmark.by_default).collect());
    }
    let find = |name: &String| ALL.iter().find(|benchmark| benchmark.name == name);
    names.iter().map(|name| find(name).with_context(|| format!("there is no benchmark {name}\n{USAGE}"))).collect()
}

/// The workspace that this program was built from.
fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Builds the binary that ships, so that no old one is measured.
fn build(root: &Path) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo).args(["build", "--release", "-q", "-p", "ao"]).current_dir(root).status()?;
    if !status.success() {
        bail!("`cargo build --release -p ao` failed");
    }
    let ao = std::env::current_exe()?.with_file_name("ao");
    if !ao.is_file() {
        bail!("{} is not there; is the target directory another one?", ao.display());
    }
    Ok(ao)
}
