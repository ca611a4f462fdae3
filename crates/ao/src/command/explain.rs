//! `ao explain`: the evidence behind a session's status.

use crate::context::Context;
use crate::exit::Ended;
use crate::render::{evidence, words};
use crate::{connect, route};
use ao_api::explanation::Explanation;
use std::process::ExitCode;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Session
    session: String,
    /// Names of the environment variables that its agent got
    #[arg(long)]
    env: bool,
}

/// Explains a session.
pub async fn run(context: &Context, args: Args) -> Ended {
    let client = connect::client(context).await?;
    let explanation: Explanation = client.get(&route::of_session(&args.session, "explain")).await?;
    let out = &context.out;
    if out.is_json() {
        out.json(&explanation);
        return Ok(ExitCode::SUCCESS);
    }
    for line in evidence::explain(&explanation, args.env, words::now_ms(), out.width(), out.colours()) {
        out.line(&line);
    }
    Ok(ExitCode::SUCCESS)
}
