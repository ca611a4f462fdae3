//! The action that says what sessions take on the disk. It never waits for a long walk.

use super::row::{Call, Row};
use crate::access::caller::Need;
use crate::disk_use::{Measured, walked};
use crate::engine::Engine;
use crate::paths::Paths;
use crate::registration::find_project;
use ao_api::disk::{Bytes, DiskUse, SessionDisk};
use ao_api::request::DiskQuery;
use ao_core::id::SessionId;
use ao_core::kind::Fault;
use ao_core::project::Project;
use ao_core::session::Session;
use axum::http::Method;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Whoever asks waits at most so long: a list is looked at.
const WAIT: Duration = Duration::from_secs(3);

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("MEASURE_DISK", Method::GET, "/api/disk", measure)
            .verb("ao list")
            .says("Says what sessions take on the disk, as it was last measured, and what a clean-up would free.")
            .needs(Need::Viewer),
    ]
}

async fn measure(call: Call, query: DiskQuery) -> Result<DiskUse, Fault> {
    let engine = call.engine();
    if let Some(project) = &query.project {
        find_project(engine, Some(project))?;
    }
    let wanted: Vec<(Project, Session)> = engine.read(|c| {
        let one =
            query.session.as_deref().map(|given| c.facts.find_session(given).map(|s| s.id.clone())).transpose()?;
        let fits = |s: &&Session| {
            one.as_ref().is_none_or(|one| *one == s.id)
                && query.project.as_ref().is_none_or(|project| s.project.as_str() == project)
                && call.caller.reaches_session(s).is_ok()
        };
        let with_project = |s: &Session| Some((c.facts.projects.get(&s.project)?.clone(), s.clone()));
        Ok::<_, Fault>(c.facts.sessions.values().filter(fits).filter_map(with_project).collect())
    })?;
    let known = look(engine, &wanted).await;
    let mut out = DiskUse::default();
    for (_, session) in wanted {
        let found = known.get(&session.id);
        let workspace = found.and_then(|m| m.workspace).filter(|_| session.workspace_path.is_some());
        let logs = found.map_or_else(Bytes::default, |m| m.logs);
        let rescued = found.and_then(|m| m.rescued);
        let own = workspace.map_or(0, |bytes| bytes.own);
        out.workspaces += own;
        out.logs += logs.own;
        out.rescued += rescued.unwrap_or(0);
        out.unmeasured += u32::from(found.is_none());
        if session.ended() && session.workspace_path.is_some() {
            out.cleanup_sessions += 1;
            out.cleanup_frees += own;
        }
        out.sessions.push(SessionDisk {
            id: session.id.to_string(),
            ended: session.ended(),
            workspace,
            logs,
            rescued,
            measured_at: found.map(|m| m.at.0),
        });
    }
    Ok(out)
}

/// What is known of these sessions, after what is missing or old was given a moment to be measured.
async fn look(engine: &Engine, wanted: &[(Project, Session)]) -> BTreeMap<SessionId, Measured> {
    let is_old = |(_, session): &&(Project, Session)| !engine.disk().is_fresh(session, engine.now());
    let old: Vec<(Project, Session)> = wanted.iter().filter(is_old).cloned().collect();
    if !old.is_empty() {
        let engine = engine.clone();
        // It goes on when nobody waits any more: the next one who asks finds it.
        let walk = tokio::spawn(async move {
            for (project, session) in old {
                let _turn = engine.disk().turn().await;
                // Somebody else may have asked for the same.
                if !engine.disk().is_fresh(&session, engine.now()) {
                    walk_one(&engine, &project, &session).await;
                }
            }
        });
        // Late or not, what is known by then is shown.
        drop(tokio::time::timeout(WAIT, walk).await);
    }
    wanted.iter().filter_map(|(_, s)| Some((s.id.clone(), engine.disk().of(&s.id)?))).collect()
}

async fn walk_one(engine: &Engine, project: &Project, session: &Session) {
    let (workspace, logs) = (session.workspace_path.clone(), Paths::session_dir(project, &session.id));
    let walks = move || walked(workspace.map(PathBuf::from).as_deref(), &logs);
    let Ok(found) = tokio::task::spawn_blocking(walks).await else { return };
    let rescued = match engine.registry().workspace(&session.workspace) {
        Ok(plugin) if session.rescue.is_some() => {
            plugin.rescued_bytes(Path::new(&project.path), &session.id).await.ok().flatten()
        }
        Ok(_) | Err(_) => None,
    };
    engine.disk().remember(session, engine.now(), &found, rescued);
}
