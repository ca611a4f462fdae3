//! Actions on issues: a project's tracker, and what its runs left unmended. Nothing is written to a tracker.

use super::row::{Call, Row};
use crate::access::caller::{Inside, Need};
use crate::registration::find_project;
use ao_api::issue::{IssueView, Issues};
use ao_api::request::Nothing;
use ao_core::facts::Facts;
use ao_core::id::RunId;
use ao_core::kind::Fault;
use ao_core::project::Project;
use ao_core::prompt::fix_task;
use ao_core::run::{Run, Task, TaskState};
use ao_slots::tracker::Issue;
use axum::http::Method;
use std::path::Path;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("LIST_ISSUES", Method::GET, "/api/projects/{id}/issues", list)
            .verb("ao issues")
            .says("Lists a project's open issues: those of its tracker, and the failures that its runs left.")
            .needs(Need::Viewer)
            .inside(Inside::Project),
    ]
}

async fn list(call: Call, _: Nothing) -> Result<Issues, Fault> {
    let project = find_project(call.engine(), Some(call.part("id")))?;
    call.caller.reaches_project(&project.id)?;
    let tracker = call.engine().registry().tracker(&project.settings.tracker)?;
    let mut issues = tracker.open_issues(Path::new(&project.path)).await?;
    issues.extend(call.engine().read(|c| of_runs(&c.facts, &project)));
    Ok(Issues { issues: issues.into_iter().map(view).collect() })
}

/// An issue by its id: `{run}/{n}` is a run's, anything else the tracker's.
pub(super) async fn find(call: &Call, project: &Project, id: &str) -> Result<Issue, Fault> {
    let of_run = id.rsplit_once('/').and_then(|(run, n)| Some((RunId::new(run), n.parse::<usize>().ok()?)));
    let Some((run, n)) = of_run else {
        let tracker = call.engine().registry().tracker(&project.settings.tracker)?;
        return tracker.issue(Path::new(&project.path), id).await;
    };
    let found = call.engine().read(|c| {
        let run = c.facts.runs.get(&run).filter(|r| r.project == project.id)?;
        run.tasks.get(n.checked_sub(1)?).map(|task| issue(run, n, task))
    });
    found.ok_or_else(|| {
        Fault::not_found(format!("project {} has no issue {id:?}", project.id))
            .hint(format!("ao issues --project {} lists them", project.id))
    })
}

/// What the project's runs found and nobody has mended, the oldest run first.
fn of_runs(facts: &Facts, project: &Project) -> Vec<Issue> {
    let mut runs: Vec<&Run> = facts.runs.values().filter(|r| r.project == project.id).collect();
    runs.sort_by_key(|r| r.started);
    let all = runs.into_iter().flat_map(|run| (1..).zip(&run.tasks).map(|(n, task)| issue(run, n, task)));
    all.filter(|issue| issue.open).collect()
}

fn issue(run: &Run, n: usize, task: &Task) -> Issue {
    Issue {
        id: format!("{}/{n}", run.id),
        title: task.group.title.clone(),
        body: fix_task(&task.group, &run.check, &run.target, None),
        open: !matches!(task.state, TaskState::Landed { .. }),
        branch: None,
    }
}

fn view(issue: Issue) -> IssueView {
    IssueView { id: issue.id, title: issue.title, body: issue.body, open: issue.open, branch: issue.branch }
}
