//! The one status that people and programs see, derived from the facts. Nobody else computes one.

use crate::activity::Activity;
use crate::effect::Effect;
use crate::facts::Facts;
use crate::kind::Fault;
use crate::pull_request::{Checks, Mergeability, PrState, PullRequest};
use crate::session::{Conversation, Ending, Phase, Process, Session};
use crate::time::{Millis, Time};
use serde::{Deserialize, Serialize};

/// A session's status: the union of what the peers show and what their users missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "each variant is described by `meaning`, from which the table in the docs is generated"
)]
pub enum Status {
    Spawning,
    Working,
    PrOpen,
    CiPending,
    CiFailed,
    ReviewPending,
    ChangesRequested,
    Approved,
    Mergeable,
    MergeConflict,
    InMergeQueue,
    Merged,
    Idle,
    NeedsInput,
    RateLimited,
    AuthRequired,
    Stuck,
    Detecting,
    Errored,
    SpawnFailed,
    Done,
    Killed,
    Terminated,
    Cleanup,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 24] = [
        Self::Spawning,
        Self::Working,
        Self::PrOpen,
        Self::CiPending,
        Self::CiFailed,
        Self::ReviewPending,
        Self::ChangesRequested,
        Self::Approved,
        Self::Mergeable,
        Self::MergeConflict,
        Self::InMergeQueue,
        Self::Merged,
        Self::Idle,
        Self::NeedsInput,
        Self::RateLimited,
        Self::AuthRequired,
        Self::Stuck,
        Self::Detecting,
        Self::Errored,
        Self::SpawnFailed,
        Self::Done,
        Self::Killed,
        Self::Terminated,
        Self::Cleanup,
    ];

    /// Its name in JSON and on screens.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spawning => "spawning",
            Self::Working => "working",
            Self::PrOpen => "pr_open",
            Self::CiPending => "ci_pending",
            Self::CiFailed => "ci_failed",
            Self::ReviewPending => "review_pending",
            Self::ChangesRequested => "changes_requested",
            Self::Approved => "approved",
            Self::Mergeable => "mergeable",
            Self::MergeConflict => "merge_conflict",
            Self::InMergeQueue => "in_merge_queue",
            Self::Merged => "merged",
            Self::Idle => "idle",
            Self::NeedsInput => "needs_input",
            Self::RateLimited => "rate_limited",
            Self::AuthRequired => "auth_required",
            Self::Stuck => "stuck",
            Self::Detecting => "detecting",
            Self::Errored => "errored",
            Self::SpawnFailed => "spawn_failed",
            Self::Done => "done",
            Self::Killed => "killed",
            Self::Terminated => "terminated",
            Self::Cleanup => "cleanup",
        }
    }

    /// What it means, for the docs.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Spawning => "its workspace or agent is being made, or it waits for room",
            Self::Working => "the agent is in a turn",
            Self::PrOpen => "its pull request is open",
            Self::CiPending => "a check runs on its work",
            Self::CiFailed => "a check failed on its work",
            Self::ReviewPending => "a review is awaited",
            Self::ChangesRequested => "a reviewer wants changes",
            Self::Approved => "approved",
            Self::Mergeable => "it may merge",
            Self::MergeConflict => "it does not merge into its target",
            Self::InMergeQueue => "it waits in the merge queue or is being tried there",
            Self::Merged => "its work landed",
            Self::Idle => "the agent waits for a prompt",
            Self::NeedsInput => "the agent waits for a person",
            Self::RateLimited => "the provider's limit is reached",
            Self::AuthRequired => "the agent needs a login",
            Self::Stuck => "a person should look: nothing moves, or everything was tried",
            Self::Detecting => "what the agent does is not known",
            Self::Errored => "it cannot go on",
            Self::SpawnFailed => "its workspace or agent could not be started",
            Self::Done => "over, nothing to merge",
            Self::Killed => "stopped by a person",
            Self::Terminated => "its process was lost",
            Self::Cleanup => "it is being stopped or removed",
        }
    }

    /// Whether nothing goes on before a person does something.
    #[must_use]
    pub const fn needs_person(self) -> bool {
        match self {
            Self::NeedsInput
            | Self::AuthRequired
            | Self::Stuck
            | Self::Errored
            | Self::SpawnFailed
            | Self::Terminated => true,
            Self::Spawning
            | Self::Working
            | Self::PrOpen
            | Self::CiPending
            | Self::CiFailed
            | Self::ReviewPending
            | Self::ChangesRequested
            | Self::Approved
            | Self::Mergeable
            | Self::MergeConflict
            | Self::InMergeQueue
            | Self::Merged
            | Self::Idle
            | Self::RateLimited
            | Self::Detecting
            | Self::Done
            | Self::Killed
            | Self::Cleanup => false,
        }
    }

    /// The four words of callers that know no more: `idle, working, waiting, error`.
    #[must_use]
    pub const fn coarse(self) -> &'static str {
        match self {
            Self::Spawning | Self::Working | Self::CiPending | Self::InMergeQueue | Self::Cleanup => "working",
            Self::PrOpen
            | Self::CiFailed
            | Self::ReviewPending
            | Self::ChangesRequested
            | Self::Approved
            | Self::Mergeable
            | Self::MergeConflict
            | Self::NeedsInput
            | Self::RateLimited
            | Self::AuthRequired
            | Self::Stuck
            | Self::Detecting => "waiting",
            Self::Idle | Self::Merged | Self::Done => "idle",
            Self::Errored | Self::SpawnFailed | Self::Killed | Self::Terminated => "error",
        }
    }
}

/// A status with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The status.
    pub status: Status,
    /// The row of the precedence table that decided.
    pub rule: &'static str,
    /// Why, in words.
    pub why: String,
}

/// The precedence table: the first row that holds decides. The docs' table is made from it.
pub const PRECEDENCE: [(&str, &str); 15] = [
    ("ended", "an ended session has the status of its end"),
    ("stopping", "being stopped: cleanup"),
    ("spawning", "queued, preparing or launching: spawning"),
    ("lost", "its host does not answer and left no record of an end: detecting"),
    ("asks", "the agent waits for a person: needs_input, or auth_required for a login"),
    ("limited", "the provider's limit: rate_limited"),
    ("attention", "a reaction gave up, or nothing moves: stuck"),
    ("turn", "in a turn: working"),
    ("review", "a check runs on its workspace: ci_pending"),
    ("merged", "its pull request landed and nothing came after: merged"),
    ("queue", "in the merge queue: in_merge_queue"),
    ("process-gone", "the process is gone although nobody stopped it: terminated"),
    ("pr", "open pull request: merge_conflict, ci_failed, ci_pending, or pr_open"),
    ("activity", "the agent's activity: working, idle or errored"),
    ("unknown", "nothing reliable is known: detecting"),
];

/// Nothing known for this long after the launch is called stuck rather than detecting.
const DETECTING_FOR: Millis = Millis::mins(5);

/// The status of a session.
#[must_use]
pub fn status(facts: &Facts, session: &Session, now: Time) -> Verdict {
    let pr = session.pr.as_ref().and_then(|id| facts.pull_requests.get(id));
    if let Phase::Ended { how, .. } = &session.phase {
        return ended(how, session);
    }
    if let Phase::Stopping { why, .. } = &session.phase {
        return verdict(Status::Cleanup, "stopping", why.clone());
    }
    match &session.phase {
        Phase::Queued { why } => return verdict(Status::Spawning, "spawning", format!("waits: {why}")),
        Phase::Preparing => return spawning(facts, session, "its workspace is being made"),
        Phase::Launching => return spawning(facts, session, "its agent is being started"),
        Phase::Live | Phase::Stopping { .. } | Phase::Ended { .. } => {}
    }
    live(facts, session, pr, now)
}

/// What is done for its start, and why that failed so far.
fn spawning(facts: &Facts, session: &Session, what: &str) -> Verdict {
    let why = start_fault(facts, session).map(|fault| format!("; it is tried again: {}", fault.message));
    verdict(Status::Spawning, "spawning", format!("{what}{}", why.unwrap_or_default()))
}

/// Why the last try to start a session failed, while it is tried again.
#[must_use]
pub fn start_fault<'f>(facts: &'f Facts, session: &Session) -> Option<&'f Fault> {
    let effect = match &session.phase {
        Phase::Preparing => Effect::EnsureWorkspace { session: session.id.clone(), base: None },
        Phase::Launching => {
            Effect::EnsureHost { session: session.id.clone(), launch: session.launch.clone()?, resume: false }
        }
        Phase::Queued { .. } | Phase::Live | Phase::Stopping { .. } | Phase::Ended { .. } => return None,
    };
    facts.pending.get(&effect.key())?.fault.as_ref()
}

fn live(facts: &Facts, session: &Session, pr: Option<&PullRequest>, now: Time) -> Verdict {
    let known = &session.known;
    if let (Some(lost), Process::ProbeFailed { why }) = (&session.lost, &session.process) {
        let looked = if facts.machine.doubted.is_some() {
            "with many others at once: it is looked for"
        } else {
            "looking again"
        };
        return verdict(Status::Detecting, "lost", format!("{why}{}; {looked}", lost.words()));
    }
    if let Activity::NeedsInput { what } = &known.activity {
        let status =
            if matches!(what, crate::activity::InputKind::Login) { Status::AuthRequired } else { Status::NeedsInput };
        return verdict(status, "asks", known.why.clone());
    }
    if let Activity::RateLimited { .. } = known.activity {
        return verdict(Status::RateLimited, "limited", known.why.clone());
    }
    if let Some(attention) = &session.attention {
        return verdict(Status::Stuck, "attention", attention.why.clone());
    }
    if session.in_turn() {
        return verdict(Status::Working, "turn", known.why.clone());
    }
    if !matches!(session.review, crate::session::WorkReview::None) {
        return verdict(Status::CiPending, "review", "a check runs on its workspace");
    }
    if let Some(PullRequest { state: PrState::Merged { commit, .. }, .. }) = pr {
        return verdict(Status::Merged, "merged", format!("landed as {}", commit.short()));
    }
    let pr = pr.filter(|pr| pr.is_open());
    if let Some(verdict) = pr.and_then(|pr| queued(facts, pr)) {
        return verdict;
    }
    match &session.process {
        Process::Missing => {
            let words = session.lost.as_ref().map(crate::session::Lost::words).unwrap_or_default();
            let why = format!("its host is gone and left no record of an end{words}");
            return verdict(Status::Terminated, "process-gone", why);
        }
        Process::Exited { code, signal, .. } => {
            return verdict(
                Status::Terminated,
                "process-gone",
                format!("the agent ended by itself ({})", exit_words(*code, *signal)),
            );
        }
        Process::Alive | Process::Unknown | Process::ProbeFailed { .. } => {}
    }
    if let Some(pr) = pr {
        return open_pr(pr);
    }
    match &known.activity {
        Activity::Working { .. } | Activity::Retrying => verdict(Status::Working, "activity", known.why.clone()),
        Activity::Starting => verdict(Status::Spawning, "activity", known.why.clone()),
        Activity::Ready | Activity::Idle | Activity::Interrupted => {
            let anew = anew_words(session);
            verdict(Status::Idle, "activity", format!("{}{anew}{}", known.why, rest_words(session)))
        }
        Activity::Error { kind } => {
            verdict(Status::Errored, "activity", format!("the agent reported an error ({kind}): {}", known.why))
        }
        Activity::Unknown | Activity::Exited { .. } | Activity::NeedsInput { .. } | Activity::RateLimited { .. } => {
            if now.since(known.since) > DETECTING_FOR && known.confidence == 0 {
                verdict(Status::Stuck, "unknown", "nothing was recognised on its screen for five minutes")
            } else {
                verdict(Status::Detecting, "unknown", known.why.clone())
            }
        }
    }
}

/// What is to be added of an idle session that is halted.
fn rest_words(session: &Session) -> &'static str {
    if session.freeze.since().is_some() { "; halted to save power until somebody needs it" } else { "" }
}

/// What is to be added of an agent that was started again and could not go on with its conversation: whoever speaks to it
/// next must know.
fn anew_words(session: &Session) -> &'static str {
    match session.conversation {
        Conversation::Anew => "; it begins a new conversation",
        Conversation::First | Conversation::Continued => "",
    }
}

/// Work that waits in the merge queue does not need its agent any more.
fn queued(facts: &Facts, pr: &PullRequest) -> Option<Verdict> {
    let queue = facts.queues.get(&pr.project)?;
    let tried = queue.batch.as_ref().is_some_and(|b| b.entries.iter().any(|e| e.pr == pr.id));
    if !tried && !queue.waiting.contains(&pr.id) {
        return None;
    }
    let why = match &queue.blocked {
        Some(blocked) => format!("in the merge queue, which is blocked: {}", blocked.why),
        None => "in the merge queue".to_owned(),
    };
    Some(verdict(Status::InMergeQueue, "queue", why))
}

fn open_pr(pr: &PullRequest) -> Verdict {
    if let Mergeability::Conflicted { files, .. } = &pr.merge {
        return verdict(Status::MergeConflict, "pr", format!("in conflict: {}", files.join(", ")));
    }
    match &pr.checks {
        Checks::Failed { failures } => verdict(Status::CiFailed, "pr", format!("{} failing", failures.len())),
        Checks::Pending => verdict(Status::CiPending, "pr", "checks run"),
        Checks::None | Checks::Passed => verdict(Status::PrOpen, "pr", "open"),
    }
}

fn ended(how: &Ending, session: &Session) -> Verdict {
    let lost = matches!(session.process, Process::Missing);
    match how {
        Ending::Merged => verdict(Status::Merged, "ended", "its work landed"),
        Ending::Done => verdict(Status::Done, "ended", "done"),
        Ending::Killed { why } => verdict(Status::Killed, "ended", why.clone()),
        Ending::SpawnFailed { fault } => verdict(Status::SpawnFailed, "ended", fault.message.clone()),
        Ending::Errored { fault } if lost => verdict(Status::Terminated, "ended", fault.message.clone()),
        Ending::Errored { fault } => verdict(Status::Errored, "ended", fault.message.clone()),
    }
}

/// How a process ended, in words.
#[must_use]
pub fn exit_words(code: Option<i32>, signal: Option<i32>) -> String {
    match (code, signal) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "nobody saw how".to_owned(),
    }
}

fn verdict(status: Status, rule: &'static str, why: impl Into<String>) -> Verdict {
    Verdict { status, rule, why: why.into() }
}
