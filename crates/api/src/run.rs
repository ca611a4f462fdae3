//! Runs and merge queues as callers see them.

use ao_core::facts::Facts;
use ao_core::merge_queue::{BatchStage, MergeQueue};
use ao_core::run::{Run, RunOutcome, RunState, TaskState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunView {
    /// Id.
    pub id: String,
    /// Project.
    pub project_id: String,
    /// The check.
    pub check: String,
    /// Agent of its sessions.
    #[serde(default)]
    pub agent: String,
    /// Why this agent was chosen, when nobody named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<String>,
    /// Branch it lands on.
    pub target: String,
    /// `checking, working, verifying` or `finished`.
    pub state: String,
    /// For a finished run: `green, red, dry_run, cancelled` or `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Why it failed, when it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<crate::fault::ErrorView>,
    /// The green commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Failures that are left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<u32>,
    /// Rounds of reading the target.
    pub rounds: u32,
    /// What is to be mended.
    pub tasks: Vec<TaskView>,
    /// When it was asked for: Unix milliseconds.
    pub started_at: u64,
    /// When it ended: Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<u64>,
    /// An unfinished run was joined instead of starting this one.
    #[serde(default)]
    pub joined: bool,
    /// What the caller should know about the start, such as a dirty checkout.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// One group of failures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskView {
    /// Title.
    pub title: String,
    /// Names of the failures.
    pub failures: Vec<String>,
    /// Session that works on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// `waiting, active, landed` or `given_up`.
    pub state: String,
    /// Why it was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Prompts given.
    pub attempts: u32,
    /// Time from the session's begin to the end, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
    /// The commit on the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The target had the fix already: `commit` is the target's, and others brought it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub contained: bool,
}

impl RunView {
    /// The view of a run.
    #[must_use]
    pub fn of(run: &Run) -> Self {
        let mut view = Self {
            id: run.id.to_string(),
            project_id: run.project.to_string(),
            check: run.check.clone(),
            agent: run.agent.clone(),
            chosen: run.chosen.clone(),
            target: run.target.clone(),
            state: String::new(),
            outcome: None,
            fault: None,
            commit: None,
            left: None,
            rounds: run.rounds,
            tasks: run.tasks.iter().map(TaskView::of).collect(),
            started_at: run.started.0,
            ended_at: None,
            joined: false,
            notes: Vec::new(),
        };
        let state = match &run.state {
            RunState::Checking { .. } => "checking",
            RunState::Working => "working",
            RunState::Verifying { .. } => "verifying",
            RunState::Finished { outcome, at } => {
                view.ended_at = Some(at.0);
                view.outcome = Some(view.take_outcome(outcome).to_owned());
                "finished"
            }
        };
        state.clone_into(&mut view.state);
        view
    }

    fn take_outcome(&mut self, outcome: &RunOutcome) -> &'static str {
        match outcome {
            RunOutcome::Green { commit } => {
                self.commit = Some(commit.to_string());
                "green"
            }
            RunOutcome::Red { left } => {
                self.left = Some(*left);
                "red"
            }
            RunOutcome::DryRun => "dry_run",
            RunOutcome::Cancelled => "cancelled",
            RunOutcome::Failed { fault } => {
                self.fault = Some(fault.into());
                "failed"
            }
        }
    }
}

impl TaskView {
    fn of(task: &ao_core::run::Task) -> Self {
        let mut view = Self {
            title: task.group.title.clone(),
            failures: task.group.failures.iter().map(|f| f.name.clone()).collect(),
            session: task.session.as_ref().map(ToString::to_string),
            state: String::new(),
            why: None,
            attempts: task.attempts,
            took_ms: None,
            commit: None,
            contained: false,
        };
        let (state, end) = match &task.state {
            TaskState::Waiting => ("waiting", None),
            TaskState::Active => ("active", None),
            TaskState::Landed { commit, contained, at } => {
                view.commit = Some(commit.to_string());
                view.contained = *contained;
                ("landed", Some(*at))
            }
            TaskState::GivenUp { why, at } => {
                view.why = Some(why.clone());
                ("given_up", Some(*at))
            }
        };
        state.clone_into(&mut view.state);
        view.took_ms = end.zip(task.began).map(|(end, began)| end.since(began).0);
        view
    }
}

/// One merge queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct QueueView {
    /// Project.
    pub project_id: String,
    /// Branch that everything lands on.
    pub target: String,
    /// Pull requests that wait, in order.
    pub waiting: Vec<QueueEntry>,
    /// The batch that is tried, in landing order.
    pub batch: Vec<QueueEntry>,
    /// `building, gating, comparing` or `landing`, when there is a batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// Why nothing lands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<String>,
}

/// One pull request in a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct QueueEntry {
    /// Pull request.
    pub pr: String,
    /// Its session.
    pub session: String,
    /// Its title.
    pub title: String,
}

impl QueueView {
    /// The view of a queue.
    #[must_use]
    pub fn of(facts: &Facts, queue: &MergeQueue) -> Self {
        let entry = |id: &ao_core::id::PrId| {
            let pr = facts.pull_requests.get(id);
            QueueEntry {
                pr: id.to_string(),
                session: pr.map(|p| p.session.to_string()).unwrap_or_default(),
                title: pr.map(|p| p.title.clone()).unwrap_or_default(),
            }
        };
        let stage = queue.batch.as_ref().map(|b| match b.stage {
            BatchStage::Building => "building",
            BatchStage::Gating { .. } => "gating",
            BatchStage::Comparing { .. } => "comparing",
            BatchStage::Landing { .. } => "landing",
        });
        Self {
            project_id: queue.project.to_string(),
            target: queue.target.clone(),
            waiting: queue.waiting.iter().map(entry).collect(),
            batch: queue.batch.iter().flat_map(|b| b.entries.iter().map(|e| entry(&e.pr))).collect(),
            stage: stage.map(str::to_owned),
            blocked: queue.blocked.as_ref().map(|b| b.why.clone()),
        }
    }
}

/// Every run (`GET /api/runs`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Runs {
    /// The runs, newest last.
    pub runs: Vec<RunView>,
}

/// Every queue (`GET /api/merge-queue`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Queues {
    /// The queues, one per project.
    pub queues: Vec<QueueView>,
}
