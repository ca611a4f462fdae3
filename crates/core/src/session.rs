//! A session: one agent, one workspace, one branch. Facts only; its status is derived in `status`.

use crate::activity::{Known, Observation, Source};
use crate::freeze::Freeze;
use crate::id::{CommitId, DeliveryId, LaunchId, PrId, ProjectId, RunId, SessionId};
use crate::kind::Fault;
use crate::question::Asking;
use crate::reaction::ReactionKey;
use crate::supervision::{AnswerRule, Supervision};
use crate::terminal::Terminal;
use crate::time::Time;
use crate::transcript::Reading;
use crate::workspace::Belongings;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything durable about one session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id, `{prefix}-{n}`.
    pub id: SessionId,
    /// Its name, `{project}-{slug}`, unique among live sessions.
    pub name: String,
    /// The project it works on.
    pub project: ProjectId,
    /// One line that says what it is for.
    pub title: String,
    /// The issue it was made for, as its tracker names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue: Option<String>,
    /// What it may do towards other sessions.
    pub role: Role,
    /// The `fix` run it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// Agent adapter by name.
    pub agent: String,
    /// Why this agent was chosen, when nobody named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<String>,
    /// Runtime plugin by name.
    pub runtime: String,
    /// Workspace plugin by name.
    pub workspace: String,
    /// Model asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Extra arguments the caller gave for the agent, such as the scripted agent's script or a shell command.
    #[serde(default)]
    pub agent_args: Vec<String>,
    /// The caller's environment, filtered by an allow-list, that the agent gets.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Its branch.
    pub branch: String,
    /// The commit it starts from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<CommitId>,
    /// When it was asked for.
    pub created: Time,
    /// When it last changed.
    pub changed: Time,
    /// Where it stands in its life.
    pub phase: Phase,
    /// Absolute path of its workspace, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_path: Option<String>,
    /// What is known of the process.
    pub process: Process,
    /// The launch that counts now; earlier ones are fenced off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launch: Option<LaunchId>,
    /// Launches made so far.
    pub launches: u32,
    /// Deliveries made so far.
    pub deliveries: u32,
    /// Its host is gone and left no record of an end: since when, and what of its processes is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Lost>,
    /// What the agent does.
    pub known: Known,
    /// The latest observation of each source.
    #[serde(default)]
    pub evidence: BTreeMap<Source, Observation>,
    /// Offset of the newest terminal observation accepted in this launch.
    #[serde(default)]
    pub seen_offset: u64,
    /// When output was last reported; at most once a minute, so as evidence of life only.
    #[serde(default)]
    pub last_output: Time,
    /// How often in this silence a person was told that it may be stuck: each time it is waited twice as long.
    #[serde(default)]
    pub stalls: u32,
    /// The turn going on or the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<Turn>,
    /// Turns begun so far.
    pub turns: u32,
    /// The delivery in hand: one at a time, the others wait in order.
    #[serde(default)]
    pub outbox: Vec<DeliveryId>,
    /// Its pull request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pr: Option<PrId>,
    /// What is being done with the result of the last turn.
    #[serde(default)]
    pub review: WorkReview,
    /// Reviews begun so far.
    #[serde(default)]
    pub reviews: u32,
    /// Its work is to be gated and merged when a turn ends.
    #[serde(default)]
    pub merge_wanted: bool,
    /// What reactions have tried so far.
    #[serde(default)]
    pub tries: BTreeMap<ReactionKey, Tries>,
    /// Why a person should look, if one should.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attention: Option<Attention>,
    /// Where removed work was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rescue: Option<String>,
    /// What it has of its workspace besides the path.
    #[serde(default)]
    pub belongings: Belongings,
    /// Whether its processes are halted.
    #[serde(default)]
    pub freeze: Freeze,
    /// What its agents' transcripts say, and how far they were read.
    #[serde(default)]
    pub reading: Reading,
    /// What the program of its launch said to the person before the terminal.
    #[serde(default)]
    pub terminal: Terminal,
    /// What the agent of its launch went on with.
    #[serde(default)]
    pub conversation: Conversation,
    /// Keys that were last pressed in its terminal by name, other than by attaching to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pressed: Option<Pressed>,
    /// What its agent asks, and what was answered.
    #[serde(default)]
    pub asking: Asking,
    /// Who answers that, when not as in its project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supervision: Option<Supervision>,
    /// Rules that answer its questions, before those of its project.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<AnswerRule>,
}

/// Keys that somebody pressed in a terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pressed {
    /// Who.
    pub by: String,
    /// Which, in words.
    pub keys: String,
    /// When.
    pub at: Time,
    /// The turn that they were to interrupt, by its ordinal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupts: Option<u32>,
}

/// What the agent of a launch goes on with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conversation {
    /// Nothing: it is the session's first launch, or nobody noted it.
    #[default]
    First,
    /// The conversation that the session had.
    Continued,
    /// Nothing, although the session had launches before: its agent cannot go on, or left nothing to go on with.
    Anew,
}

/// What a session may do towards others (`docs/design/access.md`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reports about itself.
    #[default]
    Worker,
    /// Spawns and directs others in its project.
    Orchestrator,
}

/// Where a session stands in its life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    /// Waits for room.
    Queued {
        /// What it waits for.
        why: String,
    },
    /// Its workspace is being made.
    Preparing,
    /// Its agent is being started.
    Launching,
    /// Its agent was started.
    Live,
    /// Being stopped.
    Stopping {
        /// Who or what asked.
        why: String,
        /// Remove the workspace afterwards.
        cleanup: bool,
    },
    /// Over. It stays so until somebody asks for a restore.
    Ended {
        /// How it ended.
        how: Ending,
        /// When.
        at: Time,
    },
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ending", rename_all = "snake_case")]
pub enum Ending {
    /// Its work landed.
    Merged,
    /// Its work is over and nothing was to be merged.
    Done,
    /// Stopped by a person.
    Killed {
        /// Who or what asked.
        why: String,
    },
    /// Its workspace or agent could not be started.
    SpawnFailed {
        /// What went wrong.
        fault: Fault,
    },
    /// It cannot go on.
    Errored {
        /// What went wrong.
        fault: Fault,
    },
}

/// What is known of the agent's process: the third axis.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "process", rename_all = "snake_case")]
pub enum Process {
    /// Nothing started yet, or nothing known.
    #[default]
    Unknown,
    /// The host answered for this launch.
    Alive,
    /// It ended.
    Exited {
        /// Exit code; none when a signal ended it or nobody saw the end.
        code: Option<i32>,
        /// The signal that ended it.
        signal: Option<i32>,
        /// Why it could not even start, or how the end was learnt.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// Host and agent are gone and left no exit record.
    Missing,
    /// The last look failed; nothing is concluded from that.
    ProbeFailed {
        /// What failed.
        why: String,
    },
}

/// A host that is gone and left no record of an end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// Since when nobody finds it.
    pub since: Time,
    /// What is left of what ran in it.
    pub left: Remains,
}

/// What is left of the processes of a launch whose host is gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "left", rename_all = "snake_case")]
pub enum Remains {
    /// Nothing; that is proven.
    None,
    /// These processes.
    Left {
        /// Their ids when it was looked.
        pids: Vec<u32>,
    },
    /// None was found, and nobody can say that there is none.
    #[default]
    Unknown,
}

impl Lost {
    /// What is left, in words that follow what happened.
    #[must_use]
    pub fn words(&self) -> String {
        match &self.left {
            Remains::None => String::new(),
            Remains::Left { pids } => {
                let some: Vec<String> = pids.iter().take(5).map(ToString::to_string).collect();
                let more = if pids.len() > 5 { ", …" } else { "" };
                format!("; its agent may still run (processes {}{more})", some.join(", "))
            }
            Remains::Unknown => "; whether its agent still runs cannot be told here".to_owned(),
        }
    }
}

/// One turn of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Ordinal within the session, from 1.
    pub n: u32,
    /// The launch it belongs to.
    pub launch: LaunchId,
    /// When it began.
    pub began: Time,
    /// Offset in the launch's output of the mark that showed it, when a mark did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// The delivery that began it, when one of ours did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryId>,
    /// The agent's own id of it, when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native: Option<String>,
    /// Its one end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<TurnEnd>,
}

/// How and when a turn ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnEnd {
    /// How.
    pub how: TurnHow,
    /// When.
    pub at: Time,
}

/// The ways a turn can end; each turn has exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnHow {
    /// The agent finished.
    Done,
    /// The model or the agent failed.
    Error,
    /// A person interrupted.
    Interrupted,
    /// A person refused what the agent asked leave for, and the turn ended with that.
    Refused,
    /// The agent's process ended in the middle.
    Exited,
}

/// What is being done with what the last turn left in the workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum WorkReview {
    /// Nothing.
    #[default]
    None,
    /// Looking at what changed.
    Inspecting {
        /// How many reviews there were, this one included.
        n: u32,
    },
    /// Running the failures this session is to mend.
    CheckingOwn {
        /// Which review.
        n: u32,
        /// The commit that holds the workspace's state.
        head: CommitId,
    },
    /// Nothing was changed: running the failures this session is to mend, because others may have mended them.
    CheckingUnchanged {
        /// Which review.
        n: u32,
    },
    /// Running the whole gate.
    CheckingAll {
        /// Which review.
        n: u32,
        /// The commit that holds the workspace's state.
        head: CommitId,
    },
}

/// What a reaction has tried for one cause.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tries {
    /// How often it acted.
    pub count: u32,
    /// When it first acted.
    pub first: Time,
    /// It gave up and told a person.
    pub escalated: bool,
}

/// Why a person should look at a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attention {
    /// The reaction that escalated, or what waits.
    pub key: ReactionKey,
    /// In words.
    pub why: String,
    /// Since when.
    pub since: Time,
}

impl Session {
    /// Whether it is over.
    #[must_use]
    pub const fn ended(&self) -> bool {
        matches!(self.phase, Phase::Ended { .. })
    }

    /// Whether it takes up one of the places for working agents.
    #[must_use]
    pub const fn holds_place(&self) -> bool {
        match self.phase {
            Phase::Preparing | Phase::Launching | Phase::Stopping { .. } => true,
            // One of a run that was kept after its work landed waits for nobody but a person.
            Phase::Live => self.run.is_none() || self.merge_wanted,
            Phase::Queued { .. } | Phase::Ended { .. } => false,
        }
    }

    /// Whether a turn is going on.
    #[must_use]
    pub fn in_turn(&self) -> bool {
        self.turn.as_ref().is_some_and(|t| t.end.is_none())
    }
}
