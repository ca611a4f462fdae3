//! `ao replay`: what would have been believed of an agent, from a recording of its terminal. Needs no daemon.

use crate::compose::cast::Cast;
use crate::compose::replay::{self, replay};
use crate::context::Context;
use crate::exit::Ended;
use crate::output::Style;
use crate::render::table::{Table, styled};
use crate::render::words;
use ao_core::activity::{Activity, Known};
use ao_core::adapter::Adapter;
use ao_core::kind::Fault;
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The recording, asciicast 2 or 3 (`ao export --cast`)
    file: PathBuf,
    /// Agent that was recorded: claude-code, codex, …
    #[arg(short, long)]
    agent: String,
    /// The screen alone, or noted hooks too
    #[arg(long, value_enum, default_value_t = Signals::Screen)]
    signals: Signals,
}

/// What may be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Signals {
    Screen,
    All,
}

/// From when on something was believed.
#[derive(Debug, PartialEq, Serialize)]
struct Believed {
    /// Seconds since the beginning.
    t: f64,
    activity: String,
    source: String,
    confidence: u8,
    why: String,
}

/// Replays a recording.
pub async fn run(context: &Context, args: Args) -> Ended {
    let file = context.cwd.join(&args.file);
    let text = std::fs::read_to_string(&file)
        .map_err(|e| Fault::invalid(format!("{} cannot be read: {e}", file.display())))?;
    let cast = Cast::parse(&text).map_err(|e| {
        Fault::invalid(format!("{} is no recording: {e}", file.display()))
            .hint("an asciicast of version 2 or 3 is wanted")
    })?;
    let agent = crate::compose::registry(context)?.agent(&args.agent)?;
    let believed = believed(&cast, agent.adapter(), args.signals);
    let out = &context.out;
    if out.is_json() {
        // One a line: long recordings are read as they come.
        for one in &believed {
            out.json_line(one);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(&["SECONDS", "ACTIVITY", "SOURCE", "WHY"]);
    for one in &believed {
        table.row(vec![
            format!("{:9.3}", one.t).into(),
            styled(&one.activity, Style::Bold),
            one.source.as_str().into(),
            words::line(&one.why).into(),
        ]);
    }
    for line in table.lines(out.width(), out.colours()) {
        out.line(&line);
    }
    Ok(ExitCode::SUCCESS)
}

/// What was believed, as far as it changed. A recording ends when its program does.
fn believed(cast: &Cast, adapter: &Adapter, signals: Signals) -> Vec<Believed> {
    let signals = match signals {
        Signals::Screen => replay::Signals::Screen,
        Signals::All => replay::Signals::All,
    };
    let mut out: Vec<Believed> = Vec::new();
    for (t, known) in replay(cast, adapter, signals).known {
        let activity = name(&known);
        if out.last().is_none_or(|last| last.activity != activity) {
            out.push(Believed {
                t: seconds(t),
                activity,
                source: format!("{:?}", known.source).to_lowercase(),
                confidence: known.confidence,
                why: known.why,
            });
        }
    }
    if let Some(last) = cast.records.last() {
        out.push(Believed {
            t: seconds(last.t),
            activity: "exited".to_owned(),
            source: "process".to_owned(),
            confidence: 100,
            why: "the recording ends".to_owned(),
        });
    }
    out
}

/// `needs_input:permission`; of others the plain name.
fn name(known: &Known) -> String {
    match &known.activity {
        Activity::NeedsInput { what } => format!("needs_input:{}", format!("{what:?}").to_lowercase()),
        other => other.name().to_owned(),
    }
}

fn seconds(ms: u64) -> f64 {
    Duration::from_millis(ms).as_secs_f64()
}
