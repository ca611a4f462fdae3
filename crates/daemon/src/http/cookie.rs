//! Signing a browser in and out: the only place that sets a cookie.

use super::answer::json;
use crate::access::caller::{Role, Via};
use crate::access::tokens::{BROWSER_DAYS, TokenKind};
use crate::action::row::{Call, Row};
use crate::clock::wall_ms;
use ao_api::access::{SignIn, WhoAmI};
use ao_core::kind::{Fault, Kind};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use serde_json::Value;
use std::time::Instant;

/// Seconds that the cookie lives: as long as what it holds.
const COOKIE_SECONDS: u64 = BROWSER_DAYS as u64 * 24 * 60 * 60;

/// Answers `POST` and `DELETE` of `/api/sign-in`.
pub(super) fn answer(row: &Row, call: &Call, input: Value, headers: &HeaderMap) -> Result<Response, Fault> {
    if call.caller.via == Via::Socket || matches!(call.caller.role, Role::Session(_) | Role::Orchestrator { .. }) {
        return Err(Fault::new(Kind::Denied, "cookies are for browsers outside of sessions"));
    }
    let name = call.house.gate.cookie_for(headers);
    let (who, cookie) = if row.method == Method::POST {
        let shown: SignIn =
            serde_json::from_value(input).map_err(|e| Fault::invalid(format!("the request is not understood: {e}")))?;
        sign_in(call, &shown, &name)?
    } else {
        if let Some(id) = call.house.gate.browser(headers) {
            call.house.gate.tokens().revoke(&id)?;
        }
        let who = WhoAmI { role: "nobody".to_owned(), name: "nobody".to_owned() };
        (who, format!("{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"))
    };
    let body =
        serde_json::to_vec(&who).map_err(|e| Fault::new(Kind::Bug, format!("the answer of {}: {e}", row.name)))?;
    let mut response = json(StatusCode::OK, body);
    let cookie =
        HeaderValue::from_str(&cookie).map_err(|e| Fault::new(Kind::Bug, format!("a cookie cannot be set: {e}")))?;
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

fn sign_in(call: &Call, shown: &SignIn, name: &str) -> Result<(WhoAmI, String), Fault> {
    let role = call.house.gate.codes().redeem(&shown.code, Instant::now())?;
    let tokens = call.house.gate.tokens();
    let (secret, view) = tokens.create("browser", role, TokenKind::Browser, BROWSER_DAYS, wall_ms())?;
    tracing::info!(token = view.id, "a browser was signed in");
    // No `Secure`: this is plain HTTP on loopback, and browsers would drop it.
    let cookie = format!("{name}={secret}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Strict");
    Ok((WhoAmI { role: role.name().to_owned(), name: "the page".to_owned() }, cookie))
}
