//! Sessions as callers see them.

use crate::question::QuestionView;
pub use crate::said::{CommandView, NotificationView, TerminalView};
use crate::usage::ConversationView;
use ao_core::activity::Known;
use ao_core::delivery::{Delivery, DeliveryState};
use ao_core::facts::Facts;
use ao_core::pull_request::{Checks, Mergeability, PrState, PullRequest};
use ao_core::run::TaskState;
use ao_core::session::{Conversation, Ending, Phase, Process, Remains, Session, TurnHow};
use ao_core::status::{Status, exit_words, start_fault, status};
use ao_core::time::Time;
use ao_core::workspace::{Ignored, PutBack};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    /// Id, `{prefix}-{n}`.
    pub id: String,
    /// Name.
    pub name: String,
    /// Project.
    pub project_id: String,
    /// What it is for.
    pub title: String,
    /// The one status, of the list in `docs/status.md`.
    pub status: String,
    /// Why it has that status.
    pub why: String,
    /// `idle, working, waiting` or `error`, for callers that know no more.
    pub state: String,
    /// What the agent does.
    pub activity: ActivityView,
    /// `unknown, alive, exited, missing` or `probe_failed`.
    pub runtime_state: String,
    /// How the process ended, when it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<String>,
    /// Agent.
    pub agent: String,
    /// Why this agent was chosen, when nobody named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<String>,
    /// Runtime.
    pub runtime: String,
    /// Workspace kind.
    pub workspace: String,
    /// Absolute path of the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_path: Option<String>,
    /// Branch.
    pub branch: String,
    /// Issue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue: Option<String>,
    /// The run it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Its pull request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pr: Option<PullRequestView>,
    /// Why a person should look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attention: Option<String>,
    /// Nothing goes on before a person does something. Of ended sessions: its task in the project's latest run was given up.
    pub needs_person: bool,
    /// What its agent asks, when it waits for an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<QuestionView>,
    /// The prompt on its way, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryView>,
    /// Prompts that wait, the one on its way included.
    pub prompts_waiting: u32,
    /// Turns so far.
    pub turns: u32,
    /// How the last turn ended: `done, error, interrupted, refused` or `exited`; none while one goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn_end: Option<String>,
    /// It is over.
    pub ended: bool,
    /// Where removed work was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rescue: Option<String>,
    /// The first of its ten ports, `AO_PORT_BASE`, while it lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port_base: Option<u16>,
    /// What became of rescued work when its workspace was made again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub put_back: Option<String>,
    /// What git ignored and went with its removed workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignored: Option<IgnoredView>,
    /// Its agent was started again and could not go on with the session's conversation.
    #[serde(default)]
    pub begins_anew: bool,
    /// What to do about its end, or about what keeps it from starting, when there is something to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Processes of a launch whose host is gone that still ran when it was looked: `ao stop` ends them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_running: Vec<u32>,
    /// When it was put into the archive: Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived_at: Option<u64>,
    /// Why it could not be put into the archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_archived: Option<String>,
    /// Since when its processes are halted to save power: Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen_since: Option<u64>,
    /// What its program said to the person before the terminal, if it said anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<TerminalView>,
    /// What its agent's transcripts say: model, tokens, cost, last message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<ConversationView>,
    /// When it was asked for: Unix milliseconds.
    pub created_at: u64,
    /// When it last changed: Unix milliseconds.
    pub changed_at: u64,
}

/// What git ignores in a workspace, or ignored in one that was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IgnoredView {
    /// How many paths, whole directories as one.
    pub paths: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The largest of them.
    pub largest: Vec<IgnoredPath>,
}

/// One ignored path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IgnoredPath {
    /// The path from the workspace's top; a slash at its end is a directory.
    pub path: String,
    /// Its bytes.
    pub bytes: u64,
}

impl From<Ignored> for IgnoredView {
    fn from(ignored: Ignored) -> Self {
        let path = |(path, bytes)| IgnoredPath { path, bytes };
        Self { paths: ignored.paths, bytes: ignored.bytes, largest: ignored.largest.into_iter().map(path).collect() }
    }
}

/// What a workspace holds, as it would be met by a removal (`GET /api/sessions/{id}/workspace`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkspaceView {
    /// The session.
    pub id: String,
    /// Absolute path.
    pub path: String,
    /// Bytes of all its files, those shared with other workspaces included.
    pub bytes: u64,
    /// Paths that differ from the last commit: a removal keeps them under a rescue ref.
    pub changed: u64,
    /// What git ignores: a removal lists it and does not keep it.
    pub ignored: IgnoredView,
}

/// What an agent does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActivityView {
    /// Name of the activity.
    pub activity: String,
    /// Since when: Unix milliseconds.
    pub since: u64,
    /// Which source decided.
    pub source: String,
    /// 0..=100.
    pub confidence: u8,
    /// The evidence in words.
    pub why: String,
}

/// A pull request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PullRequestView {
    /// Id.
    pub id: String,
    /// Number.
    pub number: u32,
    /// `open, merged` or `closed`.
    pub state: String,
    /// Commit proposed.
    pub head: String,
    /// Branch it lands on.
    pub target: String,
    /// `none, pending, passed` or `failed`.
    pub checks: String,
    /// `unknown, clean` or `conflicted`.
    pub merge: String,
    /// The commit that it landed as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landed: Option<String>,
}

/// A prompt on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryView {
    /// Id.
    pub id: String,
    /// `queued, pasting, submitting, submitted, delivered, uncertain` or `dropped`.
    pub state: String,
    /// SHA-256 of the typed text.
    pub sha256: String,
    /// Why it does not move on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
}

impl SessionView {
    /// The view of a session.
    #[must_use]
    pub fn of(facts: &Facts, session: &Session, now: Time) -> Self {
        let verdict = status(facts, session, now);
        let pr = session.pr.as_ref().and_then(|id| facts.pull_requests.get(id));
        let delivery = session.outbox.first().and_then(|id| facts.deliveries.get(id));
        let (runtime_state, exit) = process(&session.process);
        Self {
            id: session.id.to_string(),
            name: session.name.clone(),
            project_id: session.project.to_string(),
            title: session.title.clone(),
            status: verdict.status.name().to_owned(),
            why: verdict.why,
            state: verdict.status.coarse().to_owned(),
            activity: ActivityView::of(&session.known),
            runtime_state: runtime_state.to_owned(),
            exit,
            agent: session.agent.clone(),
            chosen: session.chosen.clone(),
            runtime: session.runtime.clone(),
            workspace: session.workspace.clone(),
            workspace_path: session.workspace_path.clone(),
            branch: session.branch.clone(),
            issue: session.issue.clone(),
            run: session.run.as_ref().map(ToString::to_string),
            pr: pr.map(PullRequestView::of),
            attention: session.attention.as_ref().map(|a| a.why.clone()),
            needs_person: needs_person(facts, session, verdict.status),
            question: QuestionView::of(session),
            delivery: delivery.map(DeliveryView::of),
            prompts_waiting: u32::try_from(session.outbox.len()).unwrap_or(u32::MAX),
            turns: session.turns,
            turn_end: session.turn.as_ref().and_then(|t| t.end.as_ref()).map(|end| turn_end(end.how).to_owned()),
            ended: matches!(session.phase, Phase::Ended { .. }),
            rescue: session.rescue.clone(),
            port_base: session.belongings.ports,
            put_back: session.belongings.put_back.as_ref().map(PutBack::words),
            ignored: session.belongings.ignored.clone().map(IgnoredView::from),
            begins_anew: matches!(session.conversation, Conversation::Anew),
            hint: hint(facts, session),
            left_running: left_running(session),
            archived_at: session.belongings.archived.map(|at| at.0),
            not_archived: session.belongings.not_archived.clone(),
            usage: ConversationView::of(&session.reading),
            frozen_since: session.freeze.since().map(|at| at.0),
            terminal: TerminalView::of(&session.terminal),
            created_at: session.created.0,
            changed_at: session.changed.0,
        }
    }
}

fn needs_person(facts: &Facts, session: &Session, status: Status) -> bool {
    match &session.phase {
        Phase::Ended { how, .. } => {
            let left = match how {
                // A removed workspace: somebody has looked.
                Ending::Errored { .. } if lost(session) => return session.workspace_path.is_some(),
                Ending::Errored { .. } => session.workspace_path.is_some(),
                Ending::SpawnFailed { .. } => true,
                Ending::Merged | Ending::Done | Ending::Killed { .. } => session.attention.is_some(),
            };
            left && given_up(facts, session)
        }
        Phase::Stopping { .. } => false,
        Phase::Queued { .. } | Phase::Preparing | Phase::Launching | Phase::Live => {
            status.needs_person() || session.attention.is_some()
        }
    }
}

/// Whether a session of a person's lost its host: only that person can say whether it is to go on.
const fn lost(session: &Session) -> bool {
    matches!(session.process, Process::Missing) && session.run.is_none()
}

fn hint(facts: &Facts, session: &Session) -> Option<String> {
    match &session.phase {
        Phase::Ended { how: Ending::SpawnFailed { fault } | Ending::Errored { fault }, .. } => fault.hint.clone(),
        Phase::Preparing | Phase::Launching => start_fault(facts, session)?.hint.clone(),
        Phase::Ended { how: Ending::Merged | Ending::Done | Ending::Killed { .. }, .. }
        | Phase::Queued { .. }
        | Phase::Live
        | Phase::Stopping { .. } => None,
    }
}

fn left_running(session: &Session) -> Vec<u32> {
    match session.lost.as_ref().map(|lost| &lost.left) {
        Some(Remains::Left { pids }) => pids.clone(),
        Some(Remains::None | Remains::Unknown) | None => Vec::new(),
    }
}

/// Whether the session's task was given up, and no later run of the project has looked at what is left of it.
fn given_up(facts: &Facts, session: &Session) -> bool {
    let Some(run) = session.run.as_ref().and_then(|id| facts.runs.get(id)) else { return false };
    let task = run.task_of(&session.id).and_then(|n| run.tasks.get(n));
    task.is_some_and(|t| matches!(t.state, TaskState::GivenUp { .. }))
        && !facts.runs.values().any(|r| r.project == run.project && r.started > run.started && !r.dry_run)
}

const fn turn_end(how: TurnHow) -> &'static str {
    match how {
        TurnHow::Done => "done",
        TurnHow::Error => "error",
        TurnHow::Interrupted => "interrupted",
        TurnHow::Refused => "refused",
        TurnHow::Exited => "exited",
    }
}

fn process(process: &Process) -> (&'static str, Option<String>) {
    match process {
        Process::Unknown => ("unknown", None),
        Process::Alive => ("alive", None),
        Process::Exited { code, signal, .. } => ("exited", Some(exit_words(*code, *signal))),
        Process::Missing => ("missing", None),
        Process::ProbeFailed { .. } => ("probe_failed", None),
    }
}

impl ActivityView {
    fn of(known: &Known) -> Self {
        Self {
            activity: known.activity.name().to_owned(),
            since: known.since.0,
            source: format!("{:?}", known.source).to_lowercase(),
            confidence: known.confidence,
            why: known.why.clone(),
        }
    }
}

impl PullRequestView {
    /// The view of a pull request.
    #[must_use]
    pub fn of(pr: &PullRequest) -> Self {
        let (state, landed) = match &pr.state {
            PrState::Opening | PrState::Open => ("open", None),
            PrState::Merged { commit, .. } => ("merged", Some(commit.to_string())),
            PrState::Closed { .. } => ("closed", None),
        };
        let checks = match pr.checks {
            Checks::None => "none",
            Checks::Pending => "pending",
            Checks::Passed => "passed",
            Checks::Failed { .. } => "failed",
        };
        let merge = match pr.merge {
            Mergeability::Unknown => "unknown",
            Mergeability::Clean => "clean",
            Mergeability::Conflicted { .. } => "conflicted",
        };
        Self {
            id: pr.id.to_string(),
            number: pr.number,
            state: state.to_owned(),
            head: pr.head.to_string(),
            target: pr.target.clone(),
            checks: checks.to_owned(),
            merge: merge.to_owned(),
            landed,
        }
    }
}

impl DeliveryView {
    /// The view of a delivery.
    #[must_use]
    pub fn of(delivery: &Delivery) -> Self {
        let state = match delivery.state {
            DeliveryState::Queued => "queued",
            DeliveryState::Pasting { .. } => "pasting",
            DeliveryState::Submitting { .. } => "submitting",
            DeliveryState::Submitted { .. } => "submitted",
            DeliveryState::Delivered { .. } => "delivered",
            DeliveryState::Uncertain { .. } => "uncertain",
            DeliveryState::Dropped { .. } => "dropped",
        };
        Self {
            id: delivery.id.to_string(),
            state: state.to_owned(),
            sha256: delivery.sha256.clone(),
            held: delivery.held.clone(),
        }
    }
}

/// Every session (`GET /api/sessions`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sessions {
    /// The sessions, newest last.
    pub sessions: Vec<SessionView>,
    /// Sequence number of the journal that this shows: follow `/api/events?since=` from here.
    pub seq: u64,
}

/// How one session stands, in few words (`GET /api/sessions/{id}/status`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusView {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Agent.
    pub agent: String,
    /// `idle, working, waiting` or `error`.
    pub state: String,
    /// The one status, of the list in `docs/status.md`.
    pub status: String,
    /// Why it has that status.
    pub why: String,
    /// What it is for.
    pub current_task: String,
    /// Branch.
    pub branch: String,
    /// Absolute path of the workspace, once there is one.
    pub workspace_path: Option<String>,
    /// Project.
    pub project_id: String,
    /// Issue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue: Option<String>,
    /// Its pull request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pr: Option<PullRequestView>,
    /// Why a person should look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attention: Option<String>,
    /// When it last changed: Unix milliseconds.
    pub last_activity: u64,
    /// It is over.
    pub ended: bool,
}

impl From<SessionView> for StatusView {
    fn from(view: SessionView) -> Self {
        Self {
            id: view.id,
            name: view.name,
            agent: view.agent,
            state: view.state,
            status: view.status,
            why: view.why,
            current_task: view.title,
            branch: view.branch,
            workspace_path: view.workspace_path,
            project_id: view.project_id,
            issue: view.issue,
            pr: view.pr,
            attention: view.attention,
            last_activity: view.changed_at,
            ended: view.ended,
        }
    }
}

/// The answer to a message: which delivery carries it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Queued {
    /// The delivery.
    pub delivery: DeliveryView,
}
