//! Runtime `process`: a host process per session (`ao host`), reached over its socket.

pub(super) mod exit;
mod halves;
mod link;
mod talk;
mod view;

use ao_core::kind::{Fault, Kind};
use ao_host::discover::{self, Standing};
use ao_host::engine::Size;
use ao_host::platform::TEST_BOOT_ID;
use ao_host::record::Tree;
use ao_host::spec::{Caps, CgroupParent, LaunchSpec, Limits};
use ao_slots::Answer;
use ao_slots::runtime::{Abilities, Found, LaunchPlace, LaunchPlan, Link, Remains, Runtime};
use async_trait::async_trait;
use exit::exit_of;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

/// How long a host may take to answer for the first time. It needs milliseconds; a machine under full load more.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// The first pause between two looks at a host that is starting; it grows by a half each time.
const FIRST_LOOK: Duration = Duration::from_millis(1);

/// The longest one.
const LONGEST_LOOK: Duration = Duration::from_millis(100);

/// Starts hosts with a given binary.
#[derive(Clone, Debug)]
pub struct ProcessRuntime {
    ao: PathBuf,
}

impl ProcessRuntime {
    /// Hosts are `{ao} host {launch directory}`.
    #[must_use]
    pub fn new(ao: PathBuf) -> Self {
        Self { ao }
    }

    async fn look(place: &LaunchPlace) -> Standing {
        let dir = place.dir.clone();
        match tokio::task::spawn_blocking(move || discover::probe(&dir).standing).await {
            Ok(standing) => standing,
            Err(e) => Standing::Unknown { why: format!("looking at it failed: {e}") },
        }
    }

    /// Looks behind a dead host.
    async fn behind(place: &LaunchPlace, look: fn(&Path) -> Tree) -> Remains {
        let dir = place.dir.clone();
        match tokio::task::spawn_blocking(move || look(&dir)).await {
            Ok(Tree::Empty) => Remains::None,
            Ok(Tree::Left { pids }) => Remains::Left { pids },
            Ok(Tree::Unknown) | Err(_) => Remains::Unknown,
        }
    }

    /// Starts the host. It leaves this process's session by itself and outlives it; whoever lives is its parent and reaps it.
    /// The answer comes when what was started has ended: it goes as soon as the host is ready, or cannot be.
    fn spawn(&self, plan: &LaunchPlan) -> Answer<oneshot::Receiver<()>> {
        let failed = |e: std::io::Error| {
            Fault::unavailable(format!("the session host cannot be started: {}: {e}", self.ao.display()))
        };
        let mut command = Command::new(&self.ao);
        command.arg("host").arg(&plan.dir).env_clear();
        if cfg!(debug_assertions)
            && let Ok(id) = std::env::var(TEST_BOOT_ID)
        {
            command.env(TEST_BOOT_ID, id);
        }
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().map_err(failed)?;
        let (over, started) = oneshot::channel();
        tokio::spawn(async move {
            // Whatever it says, the next look says more.
            let _ = child.wait().await;
            let _ = over.send(());
        });
        Ok(started)
    }
}

#[async_trait]
impl Runtime for ProcessRuntime {
    fn abilities(&self) -> Abilities {
        Abilities {
            byte_log: true,
            screen: true,
            exit_code: true,
            tree: true,
            typing_log: true,
            history: true,
            views: true,
            limits: true,
            usage: true,
            freeze: true,
        }
    }

    async fn ensure(&self, plan: &LaunchPlan) -> Answer<()> {
        let place = LaunchPlace { launch: plan.launch.clone(), dir: plan.dir.clone() };
        // Looking first makes a repeated start harmless; the host's lock makes it safe.
        match Self::look(&place).await {
            Standing::Alive { .. } | Standing::Dead { .. } => return Ok(()),
            Standing::NotStarted | Standing::Unknown { .. } => {}
        }
        let spec = LaunchSpec {
            launch: plan.launch.to_string(),
            session: plan.session.to_string(),
            argv: plan.argv.clone(),
            cwd: plan.cwd.clone(),
            env: plan.env.clone(),
            size: Size::clamped(plan.cols, plan.rows),
            socket: plan.socket.clone(),
            caps: Caps::default(),
            cgroup: CgroupParent::Own,
            limits: Limits {
                memory_bytes: plan.limits.memory_bytes,
                processes: plan.limits.processes,
                cpu_percent: plan.limits.cpu_percent,
            },
        };
        let dir = plan.dir.clone();
        let written = tokio::task::spawn_blocking(move || spec.write(&dir)).await;
        let storage = |e: String| Fault::new(Kind::StorageFailed, format!("{}: {e}", plan.dir.display()));
        written.map_err(|e| storage(e.to_string()))?.map_err(|e| storage(e.to_string()))?;
        let started = self.spawn(plan)?;
        // Looks before that would only take the processor from it. One that does not end may have a host all the same.
        let _ = timeout(LONGEST_LOOK, started).await;
        let until = Instant::now() + ANSWERS_WITHIN;
        let mut pause = FIRST_LOOK;
        loop {
            match Self::look(&place).await {
                Standing::Alive { .. } | Standing::Dead { .. } => return Ok(()),
                Standing::NotStarted | Standing::Unknown { .. } if Instant::now() < until => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 3 / 2).min(LONGEST_LOOK);
                }
                Standing::NotStarted => {
                    return Err(Fault::unavailable(format!(
                        "the session host did not start within {} s",
                        ANSWERS_WITHIN.as_secs()
                    )));
                }
                Standing::Unknown { why } => {
                    return Err(Fault::unavailable(format!("the session host does not answer: {why}")));
                }
            }
        }
    }

    async fn find(&self, place: &LaunchPlace) -> Found {
        match Self::look(place).await {
            Standing::Alive { .. } => Found::Alive,
            Standing::Dead { exit } => Found::Dead(exit.as_ref().map(exit_of)),
            // A launch that was written down and never started has nothing that could be alive.
            Standing::NotStarted => Found::Dead(None),
            Standing::Unknown { why } => Found::Unknown(why),
        }
    }

    async fn remains(&self, place: &LaunchPlace) -> Remains {
        Self::behind(place, discover::left_behind).await
    }

    async fn clear(&self, place: &LaunchPlace) -> Remains {
        Self::behind(place, discover::clear_behind).await
    }

    async fn connect(&self, place: &LaunchPlace) -> Answer<Link> {
        link::connect(place).await
    }
}
