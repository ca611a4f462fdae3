//! Who may start: sessions wait in order until there is room for one more agent.

use super::draft::Draft;
use super::session as life;
use crate::effect::Effect;
use crate::event::Answer;
use crate::id::{ProjectId, SessionId};
use crate::session::Phase;
use crate::time::Time;
use crate::workspace::PORT_RANGE;
use std::collections::BTreeSet;

/// Starts queued sessions while there is room.
pub(super) fn advance(d: &mut Draft<'_>) {
    // Of two asked for at the same moment the shorter id is the earlier one: `app-9` before `app-10`.
    let mut queued: Vec<(Time, usize, SessionId, ProjectId)> = d
        .sessions
        .values()
        .filter(|s| matches!(s.phase, Phase::Queued { .. }))
        .map(|s| (s.created, s.id.as_str().len(), s.id.clone(), s.project.clone()))
        .collect();
    if queued.is_empty() {
        return;
    }
    queued.sort();
    let mut waiting = Vec::new();
    for (_, _, id, project) in queued {
        match obstacle(d, &project) {
            None => start(d, &id),
            Some(_) => waiting.push((id, project)),
        }
    }
    // Why somebody waits is said when nobody else can take a place any more.
    for (id, project) in waiting {
        if let (Some(why), Some(session)) = (obstacle(d, &project), d.sessions.get_mut(&id)) {
            session.phase = Phase::Queued { why };
        }
    }
}

fn obstacle(d: &Draft<'_>, project: &ProjectId) -> Option<String> {
    let busy = d.sessions.values().filter(|s| s.holds_place()).count();
    let busy_here = d.sessions.values().filter(|s| s.holds_place() && s.project == *project).count();
    let places = usize::try_from(d.machine.places).unwrap_or(usize::MAX);
    if places != 0 && busy >= places {
        return Some(format!("all {places} places of this machine are taken"));
    }
    let limit = d.projects.get(project).map_or(0, |p| p.settings.parallel);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    (limit != 0 && busy_here >= limit).then(|| format!("all {limit} places of project {project} are taken"))
}

fn start(d: &mut Draft<'_>, id: &SessionId) {
    if d.sessions.get(id).is_none_or(|s| s.belongings.ports.is_none()) {
        give_ports(d, id, &BTreeSet::new());
    }
    let Some(session) = d.sessions.get_mut(id) else { return };
    if session.workspace_path.is_some() {
        life::launch(d, id, true);
        return;
    }
    session.phase = Phase::Preparing;
    let base = session.base.clone();
    d.ask(Effect::EnsureWorkspace { session: id.clone(), base });
}

/// Gives a session ports that no other live one has; none when there are none left.
fn give_ports(d: &mut Draft<'_>, id: &SessionId, others: &BTreeSet<u16>) {
    let Some(session) = d.sessions.get(id) else { return };
    let range = d.projects.get(&session.project).map_or(PORT_RANGE, |p| p.settings.workspaces.ports);
    let of_sessions = d.sessions.values().filter(|s| !s.ended() && s.id != *id).filter_map(|s| s.belongings.ports);
    let taken: BTreeSet<u16> = of_sessions.chain(others.iter().copied()).collect();
    if let Some(session) = d.sessions.get_mut(id) {
        session.belongings.ports = range.free(&taken);
    }
}

/// Somebody else on the machine has the ports of a session whose agent does not run yet: it gets others.
pub(super) fn ports_taken(d: &mut Draft<'_>, id: &SessionId, bases: &BTreeSet<u16>) -> Answer {
    let theirs = |s: &crate::session::Session| s.belongings.ports.is_some_and(|base| bases.contains(&base));
    if d.sessions.get(id).is_some_and(|s| matches!(s.phase, Phase::Preparing | Phase::Launching) && theirs(s)) {
        give_ports(d, id, bases);
    }
    Answer::Noted
}
