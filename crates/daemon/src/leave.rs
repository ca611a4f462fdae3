//! Answers agents' hooks that ask for leave, over a socket of its own: a decision, or nothing at all.
//!
//! Nothing is decided for a wrong secret, an unknown session or an earlier launch, and whoever hangs is hung up on: then the
//! agent's own dialog stays.

use crate::engine::Engine;
use crate::perform::told;
use ao_core::activity::{Activity, Observation, Source};
use ao_core::adapter::leave::{self, Given};
use ao_core::event::Event;
use ao_core::hook::SpooledHook;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// A caller has said everything, and taken the answer, within this time.
const TALKS_FOR: Duration = Duration::from_secs(1);

/// Most that is read of a call: what `ao hook` keeps of a payload is far less.
const MOST: u64 = 64 * 1024;

/// How long nobody is let in after nobody could be.
const REFUSED_FOR: Duration = Duration::from_millis(100);

/// Calls answered at the same time: an agent each, on the largest machine.
const AT_ONCE: usize = 64;

/// Answers until the shutdown.
///
/// # Errors
/// When the socket cannot be made.
pub(crate) async fn answer(engine: Engine, shutdown: CancellationToken) -> io::Result<()> {
    let socket = engine.paths().leave_socket();
    match std::fs::remove_file(&socket) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    let listener = UnixListener::bind(&socket)?;
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600))?;
    let room = std::sync::Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => return Ok(()),
        };
        let Ok((stream, _)) = accepted else {
            // A machine without files: it is tried again, not all the time.
            tokio::time::sleep(REFUSED_FOR).await;
            continue;
        };
        // Who finds no room is asked by the agent's own dialog.
        let Ok(permit) = room.clone().try_acquire_owned() else { continue };
        let engine = engine.clone();
        tokio::spawn(async move {
            // A caller that left needs no answer.
            let _ = timeout(TALKS_FOR, talk(&engine, stream)).await;
            drop(permit);
        });
    }
}

async fn talk(engine: &Engine, mut stream: UnixStream) -> io::Result<()> {
    let mut bytes = Vec::new();
    (&mut stream).take(MOST).read_to_end(&mut bytes).await?;
    let Ok(hook) = serde_json::from_slice::<SpooledHook>(&bytes) else { return Ok(()) };
    let Some((text, observation)) = decide(engine, &hook) else { return Ok(()) };
    // Written down first: an agent that goes on is not said to wait.
    let event = Event::Observed { session: hook.session.clone(), launch: hook.launch.clone(), observation };
    if engine.record(event).await.is_err() {
        return Ok(());
    }
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}

/// What the agent is told, and what that says of it.
fn decide(engine: &Engine, hook: &SpooledHook) -> Option<(String, Observation)> {
    let (agent, preset, level) = engine.read(|c| {
        let session =
            c.facts.sessions.get(&hook.session).filter(|s| s.launch.as_ref() == Some(&hook.launch) && !s.ended())?;
        let settings = &c.facts.projects.get(&session.project)?.settings;
        Some((session.agent.clone(), settings.permissions, session.supervision.unwrap_or(settings.supervision)))
    })?;
    if !told::shows_secret(engine.paths(), hook) {
        return None;
    }
    let agent = engine.registry().agent(&agent).ok()?;
    let leave = agent.adapter().leave.as_ref().filter(|leave| leave.event == hook.event)?;
    let tool = hook.payload.tool_name.as_deref()?;
    let given = leave::decide(leave, preset, level, tool)?;
    let words = match given {
        Given::Allow => "allowed",
        Given::Deny => "refused",
    };
    let why = format!("hook {}: its preset {words} {}", hook.event, ao_core::question::plain(tool, 80));
    tracing::info!(session = %hook.session, "{why}");
    let observation = Observation {
        activity: Activity::Working { on: None },
        source: Source::Hook,
        at: engine.now(),
        offset: None,
        why,
    };
    Some((leave::told(leave, given), observation))
}
