//! How fast a host takes in the output of a program that floods, beside a loop that only reads, and beside others.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::Result;

use crate::benchmark::Benchmark;
use crate::figure::{Bar, Figure, Figures, Quantity, Unit, middle};
use crate::launch::Launch;
use crate::peer::{Drain, Node, Tmux};
use crate::stage::directory;
use crate::stream::Stream;
use crate::{os, terminal};

/// Bytes of each stream.
const BYTES: usize = 32 << 20;
/// Bytes of each stream for pty-manager, which takes seconds for these.
const FEW: usize = 4 << 20;
const ROUNDS: usize = 5;
/// Bytes per read: the terminal never has more at once.
const READ: usize = 4096;
/// Of the speed of the bare loop, with the live region of an agent (issue B).
const LOOP_TIMES: f64 = 0.5;
/// Of the speed of pty-manager (issue B).
const PTY_MANAGER_TIMES: f64 = 3.0;

pub const BENCHMARK: Benchmark = Benchmark {
    name: "pty",
    about: "32 MB through a host with screen, output log and 10,000 rows of history on disk, beside a loop that only reads, tmux (detached, the same history), node-pty with @xterm/headless, and pty-manager (4 MB); medians of 5, taking turns; × above 1 is faster for MB/s",
    by_default: true,
    run,
};

/// Of the speed of tmux (issue B).
const fn tmux_times(stream: Stream) -> f64 {
    match stream {
        Stream::Plain => 1.0,
        Stream::Tui | Stream::Unicode => 3.0,
    }
}

/// Who takes the output in.
#[derive(Debug)]
struct Contender {
    name: &'static str,
    megabytes: f64,
    drains: Vec<Drain>,
}

impl Contender {
    const fn new(name: &'static str, bytes: usize) -> Self {
        Self { name, megabytes: bytes as f64 / (1 << 20) as f64, drains: Vec::new() }
    }

    fn speed(&self) -> Quantity {
        let wall = middle(&self.drains.iter().map(|drain| drain.wall).collect::<Vec<_>>());
        Quantity::new(self.megabytes / wall.as_secs_f64(), Unit::MegabytesPerSecond)
    }

    fn cpu(&self) -> Quantity {
        let cpu = middle(&self.drains.iter().map(|drain| drain.cpu).collect::<Vec<_>>());
        Quantity::new(cpu.as_secs_f64() * 1000.0 / self.megabytes, Unit::MillisecondsPerMegabyte)
    }
}

fn run(ao: &Path, _: &Path) -> Result<Figures> {
    let root = directory()?;
    let (tmux, node) = (Tmux::start(root.path())?, Node::install(root.path())?);
    let mut figures = Figures::new();
    for stream in Stream::ALL {
        let file = root.path().join(stream.name());
        let few = root.path().join("few");
        fs::write(&file, stream.bytes(BYTES))?;
        fs::write(&few, stream.bytes(FEW))?;
        let mut ours = Contender::new("host", BYTES);
        let mut others = [
            Contender::new("bare loop", BYTES),
            Contender::new("tmux", BYTES),
            Contender::new("@xterm/headless", BYTES),
            Contender::new("pty-manager", FEW),
        ];
        for round in 0..ROUNDS {
            os::go_on()?;
            let [bare_loop, tmux_server, headless, manager] = &mut others;
            bare_loop.drains.push(bare(&file)?);
            ours.drains.push(host(ao, root.path(), &format!("{}{round}", stream.name()), &file)?);
            if let Some(tmux) = &tmux {
                tmux_server.drains.push(tmux.drain(&file)?);
            }
            if let Some(node) = &node {
                headless.drains.push(node.xterm_headless(&file)?);
                manager.drains.push(node.pty_manager(&few)?);
            }
        }
        figures.extend(compared(stream, &ours, &others));
        fs::remove_file(&file)?;
    }
    Ok(figures)
}

fn compared(stream: Stream, ours: &Contender, others: &[Contender]) -> Figures {
    let there: Vec<&Contender> = others.iter().filter(|other| !other.drains.is_empty()).collect();
    let speeds = there.iter().map(|other| {
        let what = format!("{}, beside {}", stream.name(), other.name);
        let figure = Figure::new(what, ours.speed()).floor(other.speed());
        match (other.name, stream) {
            ("bare loop", Stream::Tui) => figure.bar(Bar::AtLeastTimes(LOOP_TIMES)),
            ("tmux", _) => figure.bar(Bar::AtLeastTimes(tmux_times(stream))),
            ("pty-manager", _) => figure.bar(Bar::AtLeastTimes(PTY_MANAGER_TIMES)),
            _ => figure,
        }
    });
    let cpu = there.iter().map(|other| {
        Figure::new(format!("{}, CPU, beside {}", stream.name(), other.name), ours.cpu()).floor(other.cpu())
    });
    speeds.chain(cpu).collect()
}

fn host(ao: &Path, root: &Path, name: &str, file: &Path) -> Result<Drain> {
    let begin = Instant::now();
    let mut launch = Launch::start(ao, root, name, &["/bin/cat", &file.to_string_lossy()])?;
    launch.ended()?;
    let wall = begin.elapsed();
    let cpu = os::cpu_clock(launch.pid())?;
    drop(launch);
    // 64 MB of log each would fill a small /tmp.
    fs::remove_dir_all(root.join(name))?;
    Ok(Drain { wall, cpu })
}

fn bare(file: &PathBuf) -> Result<Drain> {
    let me = std::process::id();
    let (before, begin) = (os::cpu_clock(me)?, Instant::now());
    let (host_end, program_end) = terminal::open()?;
    let mut cat = Command::new("/bin/cat");
    cat.arg(file);
    terminal::attach(&mut cat, program_end)?;
    let mut child = cat.spawn()?;
    drop(cat);
    let mut reader = fs::File::from(host_end);
    let mut bytes = [0; READ];
    loop {
        match reader.read(&mut bytes) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // EIO: nobody has the other end open any more.
            Err(_) => break,
        }
    }
    let (wall, cpu) = (begin.elapsed(), os::cpu_clock(me)?.saturating_sub(before));
    child.wait()?;
    Ok(Drain { wall, cpu })
}
