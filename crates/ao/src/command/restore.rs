//! `ao restore`: an ended session again, in its worktree.

use crate::context::Context;
use crate::exit::Ended;
use crate::patience::saying;
use crate::render::words;
use crate::{connect, route};
use ao_api::request::Nothing;
use ao_api::session::SessionView;
use std::process::ExitCode;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Session
    session: String,
}

/// Starts an ended session again.
pub async fn run(context: &Context, args: Args) -> Ended {
    let client = connect::client(context).await?;
    let path = route::of_session(&args.session, "restore");
    let words = format!("restoring {}", words::line(&args.session));
    let session: SessionView = saying(&context.out, &words, client.post(&path, &Nothing {})).await?;
    if context.out.is_json() {
        context.out.json(&session);
    } else {
        context.out.line(&format!("{}: {} (watch: ao attach {})", session.id, session.status, session.id));
    }
    Ok(ExitCode::SUCCESS)
}
