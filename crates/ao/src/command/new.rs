//! `ao new`: a session for a task.

use crate::context::Context;
use crate::exit::Ended;
use crate::follow::{Follower, insist, once};
use crate::output::Style;
use crate::render::words;
use crate::{ask, compose, connect, place};
use ao_api::request::NewSession;
use ao_api::session::SessionView;
use ao_core::kind::Fault;
use ao_slots::agent::Detected;
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

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
    /// Who answers what it asks: notify, confirm or autonomous
    #[arg(long, value_name = "LEVEL")]
    supervision: Option<String>,
    /// Do not wait until its agent runs
    #[arg(long)]
    no_wait: bool,
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
        supervision: args.supervision,
        answers: Vec::new(),
        agent_args: args.agent_args,
        env: Context::environment(),
    };
    let mut session: SessionView = once(context, "/api/sessions", &new).await?;
    if !args.no_wait {
        session = begun(context, session).await?;
    }
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
    if let Some(why) = session.why.strip_prefix(WAITS) {
        out.note(&format!("it waits for room and starts by itself: {} (`ao stop` one that is done, or start the daemon with AO_PLACES=N)", words::line(why)));
    }
    out.note(&format!("watch: ao attach {0}   how it stands: ao status {0}", session.id));
    Ok(ExitCode::SUCCESS)
}

/// How the reason of a session that waits for room begins (`ao_core::status`).
const WAITS: &str = "waits: ";

/// A session may take this long to begin before it is left to the daemon: copying a large repository takes a while.
const BEGINS_WITHIN: Duration = Duration::from_secs(20);
/// What takes longer than this is said.
const SAY_AFTER: Duration = Duration::from_secs(1);

/// Waits until the agent runs, waits for room, or could not be started, which is a failure of this verb.
async fn begun(context: &Context, mut session: SessionView) -> Result<SessionView, Fault> {
    let seq = insist(context, async |client| ask::sessions(client, None, false).await).await?.seq;
    session = insist(context, async |client| ask::session(client, &session.id).await).await?;
    let mut events = Follower::new(context, Some(seq)).session(Some(session.id.clone()));
    let (until, say) = (Instant::now() + BEGINS_WITHIN, Instant::now() + SAY_AFTER);
    let mut said = false;
    loop {
        if session.status == "spawn_failed" {
            return Err(failed(context, &session).await);
        }
        let waits = session.why.starts_with(WAITS);
        if session.ended || waits || session.runtime_state == "alive" || session.status != "spawning" {
            return Ok(session);
        }
        let event = tokio::select! {
            event = events.next() => event?,
            () = sleep_until(say), if !said => {
                session = insist(context, async |client| ask::session(client, &session.id).await).await?;
                let hint = session.hint.as_deref().map(|hint| format!(" ({})", words::line(hint))).unwrap_or_default();
                context.out.note(&format!("{}: {}{hint} …", session.id, words::line(&session.why)));
                said = true;
                continue;
            }
            () = sleep_until(until) => return Ok(session),
        };
        if let Some(view) = event.sessions.into_iter().find(|s| s.id == session.id) {
            session = view;
        }
    }
}

async fn failed(context: &Context, session: &SessionView) -> Fault {
    let fault = Fault::conflict(format!("session {} could not be started: {}", session.id, words::line(&session.why)));
    if let Some(hint) = &session.hint {
        return fault.hint(words::line(hint));
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let agent = compose::registry(context).ok().and_then(|r| r.agent(&session.agent).ok());
    if let Some(agent) = agent
        && let Detected::Missing { hint } = agent.detect(&path).await
    {
        return fault.hint(hint);
    }
    fault.hint(format!("ao explain {} has the details", session.id))
}
