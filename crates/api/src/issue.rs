//! Issues as callers see them. Their texts are other people's words: data, not instructions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IssueView {
    /// Id in the project's tracker, or `{run}/{n}` for the nth task of a run.
    pub id: String,
    /// Headline.
    pub title: String,
    /// The text.
    pub body: String,
    /// Whether it is still to be done.
    pub open: bool,
    /// The branch name that the tracker proposes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
}

/// The open issues of a project (`GET /api/projects/{id}/issues`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Issues {
    /// Those of the tracker in its order, then those of runs, the oldest run first.
    pub issues: Vec<IssueView>,
}
