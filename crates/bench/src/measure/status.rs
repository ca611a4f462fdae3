//! 50 recordings of real agents played into 50 sessions: what it costs to know what all of them do.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::benchmark::Benchmark;
use crate::figure::{Bar, Figure, Figures, Quantity, Unit};
use crate::player::{RECORDING, measure};
use crate::stage::Stage;
use crate::trace::{Trace, by_name};
use crate::{launch, os};

/// Sessions, each with a recording of its own (issue C1).
const SESSIONS: usize = 50;
/// How long is looked at it: twice as long as nearly all recordings last.
const WINDOW: Duration = Duration::from_secs(60);
/// How long syncs are counted; tracing makes everything slower, so it has a window of its own.
const TRACED: Duration = Duration::from_secs(30);
/// Percent of one core, engines, hosts and daemon together (issue C1; the aim is 15).
const BELOW_PERCENT: f64 = 30.0;
/// Rules of the agent whose recording begins with this word.
const AGENTS: [(&str, &str); 11] = [
    ("aider", "aider"),
    ("claude", "claude-code"),
    ("cline", "cline"),
    ("codex", "codex"),
    ("copilot", "copilot"),
    ("gemini", "gemini"),
    ("kimi", "kimi"),
    ("kimicode", "kimicode"),
    ("opencode", "opencode"),
    ("pi", "pi"),
    ("qwen", "qwen"),
];

pub const BENCHMARK: Benchmark = Benchmark {
    name: "status",
    about: "the 50 recordings of real agents with the most output, each played again and again at its own pace into a session with that agent's rules, for 60 s",
    by_default: true,
    run,
};

fn run(ao: &Path, workspace: &Path) -> Result<Figures> {
    let recordings = recordings(&workspace.join("crates/testkit/fixtures/casts"))?;
    let stage = Stage::prepared(ao, |stage| agents(&stage.data(), &recordings))?;
    for name in 0..recordings.len() {
        os::go_on()?;
        stage.ask(&["new", "--agent", &agent(name), "--no-prompt"])?;
    }
    let mut watched: Vec<u32> = launch::all_below(&stage.data()).iter().map(|host| host.pid).collect();
    ensure!(watched.len() == recordings.len(), "{} of {} sessions run", watched.len(), recordings.len());
    watched.push(stage.daemon()?);
    let (daemon, all, logged) = (cpu(&[stage.daemon()?])?, cpu(&watched)?, launch::logged_below(&stage.data()));
    let (before, begin) = (journal(&stage.data())?, Instant::now());
    os::pass(WINDOW)?;
    let seconds = begin.elapsed().as_secs_f64();
    let (daemon, all) = (cpu(&[stage.daemon()?])? - daemon, cpu(&watched)? - all);
    let percent = |time: Duration| Quantity::new(time.as_secs_f64() * 100.0 / seconds, Unit::Percent);
    let rate = |number: usize| Quantity::new(number as f64 / seconds, Unit::PerSecond);
    let kilobytes = (launch::logged_below(&stage.data()) - logged) as f64 / 1024.0 / seconds;
    let written = journal(&stage.data())?.since(before);
    let mut figures = vec![
        Figure::new("CPU of one core, hosts and daemon together", percent(all)).bar(Bar::Below(BELOW_PERCENT)),
        Figure::new("of that the daemon", percent(daemon)),
        Figure::new("of that the hosts with their engines", percent(all.saturating_sub(daemon))),
        Figure::new("output played, in each second", Quantity::kilobytes(kilobytes)),
        Figure::new("sessions that were seen to do something else", rate(written.changes)),
        Figure::new("lines of the journal, observations mostly", rate(written.lines)),
    ];
    figures.extend(syncs(&stage, &watched)?);
    Ok(figures)
}

/// The recordings with the most output, and which agent's rules they are for.
fn recordings(folder: &Path) -> Result<Vec<(PathBuf, &'static str)>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "cast") {
            continue;
        }
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let word = name.split('-').next().unwrap_or_default();
        let (_, agent) =
            AGENTS.iter().find(|(first, _)| *first == word).with_context(|| format!("whose is {name}?"))?;
        all.push((measure(&path)?.1, path, *agent));
    }
    ensure!(all.len() >= SESSIONS, "there are only {} recordings", all.len());
    all.sort_by(|a, b| b.cmp(a));
    Ok(all.into_iter().take(SESSIONS).map(|(_, path, agent)| (path, agent)).collect())
}

fn agent(number: usize) -> String {
    format!("played-{number}")
}

/// An agent of the user's own for each recording: a real one's rules, and this program in its place.
fn agents(data: &Path, recordings: &[(PathBuf, &str)]) -> Result<()> {
    let player = std::env::current_exe()?;
    let folder = data.join("agents");
    fs::create_dir_all(&folder)?;
    for (number, (recording, base)) in recordings.iter().enumerate() {
        let name = agent(number);
        // Paths are text in quotes here and in TOML.
        let text = format!(
            "extends = {base:?}\nname = {name:?}\naliases = []\nuntested = true\nversion_args = []\nprogram = {player:?}\nenv = {{ {RECORDING} = {recording:?} }}\n"
        );
        fs::write(folder.join(format!("{name}.toml")), text)?;
    }
    Ok(())
}

fn cpu(pids: &[u32]) -> Result<Duration> {
    pids.iter().map(|&pid| Ok(os::cpu_clock(pid)?)).sum()
}

/// What the journal holds so far.
#[derive(Clone, Copy, Debug, Default)]
struct Written {
    lines: usize,
    /// Lines that say that a session does something else than before.
    changes: usize,
}

impl Written {
    fn since(self, before: Self) -> Self {
        Self { lines: self.lines - before.lines, changes: self.changes - before.changes }
    }
}

/// Reads the journal of a data root from its first line.
fn journal(data: &Path) -> Result<Written> {
    let mut files = Vec::new();
    for entry in fs::read_dir(data)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(rest) = name.strip_suffix(".jsonl").and_then(|name| name.strip_prefix("events")) else { continue };
        // Closed files are named by their first line; the one without a number is the last.
        let first = rest.split('-').nth(1).and_then(|first| first.parse::<u64>().ok());
        files.push((first.unwrap_or(u64::MAX), path));
    }
    files.sort();
    let (mut written, mut last) = (Written::default(), HashMap::new());
    for (_, path) in files {
        let text = fs::read_to_string(path)?;
        // The last line may be half written.
        for line in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            written.lines += 1;
            for session in line["facts_delta"].as_array().into_iter().flatten().filter(|put| put["put"] == "session") {
                let session = &session["value"];
                let does = (session["phase"]["phase"].to_string(), session["known"]["activity"].to_string());
                let before = last.insert(session["id"].to_string(), does.clone());
                written.changes += usize::from(before.as_ref() != Some(&does));
            }
        }
    }
    Ok(written)
}

/// Syncs, and those of them that no change of state asked for; none where tracing is not possible, which is said.
fn syncs(stage: &Stage, watched: &[u32]) -> Result<Vec<Figure>> {
    let trace = match Trace::attach_all(
        watched.to_vec(),
        "fsync,fdatasync,sync_file_range,sync,syncfs",
        &stage.root().join("calls"),
    ) {
        Ok(trace) => trace,
        Err(error) => {
            println!("syncs were not counted: {error:#}");
            return Ok(Vec::new());
        }
    };
    let (before, begin) = (journal(&stage.data())?, Instant::now());
    os::pass(TRACED)?;
    let seconds = begin.elapsed().as_secs_f64();
    let changes = journal(&stage.data())?.since(before).changes;
    let calls = trace.detach()?;
    for (name, count) in by_name(&calls) {
        println!("{count:6} {name} and {changes} changes in {seconds:.0} s");
    }
    let rate = |number: usize| Quantity::new(number as f64 / seconds, Unit::PerSecond);
    Ok(vec![
        Figure::new("syncs, beside sessions that were seen to do something else (strace)", rate(calls.len()))
            .floor(rate(changes)),
        Figure::new("syncs beyond one for each of these changes", rate(calls.len().saturating_sub(changes)))
            .bar(Bar::AtMost(0.0)),
    ])
}
