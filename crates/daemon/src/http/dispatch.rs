//! One request to one row: who calls, what is asked, what is answered.

use super::answer::{Refusal, json};
use super::door::Door;
use super::{cookie, follow, view};
use crate::access::caller::Role;
use crate::access::connection::Connection;
use crate::action::idempotency;
use crate::action::row::{Call, House, Repeat, Row, Serve};
use ao_core::kind::{Fault, Kind};
use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use serde_json::{Map, Value, json as value};
use std::collections::BTreeMap;
use std::time::Duration;

/// Largest body of a request: prompts may be of any length that a person or program would write, and this is a book.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// A larger body is read up to here, and thrown away, before the connection is cut.
const READ_ON: usize = 16 * MOST_BYTES;
/// How long a body may take to arrive: everything here is on one machine.
const BODY_WAIT: Duration = Duration::from_secs(30);
/// How long an answer may still take once the daemon is to stop: less than the doors wait.
const LAST_WAIT: Duration = Duration::from_secs(3);

/// Answers a request that was routed to `row`.
pub(super) async fn answer(
    door: &Door,
    row: &'static Row,
    connection: &Connection,
    path: BTreeMap<String, String>,
    request: Request,
) -> Response {
    let house = match door.enter() {
        Ok(house) => house,
        Err(fault) => return Refusal::from(fault).into_response(),
    };
    let shutdown = house.shutdown.clone();
    let stopping = async {
        shutdown.cancelled().await;
        tokio::time::sleep(LAST_WAIT).await;
    };
    tokio::select! {
        answered = answered(door, house, row, connection, path, request) => answered.unwrap_or_else(|r| r.into_response()),
        () = stopping => Refusal::from(Fault::unavailable("the daemon stopped meanwhile")).into_response(),
    }
}

async fn answered(
    door: &Door,
    house: House,
    row: &'static Row,
    connection: &Connection,
    path: BTreeMap<String, String>,
    request: Request,
) -> Result<Response, Refusal> {
    let (mut parts, body) = request.into_parts();
    let caller = house.gate.admit(connection, &parts.method, &parts.headers).await?;
    let nobody = matches!(caller.role, Role::Nobody { .. });
    caller.may(row.need, row.inside).map_err(|f| if nobody { Refusal::unknown(f) } else { f.into() })?;
    let input = input(row, &parts, body).await?;
    let call = Call { house, caller, path, once: None };
    match row.serve {
        Serve::Json => run(row, call, input, &parts.headers).await,
        Serve::Kept => kept(door, row, call, input, &parts).await,
        Serve::Cookie => Ok(cookie::answer(row, &call, input, &parts.headers)?),
        Serve::Events if input.get("follow") == Some(&Value::Bool(false)) => {
            run(row, call, input, &parts.headers).await
        }
        Serve::Events => Ok(follow::answer(door, &call, input, &parts.headers).await?),
        Serve::Socket => view::answer(row, call, input, &mut parts).await,
    }
}

async fn run(row: &'static Row, mut call: Call, input: Value, headers: &HeaderMap) -> Result<Response, Refusal> {
    let key = headers.get("idempotency-key").filter(|_| row.repeat == Repeat::Keyed);
    let output = match key {
        Some(key) => {
            let key = key.to_str().map_err(|_| Fault::invalid("the Idempotency-Key is not text"))?.to_owned();
            let scope = format!("{}\0{}\0{}", call.caller.role.name(), call.caller.name, row.name);
            let request = value!([call.path, input]);
            let once = idempotency::once(&scope, &key, &request)?;
            call.once = Some(once.clone());
            let replies = call.house.replies.clone();
            replies.once(once, row.run(call, input)).await?
        }
        None => row.run(call, input).await?,
    };
    let status = StatusCode::from_u16(row.status).unwrap_or(StatusCode::OK);
    Ok(json(status, bytes(row, &output)?))
}

async fn kept(door: &Door, row: &'static Row, call: Call, input: Value, parts: &Parts) -> Result<Response, Refusal> {
    let question = format!("{} {:?} {input} {}", row.name, call.path, call.caller.role.name());
    let seq = call.engine().read(|c| c.seq);
    if let Some(kept) = door.shelf().take(&question, seq) {
        return Ok(kept.answer(&parts.headers));
    }
    let output = row.run(call, input).await?;
    Ok(door.shelf().put(question, seq, bytes(row, &output)?).answer(&parts.headers))
}

fn bytes(row: &Row, output: &Value) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(output).map_err(|e| Fault::new(Kind::Bug, format!("the answer of {}: {e}", row.name)))
}

/// What is asked: the query of a request that reads, the body of one that acts.
async fn input(row: &Row, parts: &Parts, body: Body) -> Result<Value, Fault> {
    if parts.method == Method::GET || parts.method == Method::HEAD {
        return Ok(row.typed(pairs(parts.uri.query().unwrap_or_default())));
    }
    let read = tokio::time::timeout(BODY_WAIT, read(body)).await;
    let body = read.map_err(|_| Fault::invalid("the body of the request did not arrive"))??;
    if body.is_empty() {
        let query = parts.uri.query().unwrap_or_default();
        return Ok(if query.is_empty() { Value::Object(Map::new()) } else { row.typed(pairs(query)) });
    }
    let input: Value = serde_json::from_slice(&body).map_err(|e| {
        Fault::invalid(format!("the body is not JSON: {e}"))
            .hint("send an object: -H 'Content-Type: application/json' -d '{…}'")
    })?;
    if input.is_object() { Ok(input) } else { Err(Fault::invalid("the body is not a JSON object")) }
}

/// Reads a body. One that is too large is read on for a while, so that its sender comes to read the answer.
async fn read(body: Body) -> Result<Vec<u8>, Fault> {
    let (mut kept, mut seen) = (Vec::new(), 0_usize);
    let mut blocks = body.into_data_stream();
    while let Some(block) = blocks.next().await {
        let block = block.map_err(|e| Fault::invalid(format!("the body of the request broke off: {e}")))?;
        seen = seen.saturating_add(block.len());
        if seen <= MOST_BYTES {
            kept.extend_from_slice(&block);
        } else if seen > READ_ON {
            break;
        }
    }
    if seen > MOST_BYTES {
        return Err(Fault::invalid(format!("the body has more than {MOST_BYTES} bytes")));
    }
    Ok(kept)
}

/// The pairs of a query string, decoded.
fn pairs(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let mut out = Vec::with_capacity(text.len());
        let mut bytes = text.bytes();
        while let Some(byte) = bytes.next() {
            match byte {
                b'+' => out.push(b' '),
                b'%' => {
                    let digits: Vec<u8> = bytes.by_ref().take(2).collect();
                    let decoded = std::str::from_utf8(&digits).ok().filter(|d| d.len() == 2);
                    match decoded.and_then(|d| u8::from_str_radix(d, 16).ok()) {
                        Some(decoded) => out.push(decoded),
                        None => {
                            out.push(b'%');
                            out.extend(digits);
                        }
                    }
                }
                _ => out.push(byte),
            }
        }
        String::from_utf8_lossy(&out).into_owned()
    };
    let split = query.split('&').filter(|p| !p.is_empty());
    split.map(|p| p.split_once('=').unwrap_or((p, ""))).map(|(k, v)| (decode(k), decode(v))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_strings_are_decoded() {
        let got = pairs("session=my%20app+x&all&project=%zz%4&name=%C3%A4&&x=a=b");
        let want = [("session", "my app x"), ("all", ""), ("project", "%zz%4"), ("name", "ä"), ("x", "a=b")];
        assert_eq!(got, want.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }
}
