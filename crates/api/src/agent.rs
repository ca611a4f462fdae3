//! Agents as callers see them: which one a task would get, and why.

use ao_core::choice::asked::Asked;
use ao_core::choice::{Choice, Ranked, Strategy};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which agent would get a task (`POST /api/agents/choose`). Nothing is started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ChooseAgent {
    /// Project id; may be left out when there is exactly one.
    #[serde(alias = "project", skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// The task.
    pub task: String,
    /// The caller's environment: logins and programs are looked for with it.
    pub env: BTreeMap<String, String>,
}

/// The agent that a task would get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentChoice {
    /// Its name.
    pub agent: String,
    /// Why, in one line.
    pub why: String,
    /// `fixed`, `ranked` or `heuristic`; none when nobody said how to choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
    /// Everybody who was looked at, best first; nobody is when the strategy is `fixed`.
    pub ranking: Vec<RankedAgent>,
}

/// One agent that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RankedAgent {
    /// Its name.
    pub agent: String,
    /// The sum; none for one that cannot work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<i32>,
    /// What they are for, in words, such as `logged in +18`.
    pub reasons: Vec<String>,
}

impl AgentChoice {
    /// The view of a choice.
    #[must_use]
    pub fn of(asked: &Asked, choice: Choice) -> Self {
        let strategy = asked.strategy.map(|strategy| match strategy {
            Strategy::Fixed => "fixed",
            Strategy::Ranked => "ranked",
            Strategy::Heuristic => "heuristic",
        });
        let ranked = |Ranked { agent, points, reasons }| RankedAgent { agent, points, reasons };
        Self {
            agent: choice.agent,
            why: choice.why,
            strategy: strategy.map(str::to_owned),
            ranking: choice.ranking.into_iter().map(ranked).collect(),
        }
    }
}
