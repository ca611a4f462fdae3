//! Tokens and signing in, as callers see them. A secret is in exactly one answer, the one that makes it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A role that a token can have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenRole {
    /// Reads.
    #[default]
    Viewer,
    /// Reads, starts, directs, stops and merges.
    Operator,
    /// Everything, tokens and the daemon itself included.
    Admin,
}

impl TokenRole {
    /// The name used in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

/// A new token (`POST /api/tokens`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct NewToken {
    /// What it is for, to tell it from others.
    pub name: String,
    /// What it may do.
    pub role: TokenRole,
    /// Days until it is worth nothing; 90 when left out, 365 at the most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in_days: Option<u32>,
}

/// A token that was just made: the only answer that holds its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenMade {
    /// What is sent as `Authorization: Bearer …`.
    pub token: String,
    /// The token without its secret.
    #[serde(flatten)]
    pub view: TokenView,
}

/// A token without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenView {
    /// Its id: what revokes it.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: TokenRole,
    /// `token`, or `browser` for one that lives in a cookie.
    pub kind: String,
    /// When it was made: Unix milliseconds.
    pub created_at: u64,
    /// When it is worth nothing any more: Unix milliseconds.
    pub expires_at: u64,
}

/// Every token (`GET /api/tokens`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenList {
    /// The tokens, oldest first.
    pub tokens: Vec<TokenView>,
}

/// A one-time way in for a browser (`POST /api/sign-in/codes`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignInCode {
    /// Open this in a browser; good for one use.
    pub url: String,
    /// Seconds until it is worth nothing.
    pub expires_in: u64,
}

/// Trades a one-time code for a cookie (`POST /api/sign-in`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct SignIn {
    /// The code: what follows `#sign-in=` in the one-time URL.
    pub code: String,
}

/// Who the caller is (`GET /api/whoami`, and the answer to a sign-in).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhoAmI {
    /// `viewer`, `operator`, `admin`, `session:<id>` or `orchestrator:<project>`.
    pub role: String,
    /// How the daemon calls the caller in its records.
    pub name: String,
}
