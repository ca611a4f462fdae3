//! Performs effects: one arm per effect, each one call long. What it learns comes back as an event.

mod answer;
pub(crate) mod archive;
mod artefacts;
mod check;
mod host;
mod lookup;
mod merge;
mod notify;
mod ports;
mod rest;
pub(crate) mod told;
mod typing;
mod workspace;

use crate::engine::Engine;
use ao_core::effect::{Effect, Outcome};
use ao_core::event::Event;
use ao_core::kind::{Fault, Kind};
use futures_util::FutureExt as _;
use std::panic::AssertUnwindSafe;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Starts effects on the runtime; each is a task of its own.
#[derive(Clone)]
pub(crate) struct Performer {
    engine: Engine,
    runtime: Handle,
    tasks: TaskTracker,
    shutdown: CancellationToken,
    gates: check::Gates,
}

impl Performer {
    pub(crate) fn new(engine: Engine, runtime: Handle, tasks: TaskTracker, shutdown: CancellationToken) -> Self {
        Self { engine, runtime, tasks, shutdown, gates: check::Gates::default() }
    }

    /// Begins to perform. What is cut off by a shutdown stays pending and is done by the next daemon.
    pub(crate) fn perform(&self, effect: Effect) {
        let this = self.clone();
        let work = async move {
            let key = effect.key();
            let done = AssertUnwindSafe(this.outcome(&effect)).catch_unwind();
            let result = tokio::select! {
                result = done => result,
                () = this.shutdown.cancelled() => return,
            };
            let event = match result {
                Ok(Ok(outcome)) => Event::EffectDone { key, outcome },
                Ok(Err(fault)) => {
                    tracing::info!(effect = %key, fault = %fault, "effect failed");
                    Event::EffectFailed { key, fault }
                }
                Err(_) => {
                    Event::EffectFailed { fault: Fault::new(Kind::Bug, format!("performing {key} panicked")), key }
                }
            };
            this.engine.report(event).await;
        };
        self.tasks.spawn_on(work, &self.runtime);
    }

    async fn outcome(&self, effect: &Effect) -> Result<Outcome, Fault> {
        let engine = &self.engine;
        match effect {
            Effect::EnsureWorkspace { session, base } => workspace::ensure(engine, session, base.as_ref()).await,
            Effect::EnsureHost { session, launch, resume } => {
                host::ensure(engine, &self.watcher(), session, launch, *resume).await
            }
            Effect::PastePrompt { delivery, session, launch, text, file } => {
                typing::paste(engine, delivery, session, launch, text, file.as_ref()).await
            }
            Effect::SubmitPrompt { delivery, session, launch, n, text } => {
                typing::submit(engine, delivery, session, launch, *n, text).await
            }
            Effect::AnswerQuestion { session, launch, n, attempt, dialog, reply } => {
                let answer = answer::Answer { session, launch, n: *n, attempt: *attempt, dialog, reply };
                answer::press(engine, &answer).await
            }
            Effect::EnsureStopped { session, launch } => host::stop(engine, session, launch).await,
            Effect::EnsureFrozen { session, launch, .. } => rest::freeze(engine, session, launch).await,
            Effect::EnsureThawed { session, launch, .. } => rest::thaw(engine, session, launch).await,
            Effect::RemoveWorkspace { session } => workspace::remove(engine, session).await,
            Effect::ArchiveSession { session } => archive::pack(engine, session).await,
            Effect::InspectWorkspace { session, .. } => workspace::inspect(engine, session).await,
            Effect::RunCheck { purpose, project, place, command, limit } => {
                check::run(engine, &self.gates, effect, purpose, project, place, command, *limit).await
            }
            Effect::EnsurePullRequest { pr, project, head, title, branch, target } => {
                merge::open(engine, pr, project, head, title, branch, target).await
            }
            Effect::BuildCandidate { batch, project, target, heads, strategy } => {
                merge::build(engine, batch, project, target, heads, *strategy).await
            }
            Effect::Land { project, target, old, new, .. } => merge::land(engine, project, target, old, new).await,
            Effect::ReadTarget { project, target, .. } => merge::target(engine, project, target).await,
            Effect::RemoveScratch { project, .. } => check::remove_scratch(engine, &self.gates, effect, project).await,
            Effect::Notify { id, project, session, priority, title, body } => {
                notify::tell(engine, id, project, session.as_ref(), *priority, title, body).await
            }
        }
    }

    /// What starts the actors that watch launches.
    pub(crate) fn watcher(&self) -> crate::watch::Watcher {
        crate::watch::Watcher::new(self.engine.clone(), self.runtime.clone(), self.tasks.clone(), self.shutdown.clone())
    }
}
