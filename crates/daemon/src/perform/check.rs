//! Performs checks: the right checkout, one at a time in each, and the report read by core.

use super::artefacts;
use crate::engine::Engine;
use crate::env;
use crate::paths::Paths;
use ao_core::effect::{CheckPlace, CheckPurpose, Effect, Outcome};
use ao_core::failure::{self, CheckOutput, Reader};
use ao_core::id::ProjectId;
use ao_core::kind::{Fault, Kind};
use ao_core::project::Project;
use ao_core::time::Millis;
use ao_slots::scm::{CheckPlan, CheckRan};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::Mutex as AsyncMutex;

/// The end of a check's output that goes into a prompt, in bytes, before core trims it further.
const LOG_KEPT: usize = 16 * 1024;

/// With these codes a shell says that it could not run a command (POSIX, "Exit Status for Commands").
const NOT_RUN: RangeInclusive<i32> = 126..=127;

/// The scratch checkout in which the target is read.
const TARGET: &str = "target";

/// The scratch checkout in which candidates are gated.
const CANDIDATE: &str = "candidate";

/// One lock per scratch checkout: two checks never share one.
#[derive(Clone, Default)]
pub(super) struct Gates {
    locks: Arc<Mutex<BTreeMap<PathBuf, Arc<AsyncMutex<()>>>>>,
}

impl Gates {
    fn lock(&self, dir: &Path) -> Arc<AsyncMutex<()>> {
        self.locks.lock().unwrap_or_else(PoisonError::into_inner).entry(dir.to_owned()).or_default().clone()
    }
}

#[expect(clippy::too_many_arguments, reason = "the fields of one effect")]
pub(super) async fn run(
    engine: &Engine,
    gates: &Gates,
    effect: &Effect,
    purpose: &CheckPurpose,
    project: &ProjectId,
    place: &CheckPlace,
    command: &str,
    limit: Millis,
) -> Result<Outcome, Fault> {
    let project = super::merge::project(engine, project)?;
    let scm = engine.registry().scm(&project.settings.scm)?;
    let log = Paths::check_log(&project, effect.key().as_str());
    if let Some(parent) = log.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(|e| storage(parent, &e))?;
    }
    let (dir, lock) = match place {
        CheckPlace::Workspace { path } => (PathBuf::from(path), None),
        CheckPlace::Scratch { .. } => {
            let dir = Paths::scratch(&project, scratch_name(purpose));
            let lock = gates.lock(&dir);
            (dir, Some(lock))
        }
    };
    let _held = match &lock {
        Some(lock) => Some(lock.lock().await),
        None => None,
    };
    if let CheckPlace::Scratch { commit } = place {
        scm.scratch(&PathBuf::from(&project.path), &dir, commit).await?;
    }
    let plan = CheckPlan {
        dir: dir.clone(),
        command: command.to_owned(),
        limit: Duration::from_millis(limit.0),
        log: log.clone(),
        env: environment(engine, &project, purpose)?,
    };
    let since = artefacts::start(&log);
    let ran = scm.run_check(&plan).await?;
    let outcome = outcome(command, dir, since, ran.clone(), &log).await?;
    match not_there(purpose, &ran, &outcome) {
        Some(fault) => Err(fault),
        None => Ok(outcome),
    }
}

/// The target's check is not there: no agent mends that. One that goes away in a workspace is that session's own doing.
fn not_there(purpose: &CheckPurpose, ran: &CheckRan, outcome: &Outcome) -> Option<Fault> {
    let (CheckPurpose::Read { .. }, Outcome::Checked { report, log, .. }) = (purpose, outcome) else { return None };
    let [failure] = report.failures.as_slice() else { return None };
    let known = report.reader == Reader::Exit && ran.code.is_some_and(|code| NOT_RUN.contains(&code));
    let said = log.trim().lines().last().unwrap_or_default();
    let fault = || Fault::not_found(format!("{}: {said}", failure.name)).hint("name another check: ao fix --check CMD");
    known.then(fault)
}

/// Removes the scratch checkouts of a project, unless it went to work again before its turn came.
pub(super) async fn remove_scratch(
    engine: &Engine,
    gates: &Gates,
    effect: &Effect,
    project: &ProjectId,
) -> Result<Outcome, Fault> {
    let project = super::merge::project(engine, project)?;
    let scm = engine.registry().scm(&project.settings.scm)?;
    for name in [TARGET, CANDIDATE] {
        let dir = Paths::scratch(&project, name);
        let lock = gates.lock(&dir);
        let _held = lock.lock().await;
        if engine.read(|c| !c.facts.pending.contains_key(&effect.key())) {
            break;
        }
        scm.remove_scratch(&PathBuf::from(&project.path), &dir).await?;
    }
    Ok(Outcome::ScratchRemoved)
}

/// What a check says, by its output and by the files it left.
async fn outcome(command: &str, dir: PathBuf, since: SystemTime, ran: CheckRan, log: &Path) -> Result<Outcome, Fault> {
    let (command, log_file) = (command.to_owned(), log.display().to_string());
    let read = move || {
        let files = artefacts::collect(&dir, since, &ran.output);
        let report = failure::read(&CheckOutput {
            command: &command,
            exit_code: ran.code,
            signal: ran.signal,
            timed_out: ran.timed_out,
            output: &ran.output,
            files: &files,
        });
        Outcome::Checked { report, log: failure::trim_log(&ran.output, LOG_KEPT), log_file, moved: false }
    };
    // It reads files and may take a moment: other effects go on.
    let read = tokio::task::spawn_blocking(read).await;
    read.map_err(|e| Fault::new(Kind::Bug, format!("reading what the check left failed: {e}")))
}

/// Reading the target and gating candidates have a checkout each, so that neither waits for the other.
const fn scratch_name(purpose: &CheckPurpose) -> &'static str {
    match purpose {
        CheckPurpose::Read { .. } | CheckPurpose::Target { .. } => TARGET,
        CheckPurpose::Candidate { .. } | CheckPurpose::Own { .. } | CheckPurpose::All { .. } => CANDIDATE,
    }
}

/// The environment of whoever asked for the work that is checked, else the daemon's own. Agents' keys are not in it.
fn environment(engine: &Engine, project: &Project, purpose: &CheckPurpose) -> Result<BTreeMap<String, String>, Fault> {
    let kept = engine.read(|c| match purpose {
        CheckPurpose::Read { run, .. } => c.facts.runs.get(run).map(|r| r.env.clone()),
        CheckPurpose::Own { session, .. } | CheckPurpose::All { session, .. } => {
            c.facts.sessions.get(session).map(|s| s.env.clone())
        }
        CheckPurpose::Candidate { batch } | CheckPurpose::Target { batch } => {
            let entry = c
                .facts
                .queues
                .get(&project.id)
                .and_then(|q| q.batch.as_ref())
                .filter(|b| b.id == *batch)
                .and_then(|b| b.entries.first());
            let session =
                entry.and_then(|e| c.facts.pull_requests.get(&e.pr)).and_then(|pr| c.facts.sessions.get(&pr.session));
            session.map(|s| s.env.clone())
        }
    });
    let kept = kept.unwrap_or_default();
    let mut env = env::restore(engine.paths(), &kept, env::For::Check)
        .map_err(|e| Fault::unavailable(format!("the caller's environment cannot be read: {e}")))?;
    if env.is_empty() {
        env = env::own();
    }
    env.insert("CI".to_owned(), "true".to_owned());
    Ok(env)
}

fn storage(path: &Path, e: &std::io::Error) -> Fault {
    Fault::new(Kind::StorageFailed, format!("{}: {e}", path.display()))
}
