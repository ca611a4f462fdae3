//! `ao events`: what happened, and what happens.

use crate::context::Context;
use crate::exit::Ended;
use crate::follow::Follower;
use crate::output::Style;
use crate::render::words::{line, moment};
use crate::{ask, connect, route};
use ao_api::event::{EventView, Events};
use std::process::ExitCode;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only after this number
    #[arg(long)]
    since: Option<u64>,
    /// Go on as things happen
    #[arg(short, long)]
    follow: bool,
    /// Only of this session
    #[arg(short, long)]
    session: Option<String>,
    /// Only of this project
    #[arg(short, long)]
    project: Option<String>,
    /// At most this many: the newest, or with --since the ones right after it
    #[arg(short = 'n', long, default_value_t = 50)]
    limit: u32,
}

/// Shows events.
pub async fn run(context: &Context, args: Args) -> Ended {
    let client = connect::client(context).await?;
    let session = match &args.session {
        Some(given) => Some(ask::session(&client, given).await?.id),
        None => None,
    };
    let parts = [
        ("since", args.since.map(|s| s.to_string())),
        ("session", session.clone()),
        ("project", args.project.clone()),
        ("limit", Some(args.limit.to_string())),
        ("follow", Some("false".to_owned())),
    ];
    // The number before the look: an event in between is in the look.
    let seq = ask::sessions(&client, None, false).await?.seq;
    let past: Events = client.get(&route::query("/api/events", &parts)).await?;
    let out = &context.out;
    if out.is_json() && !args.follow {
        out.json(&past);
        return Ok(ExitCode::SUCCESS);
    }
    for event in &past.events {
        show(context, event);
    }
    if !args.follow {
        return Ok(ExitCode::SUCCESS);
    }
    // Not from the number before the look: with a limit there is more between.
    let from = past.events.last().map_or(args.since.unwrap_or(seq), |e| e.seq);
    let mut events = Follower::new(context, Some(from)).session(session).project(args.project);
    loop {
        show(context, &events.next().await?);
    }
}

fn show(context: &Context, event: &EventView) {
    let out = &context.out;
    if out.is_json() {
        out.json_line(event);
        return;
    }
    let who = event.session.as_deref().or(event.project.as_deref()).unwrap_or("-");
    let number = out.paint(Style::Dim, &format!("{:>6}", event.seq));
    out.line(&format!("{number}  {}  {:<10} {}", moment(event.at), line(who), line(&event.summary)));
}
