//! Reads what agents' hooks left in the spool, also what came while no daemon ran, and turns it into observations.

use crate::clock::wall_ms;
use crate::engine::Engine;
use crate::hub::Named;
use crate::perform::told;
use ao_core::adapter::observe;
use ao_core::event::Event;
use ao_core::hook::SpooledHook;
use ao_core::time::{Millis, Time};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use tokio::net::UnixDatagram;
use tokio_util::sync::CancellationToken;

/// Follows the spool until the shutdown.
///
/// # Errors
/// When the spool's directory or socket cannot be made.
pub(crate) async fn follow(engine: Engine, shutdown: CancellationToken) -> io::Result<()> {
    let paths = engine.paths();
    std::fs::create_dir_all(paths.spool())?;
    std::fs::set_permissions(paths.spool(), std::fs::Permissions::from_mode(0o700))?;
    let socket = paths.hook_socket();
    match std::fs::remove_file(&socket) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    let nudges = UnixDatagram::bind(&socket)?;
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600))?;
    loop {
        read_all(&engine).await;
        let mut nothing = [0_u8; 1];
        tokio::select! {
            nudged = nudges.recv(&mut nothing) => { nudged?; }
            () = shutdown.cancelled() => return Ok(()),
        }
    }
}

/// Reads everything that lies there, oldest first. A file is removed only after what it says was reported.
async fn read_all(engine: &Engine) {
    for path in waiting(engine) {
        match std::fs::read(&path) {
            Ok(bytes) => match serde_json::from_slice::<SpooledHook>(&bytes) {
                Ok(hook) => report(engine, &hook).await,
                Err(e) => {
                    tracing::warn!(path = %path.display(), error = %e, "a hook call is not understood and was dropped");
                }
            },
            Err(e) => tracing::warn!(path = %path.display(), error = %e, "a hook call cannot be read"),
        }
        if let Err(e) = std::fs::remove_file(&path) {
            tracing::warn!(path = %path.display(), error = %e, "a hook call cannot be removed");
        }
    }
}

fn waiting(engine: &Engine) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(engine.paths().spool()) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|e| e.ok().map(|e| e.path()))
        .filter(|p| p.extension().is_some_and(|x| x == "json"))
        .collect();
    files.sort();
    files
}

/// Hooks with a wrong secret, of an unknown session or of an earlier launch say nothing.
async fn report(engine: &Engine, hook: &SpooledHook) {
    let session = hook.session.clone();
    let launch = hook.launch.clone();
    let agent = engine.read(|c| {
        c.facts.sessions.get(&session).filter(|s| s.launch.as_ref() == Some(&launch)).map(|s| s.agent.clone())
    });
    let Some(agent) = agent.and_then(|name| engine.registry().agent(&name).ok()) else { return };
    if !told::shows_secret(engine.paths(), hook) {
        tracing::warn!(session = %session, "a hook call with a wrong secret was dropped");
        return;
    }
    let payload = &hook.payload;
    if payload.session_id.is_some() || payload.transcript_path.is_some() {
        let named = Named { native: payload.session_id.clone(), path: payload.transcript_path.clone() };
        engine.hub().name(&session, &launch, named);
    }
    // A call that waited for a daemon is as old as it is: what was seen since then counts for more.
    let waited = Millis(wall_ms().saturating_sub(hook.at_unix_ms));
    let at = Time(engine.now().0.saturating_sub(waited.0));
    if let Some(observation) = observe::hook(agent.adapter(), &hook.detailed_event(), at) {
        // Written before the file goes: a daemon that is killed in between reads it once more.
        if let Err(fault) = engine.record(Event::Observed { session, launch, observation }).await {
            tracing::warn!(%fault, "a hook call was not recorded");
        }
    }
}
