//! `ao stop`: ends agents with everything they started. Worktrees stay unless cleaning up is asked for.

use crate::context::Context;
use crate::exit::Ended;
use crate::follow::Follower;
use crate::patience::saying;
use crate::render::words;
use crate::{ask, connect, route};
use ao_api::client::Client;
use ao_api::request::Stop;
use ao_api::session::{SessionView, Sessions};
use ao_core::kind::Fault;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Agents get this long to leave politely and their trees to be ended by force; after that the daemon goes on alone.
const ENDS_WITHIN: Duration = Duration::from_secs(60);

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Sessions
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    sessions: Vec<String>,
    /// Project for --all
    #[arg(short, long, requires = "all")]
    project: Option<String>,
    /// Every live session, of the project or of all
    #[arg(long)]
    all: bool,
    /// Remove the worktrees too; what is in them is kept as a ref (ao rescue)
    #[arg(long)]
    cleanup: bool,
    /// The same, and take them out of the lists (ao list --archived); ao restore brings them back
    #[arg(long)]
    archive: bool,
    /// Do not wait until they have ended
    #[arg(long)]
    no_wait: bool,
}

/// Stops sessions.
pub async fn run(context: &Context, args: Args) -> Ended {
    let client = connect::client(context).await?;
    let Sessions { sessions, seq } = ask::sessions(&client, args.project.as_deref(), false).await?;
    let wanted: Vec<String> =
        if args.all { sessions.into_iter().map(|s| s.id).collect() } else { args.sessions.clone() };
    if wanted.is_empty() {
        context.out.note("no live sessions");
    }
    let mut failed: Option<Fault> = None;
    let mut stopping: BTreeMap<String, SessionView> = BTreeMap::new();
    for given in &wanted {
        match stop(&client, given, &args).await {
            Ok(session) => {
                stopping.insert(session.id.clone(), session);
            }
            // The others are stopped all the same.
            Err(fault) if wanted.len() > 1 => {
                context.out.note(&format!("{}: {}", words::line(given), words::line(&fault.message)));
                failed = Some(fault);
            }
            Err(fault) => return Err(fault),
        }
    }
    if !args.no_wait {
        let words = format!("stopping {}", words::count(stopping.len(), "session"));
        saying(&context.out, &words, ended(context, &mut stopping, seq, &args)).await?;
    }
    let out = &context.out;
    if out.is_json() {
        out.json(&Sessions { sessions: stopping.into_values().collect(), seq });
    } else {
        for session in stopping.values() {
            out.line(&describe(session));
        }
    }
    failed.map_or(Ok(ExitCode::SUCCESS), Err)
}

async fn stop(client: &Client, given: &str, args: &Args) -> Result<SessionView, Fault> {
    let why = Some("stopped by ao stop".to_owned());
    client.delete(&route::session(given), &Stop { cleanup: args.cleanup, archive: args.archive, why }).await
}

/// Waits until all have ended and, if wanted, their worktrees are gone.
async fn ended(
    context: &Context,
    stopping: &mut BTreeMap<String, SessionView>,
    seq: u64,
    args: &Args,
) -> Result<(), Fault> {
    // One that could not be archived says why, and is waited for no longer.
    let put_away = |s: &SessionView| !args.archive || s.archived_at.is_some() || s.not_archived.is_some();
    let over = |s: &SessionView| s.ended && !(args.cleanup && s.workspace_path.is_some()) && put_away(s);
    let until = Instant::now() + ENDS_WITHIN;
    let mut events = Follower::new(context, Some(seq));
    while !stopping.values().all(over) {
        let event = timeout_at(until, events.next()).await.map_err(|_| {
            let left: Vec<&str> = stopping.values().filter(|s| !over(s)).map(|s| s.id.as_str()).collect();
            Fault::unavailable(format!("{} did not end within {} s", left.join(", "), ENDS_WITHIN.as_secs()))
                .hint("ao explain SESSION says what is on its way")
        })??;
        for view in event.sessions {
            if let Some(known) = stopping.get_mut(&view.id) {
                *known = view;
            }
        }
    }
    Ok(())
}

fn describe(session: &SessionView) -> String {
    let kept = match (&session.rescue, &session.workspace_path) {
        (Some(rescue), None) => format!(" · its worktree is removed, what was in it is kept as {rescue}"),
        (None, None) => " · its worktree is removed".to_owned(),
        (_, Some(path)) => format!(" · its worktree stays: {}", words::line(path)),
    };
    let archived = match (&session.archived_at, &session.not_archived) {
        (Some(_), _) => " · archived".to_owned(),
        (None, Some(why)) => format!(" · not archived: {}", words::line(why)),
        (None, None) => String::new(),
    };
    format!("{}: {}{archived}{kept}", session.id, session.status)
}
