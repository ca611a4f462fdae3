//! 200 idle sessions: memory, threads and system calls of daemon and hosts together.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::benchmark::Benchmark;
use crate::figure::{Bar, Figure, Figures, Quantity, Unit, middle};
use crate::stage::Stage;
use crate::trace::{Trace, by_name};
use crate::{os, process};

/// Sessions that there are (issue B), and how many there are when threads are counted first.
const SESSIONS: usize = 200;
const FEW: usize = 10;
/// How long is looked at it (issue B).
const WINDOW: Duration = Duration::from_secs(60);
/// Threads that were needed for starting leave after 10 s without work.
const REST: Duration = Duration::from_secs(12);
/// Megabytes, everything together (issue B; the aim is 60).
const MOST_MB: f64 = 120.0;
/// System calls a second, everything together (issue B).
const MOST_CALLS: f64 = 1.0;

pub const BENCHMARK: Benchmark = Benchmark {
    name: "idle-200",
    about: "a daemon and the hosts of 200 idle sessions, traced together for 60 s",
    by_default: true,
    run,
};

fn run(ao: &Path, _: &Path) -> Result<Figures> {
    let stage = Stage::with_daemon(ao)?;
    stage.idle_sessions(FEW)?;
    os::pass(REST)?;
    let daemon = stage.daemon()?;
    let few = process::threads(daemon)?.0 as f64;
    let hosts = stage.more_sessions(SESSIONS - FEW)?;
    os::pass(REST)?;
    let each = hosts.iter().map(|host| Ok(process::memory(host.pid)?.pss)).collect::<Result<Vec<_>>>()?;
    let daemons = process::memory(daemon)?.pss;
    let threads = process::threads(daemon)?.0 as f64;
    let most = hosts.iter().map(|host| process::thread_ids(host.pid).len()).max().unwrap_or(0) as f64;
    let all = each.iter().sum::<f64>() + daemons;
    let count = |number| Quantity::new(number, Unit::Count);
    let mut figures = vec![
        Figure::new("proportional memory, everything together", Quantity::megabytes(all)).bar(Bar::AtMost(MOST_MB)),
        Figure::new("of that the daemon", Quantity::megabytes(daemons)),
        Figure::new("of that a host, median", Quantity::megabytes(middle(&each))),
        Figure::new("threads of the daemon, beside those with 10 sessions", count(threads))
            .floor(count(few))
            .bar(Bar::Times(1.0)),
        Figure::new("threads of a host, at most", count(most)).bar(Bar::AtMost(1.0)),
    ];
    let pids = hosts.iter().map(|host| host.pid).chain([daemon]).collect();
    figures.extend(calls(&stage, pids)?);
    Ok(figures)
}

/// System calls of all of them; none where tracing is not possible, which is said.
fn calls(stage: &Stage, pids: Vec<u32>) -> Result<Option<Figure>> {
    let trace = match Trace::attach_all(pids, "all", &stage.root().join("calls")) {
        Ok(trace) => trace,
        Err(error) => {
            println!("system calls were not counted: {error:#}");
            return Ok(None);
        }
    };
    let begin = Instant::now();
    os::pass(WINDOW)?;
    let calls = trace.detach()?;
    let seconds = begin.elapsed().as_secs_f64();
    for (name, count) in by_name(&calls) {
        println!("{count:6} {name} in {seconds:.0} s");
    }
    let calls = Quantity::new(calls.len() as f64 / seconds, Unit::PerSecond);
    Ok(Some(Figure::new("system calls, everything together (strace)", calls).bar(Bar::AtMost(MOST_CALLS))))
}
