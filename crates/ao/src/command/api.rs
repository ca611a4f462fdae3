//! `ao api`: any request to the daemon, for scripts and for looking around.

use crate::connect;
use crate::context::Context;
use crate::exit::Ended;
use ao_core::kind::Fault;
use serde_json::Value;
use std::process::ExitCode;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// GET, POST or DELETE
    method: String,
    /// Path, with or without /api: /sessions, /api/healthz, …
    path: String,
    /// JSON body; `-` reads it from standard input
    #[arg(short, long, value_name = "JSON")]
    data: Option<String>,
}

/// The methods of the surface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Get,
    Post,
    Delete,
}

/// Calls the daemon.
pub async fn run(context: &Context, args: Args) -> Ended {
    let method = match args.method.to_uppercase().as_str() {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "DELETE" => Method::Delete,
        _ => {
            return Err(
                Fault::invalid(format!("{:?} is no method of this surface", args.method)).hint("GET, POST or DELETE")
            );
        }
    };
    let path = full(&args.path);
    if !path.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(
            Fault::invalid(format!("the path {path:?} holds what a path cannot")).hint("write it percent-encoded")
        );
    }
    let text = match args.data.as_deref() {
        Some("-") => Some(super::send::standard_input()?),
        other => other.map(str::to_owned),
    };
    let body: Value = match &text {
        Some(text) => serde_json::from_str(text).map_err(|e| Fault::invalid(format!("the body is no JSON: {e}")))?,
        None => Value::Object(serde_json::Map::new()),
    };
    let client = connect::client(context).await?;
    let streams = path.split('?').next() == Some("/api/events") && !path.contains("follow=false");
    if method == Method::Get && streams {
        let mut events = client.follow(&path).await?;
        while let Some(event) = events.next().await? {
            context.out.raw(&format!("{event}\n"));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let answer: Value = match method {
        Method::Get => client.get(&path).await?,
        Method::Post => client.post(&path, &body).await?,
        Method::Delete => client.delete(&path, &body).await?,
    };
    context.out.json(&answer);
    Ok(ExitCode::SUCCESS)
}

fn full(path: &str) -> String {
    let path = path.trim_start_matches('/');
    if path == "api" || path.starts_with("api/") { format!("/{path}") } else { format!("/api/{path}") }
}

#[cfg(test)]
mod tests {
    use super::full;

    #[test]
    fn the_documents_short_paths_work() {
        assert_eq!(full("/sessions/app-1/message"), "/api/sessions/app-1/message");
        assert_eq!(full("/api/healthz"), "/api/healthz");
        assert_eq!(full("apiary"), "/api/apiary");
    }
}
