//! Everything that can happen, closed. Commands, ends of effects and observations all come this way.

use crate::activity::Observation;
use crate::effect::Outcome;
use crate::id::{BatchId, CommitId, DeliveryId, EffectKey, LaunchId, ProjectId, RunId, SessionId};
use crate::kind::Fault;
use crate::project::Settings;
use crate::question::{Dialog, Reply};
use crate::session::{Remains, Role};
use crate::supervision::{AnswerRule, Supervision};
use crate::terminal::Said;
use crate::transcript::Reading;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The daemon opened the journal and begins to work.
    DaemonStarted {
        /// Its version.
        version: String,
        /// The machine's boot id: another one means that every process is gone.
        boot_id: String,
        /// Machine time minus boot time, in milliseconds, for this boot.
        clock_base: u64,
    },
    /// Time passed; a deadline may have come.
    Ticked,
    /// The journal could not be written; nothing more is done until a restart. Only ever recorded, never decided.
    StorageFailed {
        /// What failed.
        why: String,
    },

    /// It was measured how many agents this machine can carry.
    PlacesMeasured {
        /// Sessions that may work at the same time, all projects together; 0 for no limit.
        places: u32,
    },

    /// A project was added, or its configuration changed.
    ProjectConfigured {
        /// Its id.
        project: ProjectId,
        /// Absolute path of the main checkout.
        path: String,
        /// Absolute path of its data directory.
        data: String,
        /// Prefix of its session ids.
        prefix: String,
        /// Effective settings.
        settings: Box<Settings>,
    },
    /// A project was taken off the list.
    ProjectRemoved {
        /// Its id.
        project: ProjectId,
    },

    /// A session is wanted.
    SessionRequested {
        /// What is wanted.
        new: Box<NewSession>,
    },
    /// A prompt is to be delivered.
    MessageSent {
        /// To whom.
        session: SessionId,
        /// The text.
        text: String,
        /// Who sends it.
        from: String,
    },
    /// A session is to be stopped; its workspace stays unless cleanup is asked for.
    StopRequested {
        /// Which.
        session: SessionId,
        /// Who or what asks.
        why: String,
        /// Remove the workspace afterwards.
        cleanup: bool,
    },
    /// An ended session is to be started again in its workspace.
    RestoreRequested {
        /// Which.
        session: SessionId,
    },
    /// An ended session's workspace is to be removed.
    CleanupRequested {
        /// Which.
        session: SessionId,
    },
    /// A session is to be put into the archive: its workspace is saved and removed, and lists leave it out.
    ArchiveRequested {
        /// Which.
        session: SessionId,
        /// Stop it first if it is not over; who or what asks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stop: Option<String>,
    },
    /// A question of an agent is to be answered.
    AnswerRequested {
        /// Whose.
        session: SessionId,
        /// Which of its questions.
        n: u32,
        /// How.
        reply: Reply,
        /// Who answers.
        by: String,
    },
    /// A session's work is to be gated and merged.
    MergeRequested {
        /// Whose.
        session: SessionId,
    },
    /// Somebody presses keys in a session's terminal. What they type stands nowhere: it may be a password.
    KeysPressed {
        /// Whose.
        session: SessionId,
        /// Who presses them.
        from: String,
        /// Which, in words: names of keys, and how many characters.
        keys: String,
        /// They are the ones that interrupt a turn.
        interrupt: bool,
    },
    /// An idle session is to be halted now.
    FreezeRequested {
        /// Which.
        session: SessionId,
    },
    /// A halted session is to go on.
    ThawRequested {
        /// Which.
        session: SessionId,
    },
    /// A held delivery is to be given up.
    DeliveryDropped {
        /// Which.
        delivery: DeliveryId,
    },
    /// A check is to be made green.
    RunRequested {
        /// What is wanted.
        new: Box<NewRun>,
    },
    /// A run is to end, and its sessions with it.
    RunCancelled {
        /// Which.
        run: RunId,
    },
    /// A queue that is blocked is to be tried again now.
    QueueRetried {
        /// Whose.
        project: ProjectId,
    },

    /// An effect ended well.
    EffectDone {
        /// Which.
        key: EffectKey,
        /// How.
        outcome: Outcome,
    },
    /// An effect failed.
    EffectFailed {
        /// Which.
        key: EffectKey,
        /// Why.
        fault: Fault,
    },

    /// Something was seen of an agent.
    Observed {
        /// Whose.
        session: SessionId,
        /// In which launch.
        launch: LaunchId,
        /// What.
        observation: Observation,
    },
    /// More of an agent's transcript was read.
    TranscriptRead {
        /// Whose.
        session: SessionId,
        /// In which launch.
        launch: LaunchId,
        /// What it says by now, and how far it was read.
        reading: Box<Reading>,
    },
    /// Bytes flowed again after a silence, or stopped flowing.
    OutputSeen {
        /// Whose.
        session: SessionId,
        /// In which launch.
        launch: LaunchId,
        /// Offset of the newest byte.
        offset: u64,
    },
    /// A program said something to the person before its terminal; what came too often is summed up.
    TerminalSaid {
        /// Whose.
        session: SessionId,
        /// In which launch.
        launch: LaunchId,
        /// What.
        said: Said,
    },
    /// The screen of an agent shows another dialog, or none any more.
    DialogShown {
        /// Whose.
        session: SessionId,
        /// In which launch.
        launch: LaunchId,
        /// Which.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dialog: Option<Box<Dialog>>,
    },
    /// The agent's process ended.
    HostExited {
        /// Whose.
        session: SessionId,
        /// Which launch.
        launch: LaunchId,
        /// Exit code.
        code: Option<i32>,
        /// Signal.
        signal: Option<i32>,
        /// Why it could not start, or how the end was learnt.
        why: Option<String>,
    },
    /// Others on the machine listen on ports of a session that is being started.
    PortsTaken {
        /// Whose.
        session: SessionId,
        /// Every first port that was found taken for it.
        bases: BTreeSet<u16>,
    },
    /// A host says whether its session is halted: somebody changed that, or it was asked after a while.
    HostFrozen {
        /// Whose.
        session: SessionId,
        /// Which launch.
        launch: LaunchId,
        /// It is.
        frozen: bool,
    },
    /// A look at a host brought no answer.
    HostProbed {
        /// Whose.
        session: SessionId,
        /// Which launch.
        launch: LaunchId,
        /// What the look said.
        probe: Probe,
    },
}

/// What a look at a host said: three-valued on purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "probe", rename_all = "snake_case")]
pub enum Probe {
    /// It answered.
    Alive,
    /// Its lock is free and it left no exit record.
    Gone {
        /// What is left of its processes.
        #[serde(default)]
        left: Remains,
    },
    /// Nobody knows.
    Unknown {
        /// Why.
        why: String,
    },
}

/// A session that is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewSession {
    /// On which project.
    pub project: ProjectId,
    /// One line that says what it is for.
    pub title: String,
    /// The first prompt; none opens the agent without one.
    pub prompt: Option<String>,
    /// Name asked for.
    pub name: Option<String>,
    /// Issue it is for.
    pub issue: Option<String>,
    /// Agent, when not the project's.
    pub agent: Option<String>,
    /// Why this agent was chosen, when nobody named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<String>,
    /// Runtime, when not the project's.
    pub runtime: Option<String>,
    /// Workspace kind, when not the project's.
    pub workspace: Option<String>,
    /// Branch, when not made from the name.
    pub branch: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Role.
    pub role: Role,
    /// Who answers its questions, when not as in the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supervision: Option<Supervision>,
    /// Rules that answer them, before those of the project.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<AnswerRule>,
    /// Extra arguments for the agent.
    #[serde(default)]
    pub agent_args: Vec<String>,
    /// The caller's environment, filtered.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

/// A run that is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRun {
    /// On which project.
    pub project: ProjectId,
    /// The check; the project's when absent.
    pub check: Option<String>,
    /// The branch to land on, read from the repository by the caller.
    pub target: String,
    /// Its commit.
    pub base: CommitId,
    /// Agent, when not the project's.
    pub agent: Option<String>,
    /// Why this agent was chosen, when nobody named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<String>,
    /// Model, when not the project's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Extra arguments for the agent.
    #[serde(default)]
    pub agent_args: Vec<String>,
    /// The caller's environment, filtered.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Sessions at the same time; the project's when absent.
    pub parallel: Option<u32>,
    /// Prompts per session.
    pub max_attempts: Option<u32>,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Leave the sessions alive when their work has landed.
    #[serde(default)]
    pub keep: bool,
}

/// What a command is told at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The event was no command, or there is nothing to say.
    Noted,
    /// The session it made or acts on.
    Session(SessionId),
    /// The delivery it made.
    Delivery(DeliveryId),
    /// The run it made, or the unfinished one it joined.
    Run {
        /// Which.
        run: RunId,
        /// It was already going on.
        joined: bool,
    },
    /// The batch or queue it acts on.
    Queue(Option<BatchId>),
    /// It may not be done.
    Refused(Fault),
}
