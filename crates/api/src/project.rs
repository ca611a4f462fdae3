//! Projects, health and rescued work as callers see them.

use ao_core::facts::Facts;
use ao_core::project::Project;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProjectView {
    /// Id.
    pub id: String,
    /// Absolute path of the main checkout.
    pub path: String,
    /// Absolute path of its data directory.
    pub data: String,
    /// Prefix of its session ids.
    pub prefix: String,
    /// Branch that work lands on.
    pub default_branch: String,
    /// The check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// Default agent.
    pub agent: String,
    /// Sessions that are not over.
    pub live_sessions: u32,
}

impl ProjectView {
    /// The view of a project.
    #[must_use]
    pub fn of(facts: &Facts, project: &Project) -> Self {
        let live = facts.sessions.values().filter(|s| s.project == project.id && !s.ended()).count();
        Self {
            id: project.id.to_string(),
            path: project.path.clone(),
            data: project.data.clone(),
            prefix: project.prefix.clone(),
            default_branch: project.settings.default_branch.clone(),
            check: project.settings.check.clone(),
            agent: project.settings.agent.clone(),
            live_sessions: u32::try_from(live).unwrap_or(u32::MAX),
        }
    }
}

/// Every project (`GET /api/projects`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Projects {
    /// The projects.
    pub projects: Vec<ProjectView>,
}

/// How the daemon is (`GET /api/healthz`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// `ok`, or `read_only` after the journal could not be written.
    pub status: String,
    /// Its version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// Where browsers reach it.
    pub url: String,
    /// Sequence number of the journal.
    pub seq: u64,
    /// Sessions that are not over.
    pub live_sessions: u32,
    /// What was repaired or doubted at start-up.
    pub notes: Vec<String>,
}

/// What `daemon.json` holds: how to find the daemon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DaemonFile {
    /// Its process.
    pub pid: u32,
    /// Start time of that process in clock ticks since boot, so that a pid that was given to another process is noticed.
    pub started: u64,
    /// Its version.
    pub version: String,
    /// Where browsers reach it.
    pub url: String,
    /// Absolute path of its socket.
    pub socket: String,
}

/// Rescued work (`GET /api/rescues`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rescues {
    /// What was kept.
    pub rescues: Vec<RescueView>,
}

/// One piece of rescued work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RescueView {
    /// Project.
    pub project_id: String,
    /// The ref.
    pub name: String,
    /// Its commit.
    pub commit: String,
    /// When: Unix milliseconds.
    pub at: u64,
    /// What it holds.
    pub subject: String,
}

/// All about one piece of rescued work (`GET /api/rescues/show`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RescueText {
    /// Which.
    pub rescue: RescueView,
    /// What it says about itself, and what differs in it.
    pub text: String,
}
