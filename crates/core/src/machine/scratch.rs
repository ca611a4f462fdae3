//! When the scratch checkouts of a project go: at the end of its runs and landings. Within them they stay, with what was built
//! there.

use super::draft::Draft;
use crate::effect::Effect;
use crate::id::ProjectId;
use crate::merge_queue::MergeQueue;
use crate::run::Run;
use std::collections::BTreeSet;

/// Asks for the end of the checkouts of projects that came to rest, and calls it back for those that are at work again.
pub(super) fn advance(d: &mut Draft<'_>) {
    let of_runs = d.runs.touched().filter_map(|id| d.runs.get(id)).map(|run| run.project.clone());
    let touched: BTreeSet<ProjectId> = of_runs.chain(d.queues.touched().cloned()).collect();
    for project in touched {
        let n = d.projects.get(&project).map_or(0, |p| p.runs_made);
        match (worked(d, &project), works(d, &project)) {
            (true, false) => d.ask(Effect::RemoveScratch { project, n }),
            (_, true) => call_back(d, &project),
            (false, false) => {}
        }
    }
}

/// Whether the project was at work before this decision.
fn worked(d: &Draft<'_>, project: &ProjectId) -> bool {
    d.runs.values().any(|run| run.project == *project && d.runs.was(&run.id).is_some_and(unfinished))
        || d.queues.was(project).is_some_and(busy)
}

/// Whether the project is at work now.
fn works(d: &Draft<'_>, project: &ProjectId) -> bool {
    d.runs.values().any(|run| run.project == *project && unfinished(run)) || d.queues.get(project).is_some_and(busy)
}

const fn unfinished(run: &Run) -> bool {
    !run.finished()
}

const fn busy(queue: &MergeQueue) -> bool {
    queue.batch.is_some() || !queue.waiting.is_empty()
}

fn call_back(d: &mut Draft<'_>, project: &ProjectId) {
    let removals = d.pending.values().map(|p| &p.effect);
    let removals = removals.filter(|e| matches!(e, Effect::RemoveScratch { project: p, .. } if p == project));
    let keys: Vec<_> = removals.map(Effect::key).collect();
    for key in keys {
        d.settle(&key);
    }
}
