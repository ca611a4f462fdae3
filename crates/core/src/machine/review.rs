//! What a turn left behind: look at it, run the session's own failures, then the whole gate, then open a pull request.

use super::draft::Draft;
use super::lookup::{mends, own_command, own_failures, removing, session_baseline, settings, whole_command};
use super::{ending, prompting, queue, react, task};
use crate::effect::{CheckPlace, CheckPurpose, Effect, Inspection};
use crate::event::Answer;
use crate::failure::Report;
use crate::gate::{self, Verdict};
use crate::id::{CommitId, EffectKey, PrId, SessionId};
use crate::kind::{Fault, Kind};
use crate::pull_request::{Checks, Mergeability, PrState, PullRequest};
use crate::reaction::ReactionKey;
use crate::session::{Phase, Session, TurnHow, WorkReview};

/// A person wants this session's work merged.
pub(super) fn requested(d: &mut Draft<'_>, id: &SessionId) -> Answer {
    let Some(session) = d.sessions.get_mut(id) else {
        return Answer::Refused(Fault::not_found(format!("there is no session {id}")));
    };
    if session.workspace_path.is_none() {
        return Answer::Refused(Fault::conflict(format!("session {id} has no workspace")));
    }
    if let Phase::Stopping { .. } = session.phase {
        return Answer::Refused(
            Fault::conflict(format!("session {id} is being stopped")).hint("try again when it is over"),
        );
    }
    let Some(session) = d.sessions.get(id) else { return Answer::Noted };
    if whole_command(d, session).is_none() {
        let fault = Fault::conflict(format!("project {} has no check, so nothing could be gated", session.project));
        return Answer::Refused(fault.hint("say which command must pass: `check:` in agent-orchestrator.yaml"));
    }
    let Some(session) = d.sessions.get_mut(id) else { return Answer::Noted };
    session.merge_wanted = true;
    let busy = prompting::busy(session);
    if !busy {
        begin(d, id);
    }
    Answer::Session(id.clone())
}

/// A turn ended.
pub(super) fn turn_ended(d: &mut Draft<'_>, id: &SessionId, how: TurnHow) {
    let Some(session) = d.sessions.get(id) else { return };
    if !session.merge_wanted || !session.outbox.is_empty() || !matches!(session.phase, Phase::Live) {
        return;
    }
    match how {
        TurnHow::Done | TurnHow::Error | TurnHow::Exited => begin(d, id),
        // A person interrupted: it is theirs until the next turn ends.
        TurnHow::Interrupted | TurnHow::Refused => {}
    }
}

/// The agent is gone: what it left may be the whole work. What was judged before its last turn is judged again.
pub(super) fn agent_gone(d: &mut Draft<'_>, id: &SessionId, in_turn: bool) {
    let Some(session) = d.sessions.get(id) else { return };
    if in_turn || !on_its_way(d, session) {
        begin(d, id);
    }
}

/// A prompt is not on its way any more. When it was the last and no turn follows, what lies in the workspace is judged.
pub(super) fn delivery_over(d: &mut Draft<'_>, id: &SessionId) {
    let Some(session) = d.sessions.get(id) else { return };
    let rests = session.outbox.is_empty() && !session.in_turn() && matches!(session.phase, Phase::Live);
    let ended = session.turn.as_ref().and_then(|t| t.end.as_ref()).map(|e| e.how);
    let theirs = matches!(ended, Some(TurnHow::Interrupted | TurnHow::Refused));
    if session.merge_wanted && rests && !theirs && !on_its_way(d, session) {
        begin(d, id);
    }
}

fn on_its_way(d: &Draft<'_>, session: &Session) -> bool {
    session.pr.as_ref().is_some_and(|pr| queue::holds(d, pr))
}

fn begin(d: &mut Draft<'_>, id: &SessionId) {
    if removing(d, id) {
        return;
    }
    let Some(session) = d.sessions.get_mut(id) else { return };
    if session.workspace_path.is_none() || !matches!(session.review, WorkReview::None) {
        return;
    }
    let open = session.pr.clone();
    session.reviews += 1;
    let n = session.reviews;
    session.review = WorkReview::Inspecting { n };
    // What is in the queue is about to change: it is tried again with its new head.
    if let Some(pr) = open {
        unask_opening(d, &pr);
        queue::leave(d, &pr);
    }
    d.ask(Effect::InspectWorkspace { session: id.clone(), n });
}

/// A pull request that is still being opened does not enter the queue with what it was.
fn unask_opening(d: &mut Draft<'_>, pr: &PrId) {
    if let Some(head) = d.pull_requests.get(pr).map(|p| p.head.clone()) {
        d.settle(&EffectKey::new(format!("pr:{pr}:{head}")));
    }
}

/// Ends whatever review is going on, and takes the session's work out of the queue: it is being stopped, or over.
pub(super) fn forget(d: &mut Draft<'_>, id: &SessionId) {
    let keys: Vec<_> = d
        .pending
        .values()
        .filter(|p| {
            p.effect.session() == Some(id)
                && matches!(p.effect, Effect::InspectWorkspace { .. } | Effect::RunCheck { .. })
        })
        .map(|p| p.effect.key())
        .collect();
    for key in keys {
        d.settle(&key);
    }
    let Some(session) = d.sessions.get_mut(id) else { return };
    session.review = WorkReview::None;
    let Some(pr) = session.pr.clone() else { return };
    unask_opening(d, &pr);
    queue::leave(d, &pr);
    if let Some(pr) = d.pull_requests.get_mut(&pr).filter(|pr| pr.is_open()) {
        pr.state = PrState::Closed { why: "its session was stopped or ended".to_owned() };
    }
}

/// What the workspace holds is known.
pub(super) fn inspected(d: &mut Draft<'_>, id: &SessionId, n: u32, found: &Inspection) {
    let Some(session) = d.sessions.get_mut(id) else { return };
    if session.review != (WorkReview::Inspecting { n }) {
        return;
    }
    session.review = WorkReview::None;
    match found {
        Inspection::Missing => {
            let fault =
                Fault::new(Kind::NotFound, "its workspace is gone").hint("what was kept is listed by `ao rescue list`");
            react::give_up(d, id, ReactionKey::AgentExited, &fault.message);
        }
        Inspection::Unchanged => unchanged(d, id, n),
        Inspection::Unmerged { files } => react::unmerged(d, id, files),
        Inspection::Changed { head, .. } => {
            session.tries.remove(&ReactionKey::AgentIdle);
            check(d, id, n, head);
        }
    }
}

/// Nothing was changed. What a session of a run is to mend may have landed with somebody else's work before it began, or
/// with what it merged: then it has nothing to do, and is not told to do it.
fn unchanged(d: &mut Draft<'_>, id: &SessionId, n: u32) {
    let Some(session) = d.sessions.get(id) else { return };
    let command = own_command(d, session).or_else(|| whole_command(d, session));
    let (Some(_), Some(path), Some(command)) = (&session.run, session.workspace_path.clone(), command) else {
        react::nothing_changed(d, id);
        return;
    };
    let (project, limit) = (session.project.clone(), settings(d, session).check_timeout);
    if let Some(session) = d.sessions.get_mut(id) {
        session.review = WorkReview::CheckingUnchanged { n };
    }
    let purpose = CheckPurpose::Own { session: id.clone(), n };
    d.ask(Effect::RunCheck { purpose, project, place: CheckPlace::Workspace { path }, command, limit });
}

/// What a session is to mend was run in a workspace without a change.
fn unchanged_checked(d: &mut Draft<'_>, id: &SessionId, report: &Report, moved: bool) {
    let Some(session) = d.sessions.get_mut(id) else { return };
    session.review = WorkReview::None;
    let again = moved && session.reviews < MAX_REVIEWS_OF_MOVING_WORK;
    if again {
        begin(d, id);
        return;
    }
    let Some(session) = d.sessions.get(id) else { return };
    let whole = own_command(d, session).is_none();
    match verdict(d, session, report, whole) {
        Verdict::Pass => mended_by_others(d, id),
        Verdict::Fail { .. } => react::nothing_changed(d, id),
    }
}

/// The failures are gone without this session: the run reads the target once more before it believes it.
fn mended_by_others(d: &mut Draft<'_>, id: &SessionId) {
    let Some(session) = d.sessions.get(id) else { return };
    let Some(run) = session.run.as_ref().and_then(|r| d.runs.get(r)) else { return };
    let commit = session.base.clone().unwrap_or_else(|| run.base.clone());
    if let Some(pr) = session.pr.clone().and_then(|pr| d.pull_requests.get_mut(&pr)).filter(|pr| pr.is_open()) {
        pr.state = PrState::Closed { why: "the target holds all of it".to_owned() };
    }
    task::landed(d, id, &commit, true);
    ending::nothing_to_land(d, id);
}

fn check(d: &mut Draft<'_>, id: &SessionId, n: u32, head: &CommitId) {
    let Some(session) = d.sessions.get(id) else { return };
    let Some(path) = session.workspace_path.clone() else { return };
    let own = own_command(d, session);
    let whole = whole_command(d, session);
    let (project, limit) = (session.project.clone(), settings(d, session).check_timeout);
    let place = CheckPlace::Workspace { path };
    let (step, purpose, command) = match (own, whole) {
        (Some(own), Some(_)) => {
            (WorkReview::CheckingOwn { n, head: head.clone() }, CheckPurpose::Own { session: id.clone(), n }, own)
        }
        (None, Some(whole)) => {
            (WorkReview::CheckingAll { n, head: head.clone() }, CheckPurpose::All { session: id.clone(), n }, whole)
        }
        // Nothing to gate with: the person who asked for the merge has judged.
        (Some(_) | None, None) => {
            open_pull_request(d, id, head, Judged::Passed);
            return;
        }
    };
    if let Some(session) = d.sessions.get_mut(id) {
        session.review = step;
    }
    d.ask(Effect::RunCheck { purpose, project, place, command, limit });
}

/// A check of a session's work ended.
pub(super) fn checked(d: &mut Draft<'_>, id: &SessionId, n: u32, report: &Report, log: &str, moved: bool) {
    let Some(session) = d.sessions.get(id) else { return };
    let step = session.review.clone();
    let (head, whole) = match step {
        WorkReview::CheckingOwn { n: m, head } if m == n => (head, false),
        WorkReview::CheckingAll { n: m, head } if m == n => (head, true),
        WorkReview::CheckingUnchanged { n: m } if m == n => {
            unchanged_checked(d, id, report, moved);
            return;
        }
        WorkReview::None
        | WorkReview::Inspecting { .. }
        | WorkReview::CheckingOwn { .. }
        | WorkReview::CheckingUnchanged { .. }
        | WorkReview::CheckingAll { .. } => return,
    };
    if moved && session.reviews < MAX_REVIEWS_OF_MOVING_WORK {
        if let Some(session) = d.sessions.get_mut(id) {
            session.review = WorkReview::None;
        }
        begin(d, id);
        return;
    }
    let unread = session.run.is_none() && session_baseline(d, session).commit.is_none();
    let command = whole_command(d, session).unwrap_or_default();
    match verdict(d, session, report, whole) {
        Verdict::Pass if whole => {
            if let Some(session) = d.sessions.get_mut(id) {
                session.review = WorkReview::None;
            }
            open_pull_request(d, id, &head, Judged::Passed);
        }
        Verdict::Pass => check_all(d, id, n, &head, command),
        // Nobody has read this target yet: the queue does, and tells whose failures these are.
        Verdict::Fail { .. } if whole && unread => {
            if let Some(session) = d.sessions.get_mut(id) {
                session.review = WorkReview::None;
            }
            open_pull_request(d, id, &head, Judged::LeftToQueue);
        }
        Verdict::Fail { unmended, new } => {
            if let Some(session) = d.sessions.get_mut(id) {
                session.review = WorkReview::None;
            }
            react::gate_failed(d, id, &unmended, &new, log, None);
        }
    }
}

/// A workspace that changes under every check is judged as it is after this many reviews.
const MAX_REVIEWS_OF_MOVING_WORK: u32 = 20;

/// What a check of a session's work says, the whole gate or only its own failures.
fn verdict(d: &Draft<'_>, session: &Session, report: &Report, whole: bool) -> Verdict {
    if whole {
        gate::judge(report, &session_baseline(d, session), &mends(d, session))
    } else {
        gate::judge_own(report, &own_failures(d, session))
    }
}

fn check_all(d: &mut Draft<'_>, id: &SessionId, n: u32, head: &CommitId, command: String) {
    let Some(session) = d.sessions.get(id) else { return };
    let Some(path) = session.workspace_path.clone() else { return };
    let (project, limit) = (session.project.clone(), settings(d, session).check_timeout);
    if let Some(session) = d.sessions.get_mut(id) {
        session.review = WorkReview::CheckingAll { n, head: head.clone() };
    }
    let purpose = CheckPurpose::All { session: id.clone(), n };
    d.ask(Effect::RunCheck { purpose, project, place: CheckPlace::Workspace { path }, command, limit });
}

/// What a workspace's gate has said before a pull request is opened.
#[derive(Clone, Copy)]
enum Judged {
    /// It passed, or there is none.
    Passed,
    /// It cannot tell whose failures it sees.
    LeftToQueue,
}

fn open_pull_request(d: &mut Draft<'_>, id: &SessionId, head: &CommitId, judged: Judged) {
    let now = d.now;
    let Some(session) = d.sessions.get(id).cloned() else { return };
    let Some(project) = d.projects.get_mut(&session.project) else { return };
    let target = if let Some(run) = session.run.as_ref().and_then(|r| d.runs.get(r)) {
        run.target.clone()
    } else {
        project.settings.default_branch.clone()
    };
    let pr_id =
        if let Some(pr) = session.pr.clone().filter(|pr| d.pull_requests.get(pr).is_some_and(PullRequest::is_open)) {
            pr
        } else {
            project.pull_requests_made += 1;
            PrId::new(format!("{}#{}", session.project, project.pull_requests_made))
        };
    let number = pr_id.as_str().rsplit('#').next().and_then(|n| n.parse().ok()).unwrap_or(0);
    let opened = d.pull_requests.get(&pr_id).map_or(now, |pr| pr.opened);
    let check = whole_command(d, &session);
    let mends: Vec<String> = mends(d, &session).into_iter().collect();
    let pr = PullRequest {
        id: pr_id.clone(),
        number,
        project: session.project.clone(),
        session: id.clone(),
        title: session.title.clone(),
        branch: session.branch.clone(),
        head: head.clone(),
        target: target.clone(),
        state: PrState::Opening,
        checks: match (&check, judged) {
            (None, _) => Checks::None,
            (Some(_), Judged::Passed) => Checks::Passed,
            (Some(_), Judged::LeftToQueue) => Checks::Pending,
        },
        merge: Mergeability::Unknown,
        mends,
        check,
        opened,
        updated: now,
    };
    d.pull_requests.put(pr_id.clone(), pr);
    if let Some(session) = d.sessions.get_mut(id) {
        session.pr = Some(pr_id.clone());
    }
    d.ask(Effect::EnsurePullRequest {
        pr: pr_id,
        project: session.project,
        head: head.clone(),
        title: session.title,
        branch: session.branch,
        target,
    });
}
