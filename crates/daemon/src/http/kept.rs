//! Answers that many poll: kept serialised, and answered with "not changed" when they did not.

use ao_core::screen::sha256_hex;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::answer::json;

/// Most answers kept: queries of a few pages and programs. All go when there are more.
const MOST: usize = 64;
/// Some statuses depend on time alone, so even an answer from unchanged facts is made again after this.
const FRESH_FOR: Duration = Duration::from_secs(2);

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    seq: u64,
    made: Instant,
    etag: HeaderValue,
    body: Bytes,
}

/// The answers, by what was asked and by whom.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    kept: Mutex<HashMap<String, Kept>>,
}

impl Shelf {
    /// The answer to a question, if nothing happened since.
    pub(super) fn take(&self, question: &str, seq: u64) -> Option<Kept> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(question).filter(|k| k.seq == seq && k.made.elapsed() < FRESH_FOR).cloned()
    }

    /// Keeps an answer that was made from the facts at `seq` or later.
    pub(super) fn put(&self, question: String, seq: u64, body: Vec<u8>) -> Kept {
        let hash = sha256_hex(&body);
        let etag = format!("\"{}\"", hash.get(..32).unwrap_or(&hash));
        let etag = HeaderValue::from_str(&etag).expect("hexadecimal digits can stand in a header");
        let made = Kept { seq, made: Instant::now(), etag, body: Bytes::from(body) };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(question, made.clone());
        made
    }
}

impl Kept {
    /// The answer to somebody who may have it already.
    pub(super) fn answer(&self, headers: &HeaderMap) -> Response {
        let mut response = if matches(headers, &self.etag) {
            let mut response = Response::default();
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            json(StatusCode::OK, self.body.clone())
        };
        response.headers_mut().insert(header::ETAG, self.etag.clone());
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        response
    }
}

/// Whether `If-None-Match` names this version; weak ones count, as they may for reading.
pub(super) fn matches(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let Ok(etag) = etag.to_str() else { return false };
    let given = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|v| v.to_str().ok());
    given.flat_map(|v| v.split(',')).map(str::trim).any(|v| v == "*" || v.strip_prefix("W/").unwrap_or(v) == etag)
}
