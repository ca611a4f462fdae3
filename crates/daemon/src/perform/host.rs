//! Performs what concerns hosts: start an agent, stop everything of it.

use super::lookup::look_up;
use super::told::{agent_plan, own_binary, secrets_lost};
use crate::engine::Engine;
use crate::env;
use crate::paths::Paths;
use crate::watch::Watcher;
use ao_core::effect::Outcome;
use ao_core::id::{LaunchId, SessionId};
use ao_core::kind::{Fault, Kind};
use ao_core::project::Project;
use ao_core::session::{Conversation, Session};
use ao_core::workspace::Dependency;
use ao_slots::runtime::{Found, LaunchPlace, LaunchPlan, Remains, Runtime};
use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;

/// Size of a terminal that nobody looks at: wide enough for every recorded agent's dialogs.
const SIZE: (u16, u16) = (120, 40);

/// How long an agent may take to leave politely: the slowest recorded one needs 5 s (`reference` Codex, offline).
const GRACE_MS: u64 = 6_000;

/// What is killed behind a lost host is gone in milliseconds; what stays so long sits in the kernel.
const REMAINS_WITHIN: Duration = Duration::from_secs(10);

/// Between two looks at it.
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub(super) async fn ensure(
    engine: &Engine,
    watcher: &Watcher,
    id: &SessionId,
    launch: &LaunchId,
    resume: bool,
) -> Result<Outcome, Fault> {
    let (project, session) = look_up(engine, id)?;
    nothing_lives(engine, &project, &session).await?;
    if resume && !Paths::launch_dir(&project, id, launch).exists() {
        // In a new workspace that was done already, and what runs by now listens on its own ports.
        super::ports::settle(engine, id).await?;
    }
    let (plan, conversation) = plan(engine, id, launch, resume).await?;
    engine.registry().runtime(&session.runtime)?.ensure(&plan).await?;
    watcher.watch(id, launch).await?;
    Ok(Outcome::HostStarted { conversation })
}

/// Launches of a session before the one that counts.
fn earlier(project: &Project, session: &Session) -> Vec<LaunchPlace> {
    let place = |launch: LaunchId| LaunchPlace { dir: Paths::launch_dir(project, &session.id, &launch), launch };
    let all = (1..session.launches).map(|n| place(LaunchId::of(&session.id, n)));
    all.filter(|place| place.dir.exists()).collect()
}

/// The last of several fences: whatever the facts say, an agent that may live is not joined by a second one in its workspace
/// and on its transcript.
async fn nothing_lives(engine: &Engine, project: &Project, session: &Session) -> Result<(), Fault> {
    let runtime = engine.registry().runtime(&session.runtime)?;
    for place in earlier(project, session) {
        let launch = &place.launch;
        let why = match runtime.find(&place).await {
            Found::Dead(Some(_)) => continue,
            Found::Dead(None) => match runtime.remains(&place).await {
                Remains::None | Remains::Unknown => continue,
                Remains::Left { pids } => format!("processes of launch {launch} still run: {pids:?}"),
            },
            Found::Alive => format!("launch {launch} still runs"),
            Found::Unknown(why) => format!("nobody knows whether launch {launch} still runs: {why}"),
        };
        return Err(Fault::conflict(format!("{why}; two agents never work in one workspace"))
            .hint(format!("`ao stop {}` ends it", session.id)));
    }
    Ok(())
}

async fn plan(
    engine: &Engine,
    id: &SessionId,
    launch: &LaunchId,
    resume: bool,
) -> Result<(LaunchPlan, Conversation), Fault> {
    let (project, session) = look_up(engine, id)?;
    let paths = engine.paths();
    let workspace =
        session.workspace_path.clone().ok_or_else(|| Fault::conflict(format!("session {id} has no workspace")))?;
    let given = env::restore(paths, &session.env, env::For::Agent).map_err(|e| secrets_lost(id, &e))?;
    let private = Paths::session_dir(&project, id).join("agent");
    make_private(&private)?;
    let agent = engine.registry().agent(&session.agent)?;
    let ao = own_binary().map_err(|e| Fault::unavailable(format!("the path of this binary is not known: {e}")))?;
    let dir = Paths::launch_dir(&project, id, launch);
    let told = agent_plan(engine, id, launch, resume)?;
    let launched = agent.launch(&told).await?;
    let mut environment = if given.is_empty() { env::own() } else { given };
    environment.extend(launched.env);
    environment.extend(super::ports::told(&session));
    environment.extend(identity(engine, id, launch, &session.name, &ao, &environment)?);
    let repository = PathBuf::from(&project.path);
    let shared = project.settings.workspaces.dependencies.iter().filter(|(_, how)| **how == Dependency::Symlink);
    let linked = project.settings.symlinks.iter().chain(shared.map(|(folder, _)| folder));
    let linked = linked.map(|link| repository.join(link));
    let reach = linked.chain([repository.clone(), private]).collect();
    let plan = LaunchPlan {
        session: id.clone(),
        launch: launch.clone(),
        label: format!("{}-{id}", paths.label()),
        dir,
        socket: paths.host_socket(launch),
        argv: launched.argv,
        cwd: PathBuf::from(workspace),
        env: environment,
        cols: SIZE.0,
        rows: SIZE.1,
        limits: project.settings.limits,
        container: project.settings.container.clone(),
        reach,
    };
    Ok((plan, launched.conversation))
}

/// What every agent is told about itself. `ao` on its PATH is the daemon's own binary, whatever else is installed.
fn identity(
    engine: &Engine,
    id: &SessionId,
    launch: &LaunchId,
    name: &str,
    ao: &Path,
    env: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Fault> {
    let bin = engine.paths().bin();
    link(&bin, ao).map_err(|e| Fault::new(Kind::StorageFailed, format!("{}: {e}", bin.display())))?;
    let path = match env.get("PATH") {
        Some(given) => format!("{}:{given}", bin.display()),
        None => bin.display().to_string(),
    };
    Ok(BTreeMap::from([
        ("AO_HOME".to_owned(), engine.paths().root().display().to_string()),
        ("AO_SESSION".to_owned(), id.to_string()),
        ("AO_SESSION_NAME".to_owned(), name.to_owned()),
        ("AO_LAUNCH".to_owned(), launch.to_string()),
        ("PATH".to_owned(), path),
        ("TERM".to_owned(), "xterm-256color".to_owned()),
        ("COLORTERM".to_owned(), "truecolor".to_owned()),
    ]))
}

/// Makes `{bin}/ao` lead to the binary, by a rename so that no agent ever finds nothing there.
fn link(bin: &Path, ao: &Path) -> io::Result<()> {
    let to = bin.join("ao");
    if std::fs::read_link(&to).is_ok_and(|known| known == ao) {
        return Ok(());
    }
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(bin)?;
    let temporary = bin.join(format!("ao.{}", std::process::id()));
    match std::fs::remove_file(&temporary) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    std::os::unix::fs::symlink(ao, &temporary)?;
    std::fs::rename(&temporary, &to)
}

fn make_private(dir: &Path) -> Result<(), Fault> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|e| Fault::new(Kind::StorageFailed, format!("{}: {e}", dir.display())))
}

pub(super) async fn stop(engine: &Engine, id: &SessionId, launch: &LaunchId) -> Result<Outcome, Fault> {
    let (project, session) = look_up(engine, id)?;
    let runtime = engine.registry().runtime(&session.runtime)?;
    // An earlier launch that lives against all expectation is the session's too.
    for place in earlier(&project, &session) {
        end(runtime.as_ref(), &place).await?;
    }
    let place = LaunchPlace { launch: launch.clone(), dir: Paths::launch_dir(&project, id, launch) };
    let code = end(runtime.as_ref(), &place).await?;
    engine.hub().remove(id, launch);
    Ok(Outcome::Stopped { code })
}

/// Ends one launch and proves it, as far as it can be proved.
async fn end(runtime: &dyn Runtime, place: &LaunchPlace) -> Result<Option<i32>, Fault> {
    match runtime.find(place).await {
        Found::Dead(Some(exit)) => Ok(exit.code),
        Found::Dead(None) => end_remains(runtime, place).await.map(|()| None),
        Found::Unknown(why) => {
            Err(Fault::unavailable(format!("nobody knows whether launch {} still runs: {why}", place.launch)))
        }
        Found::Alive => {
            let link = runtime.connect(place).await?;
            let exit = link.control.stop(GRACE_MS).await?;
            link.control.acknowledge_exit().await?;
            Ok(exit.code)
        }
    }
}

/// Ends what a lost host left behind.
async fn end_remains(runtime: &dyn Runtime, place: &LaunchPlace) -> Result<(), Fault> {
    let until = Instant::now() + REMAINS_WITHIN;
    loop {
        match runtime.clear(place).await {
            Remains::None | Remains::Unknown => return Ok(()),
            Remains::Left { .. } if Instant::now() < until => tokio::time::sleep(LOOK_EVERY).await,
            Remains::Left { pids } => {
                let what = format!("processes of launch {} could not be ended: {pids:?}", place.launch);
                return Err(Fault::unavailable(what));
            }
        }
    }
}
