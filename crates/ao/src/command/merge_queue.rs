//! `ao merge-queue`: what waits to be merged.

use crate::context::Context;
use crate::exit::Ended;
use crate::output::Style;
use crate::render::sessions;
use crate::{ask, connect, place, route};
use ao_api::request::Nothing;
use ao_api::run::{QueueView, Queues};
use ao_api::session::SessionView;
use ao_core::kind::Fault;
use std::process::ExitCode;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Only of this project
    #[arg(short, long, global = true)]
    project: Option<String>,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Show the queues (the same as without a word)
    List,
    /// Gate a session's work and merge it
    Add {
        /// Session
        session: String,
    },
    /// Try a blocked queue again now
    Retry,
}

/// Shows or feeds merge queues.
pub async fn run(context: &Context, args: Args) -> Ended {
    let client = connect::client(context).await?;
    let out = &context.out;
    match args.verb {
        None | Some(Verb::List) => {
            let queues = ask::queues(&client, args.project.as_deref()).await?;
            if out.is_json() {
                out.json(&Queues { queues });
            } else if queues.is_empty() {
                out.note("no merge queue has been used yet");
            } else {
                for queue in &queues {
                    out.line(&format!(
                        "{}  {}",
                        out.paint(Style::Bold, &queue.project_id),
                        sessions::queue(queue, out.colours())
                    ));
                }
            }
        }
        Some(Verb::Add { session }) => {
            let session: SessionView = client.post(&route::of_session(&session, "merge"), &Nothing {}).await?;
            if out.is_json() {
                out.json(&session);
            } else {
                out.line(&format!(
                    "{}: its work is gated and merged as soon as its agent is idle ({})",
                    session.id, session.status
                ));
            }
        }
        Some(Verb::Retry) => {
            let Some(project) = place::project(context, &client, args.project.as_deref()).await? else {
                return Err(Fault::invalid("say which project").hint("ao merge-queue retry --project PROJECT"));
            };
            let queue: QueueView = client.post(&route::retry_queue(&project), &Nothing {}).await?;
            if out.is_json() {
                out.json(&queue);
            } else {
                out.line(&sessions::queue(&queue, out.colours()));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
