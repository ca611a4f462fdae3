//! Answers: JSON, the one shape of an error, and what every answer carries whatever it is.

use ao_api::fault::{ErrorBody, ErrorView};
use ao_core::kind::{Fault, Kind};
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::atomic::{AtomicU64, Ordering};
use tracing::Instrument as _;

/// Identifies a request in answers and logs.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that is taken over from a caller.
const LONGEST_ID: usize = 64;

/// What every answer carries unless it says otherwise itself: nothing is embedded, sniffed, kept or told elsewhere.
const ALWAYS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::CACHE_CONTROL, "no-store"),
];

/// An error answer.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    fault: Fault,
}

impl Refusal {
    /// The caller is nobody: signing in may help.
    pub(super) fn unknown(fault: Fault) -> Self {
        Self { status: 401, fault }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self { status: fault.kind.http_status(), fault }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = ErrorBody { error: ErrorView::from(&self.fault) };
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if self.fault.kind == Kind::Bug {
            tracing::error!(fault = %self.fault, "a request met a defect");
        }
        let mut response = json(status, serde_json::to_vec(&body).unwrap_or_default());
        if let Kind::RateLimited { retry_after: Some(wait) } = self.fault.kind {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.0.div_ceil(1000)));
        }
        response
    }
}

/// A JSON answer.
pub(super) fn json(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

pub(super) fn no_such_route(path: &str) -> Refusal {
    Fault::not_found(format!("there is no {path}")).hint("/api/openapi.json lists every route").into()
}

/// The path is known, the method is not.
pub(super) async fn wrong_method(request: Request) -> Response {
    let fault = Fault::new(Kind::Unsupported, format!("{} does not take {}", request.uri().path(), request.method()));
    Refusal { status: 405, fault: fault.hint("/api/openapi.json lists every route") }.into_response()
}

/// Gives every request an id and a span, and every answer its headers.
pub(super) async fn frame(request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    let span = tracing::info_span!("request", id, method = %request.method(), path = request.uri().path());
    let mut response = next.run(request).instrument(span).await;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    response
}

/// The caller's own id if it has one that can stand in a log, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let plain = |id: &&str| {
        !id.is_empty() && id.len() <= LONGEST_ID && id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    let given = headers.get(REQUEST_ID).and_then(|v| v.to_str().ok()).filter(plain);
    given.map_or_else(|| format!("{:x}-{:x}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)), str::to_owned)
}
