//! The server: requests in, answers of the script out.

use crate::asked::Asked;
use crate::dialect::Dialect;
use crate::fill::fill;
use crate::note::Notes;
use crate::reply::{Beat, Reply};
use crate::script::{Answer, Script, seconds};
use crate::tool::{Call, calls};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;

/// Requests larger than this are refused: agents send whole conversations, not films.
const BODY_LIMIT: usize = 64 << 20;

/// Any pause makes the connection send what it holds back; this one is too short to be noticed.
const SENT_OFF: Duration = Duration::from_millis(20);

/// Characters of a tool's result in the log.
const RESULT_LIMIT: usize = 1000;

/// A server's state.
#[derive(Debug, Default)]
pub struct Standin {
    script: Script,
    notes: Notes,
    asked: Mutex<Past>,
}

/// What was asked so far.
#[derive(Debug, Default)]
struct Past {
    requests: u64,
    /// The answer to each prompt of each conversation: the same however often it is asked.
    given: HashMap<(String, usize, String), (Option<usize>, Answer)>,
    /// Requests that failed, by prompt.
    failed: HashMap<(String, usize, String), u32>,
}

/// Serves until it is dropped.
///
/// # Errors
/// When the listener fails.
pub async fn serve(listener: TcpListener, standin: Standin) -> io::Result<()> {
    let app = Router::new().fallback(handle).with_state(Arc::new(standin));
    axum::serve(listener, app).await
}

impl Standin {
    /// One that answers from a script and notes what happens.
    #[must_use]
    pub fn new(script: Script, notes: Notes) -> Self {
        Self { script, notes, asked: Mutex::default() }
    }

    fn past(&self) -> std::sync::MutexGuard<'_, Past> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a request of an agent: how long to be silent first, and then what.
    fn decide(&self, dialect: Dialect, asked: &Asked) -> (u64, Decision) {
        let mut past = self.past();
        past.requests += 1;
        let n = past.requests;
        let mut reply = Reply { n, model: asked.model.clone(), ..Reply::default() };
        let Some(prompt) = asked.prompts.last().filter(|_| asked.schema.is_none() && is_main(dialect, asked)) else {
            reply.text = aside(asked);
            self.notes.note("aside", json!({"n": n, "model": asked.model}));
            return (n, Decision { silence: 0.0, what: Ok(reply) });
        };
        let place = asked.place.clone().unwrap_or_else(|| "/".to_owned());
        let key = (place.clone(), asked.prompts.len(), prompt.clone());
        let known = past.given.contains_key(&key);
        let (nth, answer) = past.given.entry(key.clone()).or_insert_with(|| self.script.answer(prompt)).clone();
        if !known {
            let more = json!({"n": n, "where": place, "nth": asked.prompts.len(), "text": prompt, "answer": nth});
            self.notes.note("prompt", more);
        }
        if let Some(status) = answer.error {
            let failed = past.failed.entry(key).or_insert(0);
            if answer.errors.is_none_or(|most| *failed < most) {
                *failed += 1;
                return (n, Decision { silence: answer.delay, what: Err(status) });
            }
        }
        let steps: Vec<Call> = answer.steps.iter().flat_map(|s| calls(s, &asked.tools, &place)).collect();
        reply.call = steps.get(asked.done).cloned();
        reply.think = seconds(answer.think);
        if reply.call.is_some() {
            reply.text = "I look into it.".to_owned();
        } else {
            reply.text = if asked.tools.is_empty() { in_words(&answer) } else { answer.say.clone() };
            reply.stream = seconds(answer.stream);
            reply.hang = seconds(answer.hang);
            reply.cut = answer.cut;
        }
        let last = asked.last.as_ref().map(|l| l.chars().take(RESULT_LIMIT).collect::<String>());
        self.notes.note(
            "answer",
            json!({"n": n, "where": place, "step": asked.done, "of": steps.len(),
                "tool": reply.call.as_ref().map(|c| &c.name), "last": last}),
        );
        (n, Decision { silence: answer.delay, what: Ok(reply) })
    }
}

/// What becomes of a request.
struct Decision {
    /// Seconds of silence first.
    silence: f64,
    /// A reply, or an HTTP status.
    what: Result<Reply, u16>,
}

/// Agents ask their model for titles and summaries on the side, without tools. Aider never offers any.
fn is_main(dialect: Dialect, asked: &Asked) -> bool {
    !asked.tools.is_empty() || (dialect == Dialect::Chat && asked.stream)
}

fn aside(asked: &Asked) -> String {
    asked.schema.as_ref().map_or_else(|| "A scripted task".to_owned(), |schema| fill(schema, "").to_string())
}

/// An answer for an agent that has no tools and reads changes from the text (Aider's search and replace blocks).
fn in_words(answer: &Answer) -> String {
    use crate::script::Step;
    let block = |file: &str, find: &str, replace: &str| {
        let ended =
            |text: &str| if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
        format!("{file}\n```\n<<<<<<< SEARCH\n{}=======\n{}>>>>>>> REPLACE\n```\n\n", ended(find), ended(replace))
    };
    let mut out = String::new();
    for step in &answer.steps {
        match step {
            Step::Edit { edit, find, replace } => out.push_str(&block(edit, find, replace)),
            Step::Write { write, text } => out.push_str(&block(write, "", text)),
            Step::Run { run, .. } => out.push_str(&format!("```bash\n{run}\n```\n\n")),
            Step::Read { .. } | Step::Ask { .. } => {}
        }
    }
    out + &answer.say
}

async fn handle(State(standin): State<Arc<Standin>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // Somebody's proxy: nobody leaves the machine through here.
    if parts.method == Method::CONNECT || parts.uri.scheme().is_some() {
        standin.notes.note("refused", json!({"target": parts.uri.to_string()}));
        return StatusCode::FORBIDDEN.into_response();
    }
    let path = parts.uri.path().to_owned();
    if parts.method == Method::HEAD {
        return StatusCode::OK.into_response();
    }
    if parts.method == Method::GET {
        standin.notes.note("get", json!({ "path": path }));
        return answer(200, &json!({"object": "list", "data": [], "models": [], "has_more": false}));
    }
    let body = match axum::body::to_bytes(body, BODY_LIMIT).await {
        Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        Err(e) => {
            standin.notes.note("unreadable", json!({"path": path, "why": e.to_string()}));
            return StatusCode::BAD_REQUEST.into_response();
        }
    };
    if path.ends_with("/count_tokens") || path.ends_with(":countTokens") {
        return answer(200, &json!({"input_tokens": 100, "totalTokens": 100}));
    }
    let Some(dialect) = Dialect::of(&path) else {
        standin.notes.note("unknown", json!({ "path": path }));
        return answer(
            404,
            &json!({"error": {"type": "not_found_error", "message": "the stand-in does not know this"}}),
        );
    };
    reply(&standin, dialect, dialect.asked(&path, &body)).await
}

async fn reply(standin: &Arc<Standin>, dialect: Dialect, asked: Asked) -> Response {
    let (n, decision) = standin.decide(dialect, &asked);
    tokio::time::sleep(seconds(decision.silence)).await;
    let reply = match decision.what {
        Ok(reply) => reply,
        Err(status) => {
            standin.notes.note("error", json!({"n": n, "status": status}));
            let mut response = answer(status, &dialect.error(status));
            if matches!(status, 429 | 503 | 529) {
                response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("2"));
            }
            return response;
        }
    };
    if !asked.stream {
        standin.notes.note("end", json!({ "n": n }));
        return answer(200, &dialect.whole(&reply));
    }
    standin.notes.note("first", json!({ "n": n }));
    let kept = Arc::clone(standin);
    let beats = dialect.beats(&reply).into_iter();
    let stream = futures_util::stream::unfold((beats, kept, false), move |(mut beats, kept, over)| async move {
        if over {
            return None;
        }
        loop {
            match beats.next() {
                Some(Beat::Send(text)) => return Some((Ok(Bytes::from(text)), (beats, kept, false))),
                Some(Beat::Pause(time)) => tokio::time::sleep(time).await,
                Some(Beat::Cut) => {
                    // What came before is sent off first: a connection that breaks has said something.
                    tokio::time::sleep(SENT_OFF).await;
                    kept.notes.note("cut", json!({ "n": n }));
                    let broken = io::Error::new(io::ErrorKind::ConnectionReset, "cut by the script");
                    return Some((Err(broken), (beats, kept, true)));
                }
                None => {
                    kept.notes.note("end", json!({ "n": n }));
                    return None;
                }
            }
        }
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(stream)).into_response()
}

fn answer(status: u16, value: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}
