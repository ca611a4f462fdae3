//! `ao list`: sessions, one line each.

use crate::context::Context;
use crate::exit::Ended;
use crate::patience::saying;
use crate::render::{disk, sessions, words};
use crate::{ask, connect, route};
use ao_api::disk::DiskUse;
use ao_api::session::Sessions;
use serde::Serialize;
use std::process::ExitCode;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Ended and archived sessions too
    #[arg(short, long)]
    all: bool,
    /// Only those in the archive
    #[arg(long, conflicts_with = "all")]
    archived: bool,
    /// What each takes on the disk, as it was last measured
    #[arg(long)]
    disk: bool,
    /// Only of this project
    #[arg(short, long)]
    project: Option<String>,
}

/// Sessions, and what they take.
#[derive(Serialize)]
struct Measured {
    #[serde(flatten)]
    sessions: Sessions,
    disk: DiskUse,
}

/// Lists sessions.
pub async fn run(context: &Context, args: Args) -> Ended {
    let client = connect::client(context).await?;
    let found = if args.all || args.archived {
        ask::archived(&client, args.project.as_deref(), args.all).await?
    } else {
        ask::sessions(&client, args.project.as_deref(), false).await?
    };
    let out = &context.out;
    if args.disk && !found.sessions.is_empty() {
        let path = route::query("/api/disk", &[("project", args.project.clone())]);
        let disk: DiskUse = saying(out, "measuring", client.get(&path)).await?;
        if out.is_json() {
            out.json(&Measured { sessions: found, disk });
            return Ok(ExitCode::SUCCESS);
        }
        for line in disk::list(&found.sessions, &disk, words::now_ms(), out.width(), out.colours()) {
            out.line(&line);
        }
        return Ok(ExitCode::SUCCESS);
    }
    if out.is_json() {
        out.json(&found);
    } else if found.sessions.is_empty() {
        out.note(match (args.all, args.archived) {
            (true, _) => "no sessions",
            (false, true) => "no archived sessions (ao cleanup --ended --archive makes some)",
            (false, false) => "no live sessions (ao list --all shows ended ones)",
        });
    } else {
        for line in sessions::list(&found.sessions, words::now_ms(), out.width(), out.colours()) {
            out.line(&line);
        }
    }
    Ok(ExitCode::SUCCESS)
}
