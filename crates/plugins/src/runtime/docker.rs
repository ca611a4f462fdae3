//! Runtime `docker`: a container per session, on the terminal of a session host.
//!
//! The daemon makes the container, the host's child (`bridge`) starts it and passes bytes. So log, screen, history and typing
//! are those of runtime `process`, and container and host find each other again whoever of them lost the other.

mod attach;
mod bridge;
mod container;
mod end;
mod engine;
mod files;
mod link;
mod mounts;
mod relay;
mod replay;
mod revival;
mod standing;
mod tty;

use super::process::ProcessRuntime;
use ao_core::kind::{Fault, Kind};
use ao_core::limits::Limits;
use ao_host::discover::Standing;
use ao_host::wire::Child;
use ao_slots::Answer;
use ao_slots::runtime::{Abilities, Found, LaunchPlace, LaunchPlan, Link, Remains, Runtime};
use async_trait::async_trait;
use end::State;
use engine::Engine;
use files::{Files, Record};
use standing::standing;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use bridge::bridge;
pub use container::Kept;
pub use engine::DOCKER_HOST;

/// The verb of the `ao` binary that runs [`bridge`].
pub const BRIDGE_VERB: &str = "container-bridge";

/// Runs agents in containers of this machine's Docker engine.
#[derive(Clone, Debug)]
pub struct DockerRuntime {
    ao: PathBuf,
    host: Option<String>,
    process: ProcessRuntime,
}

impl DockerRuntime {
    /// Hosts are `{ao} host {launch directory}`; `host` is the engine's address as in [`DOCKER_HOST`].
    #[must_use]
    pub fn new(ao: PathBuf, host: Option<String>) -> Self {
        Self { process: ProcessRuntime::new(ao.clone()), ao, host }
    }

    /// The containers that a data root has, whatever became of their sessions; `root` is what comes before the session in
    /// [`LaunchPlan::label`].
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn containers(&self, root: &str) -> Answer<Vec<Kept>> {
        let engine = Engine::open(&engine::socket(self.host.as_deref())?).await?;
        container::all(&engine, root).await
    }

    /// How the launch stands apart from its host: by what its bridge left, else by what the engine says.
    async fn contained(files: &Files) -> Answer<Option<(Record, State)>> {
        let Some(record) = read(files.record())? else { return Ok(None) };
        if let Some(end) = read(files.end())? {
            return Ok(Some((record, State::Ended(end))));
        }
        let state = Engine::open(&record.socket).await?.state(&record.id).await?;
        Ok(Some((record, state)))
    }

    /// A launch that nobody passes bytes for any more: its container knows more than its host.
    async fn without_bridge(place: &LaunchPlace) -> Found {
        let files = Files::new(&place.dir);
        match Self::contained(&files).await {
            Ok(Some((_, State::Running { .. }))) => Found::Alive,
            Ok(Some((record, State::Ended(end)))) => Found::Dead(Some(link::ended(&files, &record, end).await)),
            // It was made and nobody came to start it, or somebody removed it: nothing of it can live.
            Ok(None | Some((_, State::Created | State::Absent))) => Found::Dead(None),
            Err(fault) => Found::Unknown(fault.message),
        }
    }
}

#[async_trait]
impl Runtime for DockerRuntime {
    fn abilities(&self) -> Abilities {
        Abilities { tree: true, limits: true, usage: true, freeze: true, ..self.process.abilities() }
    }

    fn own_home(&self, dir: &Path) -> Option<PathBuf> {
        Some(mounts::own_home(dir))
    }

    async fn ensure(&self, plan: &LaunchPlan) -> Answer<()> {
        // Looking first makes a repeated start harmless; the container's name and the host's lock make it safe.
        if let Standing::Alive { .. } | Standing::Dead { .. } = standing(&plan.dir).await {
            return Ok(());
        }
        let socket = engine::socket(self.host.as_deref())?;
        let engine = Engine::open(&socket).await?;
        let files = Files::new(&plan.dir);
        container::ensure(&engine, &socket, plan, &files, &self.ao).await?;
        self.process.ensure(&self.host_plan(plan)).await
    }

    async fn find(&self, place: &LaunchPlace) -> Found {
        match standing(&place.dir).await {
            Standing::Alive { hello } => match hello.child {
                Child::Running { .. } => Found::Alive,
                Child::Ended { .. } => Self::without_bridge(place).await,
            },
            Standing::Dead { .. } | Standing::NotStarted => Self::without_bridge(place).await,
            Standing::Unknown { why } => Found::Unknown(why),
        }
    }

    async fn remains(&self, place: &LaunchPlace) -> Remains {
        match Self::contained(&Files::new(&place.dir)).await {
            // A container that has ended has no process left, and a bridge does nothing by itself.
            Ok(None | Some((_, State::Created | State::Ended(_) | State::Absent))) => Remains::None,
            Ok(Some((_, State::Running { .. }))) | Err(_) => Remains::Unknown,
        }
    }

    async fn connect(&self, place: &LaunchPlace) -> Answer<Link> {
        match self.find(place).await {
            Found::Alive => {}
            Found::Dead(_) => return Err(Fault::conflict(format!("the launch {} is over", place.launch))),
            Found::Unknown(why) => return Err(Fault::unavailable(why)),
        }
        let files = Files::new(&place.dir);
        let record = read(files.record())?
            .ok_or_else(|| Fault::unavailable(format!("the launch {} has no container", place.launch)))?;
        revival::revive(&self.process, place, &files).await?;
        link::connect(&self.process, place, files, record).await
    }
}

impl DockerRuntime {
    /// The host's own plan: its child is the bridge, which needs nothing of what the agent has.
    fn host_plan(&self, plan: &LaunchPlan) -> LaunchPlan {
        let dir = plan.dir.display().to_string();
        LaunchPlan {
            argv: vec![self.ao.display().to_string(), BRIDGE_VERB.to_owned(), dir],
            cwd: Files::new(&plan.dir).run(),
            env: BTreeMap::new(),
            limits: Limits::default(),
            container: None,
            reach: Vec::new(),
            ..plan.clone()
        }
    }
}

fn read<T>(read: std::io::Result<T>) -> Answer<T> {
    read.map_err(|e| Fault::new(Kind::StorageFailed, format!("the container's record cannot be read: {e}")))
}
