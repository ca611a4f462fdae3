//! The merge queue: batches on top of the target, gated, landed by compare-and-swap, bisected when red.

use super::draft::Draft;
use super::{ending, react, run, task};
use crate::effect::{CandidateHead, CheckPlace, CheckPurpose, Effect, Outcome, Priority};
use crate::event::Answer;
use crate::facts::Facts;
use crate::failure::Report;
use crate::gate::{self, Verdict};
use crate::id::{BatchId, CommitId, EffectKey, PrId, ProjectId};
use crate::kind::{Fault, Kind};
use crate::merge_queue::{Baseline, Batch, BatchStage, Blocked, Entry, MergeQueue};
use crate::pull_request::{Checks, Mergeability, PrState, PullRequest};
use crate::session::WorkReview;
use crate::time::{Millis, Time};
use std::collections::{BTreeMap, BTreeSet};

/// A blocked landing is tried again after this long: short enough that nobody waits for it, long enough to cost nothing.
const BLOCKED_AGAIN: Millis = Millis::secs(10);

/// A pull request is open with its head: it waits for its turn.
pub(super) fn enter(d: &mut Draft<'_>, id: &PrId) {
    if !may_wait(d, id) {
        return;
    }
    let Some(pr) = d.pull_requests.get_mut(id) else { return };
    pr.state = PrState::Open;
    let (project, target) = (pr.project.clone(), pr.target.clone());
    let Some(queue) = d.queues.get_mut(&project) else { return };
    if queue.batch.is_none() && queue.waiting.is_empty() {
        queue.target = target;
    }
    if !queue.waiting.contains(id) {
        queue.waiting.push(id.clone());
    }
}

/// Whether a pull request may stand in the queue: it is open, and its work is not being looked at again.
fn may_wait(d: &Draft<'_>, id: &PrId) -> bool {
    let Some(pr) = d.pull_requests.get(id).filter(|pr| pr.is_open()) else { return false };
    d.sessions.get(&pr.session).is_some_and(|s| matches!(s.review, WorkReview::None))
}

/// Whether a pull request is on its way to the target: being opened, waiting, or in the batch.
pub(super) fn holds(d: &Draft<'_>, id: &PrId) -> bool {
    let Some(pr) = d.pull_requests.get(id).filter(|pr| pr.is_open()) else { return false };
    let Some(queue) = d.queues.get(&pr.project) else { return false };
    let tried = queue.batch.as_ref().is_some_and(|b| b.entries.iter().any(|e| e.pr == *id));
    let opening = d.is_pending(&EffectKey::new(format!("pr:{id}:{}", pr.head)));
    opening || tried || queue.waiting.contains(id)
}

/// A pull request leaves the queue; a batch that holds it is given up, its other entries wait again.
pub(super) fn leave(d: &mut Draft<'_>, id: &PrId) {
    let Some(project) = d.pull_requests.get(id).map(|pr| pr.project.clone()) else { return };
    let Some(queue) = d.queues.get_mut(&project) else { return };
    queue.waiting.retain(|x| x != id);
    let Some(batch) = queue.batch.clone().filter(|b| b.entries.iter().any(|e| e.pr == *id)) else { return };
    // A landing that is under way is not called back: whether the target contains it is read afterwards.
    if matches!(batch.stage, BatchStage::Landing { .. }) && d.is_pending(&land_key(&batch.id)) {
        return;
    }
    abandon(d, &project, &batch);
    if let Some(queue) = d.queues.get_mut(&project) {
        queue.waiting.retain(|x| x != id);
    }
}

/// Gives a batch up and puts its entries back in front, in order.
fn abandon(d: &mut Draft<'_>, project: &ProjectId, batch: &Batch) {
    for key in [format!("build:{}", batch.id), format!("check:{}", batch.id), format!("check:{}:target", batch.id)] {
        d.settle(&EffectKey::new(key));
    }
    d.settle(&land_key(&batch.id));
    let open: Vec<PrId> = batch.entries.iter().map(|e| e.pr.clone()).filter(|pr| may_wait(d, pr)).collect();
    if let Some(queue) = d.queues.get_mut(project) {
        queue.batch = None;
        queue.blocked = None;
        let rest: Vec<PrId> = queue.waiting.iter().filter(|x| !open.contains(x)).cloned().collect();
        queue.waiting = open.into_iter().chain(rest).collect();
    }
}

fn land_key(batch: &BatchId) -> EffectKey {
    EffectKey::new(format!("land:{batch}"))
}

/// When a blocked landing is tried again.
pub(super) fn deadline(facts: &Facts, queue: &MergeQueue) -> Option<Time> {
    let (blocked, batch) = (queue.blocked.as_ref()?, queue.batch.as_ref()?);
    (!facts.pending.contains_key(&land_key(&batch.id))).then_some(blocked.again)
}

/// Begins a batch in every queue that has none, and tries blocked landings again.
pub(super) fn advance(d: &mut Draft<'_>) {
    let now = d.now;
    let ready: Vec<ProjectId> =
        d.queues.values().filter(|q| q.batch.is_none() && !q.waiting.is_empty()).map(|q| q.project.clone()).collect();
    for project in ready {
        begin(d, &project);
    }
    let due: Vec<MergeQueue> =
        d.queues.values().filter(|q| q.blocked.as_ref().is_some_and(|b| b.again <= now)).cloned().collect();
    let due = due.into_iter().filter(|q| q.batch.as_ref().is_none_or(|b| !d.is_pending(&land_key(&b.id))));
    let due: Vec<MergeQueue> = due.collect();
    for queue in due {
        land_again(d, &queue);
    }
}

fn begin(d: &mut Draft<'_>, project: &ProjectId) {
    let now = d.now;
    let Some(queue) = d.queues.get(project).cloned() else { return };
    let limit = usize::try_from(queue.limit.max(1)).unwrap_or(1);
    let Some(first) = queue.waiting.first().and_then(|pr| d.pull_requests.get(pr)).cloned() else { return };
    // One batch has one gate and one target.
    let entries: Vec<PullRequest> = queue
        .waiting
        .iter()
        .filter_map(|id| d.pull_requests.get(id))
        .filter(|pr| pr.check == first.check && pr.target == first.target)
        .take(limit)
        .cloned()
        .collect();
    let Some(settings) = d.projects.get_mut(project) else { return };
    settings.batches_made += 1;
    let batch = BatchId::new(format!("{project}-batch-{}", settings.batches_made));
    let strategy = settings.settings.merge;
    let heads = entries
        .iter()
        .map(|pr| CandidateHead {
            pr: pr.id.clone(),
            head: pr.head.clone(),
            message: format!("{} ({})\n\nSession: {}", pr.title, pr.id, pr.session),
        })
        .collect();
    if let Some(queue) = d.queues.get_mut(project) {
        queue.waiting.retain(|x| !entries.iter().any(|pr| pr.id == *x));
        queue.target.clone_from(&first.target);
        queue.batch = Some(Batch {
            id: batch.clone(),
            entries: entries
                .iter()
                .map(|pr| Entry { pr: pr.id.clone(), head: pr.head.clone(), commit: None })
                .collect(),
            stage: BatchStage::Building,
            since: now,
        });
    }
    d.ask(Effect::BuildCandidate { batch, project: project.clone(), target: first.target, heads, strategy });
}

fn batch_of(d: &Draft<'_>, project: &ProjectId, id: &BatchId) -> Option<Batch> {
    d.queues.get(project)?.batch.clone().filter(|b| b.id == *id)
}

/// The candidate was built.
pub(super) fn built(d: &mut Draft<'_>, project: &ProjectId, id: &BatchId, outcome: &Outcome) {
    let Outcome::CandidateBuilt { old, tip, built, conflicts, later, contained } = outcome else { return };
    let Some(mut batch) = batch_of(d, project, id).filter(|b| b.stage == BatchStage::Building) else { return };
    // Only what the batch holds is believed; what was forgotten would wait for ever.
    let held: Vec<PrId> = batch.entries.iter().map(|e| e.pr.clone()).collect();
    let built: BTreeMap<&PrId, &CommitId> = built.iter().map(|(pr, commit)| (pr, commit)).collect();
    let conflicts: Vec<&(PrId, Vec<String>)> =
        conflicts.iter().filter(|(pr, _)| held.contains(pr) && !built.contains_key(pr)).collect();
    let contained: Vec<&PrId> = contained.iter().filter(|pr| held.contains(pr) && !built.contains_key(pr)).collect();
    let later: Vec<PrId> = later.iter().filter(|pr| held.contains(pr) && may_wait(d, pr)).cloned().collect();
    let known = |pr: &PrId| {
        built.contains_key(pr)
            || contained.contains(&pr)
            || later.contains(pr)
            || conflicts.iter().any(|(x, _)| x == pr)
    };
    let moves = !(built.is_empty() && conflicts.is_empty() && contained.is_empty());
    if !moves || !held.iter().all(known) {
        failed(
            d,
            project,
            id,
            &Fault::new(Kind::Bug, "the candidate was built without saying what became of each part"),
        );
        return;
    }
    for entry in &mut batch.entries {
        entry.commit = built.get(&entry.pr).map(|c| (*c).clone());
    }
    batch.entries.retain(|e| e.commit.is_some());
    let gate = batch.entries.first().and_then(|e| d.pull_requests.get(&e.pr)).and_then(|pr| pr.check.clone());
    let empty = batch.entries.is_empty();
    if let Some(queue) = d.queues.get_mut(project) {
        let rest = std::mem::take(&mut queue.waiting);
        let rest: Vec<PrId> = rest.into_iter().filter(|x| !later.contains(x)).collect();
        queue.waiting = later.into_iter().chain(rest).collect();
        queue.batch = (!empty).then(|| batch.clone());
    }
    for pr in contained {
        landed_one(d, pr, old, true);
    }
    for (pr, files) in conflicts {
        conflicted(d, pr, files, old);
    }
    if empty {
        return;
    }
    set_merge(d, &batch, &Mergeability::Clean);
    match gate {
        Some(command) => {
            set_stage(d, project, BatchStage::Gating { old: old.clone(), tip: tip.clone() });
            ask_check(d, project, CheckPurpose::Candidate { batch: id.clone() }, tip, command);
        }
        None => land(d, project, id, old, tip, Baseline::default()),
    }
}

fn ask_check(d: &mut Draft<'_>, project: &ProjectId, purpose: CheckPurpose, commit: &CommitId, command: String) {
    let limit = d.projects.get(project).map_or(crate::project::CHECK_TIMEOUT, |p| p.settings.check_timeout);
    d.ask(Effect::RunCheck {
        purpose,
        project: project.clone(),
        place: CheckPlace::Scratch { commit: commit.clone() },
        command,
        limit,
    });
}

fn set_stage(d: &mut Draft<'_>, project: &ProjectId, stage: BatchStage) {
    if let Some(batch) = d.queues.get_mut(project).and_then(|q| q.batch.as_mut()) {
        batch.stage = stage;
    }
}

fn set_merge(d: &mut Draft<'_>, batch: &Batch, merge: &Mergeability) {
    for entry in &batch.entries {
        if let Some(pr) = d.pull_requests.get_mut(&entry.pr) {
            pr.merge = merge.clone();
        }
    }
}

fn conflicted(d: &mut Draft<'_>, id: &PrId, files: &[String], onto: &CommitId) {
    let Some(pr) = d.pull_requests.get_mut(id) else { return };
    pr.merge = Mergeability::Conflicted { files: files.to_vec(), onto: onto.clone() };
    let session = pr.session.clone();
    react::conflict(d, &session, files, onto);
}

/// The gate ran on the candidate.
pub(super) fn gated(d: &mut Draft<'_>, project: &ProjectId, id: &BatchId, report: &Report, log: &str) {
    let Some(batch) = batch_of(d, project, id) else { return };
    let BatchStage::Gating { old, tip } = batch.stage.clone() else { return };
    let baseline = d.queues.get(project).map(|q| q.baseline.clone()).unwrap_or_default();
    if !report.passed && baseline.commit.as_ref() != Some(&old) {
        // Red, and nobody knows what the target itself fails: read that first.
        let command = batch.entries.first().and_then(|e| d.pull_requests.get(&e.pr)).and_then(|pr| pr.check.clone());
        set_stage(
            d,
            project,
            BatchStage::Comparing { old: old.clone(), tip, report: report.clone(), log: log.to_owned() },
        );
        ask_check(d, project, CheckPurpose::Target { batch: id.clone() }, &old, command.unwrap_or_default());
        return;
    }
    judge(d, project, &batch, &old, &tip, &baseline, report, log);
}

/// The gate ran on the target that a red candidate was built on.
pub(super) fn compared(d: &mut Draft<'_>, project: &ProjectId, id: &BatchId, target: &Report) {
    let Some(batch) = batch_of(d, project, id) else { return };
    let BatchStage::Comparing { old, tip, report, log } = batch.stage.clone() else { return };
    let baseline = gate::baseline(&old, target);
    if let Some(queue) = d.queues.get_mut(project) {
        queue.baseline = baseline.clone();
    }
    judge(d, project, &batch, &old, &tip, &baseline, &report, &log);
}

#[expect(
    clippy::too_many_arguments,
    reason = "one call from each of two places; a struct would only be taken apart again"
)]
fn judge(
    d: &mut Draft<'_>,
    project: &ProjectId,
    batch: &Batch,
    old: &CommitId,
    tip: &CommitId,
    baseline: &Baseline,
    report: &Report,
    log: &str,
) {
    let mends: BTreeSet<String> = batch
        .entries
        .iter()
        .filter_map(|e| d.pull_requests.get(&e.pr))
        .flat_map(|pr| pr.mends.iter().cloned())
        .collect();
    match gate::judge(report, baseline, &mends) {
        Verdict::Pass => land(d, project, &batch.id, old, tip, gate::baseline(tip, report)),
        Verdict::Fail { unmended, new } => red(d, project, batch, &unmended, &new, log),
    }
}

fn red(
    d: &mut Draft<'_>,
    project: &ProjectId,
    batch: &Batch,
    unmended: &[crate::failure::Failure],
    new: &[crate::failure::Failure],
    log: &str,
) {
    let count = batch.entries.len();
    abandon(d, project, batch);
    if count > 1 {
        halve(d, project, count);
        return;
    }
    let limit = d.projects.get(project).map_or(1, |p| p.settings.batch_limit.max(1));
    let Some(entry) = batch.entries.first() else { return };
    let target = if let Some(queue) = d.queues.get_mut(project) {
        queue.limit = limit;
        queue.waiting.retain(|x| *x != entry.pr);
        queue.target.clone()
    } else {
        return;
    };
    let Some(pr) = d.pull_requests.get_mut(&entry.pr) else { return };
    pr.checks = Checks::Failed { failures: unmended.iter().chain(new).cloned().collect() };
    let session = pr.session.clone();
    react::gate_failed(d, &session, unmended, new, log, Some(&target));
}

/// Bisects: half of a batch is tried next; the culprit ends up alone.
fn halve(d: &mut Draft<'_>, project: &ProjectId, count: usize) {
    if let Some(queue) = d.queues.get_mut(project) {
        queue.limit = u32::try_from(count / 2).unwrap_or(1).max(1);
    }
}

fn land(d: &mut Draft<'_>, project: &ProjectId, id: &BatchId, old: &CommitId, tip: &CommitId, baseline: Baseline) {
    set_stage(d, project, BatchStage::Landing { old: old.clone(), tip: tip.clone(), baseline });
    let target = d.queues.get(project).map(|q| q.target.clone()).unwrap_or_default();
    d.ask(Effect::Land { batch: id.clone(), project: project.clone(), target, old: old.clone(), new: tip.clone() });
}

/// A landing ended.
pub(super) fn landing(d: &mut Draft<'_>, project: &ProjectId, id: &BatchId, outcome: &Outcome) {
    let Some(batch) = batch_of(d, project, id) else { return };
    let BatchStage::Landing { tip, baseline, .. } = batch.stage.clone() else { return };
    match outcome {
        Outcome::Landed => {
            let limit = d.projects.get(project).map_or(1, |p| p.settings.batch_limit.max(1));
            let check = batch.entries.first().and_then(|e| d.pull_requests.get(&e.pr)).and_then(|pr| pr.check.clone());
            let seen = Baseline { commit: Some(tip), ..baseline };
            if let Some(queue) = d.queues.get_mut(project) {
                queue.batch = None;
                queue.blocked = None;
                queue.limit = (queue.limit * 2).min(limit);
                queue.baseline = seen.clone();
                let target = queue.target.clone();
                run::target_moved(d, project, &target, check.as_deref(), &seen);
            }
            for entry in batch.entries {
                let Some(commit) = entry.commit else { continue };
                landed_one(d, &entry.pr, &commit, false);
            }
        }
        Outcome::SwapLost { .. } => abandon(d, project, &batch),
        Outcome::LandBlocked { why } => blocked(d, project, &batch, why),
        Outcome::WorkspaceReady { .. }
        | Outcome::HostStarted { .. }
        | Outcome::Pasted
        | Outcome::Submitted { .. }
        | Outcome::Unseen
        | Outcome::Answered
        | Outcome::Held { .. }
        | Outcome::Stopped { .. }
        | Outcome::Frozen
        | Outcome::Thawed
        | Outcome::WorkspaceRemoved { .. }
        | Outcome::Archived { .. }
        | Outcome::Inspected { .. }
        | Outcome::Checked { .. }
        | Outcome::PullRequestOpen
        | Outcome::CandidateBuilt { .. }
        | Outcome::Target { .. }
        | Outcome::ScratchRemoved
        | Outcome::Notified => {}
    }
}

fn landed_one(d: &mut Draft<'_>, id: &PrId, commit: &CommitId, contained: bool) {
    let now = d.now;
    let Some(pr) = d.pull_requests.get_mut(id) else { return };
    pr.state = PrState::Merged { commit: commit.clone(), at: now };
    pr.merge = Mergeability::Clean;
    let owner = pr.session.clone();
    task::landed(d, &owner, commit, contained);
    ending::work_landed(d, &owner);
}

fn blocked(d: &mut Draft<'_>, project: &ProjectId, batch: &Batch, why: &str) {
    let now = d.now;
    let Some(queue) = d.queues.get_mut(project) else { return };
    let first = queue.blocked.is_none();
    let since = queue.blocked.as_ref().map_or(now, |b| b.since);
    queue.blocked = Some(Blocked { why: why.to_owned(), since, again: now.after(BLOCKED_AGAIN) });
    if first {
        let title = format!("{project}: nothing lands until you act");
        d.notify(format!("blocked:{}", batch.id), project, None, Priority::Action, title, why.to_owned());
    }
}

fn land_again(d: &mut Draft<'_>, queue: &MergeQueue) {
    let Some(batch) = &queue.batch else {
        if let Some(queue) = d.queues.get_mut(&queue.project) {
            queue.blocked = None;
        }
        return;
    };
    if let BatchStage::Landing { old, tip, .. } = &batch.stage {
        d.ask(Effect::Land {
            batch: batch.id.clone(),
            project: queue.project.clone(),
            target: queue.target.clone(),
            old: old.clone(),
            new: tip.clone(),
        });
    }
}

/// A person wants a blocked queue to be tried now.
pub(super) fn retried(d: &mut Draft<'_>, project: &ProjectId) -> Answer {
    let now = d.now;
    let Some(queue) = d.queues.get_mut(project) else {
        return Answer::Refused(Fault::not_found(format!("there is no project {project}")));
    };
    if let Some(blocked) = &mut queue.blocked {
        blocked.again = now;
    }
    Answer::Queue(queue.batch.as_ref().map(|b| b.id.clone()))
}

/// Building, gating or landing could not be done at all.
pub(super) fn failed(d: &mut Draft<'_>, project: &ProjectId, id: &BatchId, fault: &Fault) {
    let Some(batch) = batch_of(d, project, id) else { return };
    abandon(d, project, &batch);
    if batch.entries.len() > 1 {
        // One of them may be the reason: the others must not suffer for it.
        halve(d, project, batch.entries.len());
        return;
    }
    let limit = d.projects.get(project).map_or(1, |p| p.settings.batch_limit.max(1));
    let prs: Vec<PrId> = batch.entries.iter().map(|e| e.pr.clone()).collect();
    if let Some(queue) = d.queues.get_mut(project) {
        queue.limit = limit;
        queue.waiting.retain(|x| !prs.contains(x));
    }
    for entry in &batch.entries {
        let Some(session) = d.pull_requests.get(&entry.pr).map(|pr| pr.session.clone()) else { continue };
        react::give_up(
            d,
            &session,
            crate::reaction::ReactionKey::CiFailed,
            &format!("the merge queue cannot go on: {}", fault.message),
        );
    }
}
