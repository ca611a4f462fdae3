//! The page: static files from `ao_web`, which hold no secret and need no sign-in, but an honest `Host`.

use super::answer::Refusal;
use super::door::Door;
use super::kept::matches;
use crate::access::connection::Connection;
use ao_core::kind::Fault;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

/// What a browser without the page's files is told.
const MISSING: &str =
    "<!doctype html><meta charset=utf-8><title>ao</title><p>There is no such page. <a href=\"/\">To the board</a>";

/// Answers a request for a file.
pub(super) fn answer(door: &Door, connection: &Connection, request: &Parts) -> Response {
    let admitted = door.enter().and_then(|house| house.gate.honest(connection, &request.method, &request.headers));
    if let Err(fault) = admitted {
        return Refusal::from(fault).into_response();
    }
    if request.method != Method::GET && request.method != Method::HEAD {
        return Refusal::from(Fault::not_found(format!("nothing takes {} {}", request.method, request.uri.path())))
            .into_response();
    }
    file(request)
}

fn file(request: &Parts) -> Response {
    let path = request.uri.path();
    // Addresses of the page's own views have no dot: they all are the page.
    let asset = ao_web::asset(path).or_else(|| if path.contains('.') { None } else { ao_web::asset("/") });
    let Some(asset) = asset else {
        let mut response = Response::new(Body::from(MISSING));
        *response.status_mut() = StatusCode::NOT_FOUND;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        return response;
    };
    let etag = HeaderValue::from_str(&asset.etag).ok();
    let known = etag.as_ref().is_some_and(|etag| matches(&request.headers, etag));
    let mut response = Response::new(if known { Body::empty() } else { Body::from(asset.bytes.into_owned()) });
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.mime));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(ao_web::CONTENT_SECURITY_POLICY));
    // Another version of the daemon has other files under the same names.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Some(etag) = etag {
        headers.insert(header::ETAG, etag);
    }
    response
}
