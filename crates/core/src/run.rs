//! A `fix` run: the failures of one check, a session per group, until the target is green or nobody can go on.

use crate::failure::Group;
use crate::id::{CommitId, ProjectId, RunId, SessionId};
use crate::kind::Fault;
use crate::merge_queue::Baseline;
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its id, `{project}-fix-{n}`.
    pub id: RunId,
    /// Its project.
    pub project: ProjectId,
    /// The gate's command.
    pub check: String,
    /// The branch that work lands on.
    pub target: String,
    /// The commit the run started from.
    pub base: CommitId,
    /// Agent for its sessions.
    pub agent: String,
    /// Why this agent was chosen, when nobody named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<String>,
    /// Model for its sessions, when not the project's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Extra arguments for the agent.
    #[serde(default)]
    pub agent_args: Vec<String>,
    /// The caller's environment for the agents.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Sessions at the same time.
    pub parallel: u32,
    /// Prompts per session before a person is asked, the first included.
    pub max_attempts: u32,
    /// Stop after reading the failures.
    #[serde(default)]
    pub dry_run: bool,
    /// Leave the sessions alive when their work has landed.
    #[serde(default)]
    pub keep: bool,
    /// Everything that the target was seen to fail in this run.
    #[serde(default)]
    pub baseline: Baseline,
    /// What the gate saw on the last value of the target that it landed: a task whose failures are gone needs no session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landed: Option<Baseline>,
    /// How far it has come.
    pub state: RunState,
    /// What is to be mended.
    #[serde(default)]
    pub tasks: Vec<Task>,
    /// Times the whole check was read: failures hidden by others show up in a later round.
    pub rounds: u32,
    /// When it was asked for.
    pub started: Time,
}

/// How far a run has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RunState {
    /// The check runs on this commit of the target.
    Checking {
        /// The commit.
        commit: CommitId,
    },
    /// Sessions work.
    Working,
    /// The target is read again after everything landed or gave up.
    Verifying {
        /// The commit; none until it is known.
        commit: Option<CommitId>,
    },
    /// Over.
    Finished {
        /// How.
        outcome: RunOutcome,
        /// When.
        at: Time,
    },
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum RunOutcome {
    /// The target passes its whole check.
    Green {
        /// The commit that passed.
        commit: CommitId,
    },
    /// Some failures are left.
    Red {
        /// How many.
        left: u32,
    },
    /// Only a list of what would be done was wanted.
    DryRun,
    /// Somebody stopped it.
    Cancelled,
    /// It could not go on.
    Failed {
        /// Why.
        fault: Fault,
    },
}

/// One group of failures and the session that mends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The failures.
    pub group: Group,
    /// Who works on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// How far it has come.
    pub state: TaskState,
    /// Prompts given so far.
    pub attempts: u32,
    /// When its session began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began: Option<Time>,
}

/// How far a task has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum TaskState {
    /// Waits for a place.
    Waiting,
    /// Its session works.
    Active,
    /// Its fix is on the target.
    Landed {
        /// The value of the target that brought it, or that had it already.
        commit: CommitId,
        /// The target had it already: others brought it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        contained: bool,
        /// When.
        at: Time,
    },
    /// A person must take over.
    GivenUp {
        /// Why.
        why: String,
        /// When.
        at: Time,
    },
}

/// Prompts per session before a person is asked, unless told otherwise.
pub const MAX_ATTEMPTS: u32 = 3;

/// Rounds of reading the target before a run gives up: each one may reveal failures that others hid.
pub const MAX_ROUNDS: u32 = 5;

impl Task {
    /// Whether nothing more happens with it.
    #[must_use]
    pub const fn settled(&self) -> bool {
        match self.state {
            TaskState::Landed { .. } | TaskState::GivenUp { .. } => true,
            TaskState::Waiting | TaskState::Active => false,
        }
    }
}

impl Run {
    /// Whether it is over.
    #[must_use]
    pub const fn finished(&self) -> bool {
        matches!(self.state, RunState::Finished { .. })
    }

    /// The task that `session` works on.
    #[must_use]
    pub fn task_of(&self, session: &SessionId) -> Option<usize> {
        self.tasks.iter().position(|t| t.session.as_ref() == Some(session))
    }
}
