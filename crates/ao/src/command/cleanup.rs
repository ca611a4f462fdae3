//! `ao cleanup`: removes worktrees of ended sessions, or archives these. What is in them is saved first; the daemon sees to it.

use crate::context::Context;
use crate::exit::Ended;
use crate::follow::Follower;
use crate::patience::saying;
use crate::render::sessions::{ignored, rounded};
use crate::render::words;
use crate::{ask, connect, route};
use ao_api::client::Client;
use ao_api::request::Nothing;
use ao_api::session::{SessionView, Sessions, WorkspaceView};
use ao_core::kind::Fault;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Saving and removing a worktree takes seconds even when it is large; the daemon goes on alone after this.
const DONE_WITHIN: Duration = Duration::from_secs(120);

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Sessions
    #[arg(required_unless_present_any = ["merged", "ended"])]
    sessions: Vec<String>,
    /// Every session whose work landed
    #[arg(long, conflicts_with = "sessions")]
    merged: bool,
    /// Every session that is over
    #[arg(long, conflicts_with_all = ["sessions", "merged"])]
    ended: bool,
    /// Only of this project
    #[arg(short, long)]
    project: Option<String>,
    /// Take the sessions out of the lists too (ao list --archived); ao restore brings them back
    #[arg(long)]
    archive: bool,
    /// Only say what would go, what would be kept, and how large it is
    #[arg(long)]
    dry_run: bool,
}

/// Removes worktrees.
pub async fn run(context: &Context, args: Args) -> Ended {
    let client = connect::client(context).await?;
    let Sessions { sessions, seq } = ask::sessions(&client, args.project.as_deref(), true).await?;
    let wanted: Vec<String> = if args.sessions.is_empty() {
        let left = |s: &SessionView| s.workspace_path.is_some() || args.archive && s.archived_at.is_none();
        let fits = |s: &&SessionView| s.ended && left(s) && (args.ended || s.status == "merged");
        sessions.iter().filter(fits).map(|s| s.id.clone()).collect()
    } else {
        args.sessions
    };
    if wanted.is_empty() {
        context.out.note("nothing to clean up");
    }
    if args.dry_run {
        return dry_run(context, &client, &wanted).await;
    }
    let mut failed: Option<Fault> = None;
    let mut cleaning: BTreeMap<String, SessionView> = BTreeMap::new();
    let what = if args.archive { "archive" } else { "cleanup" };
    for given in &wanted {
        match client.post::<_, SessionView>(&route::of_session(given, what), &Nothing {}).await {
            Ok(session) => {
                cleaning.insert(session.id.clone(), session);
            }
            Err(fault) if wanted.len() > 1 => {
                context.out.note(&format!("{}: {}", words::line(given), words::line(&fault.message)));
                failed = Some(fault);
            }
            Err(fault) => return Err(fault),
        }
    }
    let words = format!("saving and removing {}", words::count(cleaning.len(), "worktree"));
    saying(&context.out, &words, wait(context, &mut cleaning, seq, args.archive)).await?;
    let out = &context.out;
    if out.is_json() {
        out.json(&Sessions { sessions: cleaning.into_values().collect(), seq });
    } else {
        for session in cleaning.values() {
            let kept = session.rescue.as_ref().map(|r| format!(", what was in it is kept as {r}")).unwrap_or_default();
            let done = if session.archived_at.is_some() { "archived, worktree removed" } else { "worktree removed" };
            out.line(&format!("{}: {done}{kept}", session.id));
            if let Some(gone) = &session.ignored {
                out.line(&format!("  not kept: {}", ignored(gone)));
            }
        }
    }
    failed.map_or(Ok(ExitCode::SUCCESS), Err)
}

/// Says what each removal would meet.
async fn dry_run(context: &Context, client: &Client, wanted: &[String]) -> Ended {
    let out = &context.out;
    let mut found: Vec<WorkspaceView> = Vec::new();
    for given in wanted {
        found.push(client.get(&route::of_session(given, "workspace")).await?);
    }
    if out.is_json() {
        out.json(&found);
        return Ok(ExitCode::SUCCESS);
    }
    for view in &found {
        let changed = match view.changed {
            0 => "nothing uncommitted".to_owned(),
            n => {
                format!("{} would be kept", words::count(usize::try_from(n).unwrap_or(usize::MAX), "uncommitted path"))
            }
        };
        out.line(&format!("{}: {} on disk, {changed} ({})", view.id, rounded(view.bytes), words::line(&view.path)));
        if view.ignored.paths > 0 {
            out.line(&format!("  would not be kept: {}", ignored(&view.ignored)));
        }
    }
    if found.len() > 1 {
        out.line(&format!("{} in all", rounded(found.iter().map(|view| view.bytes).sum())));
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits until the worktrees are gone, or one says why not.
async fn wait(
    context: &Context,
    cleaning: &mut BTreeMap<String, SessionView>,
    seq: u64,
    archive: bool,
) -> Result<(), Fault> {
    let until = Instant::now() + DONE_WITHIN;
    let mut events = Follower::new(context, Some(seq));
    let left = |s: &&SessionView| s.workspace_path.is_some() || archive && s.archived_at.is_none();
    while let Some(session) = cleaning.values().find(left) {
        if let Some(why) = session.attention.as_ref().or(session.not_archived.as_ref()) {
            return Err(Fault::conflict(format!("{}: {why}", session.id)).hint(format!("ao explain {}", session.id)));
        }
        let id = session.id.clone();
        let event = timeout_at(until, events.next()).await.map_err(|_| {
            Fault::unavailable(format!("{id} was not cleaned up within {} s", DONE_WITHIN.as_secs()))
                .hint(format!("ao explain {id} says why"))
        })??;
        for view in event.sessions {
            if let Some(known) = cleaning.get_mut(&view.id) {
                *known = view;
            }
        }
    }
    Ok(())
}
