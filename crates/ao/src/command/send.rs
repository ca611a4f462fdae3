//! `ao send`: a prompt for a session's agent, typed as soon as the agent takes one.

use crate::context::Context;
use crate::exit::Ended;
use crate::follow::{Follower, insist, once};
use crate::render::words;
use crate::{ask, connect, route};
use ao_api::explanation::Explanation;
use ao_api::request::{Message, Nothing};
use ao_api::session::{DeliveryView, Queued};
use ao_core::kind::{Fault, Kind};
use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::timeout;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Session
    session: String,
    /// The prompt; `-` reads it from standard input
    #[arg(required_unless_present_any = ["file", "drop"], conflicts_with = "file")]
    text: Vec<String>,
    /// Read the prompt from this file
    #[arg(short, long)]
    file: Option<PathBuf>,
    /// A file that belongs to the prompt: copied into the workspace, where git does not see it
    #[arg(long, value_name = "FILE", conflicts_with = "drop")]
    attach: Vec<PathBuf>,
    /// Wait until the agent has begun to work on it
    #[arg(short, long)]
    wait: bool,
    /// With --wait: give up after this long, such as 90s or 5m
    #[arg(long, requires = "wait", value_parser = super::wait::duration)]
    timeout: Option<Duration>,
    /// Give up the prompt that is not getting through, so that the next one can
    #[arg(long, conflicts_with_all = ["text", "file", "wait"])]
    drop: bool,
}

/// Sends a prompt.
pub async fn run(context: &Context, args: Args) -> Ended {
    if args.drop {
        return drop_held(context, &args.session).await;
    }
    let content = match &args.file {
        Some(file) if file.as_os_str() == "-" => standard_input()?,
        Some(file) => std::fs::read_to_string(file)
            .map_err(|e| Fault::invalid(format!("the prompt cannot be read from {}: {e}", file.display())))?,
        None if args.text == ["-"] => standard_input()?,
        None => args.text.join(" "),
    };
    if content.trim().is_empty() {
        return Err(Fault::invalid("the prompt is empty").hint("ao send SESSION \"what to do\", or -f FILE"));
    }
    // Once, before the daemon is insisted on: one that nobody stopped is started.
    connect::client(context).await?;
    let session = insist(context, async |client| ask::session(client, &args.session).await).await?;
    let seq = insist(context, async |client| ask::sessions(client, None, false).await).await?.seq;
    let message = Message { content, attachments: paths(context, &args.attach)? };
    let queued: Queued = once(context, &route::of_session(&session.id, "message"), &message).await?;
    let mut delivery = queued.delivery;
    if args.wait {
        let arriving = arrives(context, &session.id, &delivery.id, seq);
        delivery = match args.timeout {
            None => arriving.await?,
            Some(limit) => timeout(limit, arriving).await.map_err(|_| {
                Fault::unavailable(format!("the prompt did not arrive within {}", words::limit(limit)))
                    .hint(format!("ao explain {} says why", session.id))
            })??,
        };
    }
    let out = &context.out;
    if out.is_json() {
        out.json(&Queued { delivery });
    } else {
        let held = delivery.held.as_deref().map(|h| format!(" ({})", words::line(h))).unwrap_or_default();
        out.line(&format!("{}: {}{held}", delivery.id, delivery.state));
    }
    Ok(ExitCode::SUCCESS)
}

/// Absolute paths of files.
fn paths(context: &Context, files: &[PathBuf]) -> Result<Vec<String>, Fault> {
    let path = |file: &PathBuf| {
        let path = context.cwd.join(file);
        path.to_str().map(str::to_owned).ok_or_else(|| Fault::invalid(format!("{} is not UTF-8", path.display())))
    };
    files.iter().map(path).collect()
}

/// Waits until the delivery is over.
async fn arrives(context: &Context, session: &str, delivery: &str, seq: u64) -> Result<DeliveryView, Fault> {
    let mut events = Follower::new(context, Some(seq)).session(Some(session.to_owned()));
    let mut said = String::new();
    loop {
        let path = route::of_session(session, "explain");
        let look: Explanation = insist(context, async |client| client.get(&path).await).await?;
        let Some(found) = look.deliveries.into_iter().find(|d| d.id == delivery) else {
            return Err(Fault::new(Kind::Bug, format!("delivery {delivery} is not there any more")));
        };
        match found.state.as_str() {
            "delivered" => return Ok(found),
            "dropped" => return Err(Fault::conflict(format!("{delivery} was given up: {}", reason(&found)))),
            "uncertain" => {
                let fault = Fault::conflict(format!("nobody knows whether {delivery} arrived: {}", reason(&found)));
                return Err(fault.hint(format!("look: ao attach {session}; then: ao send {session} --drop")));
            }
            _ if look.session.ended => {
                return Err(Fault::conflict(format!("session {session} ended before the prompt arrived")));
            }
            state => {
                let now =
                    found.held.as_deref().map_or_else(|| state.to_owned(), |h| format!("{state}: {}", words::line(h)));
                if now != said && !context.out.is_json() {
                    context.out.note(&format!("{delivery} {now}"));
                    said = now;
                }
            }
        }
        events.next().await?;
    }
}

async fn drop_held(context: &Context, given: &str) -> Ended {
    let client = connect::client(context).await?;
    let session = ask::session(&client, given).await?;
    let Some(delivery) = session.delivery else {
        return Err(Fault::conflict(format!("session {} has no prompt on its way", session.id)));
    };
    let dropped: DeliveryView = client.post(&route::drop_delivery(&delivery.id), &Nothing {}).await?;
    if context.out.is_json() {
        context.out.json(&Queued { delivery: dropped });
    } else {
        context.out.line(&format!("{}: {}", dropped.id, dropped.state));
    }
    Ok(ExitCode::SUCCESS)
}

fn reason(delivery: &DeliveryView) -> String {
    delivery.held.as_deref().map_or_else(|| "no reason was kept".to_owned(), words::line)
}

/// Everything on standard input.
///
/// # Errors
/// `invalid` when it is no text.
pub fn standard_input() -> Result<String, Fault> {
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .read_to_string(&mut text)
        .map_err(|e| Fault::invalid(format!("standard input cannot be read: {e}")))?;
    Ok(text)
}
