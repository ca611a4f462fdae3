//! `ao new` up to the agent's first byte, beside what nobody can do without: `git worktree add -b` and a program on a
//! terminal.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::benchmark::{Benchmark, timed};
use crate::figure::{Bar, Figure, Figures, Quantity, Unit, middle};
use crate::stage::Stage;
use crate::trace::{Call, Trace};
use crate::{launch, os, process, terminal};

const ROUNDS: usize = 21;
/// Rounds in which syncs are counted.
const TRACED: usize = 5;
/// Times the floor (issue A1).
const MOST_TIMES: f64 = 1.5;
/// Syncs up to the first byte (issue A1).
const MOST_SYNCS: f64 = 2.0;
/// Between two looks for the first byte: short beside what is measured, and 1 % of a core.
const LOOK: Duration = Duration::from_micros(200);
const LIMIT: Duration = Duration::from_secs(20);
/// The agent: one byte, then silence.
const AGENT: [&str; 3] = ["sh", "-c", "printf x; exec cat"];
const SYNCS: &str = "fsync,fdatasync,sync_file_range,syncfs,sync,execve";

pub const BENCHMARK: Benchmark = Benchmark {
    name: "new",
    about: "`ao new` to the agent's first byte, 120 files; floor: `git worktree add -b`, then the same program on a bare terminal (wall: medians of 21; CPU: means, everything until the daemon is at rest again)",
    by_default: true,
    run,
};

/// Time on the wall up to the first byte, and CPU time by who used it.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    wall: Duration,
    command_line: Duration,
    daemon: Duration,
    /// With what starts the host.
    git: Duration,
    /// With the agent.
    host: Duration,
}

impl Cost {
    fn cpu(self) -> Duration {
        self.command_line + self.daemon + self.git + self.host
    }
}

fn run(ao: &Path, _: &Path) -> Result<Figures> {
    let stage = Stage::with_daemon(ao)?;
    // The first one registers the project and warms everything up.
    let first = session(&stage, 1)?;
    bare(&stage, 0)?;
    println!("the first one of all: {:.1} ms", Quantity::milliseconds(first.wall).number);
    let (mut ours, mut bares) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        os::go_on()?;
        bares.push(bare(&stage, round + 1)?);
        ours.push(session(&stage, round + 2)?);
    }
    let wall = |costs: &[Cost]| Quantity::milliseconds(middle(&costs.iter().map(|cost| cost.wall).collect::<Vec<_>>()));
    let count = u32::try_from(ROUNDS).unwrap_or(1);
    let mean = |costs: &[Cost], part: fn(Cost) -> Duration| {
        Quantity::milliseconds(costs.iter().map(|&cost| part(cost)).sum::<Duration>() / count)
    };
    let part = |name: &str, part: fn(Cost) -> Duration| Figure::new(name, mean(&ours, part)).floor(mean(&bares, part));
    let added = |ours: Quantity, bares: Quantity| Quantity::new((ours.number - bares.number).max(0.0), ours.unit);
    let mut figures = vec![
        Figure::new("wall", wall(&ours)).floor(wall(&bares)).bar(Bar::Times(MOST_TIMES)),
        Figure::new("wall, without what git and a bare terminal need", added(wall(&ours), wall(&bares))),
        part("CPU", Cost::cpu).bar(Bar::Times(MOST_TIMES)),
        Figure::new(
            "CPU, without that of git and a bare agent",
            added(mean(&ours, Cost::cpu), mean(&bares, Cost::cpu)),
        ),
        part("of that the command line", |cost| cost.command_line),
        part("of that the daemon", |cost| cost.daemon),
        part("of that git, and starting the host", |cost| cost.git),
        part("of that host and agent", |cost| cost.host),
    ];
    figures.extend(syncs(&stage, ROUNDS + 2)?);
    Ok(figures)
}

/// Wall of a new session beside git alone, in a repository of any size.
pub(super) fn beside_git(stage: &Stage, rounds: usize, most_times: f64) -> Result<Figures> {
    session(stage, 1)?;
    bare(stage, 0)?;
    let (mut ours, mut bares) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        os::go_on()?;
        bares.push(bare(stage, round + 1)?);
        ours.push(session(stage, round + 2)?);
    }
    let wall = |costs: &[Cost]| Quantity::milliseconds(middle(&costs.iter().map(|cost| cost.wall).collect::<Vec<_>>()));
    let cpu = |costs: &[Cost]| Quantity::milliseconds(middle(&costs.iter().map(|cost| cost.cpu()).collect::<Vec<_>>()));
    Ok(vec![
        Figure::new("wall", wall(&ours)).floor(wall(&bares)).bar(Bar::Times(most_times)),
        Figure::new("CPU", cpu(&ours)).floor(cpu(&bares)),
    ])
}

/// One session from the command line on.
fn session(stage: &Stage, ordinal: usize) -> Result<Cost> {
    let daemon = stage.daemon()?;
    stage.rest()?;
    let before = (os::cpu_clock(daemon)?, process::children_cpu(daemon)?);
    let mut args = vec!["new", "--agent", "shell", "--no-prompt", "--json", "--"];
    args.extend(AGENT);
    let begin = Instant::now();
    let child = stage.command(&args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let wall = first_byte(stage, ordinal, begin)?;
    let usage = os::wait(child.id())?;
    if usage.status != 0 {
        bail!("`ao new` ended with status {}", usage.status);
    }
    stage.rest()?;
    let hosts = launch::all_below(&stage.data());
    let host = hosts.iter().max_by_key(|host| host.started_ms).context("a host")?;
    Ok(Cost {
        wall,
        command_line: usage.cpu,
        daemon: os::cpu_clock(daemon)?.saturating_sub(before.0),
        git: process::children_cpu(daemon)?.saturating_sub(before.1),
        host: os::cpu_clock(host.pid)? + os::cpu_clock(host.child_pid)?,
    })
}

/// Waits until the session's output log holds a byte.
fn first_byte(stage: &Stage, ordinal: usize, begin: Instant) -> Result<Duration> {
    let mut log: Option<PathBuf> = None;
    loop {
        log = log.or_else(|| log_of(stage, ordinal));
        if let Some(log) = &log
            && std::fs::metadata(log).is_ok_and(|file| file.len() > 0)
        {
            return Ok(begin.elapsed());
        }
        if begin.elapsed() > LIMIT {
            bail!("the agent said nothing within {LIMIT:?}");
        }
        os::go_on()?;
        std::thread::sleep(LOOK);
    }
}

/// The first segment of the log of the session with this number, as soon as its project is known.
fn log_of(stage: &Stage, ordinal: usize) -> Option<PathBuf> {
    let ending = format!("-{ordinal}.d");
    for project in std::fs::read_dir(stage.data()).ok()?.flatten() {
        for session in std::fs::read_dir(project.path().join("sessions")).into_iter().flatten().flatten() {
            if session.file_name().to_string_lossy().ends_with(&ending) {
                return Some(session.path().join("1/out-0.log"));
            }
        }
    }
    None
}

/// What remains when everything but git and the program is left out.
fn bare(stage: &Stage, ordinal: usize) -> Result<Cost> {
    let path = stage.root().join(format!("bare-{ordinal}"));
    let branch = format!("bare-{ordinal}");
    let begin = Instant::now();
    let mut add = stage.bare(Path::new("git"));
    add.args(["worktree", "add", "--quiet", "--no-track", "-b", &branch]).arg(&path).arg("main");
    let (_, git) = timed(&mut add)?;
    let (host_end, program_end) = terminal::open()?;
    let mut agent = stage.bare(Path::new(AGENT[0]));
    agent.args(&AGENT[1..]).current_dir(&path);
    terminal::attach(&mut agent, program_end)?;
    let child = agent.spawn()?;
    // The command holds the program's end of the terminal open.
    drop(agent);
    let mut byte = [0];
    std::fs::File::from(host_end).read_exact(&mut byte)?;
    let wall = begin.elapsed();
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        kill_process(pid, Signal::KILL)?;
    }
    let agent = os::wait(child.id())?;
    Ok(Cost { wall, git: git.cpu, host: agent.cpu, ..Cost::default() })
}

/// Counts who syncs how often until the agent has spoken.
fn syncs(stage: &Stage, first: usize) -> Result<Figures> {
    let (mut ours, mut gits) = (Vec::new(), Vec::new());
    for round in 0..TRACED {
        let trace = match Trace::attach(stage.daemon()?, SYNCS, &stage.root().join("syncs")) {
            Ok(trace) => trace,
            Err(error) => {
                println!("syncs were not counted: {error:#}");
                return Ok(Figures::new());
            }
        };
        session(stage, first + round)?;
        let calls = trace.detach()?;
        let (git, ao): (Vec<&Call>, Vec<&Call>) =
            calls.iter().filter(|call| call.name != "execve").partition(|call| is_git(&calls, call.by));
        ours.push(ao.len() as f64);
        gits.push(git.len() as f64);
    }
    let count = |values: &[f64]| Quantity::new(middle(values), Unit::Count);
    Ok(vec![
        Figure::new("syncs of daemon and host", count(&ours)).bar(Bar::AtMost(MOST_SYNCS)),
        Figure::new("syncs of git, as its own defaults have it", count(&gits)),
    ])
}

/// Whether a process became git.
fn is_git(calls: &[Call], pid: u32) -> bool {
    let mut programs = calls.iter().filter(|call| call.by == pid).filter_map(|call| call.program.as_deref());
    programs.any(|program| Path::new(program).file_name().is_some_and(|name| name == "git"))
}
