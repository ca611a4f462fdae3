//! What an effect is about, as it is now.

use crate::engine::Engine;
use ao_core::id::SessionId;
use ao_core::kind::Fault;
use ao_core::project::Project;
use ao_core::session::Session;

/// A session with its project, as they are now.
pub(super) fn look_up(engine: &Engine, id: &SessionId) -> Result<(Project, Session), Fault> {
    engine.read(|committed| {
        let session = committed.facts.sessions.get(id);
        let project = session.and_then(|s| committed.facts.projects.get(&s.project));
        match (project, session) {
            (Some(project), Some(session)) => Ok((project.clone(), session.clone())),
            (None, _) | (_, None) => Err(Fault::not_found(format!("there is no session {id}"))),
        }
    })
}
