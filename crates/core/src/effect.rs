//! Everything that may be asked of the world. Each effect has a key and says how it recovers (`docs/design/journal.md`).

use crate::delivery::PromptFile;
use crate::failure::Report;
use crate::id::{BatchId, CommitId, DeliveryId, EffectKey, LaunchId, PrId, ProjectId, RunId, SessionId};
use crate::project::MergeStrategy;
use crate::question::{Dialog, Reply};
use crate::session::Conversation;
use crate::time::Millis;
pub use crate::workspace::Inspection;
use crate::workspace::{Ignored, PutBack};
use serde::{Deserialize, Serialize};

/// Something to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Make sure the session's workspace exists.
    EnsureWorkspace {
        /// For whom.
        session: SessionId,
        /// The commit to start from; the target's tip when absent.
        base: Option<CommitId>,
    },
    /// Make sure the host of this launch runs its agent.
    EnsureHost {
        /// For whom.
        session: SessionId,
        /// Which launch.
        launch: LaunchId,
        /// Continue the agent's own earlier conversation.
        resume: bool,
    },
    /// Paste a prompt into the composer.
    PastePrompt {
        /// Which delivery.
        delivery: DeliveryId,
        /// For whom.
        session: SessionId,
        /// In which launch.
        launch: LaunchId,
        /// What is typed.
        text: String,
        /// What must lie in the workspace first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<PromptFile>,
    },
    /// Press Enter on a pasted prompt.
    SubmitPrompt {
        /// Which delivery.
        delivery: DeliveryId,
        /// For whom.
        session: SessionId,
        /// In which launch.
        launch: LaunchId,
        /// Which press, from 1.
        n: u32,
        /// What the composer must hold.
        text: String,
    },
    /// Press an answer's keys on the dialog that it is for.
    AnswerQuestion {
        /// For whom.
        session: SessionId,
        /// In which launch.
        launch: LaunchId,
        /// Which of the session's questions.
        n: u32,
        /// Which try, from 1.
        attempt: u32,
        /// The dialog that must be there.
        dialog: Box<Dialog>,
        /// The answer.
        reply: Reply,
    },
    /// Make sure that nothing of this launch runs any more.
    EnsureStopped {
        /// Whose.
        session: SessionId,
        /// Which launch.
        launch: LaunchId,
    },
    /// Halt the processes of an idle session, unless somebody needs it.
    EnsureFrozen {
        /// Whose.
        session: SessionId,
        /// Which launch.
        launch: LaunchId,
        /// Which change of the session's rest.
        n: u32,
    },
    /// Let them go on.
    EnsureThawed {
        /// Whose.
        session: SessionId,
        /// Which launch.
        launch: LaunchId,
        /// Which change of the session's rest.
        n: u32,
    },
    /// Save what is in the workspace, then remove it.
    RemoveWorkspace {
        /// Whose.
        session: SessionId,
    },
    /// Make what an archived session's terminals left on the disk small.
    ArchiveSession {
        /// Whose.
        session: SessionId,
    },
    /// Look at what the workspace holds and keep it as a commit.
    InspectWorkspace {
        /// Whose.
        session: SessionId,
        /// Which review.
        n: u32,
    },
    /// Run a check.
    RunCheck {
        /// What it is for; part of the key.
        purpose: CheckPurpose,
        /// The project.
        project: ProjectId,
        /// Where.
        place: CheckPlace,
        /// The command, for a shell.
        command: String,
        /// How long it may take.
        limit: Millis,
    },
    /// Open or update a pull request.
    EnsurePullRequest {
        /// Which.
        pr: PrId,
        /// Its project.
        project: ProjectId,
        /// The commit proposed.
        head: CommitId,
        /// Title.
        title: String,
        /// Branch it comes from.
        branch: String,
        /// Branch it wants to land on.
        target: String,
    },
    /// Build a batch's candidate on top of the target.
    BuildCandidate {
        /// Which batch.
        batch: BatchId,
        /// The project.
        project: ProjectId,
        /// The target branch.
        target: String,
        /// What it holds, in order.
        heads: Vec<CandidateHead>,
        /// How branches become commits.
        strategy: MergeStrategy,
    },
    /// Land a gated candidate by compare-and-swap.
    Land {
        /// Which batch.
        batch: BatchId,
        /// The project.
        project: ProjectId,
        /// The target branch.
        target: String,
        /// The value it must have.
        old: CommitId,
        /// The value it gets.
        new: CommitId,
    },
    /// Read the target's current commit.
    ReadTarget {
        /// For which run.
        run: RunId,
        /// Which round.
        round: u32,
        /// The project.
        project: ProjectId,
        /// The target branch.
        target: String,
    },
    /// Remove the project's scratch checkouts: nothing is checked there any more.
    RemoveScratch {
        /// The project.
        project: ProjectId,
        /// How many runs the project has had.
        n: u32,
    },
    /// Tell a person.
    Notify {
        /// The key.
        id: String,
        /// About which project.
        project: ProjectId,
        /// About which session.
        session: Option<SessionId>,
        /// How urgent.
        priority: Priority,
        /// Headline.
        title: String,
        /// The rest.
        body: String,
    },
}

/// What a check is run for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "snake_case")]
pub enum CheckPurpose {
    /// Reading a run's target.
    Read {
        /// Which run.
        run: RunId,
        /// Which round.
        round: u32,
    },
    /// Re-running a session's own failures in its workspace.
    Own {
        /// Which session.
        session: SessionId,
        /// Which review.
        n: u32,
    },
    /// The whole gate in a session's workspace.
    All {
        /// Which session.
        session: SessionId,
        /// Which review.
        n: u32,
    },
    /// The gate on a batch's candidate.
    Candidate {
        /// Which batch.
        batch: BatchId,
    },
    /// The gate on the target that a red candidate was built on.
    Target {
        /// Which batch.
        batch: BatchId,
    },
}

/// Where a check runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "place", rename_all = "snake_case")]
pub enum CheckPlace {
    /// In a scratch checkout of this commit.
    Scratch {
        /// The commit.
        commit: CommitId,
    },
    /// In a session's workspace as it is.
    Workspace {
        /// Absolute path.
        path: String,
    },
}

/// One pull request in a candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateHead {
    /// Which.
    pub pr: PrId,
    /// Its head.
    pub head: CommitId,
    /// Commit message if it is squashed or merged.
    pub message: String,
}

/// How urgently a person is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Now.
    Urgent,
    /// A decision waits.
    Action,
    /// May resolve itself.
    Warning,
    /// For information.
    Info,
}

/// How an effect recovers when nobody knows whether it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recovery {
    /// Simply do it again.
    Converge,
    /// The receiver remembers the key.
    Keyed,
    /// Look first, then do.
    Probe,
    /// Marked before it is sent; after a crash it is uncertain and not repeated.
    Once,
}

impl Effect {
    /// Its idempotency key.
    #[must_use]
    pub fn key(&self) -> EffectKey {
        EffectKey::new(match self {
            Self::EnsureWorkspace { session, .. } => format!("workspace:{session}"),
            Self::EnsureHost { launch, .. } => format!("host:{launch}"),
            Self::PastePrompt { delivery, launch, .. } => format!("paste:{delivery}:{launch}"),
            Self::SubmitPrompt { delivery, launch, n, .. } => format!("submit:{delivery}:{launch}:{n}"),
            Self::AnswerQuestion { launch, n, attempt, .. } => format!("answer:{launch}:{n}:{attempt}"),
            Self::EnsureStopped { launch, .. } => format!("stop:{launch}"),
            Self::EnsureFrozen { launch, n, .. } => format!("freeze:{launch}:{n}"),
            Self::EnsureThawed { launch, n, .. } => format!("thaw:{launch}:{n}"),
            Self::RemoveWorkspace { session } => format!("remove:{session}"),
            Self::ArchiveSession { session } => format!("archive:{session}"),
            Self::InspectWorkspace { session, n } => format!("inspect:{session}:{n}"),
            Self::RunCheck { purpose, .. } => match purpose {
                CheckPurpose::Read { run, round } => format!("check:{run}:{round}"),
                CheckPurpose::Own { session, n } => format!("check:{session}:{n}:own"),
                CheckPurpose::All { session, n } => format!("check:{session}:{n}:all"),
                CheckPurpose::Candidate { batch } => format!("check:{batch}"),
                CheckPurpose::Target { batch } => format!("check:{batch}:target"),
            },
            Self::EnsurePullRequest { pr, head, .. } => format!("pr:{pr}:{head}"),
            Self::BuildCandidate { batch, .. } => format!("build:{batch}"),
            Self::Land { batch, .. } => format!("land:{batch}"),
            Self::ReadTarget { run, round, .. } => format!("target:{run}:{round}"),
            Self::RemoveScratch { project, n } => format!("scratch:{project}:{n}"),
            Self::Notify { id, .. } => format!("notify:{id}"),
        })
    }

    /// How it recovers.
    #[must_use]
    pub const fn recovery(&self) -> Recovery {
        match self {
            Self::EnsureWorkspace { .. }
            | Self::EnsureHost { .. }
            | Self::EnsureStopped { .. }
            | Self::EnsureFrozen { .. }
            | Self::EnsureThawed { .. }
            | Self::RemoveWorkspace { .. }
            | Self::ArchiveSession { .. }
            | Self::InspectWorkspace { .. }
            | Self::RunCheck { .. }
            | Self::BuildCandidate { .. }
            | Self::ReadTarget { .. }
            | Self::RemoveScratch { .. } => Recovery::Converge,
            Self::PastePrompt { .. } | Self::SubmitPrompt { .. } | Self::AnswerQuestion { .. } => Recovery::Keyed,
            Self::EnsurePullRequest { .. } | Self::Land { .. } => Recovery::Probe,
            Self::Notify { .. } => Recovery::Once,
        }
    }

    /// The session it is done for, when it is done for one.
    #[must_use]
    pub const fn session(&self) -> Option<&SessionId> {
        match self {
            Self::EnsureWorkspace { session, .. }
            | Self::EnsureHost { session, .. }
            | Self::PastePrompt { session, .. }
            | Self::SubmitPrompt { session, .. }
            | Self::AnswerQuestion { session, .. }
            | Self::EnsureStopped { session, .. }
            | Self::EnsureFrozen { session, .. }
            | Self::EnsureThawed { session, .. }
            | Self::RemoveWorkspace { session }
            | Self::ArchiveSession { session }
            | Self::InspectWorkspace { session, .. } => Some(session),
            Self::RunCheck { purpose, .. } => match purpose {
                CheckPurpose::Own { session, .. } | CheckPurpose::All { session, .. } => Some(session),
                CheckPurpose::Read { .. } | CheckPurpose::Candidate { .. } | CheckPurpose::Target { .. } => None,
            },
            Self::Notify { session, .. } => session.as_ref(),
            Self::EnsurePullRequest { .. }
            | Self::BuildCandidate { .. }
            | Self::Land { .. }
            | Self::ReadTarget { .. }
            | Self::RemoveScratch { .. } => None,
        }
    }
}

/// How an effect ended well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The workspace is there.
    WorkspaceReady {
        /// Absolute path.
        path: String,
        /// The commit it started from.
        base: CommitId,
        /// The branch it is on.
        branch: String,
        /// What became of rescued work that belongs into it, when it was made just now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        put_back: Option<PutBack>,
    },
    /// The host answered for this launch.
    HostStarted {
        /// What its agent goes on with.
        #[serde(default)]
        conversation: Conversation,
    },
    /// The prompt is in the composer.
    Pasted,
    /// Enter was pressed.
    Submitted {
        /// Offset in the launch's output at that moment.
        offset: u64,
    },
    /// The keys of an answer were pressed, and its dialog went away.
    Answered,
    /// The paste was typed, now or earlier, and the composer does not show it.
    Unseen,
    /// Typing, or halting, was not possible; nothing was done.
    Held {
        /// Why.
        why: String,
    },
    /// Nothing of the launch runs any more.
    Stopped {
        /// The agent's exit code, when known.
        code: Option<i32>,
    },
    /// Its processes are halted.
    Frozen,
    /// They go on.
    Thawed,
    /// The workspace is gone, its content is safe.
    WorkspaceRemoved {
        /// The rescue ref, when there was something to save.
        rescue: Option<String>,
        /// What git ignored and went with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ignored: Option<Ignored>,
    },
    /// What its terminals left is as small as it gets.
    Archived {
        /// Bytes before.
        before: u64,
        /// Bytes now.
        after: u64,
    },
    /// What the workspace holds.
    Inspected {
        /// What was found.
        found: Inspection,
    },
    /// The check ran.
    Checked {
        /// What it says.
        report: Report,
        /// The end of its output, trimmed for a prompt.
        log: String,
        /// Absolute path of the whole output.
        log_file: String,
        /// The workspace changed while the check ran.
        #[serde(default)]
        moved: bool,
    },
    /// The pull request is open with this head.
    PullRequestOpen,
    /// The candidate was built.
    CandidateBuilt {
        /// The target's value it was built on.
        old: CommitId,
        /// The candidate, or `old` when nothing could be added.
        tip: CommitId,
        /// The commit of each pull request that is in it.
        built: Vec<(PrId, CommitId)>,
        /// Those that conflict with the target itself, with the paths.
        conflicts: Vec<(PrId, Vec<String>)>,
        /// Those that conflict only with others in this batch.
        later: Vec<PrId>,
        /// Those whose change the target already has.
        contained: Vec<PrId>,
    },
    /// The target has the new value.
    Landed,
    /// The target had another value.
    SwapLost {
        /// The value it has.
        actual: CommitId,
    },
    /// The target is checked out somewhere and may not be touched.
    LandBlocked {
        /// Why.
        why: String,
    },
    /// The target's value.
    Target {
        /// The commit.
        commit: CommitId,
    },
    /// The scratch checkouts are gone, or are wanted again.
    ScratchRemoved,
    /// The notifiers were told.
    Notified,
}
