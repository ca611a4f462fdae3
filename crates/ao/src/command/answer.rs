//! `ao answer`: what a session's agent asks, and an answer to it.

use crate::context::Context;
use crate::exit::Ended;
use crate::render::question;
use crate::{ask, connect, route};
use ao_api::question::{AnswerRequest, AnswerView, QuestionView};
use ao_core::kind::Fault;
use serde::Serialize;
use std::process::ExitCode;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Session
    session: String,
    /// The choice: its key or its label, or the beginning of it; left out, what is asked is shown
    #[arg(conflicts_with_all = ["label", "text", "proposed"])]
    option: Option<String>,
    /// The choice by its label
    #[arg(long, conflicts_with_all = ["text", "proposed"])]
    label: Option<String>,
    /// Words, for a dialog that takes them; `-` reads them from standard input
    #[arg(long, conflicts_with = "proposed")]
    text: Option<String>,
    /// What a rule proposes
    #[arg(long)]
    proposed: bool,
    /// Only if this is what it asks: the question's id, as `--json` shows it
    #[arg(short, long, value_name = "ID")]
    question: Option<String>,
}

/// The question, for programs.
#[derive(Serialize)]
struct Asked {
    session: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    question: Option<QuestionView>,
}

/// Answers a question, or shows it.
pub async fn run(context: &Context, args: Args) -> Ended {
    let client = connect::client(context).await?;
    let session = ask::session(&client, &args.session).await?;
    let out = &context.out;
    let text = match args.text.as_deref() {
        Some("-") => Some(super::send::standard_input()?.trim_end_matches(['\r', '\n']).to_owned()),
        other => other.map(str::to_owned),
    };
    let mut option = args.option.or(args.label);
    if option.is_none() && text.is_none() && !args.proposed {
        if out.is_json() {
            out.json(&Asked { session: session.id, question: session.question });
            return Ok(ExitCode::SUCCESS);
        }
        match &session.question {
            Some(asked) => question::lines(asked, &session.id).iter().for_each(|line| out.line(line)),
            None => out.note(&format!("{} asks nothing now", session.id)),
        }
        return Ok(ExitCode::SUCCESS);
    }
    let nothing = || {
        Fault::conflict(format!("{} asks nothing now", session.id))
            .hint(format!("how it stands: ao status {}", session.id))
    };
    if args.proposed {
        let asked = session.question.as_ref().ok_or_else(nothing)?;
        option = asked.proposal.clone();
        if option.is_none() {
            return Err(Fault::conflict(format!("no rule proposes an answer to what {} asks", session.id))
                .hint(format!("see the choices: ao answer {}", session.id)));
        }
    }
    let id = match args.question {
        Some(id) => id,
        None => session.question.as_ref().ok_or_else(nothing)?.id.clone(),
    };
    let request = AnswerRequest { question: id, option, text };
    let became: AnswerView = client.post(&route::of_session(&session.id, "answer"), &request).await?;
    if became.state == "held" {
        let why = became.why.unwrap_or_default();
        return Err(Fault::conflict(format!("the answer to {} was not taken: {why}", became.question))
            .hint(format!("see what it asks now: ao answer {0}; or answer there: ao attach {0}", session.id)));
    }
    if out.is_json() {
        out.json(&became);
    } else {
        out.line(&format!("{}: {}", became.question, became.state));
    }
    Ok(ExitCode::SUCCESS)
}
