//! A thousand prompts to agents with bad manners, the daemon killed again and again: which arrived, how often, and where.

use std::path::Path;

use anyhow::{Context, Result};
use ao_testkit::sends::{Trial, run as try_sends};

use crate::benchmark::Benchmark;
use crate::figure::{Bar, Figure, Figures, Quantity, Unit};

pub const BENCHMARK: Benchmark = Benchmark {
    name: "delivery",
    about: "1,000 prompts of 1 B to 64 KB to 40 sessions of a scripted agent that starts slowly, draws late, asks questions and swallows Enter, sent at start-up, when it is idle, in a turn, while it asks and while a person types; the daemon is killed every few seconds",
    by_default: true,
    run,
};

fn run(ao: &Path, _: &Path) -> Result<Figures> {
    let agent = vec![std::env::current_exe()?.to_str().context("a path of text")?.to_owned()];
    let report = try_sends(&Trial { ao, agent, seed: 1, waves: 4, sessions: 10, each: 5 })?;
    for wrong in report.wrong.iter().chain(&report.strange).chain(&report.astray) {
        println!("{wrong}");
    }
    let count = |what: &str, number: usize| {
        Figure::new(what, Quantity::new(f64::from(u32::try_from(number).unwrap_or(u32::MAX)), Unit::Count))
    };
    let none = Bar::AtMost(0.0);
    let total = report.total();
    let mut figures = vec![count("prompts", total.sent)];
    figures.extend(report.rows.iter().map(|(moment, row)| count(moment.words(), row.sent)));
    figures.extend([
        count("lost", total.lost).bar(none),
        count("doubled", total.doubled).bar(none),
        count("mixed with something else", report.strange.len()).bar(none),
        count("keys typed into a question", report.astray.len()).bar(none),
        count("questions that were shown", report.questions),
        count("presses of Enter that were swallowed", report.swallowed),
        count("times that the daemon was killed", report.kills),
    ]);
    Ok(figures)
}
