//! `ao new`: a session for a task.

use super::Ended;
use crate::context::Context;
use crate::output::Style;
use crate::render::words;
use crate::{connect, place};
use ao_api::request::NewSession;
use ao_api::session::SessionView;
use ao_core::kind::Fault;
use std::process::ExitCode;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do; `-` reads it from standard input
    #[arg(required_unless_present_any = ["issue", "no_prompt"])]
    task: Option<String>,
    /// Project; that of the repository around you when left out
    #[arg(short, long)]
    project: Option<String>,
    /// Issue of the project's tracker to work on
    #[arg(short, long)]
    issue: Option<String>,
    /// Agent: claude-code, codex, shell, …
    #[arg(short, long)]
    agent: Option<String>,
    /// Branch
    #[arg(short, long)]
    branch: Option<String>,
    /// Where its terminal lives
    #[arg(long)]
    runtime: Option<String>,
    /// worktree or clone
    #[arg(long)]
    workspace: Option<String>,
    /// Name of the session
    #[arg(short, long)]
    name: Option<String>,
    /// Model to ask the agent for
    #[arg(short, long)]
    model: Option<String>,
    /// Start the agent without typing anything into it
    #[arg(long)]
    no_prompt: bool,
    /// Arguments for the agent; for the agent `shell` the command
    #[arg(last = true, value_name = "AGENT ARGS")]
    agent_args: Vec<String>,
}

/// Starts a session.
pub async fn run(context: &Context, args: Args) -> Ended {
    let prompt = match args.task.as_deref() {
        Some("-") => Some(super::send::standard_input()?),
        Some(task) => Some(task.to_owned()),
        None => None,
    };
    if prompt.as_ref().is_some_and(|p| p.trim().is_empty()) {
        return Err(Fault::invalid("the task is empty")
            .hint("say what to do, or open an agent without a task: ao new --no-prompt"));
    }
    let client = connect::client(context).await?;
    let project_id = place::project(context, &client, args.project.as_deref()).await?;
    // With a task that is not to be typed, the task is only the title.
    let title = if args.no_prompt { prompt.clone() } else { None };
    let new = NewSession {
        project_id,
        title,
        prompt: if args.no_prompt { None } else { prompt },
        no_prompt: args.no_prompt,
        name: args.name,
        issue: args.issue,
        agent: args.agent,
        runtime: args.runtime,
        workspace: args.workspace,
        branch: args.branch,
        model: args.model,
        agent_args: args.agent_args,
        env: Context::environment(),
    };
    let session: SessionView = client.post("/api/sessions", &new).await?;
    let out = &context.out;
    if out.is_json() {
        out.json(&session);
        return Ok(ExitCode::SUCCESS);
    }
    out.line(&format!(
        "{}  {} on {}",
        out.paint(Style::Bold, &session.id),
        words::line(&session.title),
        words::line(&session.branch)
    ));
    out.note(&format!("watch: ao attach {0}   how it stands: ao status {0}", session.id));
    Ok(ExitCode::SUCCESS)
}
