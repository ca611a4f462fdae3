//! `ao list` with 200 live sessions, beside a process that does nothing.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::benchmark::{Benchmark, timed};
use crate::figure::{Bar, Figure, Figures, Quantity, Unit, middle};
use crate::os;
use crate::stage::Stage;

/// Sessions that there are (issue A1).
const SESSIONS: usize = 200;
const ROUNDS: usize = 21;
/// Milliseconds (issue A1).
const MOST_MS: f64 = 20.0;
/// Megabytes (issue A1).
const MOST_MB: f64 = 25.0;

pub const BENCHMARK: Benchmark = Benchmark {
    name: "list",
    about: "`ao list` with 200 live sessions; floor: `/bin/true`, started the same way (medians of 21)",
    by_default: true,
    run,
};

/// Wall milliseconds, CPU milliseconds and most kilobytes of the runs of one command.
#[derive(Debug, Default)]
struct Runs {
    wall: Vec<f64>,
    cpu: Vec<f64>,
    peak_kb: f64,
}

impl Runs {
    fn one(&mut self, stage: &Stage, args: &[&str]) -> Result<()> {
        let mut command = if args.is_empty() { stage.bare(Path::new("/bin/true")) } else { stage.command(args) };
        let (wall, usage) = timed(&mut command)?;
        self.wall.push(Quantity::milliseconds(wall).number);
        self.cpu.push(Quantity::milliseconds(usage.cpu).number);
        self.peak_kb = self.peak_kb.max(usage.max_rss_kb as f64);
        Ok(())
    }

    fn wall(&self) -> Quantity {
        Quantity::new(middle(&self.wall), Unit::Milliseconds)
    }

    fn cpu(&self) -> Quantity {
        Quantity::new(middle(&self.cpu), Unit::Milliseconds)
    }
}

fn run(ao: &Path, _: &Path) -> Result<Figures> {
    let stage = Stage::with_daemon(ao)?;
    stage.idle_sessions(SESSIONS)?;
    let listed = stage.ask(&["list"])?;
    let rows = listed.get("sessions").or(Some(&listed)).and_then(serde_json::Value::as_array);
    let rows = rows.context("`ao list --json` has no list of sessions")?.len();
    if rows != SESSIONS {
        bail!("`ao list` shows {rows} of {SESSIONS} sessions");
    }
    let daemon = stage.daemon()?;
    let before = os::cpu_clock(daemon)?;
    let (mut nothing, mut table, mut json) = (Runs::default(), Runs::default(), Runs::default());
    for _ in 0..ROUNDS {
        os::go_on()?;
        nothing.one(&stage, &[])?;
        table.one(&stage, &["list"])?;
        json.one(&stage, &["list", "--json"])?;
    }
    let lists = u32::try_from(2 * ROUNDS).unwrap_or(1);
    let answers = os::cpu_clock(daemon)?.saturating_sub(before) / lists;
    let mut figures = Figures::new();
    for (name, runs) in [("ao list", &table), ("ao list --json", &json)] {
        let peak = Quantity::megabytes(runs.peak_kb);
        figures.extend([
            Figure::new(format!("`{name}`, wall"), runs.wall()).floor(nothing.wall()).bar(Bar::AtMost(MOST_MS)),
            Figure::new(format!("`{name}`, CPU"), runs.cpu()).floor(nothing.cpu()),
            Figure::new(format!("`{name}`, most memory"), peak)
                .floor(Quantity::megabytes(nothing.peak_kb))
                .bar(Bar::AtMost(MOST_MB)),
        ]);
    }
    figures.push(Figure::new("CPU of the daemon for one list, mean", Quantity::milliseconds(answers)));
    Ok(figures)
}
