//! What an agent is told when it is started: the plan for its plugin, with the secret of its hooks.

use super::lookup::look_up;
use crate::engine::Engine;
use crate::env;
use crate::paths::Paths;
use ao_core::hook::SpooledHook;
use ao_core::id::{LaunchId, SessionId};
use ao_core::kind::{Fault, Kind};
use ao_core::screen::sha256_hex;
use ao_slots::agent::AgentPlan;
use std::io;
use std::path::PathBuf;

/// What the kernel adds to the path of a running binary that was deleted or replaced.
const DELETED: &str = " (deleted)";

/// What an agent is told when it is started, and what its transcript's places depend on.
pub(crate) fn agent_plan(engine: &Engine, id: &SessionId, launch: &LaunchId, resume: bool) -> Result<AgentPlan, Fault> {
    let (project, session) = look_up(engine, id)?;
    let paths = engine.paths();
    let workspace =
        session.workspace_path.clone().ok_or_else(|| Fault::conflict(format!("session {id} has no workspace")))?;
    let env = env::restore(paths, &session.env, env::For::Agent).map_err(|e| secrets_lost(id, &e))?;
    let ao = own_binary().map_err(|e| Fault::unavailable(format!("the path of this binary is not known: {e}")))?;
    let dir = Paths::launch_dir(&project, id, launch);
    Ok(AgentPlan {
        session: id.clone(),
        launch: launch.clone(),
        workspace: PathBuf::from(workspace),
        private: Paths::session_dir(&project, id).join("agent"),
        ao,
        data_root: paths.root().to_owned(),
        secret: secret(paths, id)?,
        permissions: project.settings.permissions,
        model: session.model.clone(),
        args: session.agent_args.clone(),
        env,
        own_home: engine.registry().runtime(&session.runtime)?.own_home(&dir),
        resume,
    })
}

/// The secret that a session's hooks show: derived from one that is made once for the data root.
pub(crate) fn secret(paths: &Paths, id: &SessionId) -> Result<String, Fault> {
    let root =
        root_secret(paths).map_err(|e| Fault::new(Kind::StorageFailed, format!("the data root's secret: {e}")))?;
    Ok(sha256_hex(format!("{root}\0{id}").as_bytes()))
}

/// Whether a hook call shows the secret of its session.
pub(crate) fn shows_secret(paths: &Paths, hook: &SpooledHook) -> bool {
    let known = secret(paths, &hook.session).unwrap_or_default();
    !known.is_empty() && bool::from(subtle::ConstantTimeEq::ct_eq(known.as_bytes(), hook.secret.as_bytes()))
}

fn root_secret(paths: &Paths) -> io::Result<String> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let path = paths.root().join("secret");
    match std::fs::read_to_string(&path) {
        Ok(text) if text.len() >= 64 => Ok(text),
        Ok(_) | Err(_) => {
            let mut bytes = [0_u8; 32];
            getrandom::fill(&mut bytes).map_err(|e| io::Error::other(e.to_string()))?;
            let text = sha256_hex(&bytes);
            let temporary = path.with_extension("new");
            let mut file =
                std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
            file.write_all(text.as_bytes())?;
            std::fs::rename(&temporary, &path)?;
            Ok(text)
        }
    }
}

pub(super) fn secrets_lost(id: &SessionId, e: &io::Error) -> Fault {
    Fault::unavailable(format!("the secret part of the environment of session {id} cannot be read: {e}"))
        .hint("start the session again from a shell that has the keys")
}

/// Where this binary lies, or what has taken its place: an upgrade replaces it under a daemon that runs on.
pub(super) fn own_binary() -> io::Result<PathBuf> {
    let path = std::env::current_exe()?;
    let place = path.to_str().and_then(|path| path.strip_suffix(DELETED)).map(PathBuf::from);
    Ok(place.filter(|place| place.exists()).unwrap_or(path))
}
