//! `ao status`: how sessions stand and why, or everything about one.

use crate::command::attach;
use crate::context::Context;
use crate::exit::Ended;
use crate::render::{sessions, usage, words};
use crate::{ask, connect, route};
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
    /// Ended sessions too
    #[arg(short, long, conflicts_with = "session")]
    all: bool,
}

/// One session, as the HTTP surface answers it, and what it uses.
#[derive(Serialize)]
struct One {
    #[serde(flatten)]
    session: SessionView,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<UsageView>,
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
        // A session without a running agent uses nothing, and a host of an older version cannot say.
        let used: Option<UsageView> = client.get(&route::of_session(&session.id, "usage")).await.ok();
        if out.is_json() {
            out.json(&One { session, usage: used });
            return Ok(ExitCode::SUCCESS);
        }
        let used = used.as_ref().and_then(usage::usage);
        for line in sessions::one(&session, used.as_deref(), now, out.colours()) {
            out.line(&line);
        }
        if session.runtime == "tmux" && !session.ended {
            out.line(&format!("  by hand    {}", attach::joining(context, &session.id, false).join(" ")));
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
