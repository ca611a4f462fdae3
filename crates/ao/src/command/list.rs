//! `ao list`: sessions, one line each.

use crate::context::Context;
use crate::exit::Ended;
use crate::render::{sessions, words};
use crate::{ask, connect};
use std::process::ExitCode;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Ended sessions too
    #[arg(short, long)]
    all: bool,
    /// Only of this project
    #[arg(short, long)]
    project: Option<String>,
}

/// Lists sessions.
pub async fn run(context: &Context, args: Args) -> Ended {
    let client = connect::client(context).await?;
    let found = ask::sessions(&client, args.project.as_deref(), args.all).await?;
    let out = &context.out;
    if out.is_json() {
        out.json(&found);
    } else if found.sessions.is_empty() {
        out.note(if args.all { "no sessions" } else { "no live sessions (ao list --all shows ended ones)" });
    } else {
        for line in sessions::list(&found.sessions, words::now_ms(), out.width(), out.colours()) {
            out.line(&line);
        }
    }
    Ok(ExitCode::SUCCESS)
}
