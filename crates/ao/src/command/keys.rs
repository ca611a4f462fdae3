//! `ao send-keys` and `ao interrupt`: keys into a session's terminal, as a person would press them.

use crate::context::Context;
use crate::exit::{Ended, NOT_GREEN};
use crate::follow::{Follower, insist};
use crate::render::words;
use crate::{ask, connect, route};
use ao_api::request::{Keys, Nothing};
use ao_api::session::SessionView;
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::timeout;

/// An agent may take this long to stop what it does: the slowest measured one needs two seconds.
const STOPS_WITHIN: Duration = Duration::from_secs(30);

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Session
    session: String,
    /// Enter, Esc, Tab, Up, C-c, F1, …, or one character
    #[arg(required_unless_present = "text")]
    keys: Vec<String>,
    /// Characters to type before the keys; for prompts there is `ao send`
    #[arg(short, long)]
    text: Option<String>,
}

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct InterruptArgs {
    /// Session
    session: String,
    /// Do not wait until its turn has ended
    #[arg(long)]
    no_wait: bool,
}

/// Presses keys.
pub async fn send(context: &Context, args: Args) -> Ended {
    let client = connect::client(context).await?;
    let session = ask::session(&client, &args.session).await?;
    let keys = Keys { text: args.text, keys: args.keys };
    let _: Nothing = client.post(&route::of_session(&session.id, "keys"), &keys).await?;
    if context.out.is_json() {
        context.out.json(&session);
    } else {
        context.out.line(&format!("{}: pressed (ao logs {} shows what came of it)", session.id, session.id));
    }
    Ok(ExitCode::SUCCESS)
}

/// Interrupts a turn and waits until the agent says that it rests.
pub async fn interrupt(context: &Context, args: InterruptArgs) -> Ended {
    let client = connect::client(context).await?;
    // The number first: what happens between it and the keys comes again as an event.
    let seq = ask::sessions(&client, None, false).await?.seq;
    let path = route::of_session(&args.session, "interrupt");
    let mut session: SessionView = client.post(&path, &Nothing {}).await?;
    let mut stopped = true;
    if !args.no_wait {
        stopped = timeout(STOPS_WITHIN, rests(context, &mut session, seq)).await.unwrap_or(Ok(false))?;
    }
    let out = &context.out;
    if out.is_json() {
        out.json(&session);
    } else if args.no_wait {
        out.line(&format!("{}: the keys that interrupt were pressed", session.id));
    } else if stopped {
        let how = session.turn_end.as_deref().unwrap_or("ended");
        out.line(&format!("{}: its turn ended ({})", session.id, words::line(how)));
    } else {
        out.line(&format!("{}: the keys were pressed, and it still works (ao attach {})", session.id, session.id));
    }
    Ok(if stopped { ExitCode::SUCCESS } else { ExitCode::from(NOT_GREEN) })
}

/// Waits until the turn has ended; true when it has.
async fn rests(context: &Context, session: &mut SessionView, seq: u64) -> Result<bool, ao_core::kind::Fault> {
    let mut events = Follower::new(context, Some(seq)).session(Some(session.id.clone()));
    *session = insist(context, async |client| ask::session(client, &session.id).await).await?;
    while session.turn_end.is_none() && !session.ended {
        let event = events.next().await?;
        if let Some(view) = event.sessions.into_iter().find(|s| s.id == session.id) {
            *session = view;
        }
    }
    Ok(true)
}
