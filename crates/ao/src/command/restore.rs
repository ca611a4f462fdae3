//! `ao restore`: an ended session again, in its worktree, with the work that was rescued from that.

use crate::context::Context;
use crate::exit::Ended;
use crate::follow::Follower;
use crate::patience::saying;
use crate::render::words;
use crate::{ask, connect, route};
use ao_api::request::Nothing;
use ao_api::session::SessionView;
use ao_core::kind::Fault;
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Making a worktree and putting rescued files into it takes seconds; the daemon goes on alone after this.
const BACK_WITHIN: Duration = Duration::from_secs(120);

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Session
    session: String,
}

/// Starts an ended session again.
pub async fn run(context: &Context, args: Args) -> Ended {
    let client = connect::client(context).await?;
    let before = ask::session(&client, &args.session).await?;
    let seq = ask::sessions(&client, Some(&before.project_id), false).await?.seq;
    let path = route::of_session(&before.id, "restore");
    let words = format!("restoring {}", words::line(&args.session));
    let mut session: SessionView = saying(&context.out, &words, client.post(&path, &Nothing {})).await?;
    if before.rescue.is_some() && before.workspace_path.is_none() {
        let waiting = format!("putting back what was kept as {}", before.rescue.as_deref().unwrap_or_default());
        session = saying(&context.out, &words::line(&waiting), put_back(context, session, seq)).await?;
    }
    if context.out.is_json() {
        context.out.json(&session);
    } else {
        context.out.line(&format!("{}: {} (watch: ao attach {})", session.id, session.status, session.id));
        if let Some(put_back) = &session.put_back {
            context.out.line(&format!("  {}", words::line(put_back)));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits until the workspace is there again, or the session waits for something else or ended.
async fn put_back(context: &Context, mut session: SessionView, seq: u64) -> Result<SessionView, Fault> {
    let until = Instant::now() + BACK_WITHIN;
    let mut events = Follower::new(context, Some(seq));
    while session.put_back.is_none() && session.workspace_path.is_none() && !session.ended {
        // One that waits for room gets its work back later: `ao status` says so then.
        let Ok(event) = timeout_at(until, events.next()).await else { break };
        for view in event?.sessions {
            if view.id == session.id {
                session = view;
            }
        }
        if session.status == "queued" {
            break;
        }
    }
    Ok(session)
}
