//! Why a session is said to be as it is: the evidence behind its status.

use crate::session::{DeliveryView, SessionView};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One session with its evidence (`GET /api/sessions/{id}/explain`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The session.
    pub session: SessionView,
    /// The row of the precedence table that decided its status.
    pub rule: String,
    /// The latest observation of every source, best source first.
    pub evidence: Vec<EvidenceView>,
    /// Effects that are on their way or held, with their reasons.
    pub pending: Vec<PendingView>,
    /// Its deliveries, oldest first.
    pub deliveries: Vec<DeliveryView>,
    /// Names of the environment variables that its agent got.
    pub env: Vec<String>,
}

/// One piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceView {
    /// Source.
    pub source: String,
    /// What it says.
    pub activity: String,
    /// When: Unix milliseconds.
    pub at: u64,
    /// Its words.
    pub why: String,
}

/// One effect that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PendingView {
    /// Its key.
    pub key: String,
    /// Since when: Unix milliseconds.
    pub since: u64,
    /// The last failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Nobody knows whether it happened before the daemon last started.
    pub uncertain: bool,
}
