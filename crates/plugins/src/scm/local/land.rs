//! Landing: the target gets the very commit that was gated, by compare-and-swap, or nothing moves.
//!
//! After a crash "does the target contain it?" decides. A checkout of the target is moved along only when it is clean.

use super::merge::shown;
use super::target::tip;
use crate::git::{Git, Listed, Repository, Turn, list_worktrees, rebased_branch, status, turn, unfinished};
use crate::steps::Steps;
use ao_core::id::CommitId;
use ao_slots::Answer;
use ao_slots::scm::Landing;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Moving a large checkout to another commit on a slow disk.
const CHECKOUT: Duration = Duration::from_secs(15 * 60);

/// Paths named in a message before "and more".
const NAMED: usize = 5;

/// Moves `target` from `old` to `new`.
pub(super) async fn land(git: &Git, target: &str, old: &CommitId, new: &CommitId, steps: &Steps) -> Answer<Landing> {
    let common = Repository::of(git).await?.common;
    let _turn = turn(Turn::Landing, &common).await;
    let actual = tip(git, target).await?;
    if actual == *new || git.is_ancestor(new, &actual).await? {
        return Ok(Landing::Landed);
    }
    if actual != *old {
        return Ok(Landing::Lost { actual });
    }
    let all = list_worktrees(git, &common).await?;
    if let Some(rebasing) = all.iter().find(|w| rebased_branch(&w.git_dir).as_deref() == Some(target)) {
        return Ok(blocked(&rebasing.path, format!("is in the middle of a rebase of {target}")));
    }
    // A checkout whose directory is gone has no files to move along, unless its disk is expected back.
    let is_checkout = |w: &&Listed| !w.bare && w.branch.as_deref() == Some(target) && (w.path.exists() || w.locked);
    let checkouts: Vec<&Listed> = all.iter().filter(is_checkout).collect();
    match checkouts.as_slice() {
        [] => swap(git, target, old, new, steps).await,
        [one] => move_along(git, one, target, old, new, steps).await,
        [first, ..] => Ok(blocked(&first.path, format!("is not the only checkout of {target}"))),
    }
}

fn blocked(path: &Path, why: impl std::fmt::Display) -> Landing {
    Landing::Blocked { why: format!("{} {why}", path.display()) }
}

/// The swap alone: nobody has it checked out.
async fn swap(git: &Git, target: &str, old: &CommitId, new: &CommitId, steps: &Steps) -> Answer<Landing> {
    steps.next("swap")?;
    let name = format!("refs/heads/{target}");
    let said = git.call(["update-ref", "-m", "ao: land", &name, new.as_str(), old.as_str()]).own().ask().await?;
    if said.code == 0 {
        return Ok(Landing::Landed);
    }
    let actual = tip(git, target).await?;
    if actual == *old { Err(said.fault()) } else { Ok(Landing::Lost { actual }) }
}

/// Moves a checkout and the target together.
async fn move_along(
    git: &Git,
    checkout: &Listed,
    target: &str,
    old: &CommitId,
    new: &CommitId,
    steps: &Steps,
) -> Answer<Landing> {
    let path = &checkout.path;
    if !path.exists() {
        return Ok(blocked(path, "has the target checked out, is locked, and is not there"));
    }
    if let Some(what) = unfinished(&checkout.git_dir) {
        return Ok(blocked(path, format!("has the target checked out and is in the middle of {}", what.words())));
    }
    if checkout.git_dir.join("index.lock").exists() {
        return Ok(blocked(path, "has the target checked out, and another git is working there (index.lock)"));
    }
    let there = git.clone().moved_to(path);
    let state = status(&there).await?;
    let changed: Vec<PathBuf> = state.unmerged.into_iter().chain(state.changed).collect();
    if !changed.is_empty() {
        return match is_half_landed(&there, new).await? {
            true => swap(git, target, old, new, steps).await,
            false => Ok(blocked(path, format!("has the target checked out and is dirty: {}", named(&changed)))),
        };
    }
    if state.head.as_ref() != Some(old) || state.branch.as_deref() != Some(target) {
        return after(git, target, old, new).await.map(|landing| {
            landing.unwrap_or_else(|| blocked(path, format!("has left {target} just now: it is tried again")))
        });
    }
    steps.next("move the checkout")?;
    let said = there
        .call(["merge", "--ff-only", "--no-overwrite-ignore", "--no-autostash", "--no-verify-signatures"])
        .args(["--no-squash", "--no-stat", "--quiet", new.as_str()])
        .own()
        .limit(CHECKOUT)
        .ask()
        .await?;
    if let Some(landing) = after(git, target, old, new).await? {
        return Ok(landing);
    }
    match said.code {
        0 => Ok(blocked(path, format!("left {target} while it was moved; look at its branch"))),
        _ => Ok(blocked(path, format!("has the target checked out, and git will not move it: {}", said.words()))),
    }
}

/// What the target says now; nothing when it still has its old value.
async fn after(git: &Git, target: &str, old: &CommitId, new: &CommitId) -> Answer<Option<Landing>> {
    let actual = tip(git, target).await?;
    if actual == *old {
        return Ok(None);
    }
    if actual == *new || git.is_ancestor(new, &actual).await? {
        return Ok(Some(Landing::Landed));
    }
    Ok(Some(Landing::Lost { actual }))
}

/// A landing that was cut short after the files and before the ref: everything is as in `new`, but for HEAD.
async fn is_half_landed(there: &Git, new: &CommitId) -> Answer<bool> {
    let index = there.call(["diff-index", "--cached", "--quiet", new.as_str(), "--"]).ask().await?;
    let files = there.call(["diff-files", "--quiet", "--"]).ask().await?;
    Ok(index.code == 0 && files.code == 0)
}

fn named(paths: &[PathBuf]) -> String {
    let mut names: Vec<String> = paths.iter().take(NAMED).map(|path| shown(path.as_os_str())).collect();
    if paths.len() > NAMED {
        names.push(format!("and {} more", paths.len() - NAMED));
    }
    names.join(", ")
}
