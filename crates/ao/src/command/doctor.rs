//! `ao doctor`: what is missing, in the way or left over, and what to do about each. It changes nothing.

mod containers;
mod disk;
mod finding;
mod here;
mod logout;
mod machine;
mod root;

use self::finding::{Finding, State};
use crate::context::Context;
use crate::exit::{Ended, NOT_GREEN};
use crate::output::{Out, Style};
use crate::patience::saying;
use crate::render::words::line;
use serde::Serialize;
use std::process::ExitCode;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {}

#[derive(Serialize)]
struct Findings {
    ok: bool,
    findings: Vec<Finding>,
}

/// Looks around.
pub async fn run(context: &Context, _: Args) -> Ended {
    let look = async {
        let mut findings = machine::look(context).await;
        findings.extend(root::look(context).await);
        findings.extend(disk::look(context).await);
        findings.push(logout::look(context));
        findings.extend(containers::look(context).await);
        findings.extend(here::look(context).await);
        findings
    };
    let findings = saying(&context.out, "looking at the tools, the data root and this repository", look).await;
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
