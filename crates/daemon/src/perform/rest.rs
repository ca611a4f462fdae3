//! Performs what concerns the rest of sessions: halts one that is still idle, and lets it go on.

use super::lookup::look_up;
use crate::engine::Engine;
use ao_core::effect::Outcome;
use ao_core::id::{LaunchId, SessionId};
use ao_core::kind::{Fault, Kind};
use ao_core::machine::may_freeze;

/// Halts a session, if it may still be halted: the effect may be old.
pub(super) async fn freeze(engine: &Engine, id: &SessionId, launch: &LaunchId) -> Result<Outcome, Fault> {
    let (_, session) = look_up(engine, id)?;
    if let Err(why) = may_freeze(&session) {
        return Ok(Outcome::Held { why });
    }
    if !engine.registry().runtime(&session.runtime)?.abilities().freeze {
        return Err(Fault::new(Kind::Unsupported, format!("runtime {} cannot halt a session", session.runtime)));
    }
    let link = engine.hub().link(id)?;
    if link.launch != *launch {
        return Ok(Outcome::Held { why: "it was started anew".to_owned() });
    }
    match link.control.freeze().await {
        Ok(()) => Ok(Outcome::Frozen),
        Err(fault) if fault.kind == Kind::Conflict => Ok(Outcome::Held { why: fault.message }),
        Err(fault) => Err(fault),
    }
}

/// Lets a session go on. One whose launch is over has nothing to wake.
pub(super) async fn thaw(engine: &Engine, id: &SessionId, launch: &LaunchId) -> Result<Outcome, Fault> {
    let (_, session) = look_up(engine, id)?;
    if session.launch.as_ref() == Some(launch) && !session.ended() {
        let link = engine.hub().link(id)?;
        link.control.thaw().await?;
    }
    Ok(Outcome::Thawed)
}
