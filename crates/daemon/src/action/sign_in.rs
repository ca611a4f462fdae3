//! Actions for browsers: a one-time way in, the exchange for a cookie, the way out. The cookie itself is set by HTTP.

use super::row::{Call, Row, Serve};
use crate::access::caller::{Inside, Need};
use crate::access::sign_in::CODE_LIFE;
use ao_api::access::{SignIn, SignInCode, TokenRole, WhoAmI};
use ao_api::request::Nothing;
use ao_core::kind::{Fault, Kind};
use axum::http::Method;
use std::time::Instant;

/// Signing in: HTTP sets the cookie.
pub(crate) const SIGN_IN: &str = "SIGN_IN";
/// Signing out: HTTP takes the cookie.
pub(crate) const SIGN_OUT: &str = "SIGN_OUT";

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("CREATE_SIGN_IN_CODE", Method::POST, "/api/sign-in/codes", issue)
            .verb("ao open")
            .says("Makes a link that signs a browser in once, within a minute."),
        Row::new(SIGN_IN, Method::POST, "/api/sign-in", only_http::<SignIn>)
            .says("Trades a one-time code for a cookie.")
            .needs(Need::Nothing)
            .served(Serve::Cookie),
        Row::new(SIGN_OUT, Method::DELETE, "/api/sign-in", only_http::<Nothing>)
            .says("Signs the browser out: its cookie is worth nothing from then on.")
            .needs(Need::Nothing)
            .served(Serve::Cookie),
        Row::new("WHO_AM_I", Method::GET, "/api/whoami", whoami)
            .says("Tells the caller's role.")
            .needs(Need::Viewer)
            .inside(Inside::Own),
    ]
}

async fn issue(call: Call, _: Nothing) -> Result<SignInCode, Fault> {
    let code = call.house.gate.codes().issue(TokenRole::Operator, Instant::now())?;
    Ok(SignInCode { url: format!("{}/#sign-in={code}", call.house.about.url), expires_in: CODE_LIFE.as_secs() })
}

async fn only_http<I>(_: Call, _: I) -> Result<WhoAmI, Fault> {
    Err(Fault::new(Kind::Unsupported, "cookies are for browsers").hint("programs use a token: `ao token create`"))
}

async fn whoami(call: Call, _: Nothing) -> Result<WhoAmI, Fault> {
    Ok(WhoAmI { role: call.caller.role.name(), name: call.caller.name })
}
