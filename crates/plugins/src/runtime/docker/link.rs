//! Commands to a container's launch: the host does what concerns the terminal, the engine what concerns processes.

use super::end::{End, State};
use super::engine::Engine;
use super::files::{Files, Record};
use crate::runtime::process::ProcessRuntime;
use ao_core::kind::Fault;
use ao_slots::Answer;
use ao_slots::runtime::{
    Attachment, Control, Exit, Frame, LaunchPlace, Link, Push, Runtime as _, TypeStage, Typed, TypedStage, Usage, View,
};
use async_trait::async_trait;
use bollard::models::ContainerStatsResponse;
use bollard::query_parameters::StatsOptionsBuilder;
use futures_util::StreamExt as _;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How long a container may take to end after it was killed: what survives that sits in the kernel.
const DIES_WITHIN: Duration = Duration::from_secs(10);

/// How long the bridge may take to note the end: it reads the rest of the output first.
const NOTED_WITHIN: Duration = Duration::from_secs(10);

/// Time between two looks for that.
const LOOK: Duration = Duration::from_millis(10);

/// Grace of the host's own stop, in milliseconds: nothing but a bridge is left by then.
const BRIDGE_GRACE_MS: u64 = 1_000;

/// Pushes that may wait, as in runtime `process`.
const PUSHES: usize = 64;

/// Connects to the launch's host.
pub(super) async fn connect(
    process: &ProcessRuntime,
    place: &LaunchPlace,
    files: Files,
    record: Record,
) -> Answer<Link> {
    let Link { control, pushes } = process.connect(place).await?;
    let (sender, receiver) = mpsc::channel(PUSHES);
    tokio::spawn(translate(pushes, sender, files.clone(), record.clone()));
    Ok(Link { control: Box::new(ContainerControl { host: control, files, record }), pushes: receiver })
}

/// Passes pushes on. A bridge's end is not the agent's while its container runs: then the connection counts as lost, and
/// whoever looks again finds the container.
async fn translate(mut from: mpsc::Receiver<Push>, to: mpsc::Sender<Push>, files: Files, record: Record) {
    while let Some(push) = from.recv().await {
        let push = match push {
            Push::Screen(screen) => Push::Screen(screen),
            Push::Frozen(frozen) => {
                // Whoever looks at the host wakes it, and does not know of the container.
                if !frozen {
                    wake(&record).await;
                }
                Push::Frozen(frozen)
            }
            Push::Exited(exit) => match over(&files, &record, exit).await {
                Some(exit) => Push::Exited(exit),
                None => return,
            },
        };
        if to.send(push).await.is_err() {
            return;
        }
    }
}

/// Lets a container go on, if it was halted.
async fn wake(record: &Record) {
    let woken = match Engine::open(&record.socket).await {
        Ok(engine) => engine.wake(&record.id).await,
        Err(fault) => Err(fault),
    };
    if let Err(fault) = woken {
        tracing::warn!(container = %record.name, %fault, "a halted container could not be woken");
    }
}

/// The agent's exit after the bridge's; none when the container may run.
async fn over(files: &Files, record: &Record, bridge: Exit) -> Option<Exit> {
    if let Ok(Some(end)) = files.end() {
        return Some(exit(record, &end));
    }
    match Engine::open(&record.socket).await.ok()?.state(&record.id).await.ok()? {
        State::Ended(end) => Some(ended(files, record, end).await),
        State::Created | State::Absent => Some(bridge),
        State::Running { .. } => None,
    }
}

fn exit(record: &Record, end: &End) -> Exit {
    end.exit(&record.program, &record.image, record.memory)
}

/// Notes an end that no bridge has seen, and removes the container; the launch's exit.
pub(super) async fn ended(files: &Files, record: &Record, end: End) -> Exit {
    let end = files.completed(end);
    // A record that cannot be written leaves the container where the same can be read again.
    if files.keep_end(&end).is_ok() {
        remove(record).await;
    }
    exit(record, &end)
}

/// Removes the container of a launch that is over. What stays is shown by `ao doctor`.
async fn remove(record: &Record) {
    let removed = match Engine::open(&record.socket).await {
        Ok(engine) => engine.remove(&record.id).await,
        Err(fault) => Err(fault),
    };
    if let Err(fault) = removed {
        tracing::warn!(container = %record.name, %fault, "a container that has ended was not removed");
    }
}

struct ContainerControl {
    host: Box<dyn Control>,
    files: Files,
    record: Record,
}

impl ContainerControl {
    async fn engine(&self) -> Answer<Engine> {
        Engine::open(&self.record.socket).await
    }

    /// Ends the container: as a terminal that is closed would, then by force.
    async fn end(&self, grace: Duration) -> Answer<State> {
        let engine = self.engine().await?;
        let id = &self.record.id;
        match engine.state(id).await? {
            State::Running { .. } => engine.wake(id).await?,
            // The bridge would still start one that was only made.
            State::Created => engine.remove(id).await?,
            over @ (State::Ended(_) | State::Absent) => return Ok(over),
        }
        for signal in ["HUP", "TERM"] {
            engine.signal(id, signal).await?;
        }
        match engine.ended_within(id, grace).await? {
            State::Running { .. } | State::Created => {}
            over @ (State::Ended(_) | State::Absent) => return Ok(over),
        }
        engine.signal(id, "KILL").await?;
        match engine.ended_within(id, DIES_WITHIN).await? {
            State::Running { .. } | State::Created => Err(Fault::unavailable(format!(
                "the container {} could not be ended, not even by force",
                self.record.name
            ))),
            over @ (State::Ended(_) | State::Absent) => Ok(over),
        }
    }

    /// What the bridge noted, once it has.
    async fn noted(&self) -> Option<End> {
        let until = Instant::now() + NOTED_WITHIN;
        while Instant::now() < until {
            if let Ok(Some(end)) = self.files.end() {
                return Some(end);
            }
            tokio::time::sleep(LOOK).await;
        }
        None
    }
}

#[async_trait]
impl Control for ContainerControl {
    async fn type_stage(&self, stage: TypeStage) -> Answer<Typed> {
        self.engine().await?.wake(&self.record.id).await?;
        self.host.type_stage(stage).await
    }

    async fn typed_stages(&self) -> Answer<Vec<TypedStage>> {
        self.host.typed_stages().await
    }

    async fn stop(&self, grace_ms: u64) -> Answer<Exit> {
        let state = match self.files.end() {
            Ok(Some(end)) => State::Ended(end),
            Ok(None) | Err(_) => {
                // A bridge that is halted would note nothing.
                let _ = self.host.thaw().await;
                self.end(Duration::from_millis(grace_ms)).await?
            }
        };
        let noted = self.noted().await;
        let bridge = self.host.stop(BRIDGE_GRACE_MS).await?;
        let exit = match (noted, state) {
            (Some(end), _) => exit(&self.record, &end),
            (None, State::Ended(end)) => ended(&self.files, &self.record, end).await,
            (None, State::Absent | State::Created | State::Running { .. }) => bridge,
        };
        remove(&self.record).await;
        Ok(Exit { left: Some(0), ..exit })
    }

    async fn acknowledge_exit(&self) -> Answer<()> {
        remove(&self.record).await;
        self.host.acknowledge_exit().await
    }

    async fn attach(&self, view: View) -> Answer<Attachment> {
        self.engine().await?.wake(&self.record.id).await?;
        let Attachment { frames: mut from, input } = self.host.attach(view).await?;
        let (to, frames) = mpsc::channel(PUSHES);
        let (files, record) = (self.files.clone(), self.record.clone());
        tokio::spawn(async move {
            while let Some(frame) = from.recv().await {
                let frame = match frame {
                    Frame::Exited(exit) => match over(&files, &record, exit).await {
                        Some(exit) => Frame::Exited(exit),
                        None => return,
                    },
                    other => other,
                };
                if to.send(frame).await.is_err() {
                    return;
                }
            }
        });
        Ok(Attachment { frames: Box::new(frames), input })
    }

    async fn history(&self, from: u64, to: u64) -> Answer<Vec<String>> {
        self.host.history(from, to).await
    }

    async fn usage(&self) -> Answer<Usage> {
        let engine = self.engine().await?;
        let State::Running { paused } = engine.state(&self.record.id).await? else {
            return Err(Fault::conflict("its container does not run"));
        };
        let once = StatsOptionsBuilder::default().stream(false).one_shot(true).build();
        let stats = engine.docker().stats(&self.record.id, Some(once)).next().await;
        match stats {
            Some(Ok(stats)) => Ok(Usage { frozen: paused, ..usage(&stats) }),
            Some(Err(error)) => Err(engine.fault("say what its container uses", &error)),
            None => Err(Fault::unavailable("the Docker engine does not say what its container uses")),
        }
    }

    /// The host first: it knows who looks. Its bridge needs no processor time either.
    async fn freeze(&self) -> Answer<()> {
        self.host.freeze().await?;
        let halted = match self.engine().await {
            Ok(engine) => engine.halt(&self.record.id).await,
            Err(fault) => Err(fault),
        };
        if halted.is_err() {
            self.host.thaw().await?;
        }
        halted
    }

    async fn thaw(&self) -> Answer<()> {
        self.engine().await?.wake(&self.record.id).await?;
        self.host.thaw().await
    }
}

/// What the engine's figures mean. Memory is what cannot be taken back at once: files that were read lie there until
/// somebody needs the place. The container's first process, which is not the agent's, is counted too.
fn usage(stats: &ContainerStatsResponse) -> Usage {
    let memory = stats.memory_stats.as_ref();
    let files = memory.and_then(|memory| memory.stats.as_ref()).and_then(|all| {
        // The first name is that of cgroup v2, the other that of v1.
        all.get("inactive_file").or_else(|| all.get("total_inactive_file")).copied()
    });
    let nanoseconds = stats.cpu_stats.as_ref().and_then(|cpu| cpu.cpu_usage.as_ref()).and_then(|cpu| cpu.total_usage);
    Usage {
        cpu_us: nanoseconds.map(|ns| ns / 1000),
        memory_bytes: memory.and_then(|memory| memory.usage).map(|used| used.saturating_sub(files.unwrap_or(0))),
        processes: stats.pids_stats.as_ref().and_then(|pids| pids.current).and_then(|n| u32::try_from(n).ok()),
        ..Usage::default()
    }
}
