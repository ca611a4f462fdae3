//! `ao usage`: tokens and what they cost, by session, agent and model.

use crate::context::Context;
use crate::exit::Ended;
use crate::render::{spent, words};
use crate::{connect, route};
use ao_api::usage::Usages;
use ao_core::config::duration;
use ao_core::kind::Fault;
use std::process::ExitCode;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only of this session
    session: Option<String>,
    /// Only of this project
    #[arg(short, long)]
    project: Option<String>,
    /// Only of sessions that changed within this time: 30m, 12h, 7d
    #[arg(long)]
    since: Option<String>,
}

/// Shows what was used.
pub async fn run(context: &Context, args: Args) -> Ended {
    let since = args.since.as_deref().map(ago).transpose()?;
    let client = connect::client(context).await?;
    let path = route::usage(args.session.as_deref(), args.project.as_deref(), since);
    let all: Usages = client.get(&path).await?;
    let out = &context.out;
    if out.is_json() {
        out.json(&all);
        return Ok(ExitCode::SUCCESS);
    }
    if all.rows.is_empty() {
        out.note("no session has used any tokens that its transcript tells of");
        return Ok(ExitCode::SUCCESS);
    }
    for line in spent::usage(&all, out.width(), out.colours()) {
        out.line(&line);
    }
    out.note(&format!("list prices of {}; who pays by subscription pays something else", all.prices_dated));
    Ok(ExitCode::SUCCESS)
}

/// Unix milliseconds of so long ago.
fn ago(text: &str) -> Result<u64, Fault> {
    let length = duration::parse(text).map_err(Fault::invalid)?;
    Ok(words::now_ms().saturating_sub(length.0))
}
