//! The projection for people and scripts: `sessions/{id}`, or `archive/{id}`, with key=value lines, replaced atomically.
//! Nothing in `ao` reads it.

use crate::engine::Record;
use crate::paths::Paths;
use ao_core::facts::{Change, Facts};
use ao_core::id::SessionId;
use ao_core::session::Session;
use ao_core::status::status;
use ao_core::time::Time;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

/// The sessions that these events changed.
pub(crate) fn touched(records: &[Record]) -> BTreeSet<SessionId> {
    let changes = records.iter().flat_map(|r| r.delta.iter());
    changes.filter_map(|c| if let Change::Session(s) = c { Some(s.id.clone()) } else { None }).collect()
}

/// Writes the projections of these sessions. A failure is logged: the journal is the truth, and start-up writes them again.
pub(crate) fn write(facts: &Facts, sessions: &BTreeSet<SessionId>, now: Time) {
    for id in sessions {
        let Some(session) = facts.sessions.get(id) else { continue };
        let Some(project) = facts.projects.get(&session.project) else { continue };
        let (mut path, mut other) = (Paths::projection(project, id), Paths::archived(project, id));
        if session.belongings.archived.is_some() {
            std::mem::swap(&mut path, &mut other);
        }
        if let Err(e) = replace(&path, &text(facts, session, now)) {
            tracing::warn!(path = %path.display(), error = %e, "the projection was not written");
            continue;
        }
        // Where it was before it was archived, or brought back; mostly it never was there.
        drop(std::fs::remove_file(&other));
    }
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    // Most changes of a session are none of its projection, and a new file costs ten times as much as a look.
    if std::fs::read(path).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(());
    }
    let temporary = path.with_extension("new");
    if let Err(e) = std::fs::write(&temporary, text) {
        if e.kind() != io::ErrorKind::NotFound {
            return Err(e);
        }
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&temporary, text)?;
    }
    std::fs::rename(&temporary, path)
}

/// The peers' keys (DESIGN §10).
fn text(facts: &Facts, session: &Session, now: Time) -> String {
    let pr = session.pr.as_ref().map(ToString::to_string).unwrap_or_default();
    let verdict = status(facts, session, now);
    let rows = [
        ("worktree", session.workspace_path.clone().unwrap_or_default()),
        ("branch", session.branch.clone()),
        ("status", verdict.status.name().to_owned()),
        ("pr", pr),
        ("issue", session.issue.clone().unwrap_or_default()),
        ("summary", session.title.clone()),
        ("project", session.project.to_string()),
        ("agent", session.agent.clone()),
        ("name", session.name.clone()),
        ("createdAt", session.created.0.to_string()),
        ("runtimeHandle", session.launch.as_ref().map(ToString::to_string).unwrap_or_default()),
    ];
    let mut out = String::new();
    for (key, value) in rows {
        // Values are one line each: what a person wrote may hold more.
        let value = value.replace(['\n', '\r'], " ");
        let _ = writeln!(out, "{key}={value}");
    }
    out
}
