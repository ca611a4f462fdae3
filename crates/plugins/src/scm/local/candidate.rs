//! Candidates: what the target would be with some pull requests on it, built from objects alone.
//!
//! Each head goes on top of what is ahead of it; one that does not fit is told apart by trying it on the target alone.

use super::{replay, tip};
use crate::exec::Environment;
use crate::git::{Git, Said};
use ao_core::effect::CandidateHead;
use ao_core::id::CommitId;
use ao_core::project::MergeStrategy;
use ao_slots::scm::{Candidate, CandidatePlan};
use ao_slots::{Answer, Fault};
use std::ffi::OsStr;

/// What becomes of two trees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Merged {
    /// They fit.
    Tree(String),
    /// They do not, in these paths.
    Conflict(Vec<String>),
}

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

/// What becomes of one head on top of a commit.
pub(super) enum Put {
    /// This commit.
    Commit(CommitId),
    /// Nothing: its change is there already.
    Nothing,
    /// A conflict in these paths.
    Conflict(Vec<String>),
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

/// Merges two commits in memory, with another base than their own when one is given.
pub(super) async fn merge(git: &Git, one: &CommitId, other: &CommitId, base: Option<&CommitId>) -> Answer<Merged> {
    let mut call = git.call(["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages"]);
    if let Some(base) = base {
        call = call.arg(format!("--merge-base={base}"));
    }
    let said = call.arg(one.as_str()).arg(other.as_str()).ask().await?;
    match said.code {
        0 => Ok(Merged::Tree(field(&said, 0))),
        1 => {
            let mut paths: Vec<String> = said.paths().skip(1).map(|path| shown(path.as_os_str())).collect();
            paths.dedup();
            Ok(Merged::Conflict(paths))
        }
        _ => Err(said.fault()),
    }
}

fn field(said: &Said, n: usize) -> String {
    said.fields().nth(n).map(|field| String::from_utf8_lossy(field).trim().to_owned()).unwrap_or_default()
}

/// A path as text for people.
pub(super) fn shown(path: &OsStr) -> String {
    path.to_string_lossy().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
