//! `ao next`: who needs a person, and what that person can do about it.

use crate::context::Context;
use crate::exit::Ended;
use crate::render::question;
use crate::render::table::{Table, styled};
use crate::render::words::{age, now_ms, style_of};
use crate::{ask, connect};
use ao_api::question::QuestionView;
use ao_api::run::QueueView;
use ao_api::session::SessionView;
use serde::Serialize;
use std::process::ExitCode;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only of this project
    #[arg(short, long)]
    project: Option<String>,
}

/// One thing that waits for a person.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Need {
    /// Session; none for a merge queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    project_id: String,
    status: String,
    why: String,
    /// What to type.
    verb: String,
    /// What its agent asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    question: Option<QuestionView>,
    /// Since when: Unix milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<u64>,
}

#[derive(Serialize)]
struct Needs {
    needs: Vec<Need>,
}

/// Shows who needs a person.
pub async fn run(context: &Context, args: Args) -> Ended {
    let client = connect::client(context).await?;
    let sessions = ask::sessions(&client, args.project.as_deref(), true).await?.sessions;
    let queues = ask::queues(&client, args.project.as_deref()).await?;
    let needs = needs(&sessions, &queues);
    let out = &context.out;
    if out.is_json() {
        out.json(&Needs { needs });
    } else if needs.is_empty() {
        out.note("nobody needs you");
    } else {
        for line in lines(&needs, now_ms(), out.width(), out.colours()) {
            out.line(&line);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Those that wait longest first; a blocked queue before all, because it holds up everybody.
fn needs(sessions: &[SessionView], queues: &[QueueView]) -> Vec<Need> {
    let blocked = queues.iter().filter_map(|q| {
        Some(Need {
            session: None,
            project_id: q.project_id.clone(),
            status: "blocked".to_owned(),
            why: q.blocked.clone()?,
            verb: format!("ao merge-queue retry --project {}", q.project_id),
            question: None,
            since: None,
        })
    });
    let mut waiting: Vec<&SessionView> = sessions.iter().filter(|s| s.needs_person).collect();
    waiting.sort_by_key(|s| s.changed_at);
    let asked = waiting.into_iter().map(|s| Need {
        session: Some(s.id.clone()),
        project_id: s.project_id.clone(),
        status: s.status.clone(),
        why: why(s),
        verb: verb(s),
        question: s.question.clone(),
        since: Some(s.changed_at),
    });
    blocked.chain(asked).collect()
}

/// The question itself says more than what showed it.
fn why(session: &SessionView) -> String {
    match &session.question {
        Some(asked) if asked.answerable => question::short(asked),
        Some(_) | None => session.attention.clone().unwrap_or_else(|| session.why.clone()),
    }
}

fn verb(session: &SessionView) -> String {
    let id = &session.id;
    if let Some(asked) = &session.question {
        return question::verb(asked, id);
    }
    match session.status.as_str() {
        "terminated" if session.ended && session.run.is_none() => restore(session),
        "errored" | "terminated" | "killed" if session.ended => format!("ao logs {id}"),
        "terminated" | "errored" if session.runtime_state != "alive" => format!("ao stop {id} && ao restore {id}"),
        "spawn_failed" => format!("ao explain {id}"),
        "stuck" if session.runtime_state != "alive" => format!("ao logs {id}"),
        _ => format!("ao attach {id}"),
    }
}

/// What brings a session back whose host was lost; what the host left running is ended first.
fn restore(session: &SessionView) -> String {
    let id = &session.id;
    if session.left_running.is_empty() {
        format!("ao restore {id}")
    } else {
        format!("ao stop {id} && ao restore {id}")
    }
}

fn lines(needs: &[Need], now: u64, width: Option<usize>, colour: bool) -> Vec<String> {
    let mut table = Table::new(&["WHO", "STATUS", "AGE", "DO", "WHY"]);
    for need in needs {
        let who = need.session.clone().unwrap_or_else(|| format!("{} merge queue", need.project_id));
        table.row(vec![
            who.into(),
            styled(&need.status, style_of(&need.status)),
            need.since.map(|s| age(s, now)).unwrap_or_default().into(),
            need.verb.as_str().into(),
            need.why.as_str().into(),
        ]);
    }
    table.lines(width, colour)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sessions::tests::session;

    #[test]
    fn everybody_who_needs_a_person_is_listed_with_what_to_do() {
        let mut gone = session("app-3", "terminated", "t");
        gone.runtime_state = "exited".to_owned();
        gone.needs_person = true;
        let mut asks = session("app-2", "needs_input", "t");
        asks.needs_person = true;
        asks.question = Some(crate::render::question::tests::question());
        let mut old = session("app-4", "auth_required", "t");
        old.needs_person = true;
        old.changed_at = 1;
        let mut ended = session("app-5", "errored", "t");
        ended.ended = true;
        let mut given_up = session("app-6", "errored", "t");
        (given_up.ended, given_up.needs_person) = (true, true);
        let mut lost = session("app-7", "terminated", "t");
        (lost.ended, lost.needs_person) = (true, true);
        let mut haunted = session("app-8", "terminated", "t");
        (haunted.ended, haunted.needs_person, haunted.left_running) = (true, true, vec![4711]);
        let sessions = [session("app-1", "working", "t"), asks, gone, old, ended, given_up, lost, haunted];
        let queue = QueueView {
            project_id: "app".to_owned(),
            target: "main".to_owned(),
            waiting: Vec::new(),
            batch: Vec::new(),
            stage: None,
            blocked: Some("main is checked out and dirty".to_owned()),
        };
        let lines = lines(&needs(&sessions, &[queue]), 160_000, None, false);
        insta::assert_snapshot!(lines.join("\n"), @r#"
        WHO              STATUS         AGE  DO                                  WHY
        app merge queue  blocked             ao merge-queue retry --project app  main is checked out and dirty
        app-4            auth_required  2m   ao attach app-4                     because auth_required
        app-2            needs_input    1m   ao answer app-2 OPTION              Do you want to proceed? [Yes / No]
        app-3            terminated     1m   ao stop app-3 && ao restore app-3   because terminated
        app-6            errored        1m   ao logs app-6                       because errored
        app-7            terminated     1m   ao restore app-7                    because terminated
        app-8            terminated     1m   ao stop app-8 && ao restore app-8   because terminated
        "#);
    }
}
