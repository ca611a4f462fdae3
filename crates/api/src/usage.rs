//! What a session uses of this machine, and what its agent used of its models.

use ao_core::session::Session;
use ao_core::transcript::Reading;
use ao_core::usage::{ByModel, Cost, MicroUsd, Prices, Tokens};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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

/// Tokens, and what they cost at list prices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpentView {
    /// Tokens sent that no cache held.
    pub input_tokens: u64,
    /// Tokens that the model wrote, its thoughts included.
    pub output_tokens: u64,
    /// Tokens sent that a cache held.
    pub cache_read_tokens: u64,
    /// Tokens put into a cache.
    pub cache_write_tokens: u64,
    /// What is known of the cost, in millionths of a US dollar; left out when nothing is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_micro_usd: Option<u64>,
    /// The cost in words: `$1.23`, `unknown price`, or `$1.23 + unknown price`.
    pub cost: String,
    /// Models that were used and whose price is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown_prices: Vec<String>,
}

impl SpentView {
    /// The view of what was used.
    #[must_use]
    pub fn of(used: &ByModel, said: &BTreeMap<String, MicroUsd>) -> Self {
        let all = used.values().fold(Tokens::default(), |sum, tokens| sum + *tokens);
        let cost = Cost::of(used, said, Prices::built_in());
        let known = cost.unknown.is_empty() || cost.known.0 > 0;
        Self {
            input_tokens: all.input,
            output_tokens: all.output,
            cache_read_tokens: all.cache_read,
            cache_write_tokens: all.cache_write,
            cost_micro_usd: known.then_some(cost.known.0),
            cost: cost.words(),
            unknown_prices: cost.unknown,
        }
    }

    /// All tokens.
    #[must_use]
    pub const fn tokens(&self) -> u64 {
        self.input_tokens + self.output_tokens + self.cache_read_tokens + self.cache_write_tokens
    }
}

/// What an agent's transcript says of its conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConversationView {
    /// The agent's own id of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native_id: Option<String>,
    /// The model that answered last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What the agent said last, its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_message: Option<String>,
    /// The tool in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Sub-agents at work.
    pub sub_agents: u32,
    /// When the provider's limit resets: Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_resets_at: Option<u64>,
    /// What was used.
    #[serde(flatten)]
    pub spent: SpentView,
}

impl ConversationView {
    /// The view of what was read; none while nothing was.
    #[must_use]
    pub fn of(reading: &Reading) -> Option<Self> {
        if *reading == Reading::default() {
            return None;
        }
        Some(Self {
            native_id: reading.native.clone(),
            model: reading.model.clone(),
            last_message: reading.message.clone(),
            tool: reading.tool().map(str::to_owned),
            sub_agents: reading.sub_agents(),
            limit_resets_at: reading.resets.map(|at| at.0),
            spent: SpentView::of(&reading.used, &reading.said_cost),
        })
    }
}

/// What one session used of one model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsageRow {
    /// Session.
    pub session: String,
    /// Its project.
    pub project_id: String,
    /// Its agent.
    pub agent: String,
    /// The model; empty when the agent does not name it.
    pub model: String,
    /// What was used.
    #[serde(flatten)]
    pub spent: SpentView,
}

impl UsageRow {
    /// One row for each model of a session.
    pub fn all(session: &Session) -> impl Iterator<Item = Self> + '_ {
        session.reading.used.iter().map(|(model, tokens)| {
            let used = ByModel::from([(model.clone(), *tokens)]);
            Self {
                session: session.id.to_string(),
                project_id: session.project.to_string(),
                agent: session.agent.clone(),
                model: model.clone(),
                spent: SpentView::of(&used, &session.reading.said_cost),
            }
        })
    }
}

/// What sessions used (`GET /api/usage`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Usages {
    /// One row for each session and model.
    pub rows: Vec<UsageRow>,
    /// All of them together.
    pub total: SpentView,
    /// The day of the list prices.
    pub prices_dated: String,
}

/// Whose use is wanted (`GET /api/usage`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct UsageQuery {
    /// Only of this session: an id, a name or a unique prefix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Only of this project.
    #[serde(alias = "projectId", skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Only of sessions that changed since then: Unix milliseconds. What they used before counts too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
}
