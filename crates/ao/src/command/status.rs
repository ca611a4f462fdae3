//! `ao status`: how sessions stand and why, or everything about one.

use crate::context::Context;
use crate::exit::Ended;
use crate::render::{sessions, words};
use crate::{ask, connect};
use ao_api::run::QueueView;
use ao_api::session::SessionView;
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
    /// Ended sessions too
    #[arg(short, long, conflicts_with = "session")]
    all: bool,
}

#[derive(Serialize)]
struct Board {
    sessions: Vec<SessionView>,
    queues: Vec<QueueView>,
    seq: u64,
}

/// Shows how sessions stand.
pub async fn run(context: &Context, args: Args) -> Ended {
    let client = connect::client(context).await?;
    let out = &context.out;
    let now = words::now_ms();
    if let Some(given) = &args.session {
        let session = ask::session(&client, given).await?;
        if out.is_json() {
            out.json(&session);
        }
        for line in sessions::one(&session, now, out.colours()) {
            out.line(&line);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let found = ask::sessions(&client, args.project.as_deref(), args.all).await?;
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
