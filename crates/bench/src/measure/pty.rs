//! How fast a host drains a terminal that floods, beside a loop that only reads.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::benchmark::Benchmark;
use crate::figure::{Figure, Figures, Quantity, Unit, middle};
use crate::launch::Launch;
use crate::stage::directory;
use crate::stream::Stream;
use crate::{os, terminal};

/// Bytes of each stream.
const BYTES: usize = 32 << 20;
const ROUNDS: usize = 3;
/// Bytes per read: the terminal never has more at once.
const READ: usize = 4096;

pub const BENCHMARK: Benchmark = Benchmark {
    name: "pty",
    about: "32 MB through a host with log and screen; floor: a loop that reads the same from a bare terminal (medians of 3; × floor below 1 is slower for MB/s)",
    by_default: true,
    run,
};

/// One drain.
#[derive(Clone, Copy, Debug, Default)]
struct Drain {
    wall: Duration,
    /// Of the reader alone.
    cpu: Duration,
}

fn run(ao: &Path, _: &Path) -> Result<Figures> {
    let root = directory()?;
    let mut figures = Figures::new();
    for stream in Stream::ALL {
        let file = root.path().join(stream.name());
        fs::write(&file, stream.bytes(BYTES))?;
        let (mut hosts, mut bares) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            os::go_on()?;
            bares.push(bare(&file)?);
            hosts.push(host(ao, root.path(), &format!("{}{round}", stream.name()), &file)?);
        }
        let speed = |drains: &[Drain]| {
            let wall = middle(&drains.iter().map(|drain| drain.wall).collect::<Vec<_>>());
            Quantity::new(megabytes() / wall.as_secs_f64(), Unit::MegabytesPerSecond)
        };
        let cpu = |drains: &[Drain]| {
            let cpu = middle(&drains.iter().map(|drain| drain.cpu).collect::<Vec<_>>());
            Quantity::new(cpu.as_secs_f64() * 1000.0 / megabytes(), Unit::MillisecondsPerMegabyte)
        };
        figures.push(Figure::new(format!("{}, drained", stream.name()), speed(&hosts)).floor(speed(&bares)));
        figures.push(Figure::new(format!("{}, CPU of the reader", stream.name()), cpu(&hosts)).floor(cpu(&bares)));
        fs::remove_file(&file)?;
    }
    Ok(figures)
}

const fn megabytes() -> f64 {
    BYTES as f64 / (1 << 20) as f64
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

fn bare(file: &Path) -> Result<Drain> {
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
