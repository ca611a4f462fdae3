//! `ao doctor`: what is missing, in the way or left over, and what to do about each. It changes nothing.

mod here;
mod machine;
mod root;

use super::Ended;
use crate::context::Context;
use crate::exit::NOT_GREEN;
use crate::output::{Out, Style};
use crate::render::words::line;
use serde::Serialize;
use std::process::ExitCode;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// How one thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// As it should be.
    Ok,
    /// Works, but somebody may want to know.
    Note,
    /// In the way.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
struct Finding {
    /// What was looked at.
    what: String,
    /// How it is.
    state: State,
    /// What was found.
    found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    todo: Option<String>,
}

#[derive(Serialize)]
struct Findings {
    ok: bool,
    findings: Vec<Finding>,
}

impl Finding {
    fn ok(what: &str, found: impl Into<String>) -> Self {
        Self { what: what.to_owned(), state: State::Ok, found: found.into(), todo: None }
    }
    fn note(what: &str, found: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { what: what.to_owned(), state: State::Note, found: found.into(), todo: Some(todo.into()) }
    }
    fn bad(what: &str, found: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { what: what.to_owned(), state: State::Bad, found: found.into(), todo: Some(todo.into()) }
    }
}

/// Looks around.
pub async fn run(context: &Context, _: Args) -> Ended {
    let mut findings = machine::look(context).await;
    findings.extend(root::look(context).await);
    findings.extend(here::look(context).await);
    let ok = findings.iter().all(|f| f.state != State::Bad);
    let out = &context.out;
    if out.is_json() {
        out.json(&Findings { ok, findings });
    } else {
        for finding in &findings {
            show(out, finding);
        }
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(NOT_GREEN) })
}

fn show(out: &Out, finding: &Finding) {
    let (mark, style) = match finding.state {
        State::Ok => ("ok  ", Style::Green),
        State::Note => ("note", Style::Yellow),
        State::Bad => ("bad ", Style::Red),
    };
    out.line(&format!("{}  {:<12} {}", out.paint(style, mark), finding.what, line(&finding.found)));
    if let Some(todo) = &finding.todo {
        out.line(&format!("{:18} → {}", "", line(todo)));
    }
}
