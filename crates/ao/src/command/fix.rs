//! `ao fix`: a red check made green, one session per group of failures.

use crate::context::Context;
use crate::exit::{Ended, INTERRUPTED, NOT_GREEN};
use crate::follow::insist;
use crate::output::Style;
use crate::patience::saying;
use crate::progress::{self, Followed, Leaving, follow_run};
use crate::render::run::{left, plan, summary};
use crate::render::table::{Table, styled};
use crate::render::words;
use crate::{ask, connect, place, route};
use ao_api::request::NewRun;
use ao_api::run::{RunView, Runs};
use std::process::ExitCode;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The check, for `sh -c`; the configuration's when left out
    #[arg(short, long, value_name = "CMD")]
    check: Option<String>,
    /// Agent: claude-code, codex, …; the configuration's when left out
    #[arg(short, long)]
    agent: Option<String>,
    /// Sessions at the same time
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    parallel: Option<u32>,
    /// Prompts per session before you are asked
    #[arg(short, long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    max_attempts: Option<u32>,
    /// Only say what would be done
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Leave the sessions alive when their work has landed
    #[arg(long)]
    keep: bool,
    /// Stop this run and its sessions; their worktrees stay
    #[arg(long, value_name = "RUN", conflicts_with_all = ["dry_run", "keep", "list", "show"])]
    cancel: Option<String>,
    /// List the runs there were
    #[arg(long, conflicts_with_all = ["dry_run", "keep", "show"])]
    list: bool,
    /// Show one run
    #[arg(long, value_name = "RUN", conflicts_with_all = ["dry_run", "keep"])]
    show: Option<String>,
    /// Arguments for the agent
    #[arg(last = true, value_name = "AGENT ARGS")]
    agent_args: Vec<String>,
}

/// Makes a check green.
pub async fn run(context: &Context, args: Args) -> Ended {
    if let Some(run) = &args.cancel {
        connect::client(context).await?;
        let words = format!("stopping the sessions of {}", words::line(run));
        let run = saying(&context.out, &words, progress::cancel(context, run)).await?;
        // What was asked for was done; only a run that had ended otherwise before says how.
        return Ok(if run.outcome.as_deref() == Some("cancelled") {
            shown(context, &run)
        } else {
            ended(context, &run)
        });
    }
    if args.list {
        return list(context).await;
    }
    if let Some(run) = &args.show {
        let client = connect::client(context).await?;
        let run: RunView = client.get(&route::run(run)).await?;
        show(context, &run);
        return Ok(ExitCode::SUCCESS);
    }
    place::require_repository(&context.cwd)?;
    let mut presses = progress::presses()?;
    connect::client(context).await?;
    let project = insist(context, async |client| place::register(context, client, &context.cwd).await).await?;
    let new = NewRun {
        project_id: Some(project.id),
        check: args.check,
        agent: args.agent,
        agent_args: args.agent_args,
        parallel: args.parallel,
        max_attempts: args.max_attempts,
        dry_run: args.dry_run,
        keep: args.keep,
        env: Context::environment(),
    };
    // A run that was begun is joined by the second request for it.
    let run: RunView = insist(context, async |client| client.post("/api/runs", &new).await).await?;
    announce(context, &run);
    let leaving = Leaving { resume: "ao fix".to_owned(), stop: format!("ao fix --cancel {}", run.id) };
    match follow_run(context, run, &leaving, &mut presses).await? {
        Followed::Finished(run) => Ok(ended(context, &run)),
        Followed::Left => Ok(ExitCode::from(INTERRUPTED)),
        Followed::Stopped(run) => {
            show(context, &run);
            Ok(ExitCode::from(INTERRUPTED))
        }
    }
}

/// What the person should know before anything is done.
pub fn announce(context: &Context, run: &RunView) {
    let out = &context.out;
    if run.joined {
        out.note(&format!("joined {}, which goes on since {}", run.id, words::age(run.started_at, words::now_ms())));
    }
    for note in &run.notes {
        out.note(&format!("{} {}", out.paint_err(Style::Yellow, "note:"), words::line(note)));
    }
}

fn shown(context: &Context, run: &RunView) -> ExitCode {
    show(context, run);
    ExitCode::SUCCESS
}

/// Shows how a run ended; the exit code is 0 only for green, or for a dry run that could be done.
pub fn ended(context: &Context, run: &RunView) -> ExitCode {
    show(context, run);
    match run.outcome.as_deref() {
        Some("green" | "dry_run") => ExitCode::SUCCESS,
        Some(_) | None => {
            let out = &context.out;
            if !out.is_json() {
                for line in left(run) {
                    out.note(&format!("{} {line}", out.paint_err(Style::Yellow, "left:")));
                }
                if let Some(hint) = run.fault.as_ref().and_then(|f| f.hint.as_deref()) {
                    out.note(&format!("{} {}", out.paint_err(Style::Yellow, "hint:"), words::line(hint)));
                }
            }
            ExitCode::from(NOT_GREEN)
        }
    }
}

/// Shows a run: its table, or for a dry run what would be done.
pub fn show(context: &Context, run: &RunView) {
    let out = &context.out;
    if out.is_json() {
        out.json(run);
        return;
    }
    if run.outcome.as_deref() == Some("dry_run") {
        for line in plan(run) {
            out.line(&line);
        }
        out.line(&format!("{} would be started; nothing was changed", words::count(run.tasks.len(), "session")));
        return;
    }
    for line in summary(run, out.width(), out.colours()) {
        out.line(&line);
    }
}

async fn list(context: &Context) -> Ended {
    let client = connect::client(context).await?;
    let runs = ask::runs(&client, None).await?;
    let out = &context.out;
    if out.is_json() {
        out.json(&Runs { runs });
        return Ok(ExitCode::SUCCESS);
    }
    if runs.is_empty() {
        out.note("no runs yet");
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(&["RUN", "STATE", "TASKS", "AGE", "CHECK"]);
    for run in &runs {
        let state = run.outcome.as_deref().unwrap_or(&run.state);
        let landed = run.tasks.iter().filter(|t| t.state == "landed").count();
        table.row(vec![
            styled(&run.id, Style::Bold),
            styled(state, words::style_of(state)),
            format!("{landed}/{}", run.tasks.len()).into(),
            words::age(run.started_at, words::now_ms()).into(),
            run.check.as_str().into(),
        ]);
    }
    for line in table.lines(out.width(), out.colours()) {
        out.line(&line);
    }
    Ok(ExitCode::SUCCESS)
}
