//! A `fix` run: read the target, one session per group of failures, read the target again, until it is green.

use super::draft::Draft;
use super::lookup::task_text;
use super::{ending, prompting, request, task};
use crate::delivery::Cause;
use crate::effect::{CheckPlace, CheckPurpose, Effect};
use crate::event::{Answer, NewRun, NewSession};
use crate::failure::{self, Group, Report};
use crate::gate;
use crate::id::{CommitId, ProjectId, RunId, SessionId};
use crate::kind::Fault;
use crate::merge_queue::Baseline;
use crate::run::{MAX_ATTEMPTS, MAX_ROUNDS, Run, RunOutcome, RunState, Task, TaskState};
use crate::session::Role;
use std::collections::BTreeSet;

pub(super) fn requested(d: &mut Draft<'_>, new: &NewRun) -> Answer {
    let Some(project) = d.projects.get(&new.project).filter(|p| !p.removed).cloned() else {
        return Answer::Refused(
            Fault::not_found(format!("there is no project {}", new.project))
                .hint("`ao start` in a repository registers it"),
        );
    };
    let Some(check) = new.check.clone().or_else(|| project.settings.check.clone()) else {
        let fault = Fault::invalid(format!("project {} has no check", project.id));
        return Answer::Refused(
            fault.hint("say which command must pass: ao fix --check \"CMD\", or `check:` in agent-orchestrator.yaml"),
        );
    };
    let check = crate::check::complete(&check);
    if let Some(run) = d.runs.values().find(|r| r.project == new.project && !r.finished()) {
        if run.check == check && run.dry_run == new.dry_run {
            return Answer::Run { run: run.id.clone(), joined: true };
        }
        let fault = Fault::conflict(format!("run {} of this project is not over", run.id));
        return Answer::Refused(fault.hint(format!(
            "wait for it (ao fix --check {:?} joins it) or stop it: ao fix --cancel {}",
            run.check, run.id
        )));
    }
    let n = project.runs_made + 1;
    let id = RunId::new(format!("{}-fix-{n}", project.id));
    let places = if project.settings.parallel == 0 { d.machine.places } else { project.settings.parallel };
    let run = Run {
        id: id.clone(),
        project: new.project.clone(),
        check,
        target: new.target.clone(),
        base: new.base.clone(),
        agent: new.agent.clone().unwrap_or(project.settings.agent),
        chosen: new.chosen.clone(),
        model: new.model.clone(),
        agent_args: new.agent_args.clone(),
        env: new.env.clone(),
        parallel: new.parallel.unwrap_or(places),
        max_attempts: new.max_attempts.unwrap_or(MAX_ATTEMPTS).max(1),
        dry_run: new.dry_run,
        keep: new.keep,
        baseline: Baseline::default(),
        landed: None,
        state: RunState::Checking { commit: new.base.clone() },
        tasks: Vec::new(),
        rounds: 1,
        started: d.now,
    };
    d.runs.put(id.clone(), run);
    if let Some(project) = d.projects.get_mut(&new.project) {
        project.runs_made = n;
    }
    read(d, &id);
    Answer::Run { run: id, joined: false }
}

/// Runs the check on the commit that the run looks at.
fn read(d: &mut Draft<'_>, id: &RunId) {
    let Some(run) = d.runs.get(id) else { return };
    let RunState::Checking { commit } = run.state.clone() else { return };
    let (project, command, round) = (run.project.clone(), run.check.clone(), run.rounds);
    let limit = d.projects.get(&project).map_or(crate::project::CHECK_TIMEOUT, |p| p.settings.check_timeout);
    let purpose = CheckPurpose::Read { run: id.clone(), round };
    d.ask(Effect::RunCheck { purpose, project, place: CheckPlace::Scratch { commit }, command, limit });
}

/// The target was read.
pub(super) fn read_done(d: &mut Draft<'_>, id: &RunId, round: u32, report: &Report) {
    let Some(run) = d.runs.get(id).filter(|r| r.rounds == round).cloned() else { return };
    let RunState::Checking { commit } = run.state.clone() else { return };
    let seen = gate::baseline(&commit, report);
    if let Some(queue) = d.queues.get_mut(&run.project) {
        queue.baseline = seen.clone();
        if queue.batch.is_none() && queue.waiting.is_empty() {
            queue.target.clone_from(&run.target);
        }
    }
    if report.passed {
        finish(d, id, RunOutcome::Green { commit });
        return;
    }
    // What landed and is red again is mended again; rounds are bounded.
    let given_up: BTreeSet<String> = run
        .tasks
        .iter()
        .filter(|t| matches!(t.state, TaskState::GivenUp { .. }))
        .flat_map(|t| t.group.failures.iter().map(|f| f.id.clone()))
        .collect();
    let fresh: Vec<_> = report.failures.iter().filter(|f| !given_up.contains(&f.id)).cloned().collect();
    let groups = failure::group(&fresh);
    let Some(run) = d.runs.get_mut(id) else { return };
    run.baseline.failures.extend(seen.failures);
    run.baseline.hides = seen.hides;
    run.baseline.commit = seen.commit;
    // What was read just now is newer than what landed.
    run.landed = None;
    if fresh.is_empty() || round > MAX_ROUNDS {
        let left = u32::try_from(report.failures.len()).unwrap_or(u32::MAX);
        finish(d, id, RunOutcome::Red { left });
        return;
    }
    for group in groups {
        run.tasks.push(Task { group, session: None, state: TaskState::Waiting, attempts: 0, began: None });
    }
    run.state = RunState::Working;
    if run.dry_run {
        finish(d, id, RunOutcome::DryRun);
    }
}

/// Starts sessions while there is room, and reads the target again when nothing is left to do.
pub(super) fn advance(d: &mut Draft<'_>) {
    let working: Vec<RunId> =
        d.runs.values().filter(|r| matches!(r.state, RunState::Working)).map(|r| r.id.clone()).collect();
    for id in working {
        spawn(d, &id);
        let Some(run) = d.runs.get_mut(&id) else { continue };
        if run.tasks.iter().all(Task::settled) && matches!(run.state, RunState::Working) {
            run.rounds += 1;
            run.state = RunState::Verifying { commit: None };
            let (round, project, target) = (run.rounds, run.project.clone(), run.target.clone());
            d.ask(Effect::ReadTarget { run: id, round, project, target });
        }
    }
}

fn spawn(d: &mut Draft<'_>, id: &RunId) {
    let Some(run) = d.runs.get(id).cloned() else { return };
    let limit = if run.parallel == 0 { usize::MAX } else { usize::try_from(run.parallel).unwrap_or(usize::MAX) };
    let mut active = run.tasks.iter().filter(|t| matches!(t.state, TaskState::Active)).count();
    for (i, wanted) in run.tasks.iter().enumerate().filter(|(_, t)| matches!(t.state, TaskState::Waiting)) {
        if active >= limit {
            return;
        }
        if let Some(commit) = run.landed.as_ref().and_then(|seen| mended_on(seen, &wanted.group)) {
            task::landed_without_session(d, id, i, commit);
            continue;
        }
        let new = NewSession {
            project: run.project.clone(),
            title: format!("fix {}", short(&wanted.group.title)),
            prompt: None,
            name: None,
            issue: None,
            agent: Some(run.agent.clone()),
            chosen: run.chosen.clone(),
            runtime: None,
            workspace: None,
            branch: None,
            model: run.model.clone(),
            supervision: None,
            answers: Vec::new(),
            role: Role::Worker,
            agent_args: run.agent_args.clone(),
            env: run.env.clone(),
        };
        match request::make_session(d, &new, Some(id)) {
            Ok(session) => {
                active += 1;
                begin_task(d, id, i, &session);
            }
            Err(fault) => task::settle_task(d, id, i, &fault.message),
        }
    }
}

/// The value of the target on which none of a group's failures is left, when that can be told.
fn mended_on<'b>(seen: &'b Baseline, group: &Group) -> Option<&'b CommitId> {
    let left = seen.hides || group.failures.iter().any(|f| seen.failures.contains(&f.id));
    if left { None } else { seen.commit.as_ref() }
}

/// A value of the target that was gated by `check` landed.
pub(super) fn target_moved(d: &mut Draft<'_>, project: &ProjectId, target: &str, check: Option<&str>, seen: &Baseline) {
    let same = |r: &&Run| r.project == *project && r.target == target && Some(r.check.as_str()) == check;
    let runs: Vec<RunId> = d.runs.values().filter(same).filter(|r| !r.finished()).map(|r| r.id.clone()).collect();
    for id in runs {
        if let Some(run) = d.runs.get_mut(&id) {
            run.landed = Some(seen.clone());
        }
    }
}

fn begin_task(d: &mut Draft<'_>, id: &RunId, i: usize, session: &SessionId) {
    let now = d.now;
    if let Some(task) = d.runs.get_mut(id).and_then(|r| r.tasks.get_mut(i)) {
        task.session = Some(session.clone());
        task.state = TaskState::Active;
        task.attempts = 1;
        task.began = Some(now);
    }
    let text = d.sessions.get(session).and_then(|s| task_text(d, s));
    if let Some(text) = text {
        let _ = prompting::queue(d, session, &text, Cause::Task);
    }
}

/// The target's commit is known: read it.
pub(super) fn target_read(d: &mut Draft<'_>, id: &RunId, round: u32, commit: &CommitId) {
    let Some(run) = d.runs.get_mut(id).filter(|r| r.rounds == round) else { return };
    if !matches!(run.state, RunState::Verifying { .. }) {
        return;
    }
    run.state = RunState::Checking { commit: commit.clone() };
    read(d, id);
}

/// Why sessions of a cancelled run end.
const CANCELLED: &str = "its run was cancelled";

/// Somebody wants the run to end.
pub(super) fn cancelled(d: &mut Draft<'_>, id: &RunId) -> Answer {
    let Some(run) = d.runs.get(id).cloned() else {
        return Answer::Refused(Fault::not_found(format!("there is no run {id}")));
    };
    if run.finished() {
        return Answer::Refused(Fault::conflict(format!("run {id} is over")));
    }
    finish(d, id, RunOutcome::Cancelled);
    for (i, task) in run.tasks.iter().enumerate().filter(|(_, t)| !t.settled()) {
        match &task.session {
            Some(session) => {
                let _ = ending::stop(d, session, CANCELLED, false);
            }
            None => task::settle_task(d, id, i, CANCELLED),
        }
    }
    Answer::Run { run: id.clone(), joined: false }
}

/// The run cannot go on.
pub(super) fn failed(d: &mut Draft<'_>, id: &RunId, fault: &Fault) {
    finish(d, id, RunOutcome::Failed { fault: fault.clone() });
}

fn finish(d: &mut Draft<'_>, id: &RunId, outcome: RunOutcome) {
    let at = d.now;
    if let Some(run) = d.runs.get_mut(id).filter(|r| !r.finished()) {
        let round = run.rounds;
        run.state = RunState::Finished { outcome, at };
        d.settle(&crate::id::EffectKey::new(format!("check:{id}:{round}")));
        d.settle(&crate::id::EffectKey::new(format!("target:{id}:{round}")));
    }
}

/// A group's title without the message behind its name: it becomes a branch and a commit subject.
fn short(title: &str) -> &str {
    title.split(": ").next().unwrap_or(title)
}
