//! Actions on tokens: make, list, revoke.

use super::row::{Call, Row};
use crate::access::caller::Need;
use crate::access::tokens::{DEFAULT_DAYS, TokenKind};
use crate::clock::wall_ms;
use ao_api::access::{NewToken, TokenList, TokenMade, TokenView};
use ao_api::request::Nothing;
use ao_core::kind::Fault;
use axum::http::Method;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("CREATE_TOKEN", Method::POST, "/api/tokens", create)
            .verb("ao token create")
            .says("Makes a token for a program; this answer alone holds its secret.")
            .needs(Need::Admin)
            .status(201),
        Row::new("LIST_TOKENS", Method::GET, "/api/tokens", list)
            .verb("ao token list")
            .says("Lists tokens and signed-in browsers, without secrets.")
            .needs(Need::Admin),
        Row::new("REVOKE_TOKEN", Method::DELETE, "/api/tokens/{id}", revoke)
            .verb("ao token revoke")
            .says("Makes a token or a signed-in browser worth nothing at once.")
            .needs(Need::Admin),
    ]
}

async fn create(call: Call, new: NewToken) -> Result<TokenMade, Fault> {
    let days = new.expires_in_days.unwrap_or(DEFAULT_DAYS);
    let (token, view) = call.house.gate.tokens().create(&new.name, new.role, TokenKind::Token, days, wall_ms())?;
    Ok(TokenMade { token, view })
}

async fn list(call: Call, _: Nothing) -> Result<TokenList, Fault> {
    Ok(TokenList { tokens: call.house.gate.tokens().list(wall_ms()) })
}

async fn revoke(call: Call, _: Nothing) -> Result<TokenView, Fault> {
    call.house.gate.tokens().revoke(call.part("id"))
}
