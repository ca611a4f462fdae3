//! Puts the daemon and the plugins together: the only file that names both. It decides nothing but which plugins there are.

use crate::capacity;
use crate::connect::VERSION;
use crate::context::Context;
use ao_api::project::DaemonFile;
use ao_core::kind::{Fault, Kind};
use ao_daemon::instance::InstanceError;
use ao_daemon::start::{self, Options, Port, StartError};
pub use ao_plugins::agent::{LoggedIn, cast, logged_in, replay};
use ao_plugins::agent::{built_in, load_dir};
use ao_plugins::exec::Environment;
use ao_plugins::notifier::{Desktop, Webhook};
pub use ao_plugins::runtime::docker;
use ao_plugins::runtime::docker::{DOCKER_HOST, DockerRuntime};
use ao_plugins::runtime::process::ProcessRuntime;
use ao_plugins::runtime::tmux::TmuxRuntime;
pub use ao_plugins::runtime::tmux::{is_in_tmux, joining as joining_tmux};
use ao_plugins::scm::Local as LocalScm;
use ao_plugins::terminal::{Emulator, Here, Iterm2, Template, TmuxWindow, Web};
use ao_plugins::tracker::Local as LocalTracker;
use ao_plugins::workspace::{LocalClone, Worktree};
use ao_slots::Registry;
use ao_slots::agent::Agent;
use ao_slots::terminal::Terminal;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Where notes are posted: an address that may hold a secret, so it comes from the environment.
const WEBHOOK: &str = "AO_WEBHOOK_URL";

/// Where a user's own agents are described.
#[must_use]
pub fn agents_dir(context: &Context) -> PathBuf {
    context.paths.root().join("agents")
}

/// Every plugin.
///
/// # Errors
/// `invalid` for an address that is not understood, or a directory of agents that cannot be read: going on without it would be
/// other agents than wanted.
pub fn registry(context: &Context) -> Result<Registry, Fault> {
    let ao = std::env::current_exe().map_err(|e| Fault::unavailable(format!("the ao binary cannot be found: {e}")))?;
    let mut registry = Registry::default();
    for agent in agents(&ao, &agents_dir(context))? {
        registry.agents.insert(agent.adapter().name.clone(), agent);
    }
    let env = Environment::of_process();
    registry.runtimes.insert("docker".to_owned(), Arc::new(docker(&ao)));
    registry.runtimes.insert("tmux".to_owned(), Arc::new(tmux(&ao)));
    registry.runtimes.insert("process".to_owned(), Arc::new(ProcessRuntime::new(ao)));
    registry.workspaces.insert("worktree".to_owned(), Arc::new(Worktree::new(env.clone())));
    registry.workspaces.insert("clone".to_owned(), Arc::new(LocalClone::new(env.clone())));
    registry.scms.insert("local".to_owned(), Arc::new(LocalScm::new(env)));
    registry.trackers.insert("local".to_owned(), Arc::new(LocalTracker::default()));
    registry.notifiers.insert("desktop".to_owned(), Arc::new(Desktop::of_process()));
    if let Ok(url) = std::env::var(WEBHOOK) {
        let webhook =
            Webhook::new(&url).map_err(|fault| Fault::new(fault.kind, format!("{WEBHOOK}: {}", fault.message)))?;
        registry.notifiers.insert("webhook".to_owned(), Arc::new(webhook));
    }
    registry.terminals = terminals(None)?;
    Ok(registry)
}

/// What shows sessions to the person at this machine, with the command of their configuration if there is one.
///
/// # Errors
/// `invalid` for a command that is not understood.
pub fn terminals(command: Option<&str>) -> Result<BTreeMap<String, Arc<dyn Terminal>>, Fault> {
    let mut all: BTreeMap<String, Arc<dyn Terminal>> = BTreeMap::new();
    all.insert("web".to_owned(), Arc::new(Web::of_process()));
    all.insert("attach".to_owned(), Arc::new(Here));
    all.insert("tmux".to_owned(), Arc::new(TmuxWindow::of_process()));
    all.insert("iterm2".to_owned(), Arc::new(Iterm2));
    if let Some(command) = command {
        let template: Template = command.parse().map_err(|e| Fault::invalid(format!("{e}: {command}")))?;
        all.insert("command".to_owned(), Arc::new(Emulator::new(template)));
    }
    Ok(all)
}

/// Runtime `tmux`.
#[must_use]
pub fn tmux(ao: &Path) -> TmuxRuntime {
    TmuxRuntime::new(ao.to_owned(), Environment::of_process())
}

/// Runtime `docker`, with the engine that this process's environment names.
#[must_use]
pub fn docker(ao: &Path) -> DockerRuntime {
    DockerRuntime::new(ao.to_owned(), std::env::var(DOCKER_HOST).ok())
}

/// The built-in agents, and the user's own, which take the place of built-in ones of the same name.
///
/// # Errors
/// `invalid`, when their directory cannot be read. A file that is not understood is its own agent's fault ([`Agent::fault`]).
pub fn agents(ao: &Path, dir: &Path) -> Result<Vec<Arc<dyn Agent>>, Fault> {
    let own = load_dir(ao, dir)
        .map_err(|e| Fault::invalid(e.to_string()).hint("give yourself the right to read it, or move it away"))?;
    let built_in = built_in(ao).map_err(|e| Fault::new(Kind::Bug, e.to_string()))?;
    Ok(built_in.into_iter().chain(own).map(|a| Arc::new(a) as Arc<dyn Agent>).collect())
}

/// The most memory that an agent which is installed here takes, in megabytes.
fn heaviest(registry: &Registry) -> u32 {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let here = |program: &str| std::env::split_paths(&path).any(|dir| dir.join(program).is_file());
    let adapters = registry.agents.values().map(|agent| agent.adapter());
    adapters.filter(|a| a.program.starts_with('{') || here(&a.program)).map(|a| a.memory_mb).max().unwrap_or(0)
}

/// Why a daemon does not serve.
#[derive(Debug)]
pub enum NotServed {
    /// Another one has the data root.
    Taken(Fault),
    /// Anything else.
    Failed(Fault),
}

/// Runs the daemon until `shutdown`.
///
/// # Errors
/// [`NotServed`].
pub async fn serve(
    context: &Context,
    port: Port,
    shutdown: CancellationToken,
    ready: impl FnOnce(&DaemonFile),
) -> Result<(), NotServed> {
    let registry = registry(context).map_err(NotServed::Failed)?;
    let asked = capacity::asked().map_err(NotServed::Failed)?;
    let heaviest = heaviest(&registry);
    let options = Options {
        root: context.paths.root().to_owned(),
        registry,
        port,
        version: VERSION.to_owned(),
        places: asked.unwrap_or_else(|| capacity::places(&capacity::machine(), heaviest)),
    };
    start::run(options, shutdown, ready).await.map_err(|e| not_served(&e))
}

/// Whether a daemon could serve on a port.
///
/// # Errors
/// `conflict` when another program has it, with its name where that is known.
pub async fn can_listen(port: u16) -> Result<(), Fault> {
    start::can_listen(port).await.map_err(|error| match not_served(&error) {
        NotServed::Taken(fault) | NotServed::Failed(fault) => fault,
    })
}

fn not_served(error: &StartError) -> NotServed {
    let message = error.to_string();
    match error {
        StartError::Instance(InstanceError::Taken { .. }) => {
            NotServed::Taken(Fault::conflict(message).hint("`ao daemon status` shows it, `ao daemon restart` replaces it"))
        }
        StartError::Instance(InstanceError::Io { .. }) => NotServed::Failed(Fault::new(Kind::StorageFailed, message)),
        StartError::Journal(_) => NotServed::Failed(
            Fault::new(Kind::StorageFailed, format!("the journal does not open: {message}"))
                .hint("nothing was changed; `ao doctor` looks for more"),
        ),
        StartError::PortTaken { .. } => NotServed::Failed(
            Fault::conflict(message).hint("end that program, or give another `port` in agent-orchestrator.yaml (without one the next free port is taken)"),
        ),
        StartError::Io { .. } => NotServed::Failed(Fault::unavailable(message)),
    }
}
