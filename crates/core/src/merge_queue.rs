//! The merge queue's facts (`docs/design/merge-queue.md`): who waits, which batch is tried, what the target was last seen to fail.

use crate::failure::Report;
use crate::id::{BatchId, CommitId, PrId, ProjectId};
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The queue of one project and target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeQueue {
    /// The project.
    pub project: ProjectId,
    /// The branch that everything lands on.
    pub target: String,
    /// Pull requests that wait, in order.
    pub waiting: Vec<PrId>,
    /// The batch that is being tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<Batch>,
    /// Most pull requests of the next batch: halved while a red batch is bisected.
    pub limit: u32,
    /// What the target is known to fail.
    #[serde(default)]
    pub baseline: Baseline,
    /// Why nothing lands, when a person must act first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<Blocked>,
}

/// The failures that a known value of the target has: nothing may add to them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// The commit they were seen on; none when the target was never checked and is taken to be green.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,
    /// Ids of the failures.
    pub failures: BTreeSet<String>,
    /// A failure hid others (a compile error, a check that no reader understood): what shows up when it is gone is not new.
    pub hides: bool,
}

/// Pull requests that are tried together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Its id.
    pub id: BatchId,
    /// What it holds, in landing order.
    pub entries: Vec<Entry>,
    /// How far it has come.
    pub stage: BatchStage,
    /// When it was begun.
    pub since: Time,
}

/// One pull request in a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The pull request.
    pub pr: PrId,
    /// The head it had when the batch was made.
    pub head: CommitId,
    /// The commit that lands it, once built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,
}

/// How far a batch has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum BatchStage {
    /// Its candidate is being built on top of the target.
    Building,
    /// The gate runs on the candidate.
    Gating {
        /// The target's value it was built on.
        old: CommitId,
        /// The candidate.
        tip: CommitId,
    },
    /// The gate was red on the candidate, and the target's own failures are being read to tell whose they are.
    Comparing {
        /// The target's value it was built on.
        old: CommitId,
        /// The candidate.
        tip: CommitId,
        /// What the gate said.
        report: Report,
        /// The end of its output.
        log: String,
    },
    /// The gated candidate is being landed by compare-and-swap.
    Landing {
        /// The target's expected value.
        old: CommitId,
        /// The candidate.
        tip: CommitId,
        /// What the target will fail once it has landed.
        baseline: Baseline,
    },
}

/// Why nothing lands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// In words.
    pub why: String,
    /// Since when.
    pub since: Time,
    /// When it is tried again.
    pub again: Time,
}
