//! The one shape of an error answer.

use ao_core::kind::{Fault, Kind};
use ao_core::time::Millis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An error answer: `{"error": {…}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorBody {
    /// The error.
    pub error: ErrorView,
}

/// What went wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorView {
    /// One of `not_found, conflict, unavailable, rate_limited, denied, unsupported, invalid, storage_failed, bug`.
    pub code: String,
    /// What went wrong.
    pub message: String,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// For `rate_limited`: when to try again, in milliseconds from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl From<&Fault> for ErrorView {
    fn from(fault: &Fault) -> Self {
        let retry_after_ms =
            if let Kind::RateLimited { retry_after } = fault.kind { retry_after.map(|m| m.0) } else { None };
        Self {
            code: fault.kind.name().to_owned(),
            message: fault.message.clone(),
            hint: fault.hint.clone(),
            retry_after_ms,
        }
    }
}

impl From<ErrorView> for Fault {
    fn from(view: ErrorView) -> Self {
        let kind = match view.code.as_str() {
            "not_found" => Kind::NotFound,
            "conflict" => Kind::Conflict,
            "unavailable" => Kind::Unavailable,
            "rate_limited" => Kind::RateLimited { retry_after: view.retry_after_ms.map(Millis) },
            "denied" => Kind::Denied,
            "unsupported" => Kind::Unsupported,
            "invalid" => Kind::Invalid,
            "storage_failed" => Kind::StorageFailed,
            _ => Kind::Bug,
        };
        Self { kind, message: view.message, hint: view.hint }
    }
}
