//! Actions on questions: an answer to what an agent asks.

use super::row::{Call, Row};
use ao_api::question::{AnswerRequest, AnswerView, number};
use ao_core::event::Event;
use ao_core::kind::{Fault, Kind};
use ao_core::question::{LONGEST_ANSWER, Reply};
use ao_core::screen::sha256_hex;
use axum::http::Method;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// An answer is waited for this long: the keys of a long menu, each of which a busy agent may show late.
const ANSWERED_WITHIN: Duration = Duration::from_secs(20);

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("ANSWER_AGENT", Method::POST, "/api/sessions/{id}/answer", answer)
            .also(&["ANSWER_QUESTION", "RESPOND_TO_AGENT"])
            .verb("ao answer")
            .says("Answers the question that an agent asks, by choice or in words, and says what became of it."),
    ]
}

async fn answer(call: Call, wanted: AnswerRequest) -> Result<AnswerView, Fault> {
    let session = call.session()?;
    let Some(n) = number(&session, &wanted.question) else {
        return Err(Fault::invalid(format!("{:?} is no question of {}", wanted.question, session.id))
            .hint("`question.id` of the session says what it asks now"));
    };
    let engine = call.engine();
    let reply = match (&wanted.option, &wanted.text) {
        (Some(option), None) => Reply::Option(option.clone()),
        (None, Some(text)) if text.is_empty() || text.len() > LONGEST_ANSWER => {
            return Err(Fault::invalid(format!("an answer has 1 to {LONGEST_ANSWER} bytes")));
        }
        (None, Some(text)) => {
            let sha256 = sha256_hex(text.as_bytes());
            engine.hub().keep_words(&session.id, sha256.clone(), text.clone());
            Reply::Hidden(sha256)
        }
        (Some(_), Some(_)) | (None, None) => {
            return Err(Fault::invalid("an answer is one of `option` and `text`"));
        }
    };
    let event = Event::AnswerRequested { session: session.id.clone(), n, reply, by: call.caller.name.clone() };
    let decided = engine.command(event).await;
    let became = match decided {
        Ok(_) => became(&call, &session.id, n).await,
        Err(fault) => Err(fault),
    };
    if wanted.text.is_some() {
        engine.hub().forget_words(&session.id);
    }
    became
}

/// What becomes of the answer to a question.
async fn became(call: &Call, id: &ao_core::id::SessionId, n: u32) -> Result<AnswerView, Fault> {
    let until = Instant::now() + ANSWERED_WITHIN;
    let engine = call.engine();
    let look = || engine.follow(|c| c.facts.sessions.get(id).and_then(|s| AnswerView::of(s, n)));
    loop {
        let (view, mut changes) = look();
        let Some(view) = view else { return Err(Fault::new(Kind::Bug, format!("question {n} of {id} has no answer"))) };
        if view.state != "pressing" {
            return Ok(view);
        }
        match timeout_at(until, changes.recv()).await {
            // Whoever fell behind looks again all the same.
            Ok(_) => {}
            Err(_) => return Ok(view),
        }
    }
}
