//! Events as callers see them, and the action that reads them back. Following them live is the business of HTTP.

use super::row::{Call, Row, Serve};
use super::summary;
use crate::access::caller::{Caller, Inside, Need, Role};
use crate::engine::{Engine, Record};
use crate::registration::find_project;
use ao_api::event::{EventView, Events};
use ao_api::request::EventsQuery;
use ao_api::run::{QueueView, RunView};
use ao_api::session::SessionView;
use ao_core::facts::{Change, Facts};
use ao_core::id::{PrId, ProjectId, SessionId};
use ao_core::kind::{Fault, Kind};
use ao_core::time::Time;
use axum::http::Method;
use std::collections::BTreeSet;

/// Events in one answer when nobody says how many.
const LIMIT: u32 = 200;
/// Most events in one answer.
const MOST: u32 = 10_000;
/// Lines of the journal read at a time.
const PAGE: usize = 1000;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("FOLLOW_EVENTS", Method::GET, "/api/events", list)
            .verb("ao events")
            .says("Follows what happens as server-sent events, from any earlier event on; `follow=false` lists it as JSON.")
            .needs(Need::Viewer)
            .inside(Inside::Own)
            .served(Serve::Events),
    ]
}

/// Which events a follower gets.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    session: Option<SessionId>,
    project: Option<ProjectId>,
    caller: Caller,
}

impl Wanted {
    /// What a query means for its caller.
    ///
    /// # Errors
    /// When the session or project is not there, or may not be reached.
    pub(crate) fn of(call: &Call, query: &EventsQuery) -> Result<Self, Fault> {
        let session = match &query.session {
            Some(name) => {
                let found = call.engine().read(|c| c.facts.find_session(name).cloned())?;
                call.caller.reaches_session(&found)?;
                Some(found.id)
            }
            None => None,
        };
        let project = match &query.project {
            Some(name) => {
                let found = find_project(call.engine(), Some(name))?;
                call.caller.reaches_project(&found.id)?;
                Some(found.id)
            }
            None => None,
        };
        let own = match &call.caller.role {
            Role::Session(id) => Some(id.clone()),
            Role::Nobody { .. } | Role::Viewer | Role::Operator | Role::Admin | Role::Orchestrator { .. } => None,
        };
        let within = match &call.caller.role {
            Role::Orchestrator { project, .. } => Some(project.clone()),
            Role::Nobody { .. } | Role::Viewer | Role::Operator | Role::Admin | Role::Session(_) => None,
        };
        Ok(Self { session: session.or(own), project: project.or(within), caller: call.caller.clone() })
    }

    /// Whether an event is wanted.
    pub(crate) fn takes(&self, record: &Record) -> bool {
        let session = self.session.as_ref().is_none_or(|wanted| {
            record.session.as_deref() == Some(wanted.as_str())
                || record.delta.iter().any(|c| match c {
                    Change::Session(s) => s.id == *wanted,
                    Change::Delivery(d) => d.session == *wanted,
                    Change::PullRequest(p) => p.session == *wanted,
                    Change::Project(_)
                    | Change::Queue(_)
                    | Change::Run(_)
                    | Change::Pending(_)
                    | Change::Settled(_)
                    | Change::Answered(_)
                    | Change::Forgotten(_)
                    | Change::Machine(_) => false,
                })
        });
        let project = self.project.as_ref().is_none_or(|wanted| {
            record.project.as_deref() == Some(wanted.as_str())
                || record.delta.iter().any(|c| match c {
                    Change::Project(p) => p.id == *wanted,
                    Change::Session(s) => s.project == *wanted,
                    Change::PullRequest(p) => p.project == *wanted,
                    Change::Queue(q) => q.project == *wanted,
                    Change::Run(r) => r.project == *wanted,
                    Change::Delivery(_)
                    | Change::Pending(_)
                    | Change::Settled(_)
                    | Change::Answered(_)
                    | Change::Forgotten(_)
                    | Change::Machine(_) => false,
                })
        });
        session && project
    }

    /// The event as its caller sees it.
    pub(crate) fn view(&self, engine: &Engine, record: &Record) -> EventView {
        let facts = engine.read(|c| after(record, &c.facts));
        let now = Time(record.time);
        let reached = |id: &SessionId| facts.sessions.get(id).filter(|s| self.caller.reaches_session(s).is_ok());
        let sessions =
            touched(record, &facts).iter().filter_map(reached).map(|s| SessionView::of(&facts, s, now)).collect();
        let mut runs = Vec::new();
        let mut queues = Vec::new();
        for change in &record.delta {
            match change {
                Change::Run(r) if self.caller.reaches_project(&r.project).is_ok() => runs.push(RunView::of(r)),
                Change::Queue(q) if self.caller.reaches_project(&q.project).is_ok() => {
                    queues.push(QueueView::of(&facts, q));
                }
                Change::Project(_)
                | Change::Session(_)
                | Change::Delivery(_)
                | Change::PullRequest(_)
                | Change::Queue(_)
                | Change::Run(_)
                | Change::Pending(_)
                | Change::Settled(_)
                | Change::Answered(_)
                | Change::Forgotten(_)
                | Change::Machine(_) => {}
            }
        }
        EventView {
            seq: record.seq,
            at: record.at,
            project: record.project.clone(),
            session: record.session.clone(),
            kind: summary::kind(&record.event).to_owned(),
            summary: summary::summary(record, &facts),
            sessions,
            runs,
            queues,
        }
    }
}

/// The facts after an event, as far as it touched them: what it changed is as it was then, the rest as it is now.
fn after(record: &Record, now: &Facts) -> Facts {
    let mut facts = Facts::default();
    for change in &record.delta {
        match change {
            Change::Session(s) => {
                take_pr(&mut facts, now, s.pr.as_ref());
                if let Some(d) = s.outbox.first().and_then(|id| now.deliveries.get(id)) {
                    facts.deliveries.insert(d.id.clone(), d.clone());
                }
                take_queue(&mut facts, now, &s.project);
            }
            Change::Delivery(d) => take_session(&mut facts, now, &d.session),
            Change::PullRequest(p) => {
                take_session(&mut facts, now, &p.session);
                take_queue(&mut facts, now, &p.project);
            }
            Change::Queue(q) => {
                for pr in q.waiting.iter().chain(q.batch.iter().flat_map(|b| b.entries.iter().map(|e| &e.pr))) {
                    take_pr(&mut facts, now, Some(pr));
                    if let Some(p) = now.pull_requests.get(pr) {
                        take_session(&mut facts, now, &p.session);
                    }
                }
            }
            Change::Project(_)
            | Change::Run(_)
            | Change::Pending(_)
            | Change::Settled(_)
            | Change::Answered(_)
            | Change::Forgotten(_)
            | Change::Machine(_) => {}
        }
    }
    facts.apply_all(record.delta.clone());
    facts
}

fn take_session(facts: &mut Facts, now: &Facts, id: &SessionId) {
    if let Some(s) = now.sessions.get(id) {
        facts.sessions.insert(id.clone(), s.clone());
        take_pr(facts, now, s.pr.as_ref());
    }
}

fn take_pr(facts: &mut Facts, now: &Facts, id: Option<&PrId>) {
    if let Some(p) = id.and_then(|id| now.pull_requests.get(id)) {
        facts.pull_requests.insert(p.id.clone(), p.clone());
    }
}

fn take_queue(facts: &mut Facts, now: &Facts, project: &ProjectId) {
    if let Some(q) = now.queues.get(project) {
        facts.queues.insert(project.clone(), q.clone());
    }
}

/// The sessions whose view an event may have changed.
fn touched(record: &Record, facts: &Facts) -> BTreeSet<SessionId> {
    let mut out = BTreeSet::new();
    for change in &record.delta {
        match change {
            Change::Session(s) => {
                out.insert(s.id.clone());
            }
            Change::Delivery(d) => {
                out.insert(d.session.clone());
            }
            Change::PullRequest(p) => {
                out.insert(p.session.clone());
            }
            Change::Queue(q) => {
                let prs = q.waiting.iter().chain(q.batch.iter().flat_map(|b| b.entries.iter().map(|e| &e.pr)));
                out.extend(prs.filter_map(|pr| facts.pull_requests.get(pr)).map(|p| p.session.clone()));
            }
            Change::Project(_)
            | Change::Run(_)
            | Change::Pending(_)
            | Change::Settled(_)
            | Change::Answered(_)
            | Change::Forgotten(_)
            | Change::Machine(_) => {}
        }
    }
    out
}

async fn list(call: Call, query: EventsQuery) -> Result<Events, Fault> {
    let limit = query.limit.unwrap_or(LIMIT);
    if limit == 0 || limit > MOST {
        return Err(Fault::invalid(format!("1 to {MOST} events are listed at once")));
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let wanted = Wanted::of(&call, &query)?;
    let engine = call.engine().clone();
    let read = move || match query.since {
        Some(since) => forwards(&engine, &wanted, since, limit),
        None => backwards(&engine, &wanted, limit),
    };
    let events = tokio::task::spawn_blocking(read).await;
    events
        .map_err(|e| Fault::new(Kind::Bug, format!("reading events did not end: {e}")))?
        .map(|events| Events { events })
}

/// The first events after a number.
fn forwards(engine: &Engine, wanted: &Wanted, since: u64, limit: usize) -> Result<Vec<EventView>, Fault> {
    let last = engine.read(|c| c.seq);
    let (mut from, mut out) = (since.saturating_add(1), Vec::new());
    while from <= last && out.len() < limit {
        let page = engine.events(from, PAGE)?;
        let takes = page.items.iter().filter(|r| r.seq <= last && wanted.takes(r));
        out.extend(takes.take(limit - out.len()).map(|r| wanted.view(engine, r)));
        if page.next <= from {
            break;
        }
        from = page.next;
    }
    Ok(out)
}

/// The last events, oldest first.
fn backwards(engine: &Engine, wanted: &Wanted, limit: usize) -> Result<Vec<EventView>, Fault> {
    let last = engine.read(|c| c.seq);
    let step = u64::try_from(PAGE).unwrap_or(1);
    let (mut end, mut out) = (last + 1, Vec::new());
    while end > 1 && out.len() < limit {
        let start = end.saturating_sub(step).max(1);
        let mut block = Vec::new();
        let mut from = start;
        while from < end {
            let page = match engine.events(from, PAGE) {
                Ok(page) => page,
                // Older lines were moved away: what is left is all there is.
                Err(fault) if fault.kind == Kind::NotFound => return Ok(reversed(out)),
                Err(fault) => return Err(fault),
            };
            let takes = page.items.iter().filter(|r| r.seq < end && wanted.takes(r));
            block.extend(takes.map(|r| wanted.view(engine, r)));
            if page.next <= from {
                break;
            }
            from = page.next;
        }
        out.extend(block.into_iter().rev().take(limit - out.len()));
        end = start;
    }
    Ok(reversed(out))
}

fn reversed(mut events: Vec<EventView>) -> Vec<EventView> {
    events.reverse();
    events
}
