//! A daemon with 50 sessions in which nothing happens: CPU, memory, system calls.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::benchmark::Benchmark;
use crate::figure::{Bar, Figure, Figures, Quantity, Unit};
use crate::os;
use crate::process;
use crate::stage::Stage;
use crate::trace::{Trace, by_name};

/// Sessions that there are (issue A1).
const SESSIONS: usize = 50;
/// How long is looked at it: ten times the slowest rhythm that would matter.
const WINDOW: Duration = Duration::from_secs(10);
/// Percent of one core (issue A1).
const BELOW_PERCENT: f64 = 1.0;
/// Megabytes (issue A1).
const BELOW_MB: f64 = 60.0;
/// System calls a second (issue A1).
const MOST_CALLS: f64 = 1.0;

pub const BENCHMARK: Benchmark = Benchmark {
    name: "idle-daemon",
    about: "a daemon with 50 idle sessions, watched for 10 s, then traced for another 10 s",
    by_default: true,
    run,
};

fn run(ao: &Path, _: &Path) -> Result<Figures> {
    let stage = Stage::with_daemon(ao)?;
    let hosts = stage.idle_sessions(SESSIONS)?;
    // Threads that were needed for starting leave after 10 s without work.
    os::pass(WINDOW + Duration::from_secs(2))?;
    let daemon = stage.daemon()?;
    let before = (os::cpu_clock(daemon)?, process::threads(daemon)?.1, Instant::now());
    let hosts_before = hosts_cpu(&hosts)?;
    os::pass(WINDOW)?;
    let seconds = before.2.elapsed().as_secs_f64();
    let cpu = os::cpu_clock(daemon)?.saturating_sub(before.0);
    let hosts_cpu = hosts_cpu(&hosts)?.saturating_sub(hosts_before);
    let (threads, waits) = process::threads(daemon)?;
    let memory = process::memory(daemon)?;
    let percent = |time: Duration| Quantity::new(time.as_secs_f64() * 100.0 / seconds, Unit::Percent);
    let waits = waits.saturating_sub(before.1) as f64 / seconds;
    let mut figures = vec![
        Figure::new("CPU of one core", percent(cpu)).bar(Bar::Below(BELOW_PERCENT)),
        Figure::new("CPU of one core, all 50 hosts together", percent(hosts_cpu)),
        Figure::new("resident memory", Quantity::megabytes(memory.rss)).bar(Bar::Below(BELOW_MB)),
        Figure::new("proportional memory", Quantity::megabytes(memory.pss)),
        Figure::new("threads", Quantity::new(threads as f64, Unit::Count)),
        Figure::new("times that a thread waited", Quantity::new(waits, Unit::PerSecond)),
    ];
    figures.extend(calls(&stage)?);
    Ok(figures)
}

/// System calls of all threads; none where tracing is not possible, which is said.
fn calls(stage: &Stage) -> Result<Option<Figure>> {
    let trace = match Trace::attach(stage.daemon()?, "all", &stage.root().join("calls")) {
        Ok(trace) => trace,
        Err(error) => {
            println!("system calls were not counted, look at the waiting threads instead: {error:#}");
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
    Ok(Some(Figure::new("system calls, all threads (strace)", calls).bar(Bar::AtMost(MOST_CALLS))))
}

fn hosts_cpu(hosts: &[ao_host::record::HostRecord]) -> Result<Duration> {
    let mut sum = Duration::ZERO;
    for host in hosts {
        sum += os::cpu_clock(host.pid)?;
    }
    Ok(sum)
}
