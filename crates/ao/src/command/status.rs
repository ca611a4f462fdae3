//! `ao status`: how sessions stand and why, or everything about one.

use crate::command::attach;
use crate::context::Context;
use crate::exit::Ended;
use crate::render::{disk, sessions, usage, words};
use crate::{ask, connect, route};
use ao_api::client::Client;
use ao_api::disk::{DiskUse, SessionDisk};
use ao_api::run::QueueView;
use ao_api::session::SessionView;
use ao_api::usage::UsageView;
use serde::Serialize;
use std::process::ExitCode;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Everything about this session
    session: Option<String>,
    /// Only of this project
    #[arg(short, long, conflicts_with = "session")]
    project: Option<String>,
    /// Ended and archived sessions too
    #[arg(short, long, conflicts_with = "session")]
    all: bool,
}

/// One session, as the HTTP surface answers it, and what it uses.
#[derive(Serialize)]
struct One {
    #[serde(flatten)]
    session: SessionView,
    #[serde(skip_serializing_if = "Option::is_none")]
    resources: Option<UsageView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disk: Option<SessionDisk>,
}

#[derive(Serialize)]
struct Board {
    sessions: Vec<SessionView>,
    queues: Vec<QueueView>,
    seq: u64,
}

/// What the session takes, if that is known within a moment.
async fn disk_use(client: &Client, id: &str) -> Option<SessionDisk> {
    let parts = [("session", Some(id.to_owned()))];
    let found: DiskUse = client.get(&route::query("/api/disk", &parts)).await.ok()?;
    found.sessions.into_iter().find(|d| d.measured_at.is_some())
}

/// Shows how sessions stand.
pub async fn run(context: &Context, args: Args) -> Ended {
    let client = connect::client(context).await?;
    let out = &context.out;
    let now = words::now_ms();
    if let Some(given) = &args.session {
        let session = ask::session(&client, given).await?;
        // A session without a running agent uses nothing, and a host of an older version cannot say.
        let used: Option<UsageView> = client.get(&route::of_session(&session.id, "usage")).await.ok();
        let disk = disk_use(&client, &session.id).await;
        if out.is_json() {
            out.json(&One { session, resources: used, disk });
            return Ok(ExitCode::SUCCESS);
        }
        let used = used.as_ref().and_then(usage::usage);
        for line in sessions::one(&session, used.as_deref(), now, out.colours()) {
            out.line(&line);
        }
        if let Some(words) = disk.as_ref().and_then(|found| disk::one(found, now)) {
            out.line(&format!("  disk       {words}"));
        }
        if session.runtime == "tmux" && !session.ended {
            out.line(&format!("  by hand    {}", attach::joining(context, &session.id, false).join(" ")));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let found = if args.all {
        ask::archived(&client, args.project.as_deref(), true).await?
    } else {
        ask::sessions(&client, args.project.as_deref(), false).await?
    };
    let queues = ask::queues(&client, args.project.as_deref()).await?;
    if out.is_json() {
        out.json(&Board { sessions: found.sessions, queues, seq: found.seq });
        return Ok(ExitCode::SUCCESS);
    }
    let lines = sessions::board(&found.sessions, &queues, now, out.width(), out.colours());
    if lines.is_empty() {
        out.note("no live sessions (ao new starts one, ao fix makes a red check green)");
    }
    for line in lines {
        out.line(&line);
    }
    Ok(ExitCode::SUCCESS)
}
