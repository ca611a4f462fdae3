//! What an agent did in its workspace: nothing, work that is kept as a commit, or a merge that is not finished.
//!
//! Says what is there; whether it is good enough is decided elsewhere.

use super::conflict;
use super::names::shown;
use super::snapshot::{self, Site, Snapshot};
use crate::git::{Unfinished, unfinished};
use ao_core::effect::Inspection;
use ao_core::id::CommitId;
use ao_slots::Answer;
use ao_slots::workspace::InspectPlan;

/// What stands for the branch when HEAD is on a commit and no branch.
const DETACHED: &str = "(detached)";

/// Looks at a checkout and keeps its content at `plan.keep`, in the checkout's repository.
pub(super) async fn inspect(site: &Site, plan: &InspectPlan, target: Option<CommitId>) -> Answer<Inspection> {
    let snapshot = snapshot::take(site).await?;
    if let Some(files) = unmerged(site, &snapshot) {
        return Ok(Inspection::Unmerged { files });
    }
    let target = target.unwrap_or_else(|| plan.base.clone());
    let head = head(site, plan, &snapshot).await?;
    let meeting = site.git.merge_base(&head, &target).await?;
    let meeting_tree = match &meeting {
        Some(meeting) => Some(site.git.tree(meeting).await?),
        None => None,
    };
    if meeting_tree.as_ref() == Some(&snapshot.tree) || site.git.tree(&target).await? == snapshot.tree {
        return Ok(Inspection::Unchanged);
    }
    let left = markers(site, plan, &snapshot, &head, meeting.as_ref()).await?;
    if !left.is_empty() {
        return Ok(Inspection::Unmerged { files: left });
    }
    site.git.call(["update-ref", &plan.keep]).arg(head.as_str()).run().await?;
    let branch = snapshot.branch.unwrap_or_else(|| DETACHED.to_owned());
    Ok(Inspection::Changed { head, other_branch: (branch != plan.branch).then_some(branch) })
}

/// Paths in conflict, or in their place the words for what is not finished and would lose work if it were ignored.
fn unmerged(site: &Site, snapshot: &Snapshot) -> Option<Vec<String>> {
    if !snapshot.unmerged.is_empty() {
        return Some(snapshot.unmerged.iter().map(|path| shown(path)).collect());
    }
    match unfinished(&site.git_dir)? {
        // The commits that are still to be replayed are in no tree yet.
        Unfinished::Rebase => Some(vec!["a rebase that is not finished".to_owned()]),
        Unfinished::Merge | Unfinished::CherryPick | Unfinished::Revert => None,
    }
}

/// The commit that stands for the checkout: HEAD when nothing differs from it, else one made of everything that is there.
/// The same content gives the same commit.
async fn head(site: &Site, plan: &InspectPlan, snapshot: &Snapshot) -> Answer<CommitId> {
    match &snapshot.head {
        Some(head) if snapshot.head_tree.as_ref() == Some(&snapshot.tree) && snapshot.merging.is_empty() => {
            Ok(head.clone())
        }
        head => {
            // Before the first commit of a branch without history: what it started from stands for that.
            let first = head.clone().unwrap_or_else(|| plan.base.clone());
            let parents: Vec<CommitId> = std::iter::once(first).chain(snapshot.merging.iter().cloned()).collect();
            let message = format!("Work of {}\n\nEverything in its workspace, committed or not.\n", plan.session);
            snapshot::commit(&site.git, &snapshot.tree, &parents, &message, Some(&snapshot.date)).await
        }
    }
}

/// Files in which a merge left its markers. Without a merge since the start there are none to be left.
async fn markers(
    site: &Site,
    plan: &InspectPlan,
    snapshot: &Snapshot,
    head: &CommitId,
    meeting: Option<&CommitId>,
) -> Answer<Vec<String>> {
    let merging = snapshot.merging.first();
    let unmerged = before_merging(site, &plan.base, head).await?;
    if merging.is_none() && meeting == Some(&plan.base) && unmerged.is_none() {
        return Ok(Vec::new());
    }
    // What the target has, and what the work had before it met the target, is meant to be there.
    let before: Vec<&str> = merging.or(meeting).into_iter().chain(&unmerged).map(CommitId::as_str).collect();
    let left = conflict::left_in(site, &before, &snapshot.tree).await?;
    Ok(left.iter().map(|path| shown(path)).collect())
}

/// The work as it was before its first merge, when there was one; a merge in the making counts, as `head` is one then.
async fn before_merging(site: &Site, from: &CommitId, head: &CommitId) -> Answer<Option<CommitId>> {
    let range = format!("{from}..{head}");
    let merges = site.git.call(["rev-list", "--first-parent", "--merges", "--reverse", &range]).text().await?;
    match merges.lines().next() {
        Some(first) => site.git.commit(&format!("{first}^1")).await,
        None => Ok(None),
    }
}
