//! What a session uses at this moment, and what it may use.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a session's whole process tree uses now; what the system does not say is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsageView {
    /// Processor time since its agent was started, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_ms: Option<u64>,
    /// Memory, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Processes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processes: Option<u32>,
    /// They are halted to save power.
    pub frozen: bool,
    /// The disk refuses its log: the newest output is kept in memory alone, and what does not fit there will be missing.
    #[serde(default)]
    pub log_degraded: bool,
    /// Most memory it may use, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_limit_bytes: Option<u64>,
    /// Most processes and threads it may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processes_limit: Option<u32>,
    /// Most processor time it may use, in percent of one core.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_limit_percent: Option<u32>,
}
