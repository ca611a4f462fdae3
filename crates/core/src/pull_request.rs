//! A pull request, whatever the forge: its own axis beside session and process.

use crate::failure::Failure;
use crate::id::{CommitId, PrId, ProjectId, SessionId};
use crate::time::Time;
use serde::{Deserialize, Serialize};

/// One pull request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullRequest {
    /// Its id, `{project}#{n}`.
    pub id: PrId,
    /// Its number in the forge.
    pub number: u32,
    /// Its project.
    pub project: ProjectId,
    /// The session that owns it.
    pub session: SessionId,
    /// Title, also the subject of a squashed commit.
    pub title: String,
    /// Branch it comes from.
    pub branch: String,
    /// Commit that is proposed: the state of the workspace when its gate passed.
    pub head: CommitId,
    /// Branch it wants to land on.
    pub target: String,
    /// Whether it is open.
    pub state: PrState,
    /// What the checks say about `head`.
    pub checks: Checks,
    /// Whether it merges.
    pub merge: Mergeability,
    /// The failures it is to mend: they must be gone on the candidate that holds it.
    #[serde(default)]
    pub mends: Vec<String>,
    /// The gate's command; none lands without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// When it was opened.
    pub opened: Time,
    /// When its head last changed.
    pub updated: Time,
}

/// Whether a pull request is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PrState {
    /// Being opened.
    Opening,
    /// Open.
    Open,
    /// Landed.
    Merged {
        /// The value the target took when it landed.
        commit: CommitId,
        /// When.
        at: Time,
    },
    /// Closed without landing.
    Closed {
        /// Why.
        why: String,
    },
}

/// What the checks say about a head.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "checks", rename_all = "snake_case")]
pub enum Checks {
    /// Nothing is known.
    #[default]
    None,
    /// Running.
    Pending,
    /// They passed.
    Passed,
    /// They failed.
    Failed {
        /// What failed.
        failures: Vec<Failure>,
    },
}

/// Whether a pull request merges into its target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "merge", rename_all = "snake_case")]
pub enum Mergeability {
    /// Not tried yet on this target.
    #[default]
    Unknown,
    /// It merges.
    Clean,
    /// It does not.
    Conflicted {
        /// Paths in conflict.
        files: Vec<String>,
        /// The target's commit it was tried on.
        onto: CommitId,
    },
}

impl PullRequest {
    /// Whether it is open.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        match self.state {
            PrState::Opening | PrState::Open => true,
            PrState::Merged { .. } | PrState::Closed { .. } => false,
        }
    }
}
