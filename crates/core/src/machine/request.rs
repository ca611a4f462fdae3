//! Commands that make things: projects, sessions, messages.

use super::draft::Draft;
use super::lookup::run_of;
use super::{ending, prompting};
use crate::activity::Known;
use crate::delivery::Cause;
use crate::event::{Answer, NewSession};
use crate::freeze::Freeze;
use crate::id::{ProjectId, SessionId, checked_branch, checked_name, slug};
use crate::kind::Fault;
use crate::merge_queue::{Baseline, MergeQueue};
use crate::project::{Project, Settings};
use crate::prompt;
use crate::pull_request::PullRequest;
use crate::question::Asking;
use crate::session::{Conversation, Phase, Process, Session, WorkReview};
use crate::terminal::Terminal;
use crate::transcript::Reading;
use crate::workspace::Belongings;
use std::collections::BTreeMap;

pub(super) fn project_configured(
    d: &mut Draft<'_>,
    id: &ProjectId,
    path: &str,
    data: &str,
    prefix: &str,
    settings: &Settings,
) -> Answer {
    for (what, name) in [("project name", id.as_str()), ("session prefix", prefix)] {
        if let Err(e) = checked_name(what, name) {
            return Answer::Refused(Fault::invalid(e.to_string()));
        }
    }
    let moved = d.projects.get(id).is_some_and(|p| p.path != path);
    if moved && d.sessions.values().any(|s| s.project == *id && !s.ended()) {
        let fault = Fault::conflict(format!("project {id} has live sessions in another repository"));
        return Answer::Refused(fault.hint("stop them first, or give this repository another project name"));
    }
    if let Some(other) = d.projects.values().find(|p| p.prefix == prefix && p.id != *id && !p.removed) {
        let fault = Fault::conflict(format!("the session prefix {prefix:?} is taken by project {}", other.id));
        return Answer::Refused(fault.hint("give this project another `sessionPrefix` in its configuration"));
    }
    if let Some(project) = d.projects.get_mut(id) {
        path.clone_into(&mut project.path);
        data.clone_into(&mut project.data);
        prefix.clone_into(&mut project.prefix);
        project.settings = settings.clone();
        project.removed = false;
    } else {
        d.projects.put(
            id.clone(),
            Project {
                id: id.clone(),
                path: path.to_owned(),
                data: data.to_owned(),
                prefix: prefix.to_owned(),
                settings: settings.clone(),
                sessions_made: 0,
                runs_made: 0,
                pull_requests_made: 0,
                batches_made: 0,
                removed: false,
            },
        );
    }
    if d.queues.get(id).is_none() {
        let queue = MergeQueue {
            project: id.clone(),
            target: settings.default_branch.clone(),
            waiting: Vec::new(),
            batch: None,
            limit: settings.batch_limit.max(1),
            baseline: Baseline::default(),
            blocked: None,
        };
        d.queues.put(id.clone(), queue);
    }
    if let Some(queue) = d.queues.get_mut(id).filter(|q| q.batch.is_none()) {
        settings.default_branch.clone_into(&mut queue.target);
    }
    Answer::Noted
}

pub(super) fn project_removed(d: &mut Draft<'_>, id: &ProjectId) -> Answer {
    let live = d.sessions.values().filter(|s| s.project == *id && !s.ended()).count();
    let run = d.runs.values().find(|r| r.project == *id && !r.finished()).map(|r| r.id.clone());
    let Some(project) = d.projects.get_mut(id) else {
        return Answer::Refused(Fault::not_found(format!("there is no project {id}")));
    };
    if live > 0 {
        let fault = Fault::conflict(format!("project {id} has {live} live sessions"));
        return Answer::Refused(fault.hint(format!("stop them first: ao stop --project {id} --all")));
    }
    if let Some(run) = run {
        let fault = Fault::conflict(format!("run {run} of project {id} is not over"));
        return Answer::Refused(fault.hint(format!("stop it first: ao fix --cancel {run}")));
    }
    project.removed = true;
    Answer::Noted
}

pub(super) fn session_requested(d: &mut Draft<'_>, new: &NewSession) -> Answer {
    match make_session(d, new, None) {
        Ok(id) => {
            let rules = d.projects.get(&new.project).and_then(|p| p.settings.agent_rules.clone());
            if let Some(prompt) = &new.prompt {
                prompting::queue(d, &id, &prompt::with_rules(prompt, rules.as_deref()), Cause::Task);
            }
            Answer::Session(id)
        }
        Err(fault) => Answer::Refused(fault),
    }
}

/// Makes a session in the queue; the caller gives it its first prompt.
pub(super) fn make_session(
    d: &mut Draft<'_>,
    new: &NewSession,
    run: Option<&crate::id::RunId>,
) -> Result<SessionId, Fault> {
    let project = d.projects.get(&new.project).filter(|p| !p.removed);
    let Some(project) = project else {
        let hint = "`ao start` in a repository registers it";
        return Err(Fault::not_found(format!("there is no project {}", new.project)).hint(hint));
    };
    let (n, id) = free_id(d, &project.prefix, project.sessions_made + 1);
    let settings = project.settings.clone();
    let agent = new.agent.clone().unwrap_or_else(|| settings.agent.clone());
    // The project's model is one of its own agent's; another one that was chosen for it does not know the name.
    let of_its_own = settings.model.filter(|_| new.chosen.is_none() || agent == settings.agent);
    let slugged = match &new.name {
        Some(name) => checked_name("session name", name).map_err(|e| Fault::invalid(e.to_string()))?.to_owned(),
        None => slug(new.title.strip_prefix("fix ").unwrap_or(&new.title)),
    };
    let name = free_name(d, &new.project, &slugged, new.name.is_some())?;
    let branch = match &new.branch {
        Some(branch) => checked_branch(branch).map_err(|e| Fault::invalid(e.to_string()))?.to_owned(),
        None => {
            free_branch(d, &new.project, &slugged, &id, run.is_some() || new.title.to_lowercase().starts_with("fix"))
        }
    };
    if let Some(other) = d.sessions.values().find(|s| s.project == new.project && s.branch == branch && !s.ended()) {
        return Err(Fault::conflict(format!("branch {branch} belongs to session {}", other.id)));
    }
    let session = Session {
        id: id.clone(),
        name,
        project: new.project.clone(),
        title: crate::prompt::clean(&new.title).lines().next().unwrap_or_default().to_owned(),
        issue: new.issue.clone(),
        role: new.role,
        run: run.cloned(),
        agent,
        chosen: new.chosen.clone(),
        runtime: new.runtime.clone().unwrap_or(settings.runtime),
        workspace: new.workspace.clone().unwrap_or(settings.workspace),
        model: new.model.clone().or(of_its_own),
        agent_args: new.agent_args.clone(),
        env: new.env.clone(),
        branch,
        base: None,
        created: d.now,
        changed: d.now,
        phase: Phase::Queued { why: "it was just asked for".to_owned() },
        workspace_path: None,
        process: Process::Unknown,
        launch: None,
        launches: 0,
        deliveries: 0,
        lost: None,
        known: Known::nothing(d.now),
        evidence: BTreeMap::new(),
        seen_offset: 0,
        last_output: d.now,
        turn: None,
        turns: 0,
        outbox: Vec::new(),
        pr: None,
        review: WorkReview::None,
        reviews: 0,
        merge_wanted: run.is_some(),
        tries: BTreeMap::new(),
        attention: None,
        rescue: None,
        belongings: Belongings::default(),
        reading: Reading::default(),
        freeze: Freeze::default(),
        terminal: Terminal::default(),
        conversation: Conversation::First,
        pressed: None,
        stalls: 0,
        asking: Asking::default(),
        supervision: new.supervision,
        answers: new.answers.clone(),
    };
    d.sessions.put(id.clone(), session);
    if let Some(project) = d.projects.get_mut(&new.project) {
        project.sessions_made = n;
    }
    Ok(id)
}

/// The next id with this prefix. A prefix may have belonged to another project before: its ids are not given again.
fn free_id(d: &Draft<'_>, prefix: &str, from: u32) -> (u32, SessionId) {
    let mut n = from;
    loop {
        let id = SessionId::new(format!("{prefix}-{n}"));
        if d.sessions.get(&id).is_none() {
            return (n, id);
        }
        n += 1;
    }
}

/// An ended session waits for a place again, with a clean slate.
pub(super) fn restore(d: &mut Draft<'_>, id: &SessionId) -> Answer {
    let now = d.now;
    if let Err(fault) = ending::restorable(d, id) {
        return Answer::Refused(fault);
    }
    let Some(session) = d.sessions.get(id) else { return Answer::Noted };
    let open = session.pr.as_ref().and_then(|pr| d.pull_requests.get(pr)).is_some_and(PullRequest::is_open);
    let running = run_of(d, session).is_some_and(|r| !r.finished());
    // Its old name may belong to a live session by now.
    let taken = d.sessions.values().any(|s| !s.ended() && (s.name == session.name || s.id.as_str() == session.name));
    if let Some(session) = d.sessions.get_mut(id) {
        if taken {
            session.name = id.to_string();
        }
        session.phase = Phase::Queued { why: "it is being restored".to_owned() };
        session.known = Known::nothing(now);
        session.attention = None;
        session.tries.clear();
        session.review = WorkReview::None;
        session.merge_wanted = running;
        session.pr = session.pr.take().filter(|_| open);
        session.belongings.leave_archive();
    }
    Answer::Session(id.clone())
}

/// `{project}-{slug}`, with a number when that is taken. A name that a person chose is taken as it is or refused.
fn free_name(d: &Draft<'_>, project: &ProjectId, slugged: &str, chosen: bool) -> Result<String, Fault> {
    let taken = |name: &str| d.sessions.values().any(|s| !s.ended() && (s.name == name || s.id.as_str() == name));
    let plain = if chosen { slugged.to_owned() } else { format!("{project}-{slugged}") };
    if !taken(&plain) {
        return Ok(plain);
    }
    if chosen {
        return Err(Fault::conflict(format!("a live session is already called {plain}")));
    }
    let mut n = 2_u32;
    loop {
        let numbered = format!("{plain}-{n}");
        if !taken(&numbered) {
            return Ok(numbered);
        }
        n += 1;
    }
}

/// `fix/<slug>` or `feat/<slug>`; `session/<id>` is added when any session, ended ones too, has used that branch.
fn free_branch(d: &Draft<'_>, project: &ProjectId, slugged: &str, id: &SessionId, fix: bool) -> String {
    let branch = format!("{}/{slugged}", if fix { "fix" } else { "feat" });
    let used = d.sessions.values().any(|s| s.project == *project && s.branch == branch);
    if used { format!("{branch}-{id}") } else { branch }
}

pub(super) fn message_sent(d: &mut Draft<'_>, id: &SessionId, text: &str, from: &str) -> Answer {
    let Some(session) = d.sessions.get(id) else {
        return Answer::Refused(Fault::not_found(format!("there is no session {id}")));
    };
    if session.ended() {
        let fault = Fault::conflict(format!("session {id} has ended"));
        return Answer::Refused(fault.hint(format!("`ao restore {id}` starts it again in its workspace")));
    }
    if let Phase::Stopping { .. } = session.phase {
        let fault = Fault::conflict(format!("session {id} is being stopped"));
        return Answer::Refused(fault.hint(format!("`ao restore {id}` starts it again afterwards")));
    }
    if crate::prompt::clean(text).trim().is_empty() {
        return Answer::Refused(Fault::invalid("the message is empty"));
    }
    match prompting::queue(d, id, text, Cause::Message { from: from.to_owned() }) {
        Some(delivery) => Answer::Delivery(delivery),
        None => Answer::Noted,
    }
}
