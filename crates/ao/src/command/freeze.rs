//! `ao freeze` and `ao thaw`: halts an idle session's processes, and lets them go on.

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

/// Halts an idle session.
pub async fn freeze(context: &Context, args: Args) -> Ended {
    ask(context, &args.session, "freeze", "it will be halted (a prompt, ao attach or ao thaw wakes it)").await
}

/// Lets a halted session go on.
pub async fn thaw(context: &Context, args: Args) -> Ended {
    ask(context, &args.session, "thaw", "it goes on").await
}

async fn ask(context: &Context, given: &str, action: &str, then: &str) -> Ended {
    let client = connect::client(context).await?;
    let doing = format!("{action} {}", words::line(given));
    let path = route::of_session(given, action);
    let session: SessionView = saying(&context.out, &doing, client.post(&path, &Nothing {})).await?;
    if context.out.is_json() {
        context.out.json(&session);
    } else {
        context.out.line(&format!("{}: {then}", session.id));
    }
    Ok(ExitCode::SUCCESS)
}
