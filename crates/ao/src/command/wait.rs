//! `ao wait`: until a session is where somebody wants it.

use crate::context::Context;
use crate::exit::Ended;
use crate::follow::Follower;
use crate::render::words;
use crate::{ask, connect};
use ao_api::session::SessionView;
use ao_core::kind::Fault;
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::timeout;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Session
    session: String,
    /// What to wait for
    #[arg(long = "for", value_enum, value_name = "WHAT")]
    wanted: Wanted,
    /// Give up after this long, such as 90s or 5m (exit code 7)
    #[arg(short, long, value_parser = duration)]
    timeout: Option<Duration>,
}

/// What can be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Wanted {
    /// The agent waits for a prompt
    Idle,
    /// The agent is in a turn
    Working,
    /// A person is needed: a question, a login, or nothing moves
    NeedsInput,
    /// Its work landed
    Merged,
    /// It is over, however
    Ended,
}

/// Reads a duration of the command line, written as in the configuration.
///
/// # Errors
/// Words that say how one is written.
pub fn duration(text: &str) -> Result<Duration, String> {
    ao_core::config::duration::parse(text).map(|ms| Duration::from_millis(ms.0))
}

/// Waits for a session.
pub async fn run(context: &Context, args: Args) -> Ended {
    let waiting = until(context, &args.session, args.wanted);
    let session = match args.timeout {
        None => waiting.await?,
        Some(limit) => timeout(limit, waiting).await.map_err(|_| {
            let limit = words::limit(limit);
            Fault::unavailable(format!("{} was not {} within {limit}", args.session, args.wanted.name()))
                .hint(format!("ao status {} says how it stands", args.session))
        })??,
    };
    if context.out.is_json() {
        context.out.json(&session);
    } else {
        context.out.line(&format!("{}: {} · {}", session.id, session.status, words::line(&session.why)));
    }
    Ok(ExitCode::SUCCESS)
}

async fn until(context: &Context, given: &str, wanted: Wanted) -> Result<SessionView, Fault> {
    let client = connect::client(context).await?;
    // The number first: what happens between it and the look comes again as an event.
    let seq = ask::sessions(&client, None, false).await?.seq;
    let mut session = ask::session(&client, given).await?;
    let mut events = Follower::new(context, Some(seq)).session(Some(session.id.clone()));
    loop {
        if wanted.holds(&session) {
            return Ok(session);
        }
        if session.ended {
            let fault = Fault::conflict(format!(
                "{} ended and was never {}: {} · {}",
                session.id,
                wanted.name(),
                session.status,
                words::line(&session.why)
            ));
            return Err(fault.hint(format!("ao logs {} shows what it printed", session.id)));
        }
        let event = events.next().await?;
        if let Some(view) = event.sessions.into_iter().find(|s| s.id == session.id) {
            session = view;
        }
    }
}

impl Wanted {
    const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Working => "working",
            Self::NeedsInput => "in need of input",
            Self::Merged => "merged",
            Self::Ended => "ended",
        }
    }

    /// Whether a session is there, by the status that the daemon gave it.
    fn holds(self, session: &SessionView) -> bool {
        match self {
            Self::Idle => session.status == "idle",
            Self::Working => session.status == "working",
            Self::NeedsInput => session.needs_person,
            Self::Merged => session.status == "merged",
            Self::Ended => session.ended,
        }
    }
}
