//! Candidates: what the target would be with some pull requests on it, built from objects alone.
//!
//! Each head goes on top of what is ahead of it; one that does not fit is told apart by trying it on the target alone.

use super::merge::{Merged, Put, merge};
use super::replay;
use super::target::tip;
use crate::exec::Environment;
use crate::git::Git;
use ao_core::effect::CandidateHead;
use ao_core::id::CommitId;
use ao_core::project::MergeStrategy;
use ao_slots::scm::{Candidate, CandidatePlan};
use ao_slots::{Answer, Fault};

/// Builds a candidate and keeps its tip.
pub(super) async fn build(plan: &CandidatePlan, env: &Environment) -> Answer<Candidate> {
    let git = Git::at(&plan.repository, env);
    let old = tip(&git, &plan.target).await?;
    let mut candidate = Candidate {
        tip: old.clone(),
        old,
        built: Vec::new(),
        conflicts: Vec::new(),
        later: Vec::new(),
        contained: Vec::new(),
    };
    for head in &plan.heads {
        add(&git, &mut candidate, head, plan.strategy).await?;
    }
    git.call(["update-ref", &plan.keep, candidate.tip.as_str()]).run().await?;
    Ok(candidate)
}

async fn add(git: &Git, candidate: &mut Candidate, head: &CandidateHead, strategy: MergeStrategy) -> Answer<()> {
    if git.commit(head.head.as_str()).await?.is_none() {
        return Err(Fault::not_found(format!("there is no commit {} of {}", head.head, head.pr)));
    }
    match put(git, &candidate.tip, head, strategy).await? {
        Put::Commit(commit) => {
            candidate.built.push((head.pr.clone(), commit.clone()));
            candidate.tip = commit;
        }
        // Nobody is ahead: the target itself has said it.
        Put::Nothing if candidate.tip == candidate.old => candidate.contained.push(head.pr.clone()),
        Put::Conflict(paths) if candidate.tip == candidate.old => candidate.conflicts.push((head.pr.clone(), paths)),
        // With others ahead only the target alone can say whose fault it is.
        Put::Nothing | Put::Conflict(_) => match put(git, &candidate.old, head, strategy).await? {
            Put::Nothing => candidate.contained.push(head.pr.clone()),
            Put::Conflict(paths) => candidate.conflicts.push((head.pr.clone(), paths)),
            Put::Commit(_) => candidate.later.push(head.pr.clone()),
        },
    }
    Ok(())
}

async fn put(git: &Git, onto: &CommitId, head: &CandidateHead, strategy: MergeStrategy) -> Answer<Put> {
    let Some(base) = git.merge_base(onto, &head.head).await? else {
        return Ok(Put::Conflict(vec!["(its history has nothing in common with the target)".to_owned()]));
    };
    if base == head.head {
        return Ok(Put::Nothing);
    }
    if strategy == MergeStrategy::Rebase && replay::is_linear(git, &base, &head.head).await? {
        return replay::replay(git, onto, &base, &head.head).await;
    }
    let tree = match merge(git, onto, &head.head, None).await? {
        Merged::Tree(tree) => tree,
        Merged::Conflict(paths) => return Ok(Put::Conflict(paths)),
    };
    if tree == git.tree(onto).await? {
        return Ok(Put::Nothing);
    }
    let call = git.call(["commit-tree", &tree, "-F", "-", "-p", onto.as_str()]).own();
    let call = match strategy {
        MergeStrategy::Merge => call.arg("-p").arg(head.head.as_str()),
        // A branch that merges cannot be replayed without losing how its conflicts were solved: it becomes one commit.
        MergeStrategy::Squash | MergeStrategy::Rebase => call,
    };
    let message = format!("{}\n", head.message.trim_end());
    Ok(Put::Commit(CommitId::new(call.stdin(message.into_bytes()).text().await?)))
}
