//! Rescue refs: what was in a workspace when it was removed, kept under `refs/ao/rescue/`, listed and put back.
//!
//! Nothing here is ever deleted by `ao` itself.

use super::seal::{INDEX, Sealed};
use crate::disk;
use crate::disk::failed;
use crate::exec::Environment;
use crate::git::{Git, Repository, Turn, turn};
use ao_core::id::{CommitId, SessionId};
use ao_slots::workspace::Rescued;
use ao_slots::{Answer, Fault};
use std::path::Path;
use std::time::Duration;

/// Where rescue refs are.
const PLACE: &str = "refs/ao/rescue/";

/// A session that was removed more often than this has other problems.
const MOST: u32 = 1000;

/// Checking out a rescued tree.
const LIMIT: Duration = Duration::from_secs(15 * 60);

fn name(session: &SessionId, n: u32) -> String {
    if n == 1 { format!("{PLACE}{session}") } else { format!("{PLACE}{session}-{n}") }
}

/// The last rescue ref of a session with its commit.
pub(super) async fn last(git: &Git, session: &SessionId) -> Answer<Option<(String, CommitId)>> {
    let mut last = None;
    for n in 1..=MOST {
        let name = name(session, n);
        let Some(commit) = git.commit(&name).await? else { break };
        last = Some((name, commit));
    }
    Ok(last)
}

/// Names what was sealed. The same content as last time has its name already, as after a crash.
pub(super) async fn keep(git: &Git, session: &SessionId, sealed: &Sealed) -> Answer<String> {
    if let Some((name, commit)) = last(git, session).await? {
        let parents: Vec<&str> = sealed.parents.iter().map(CommitId::as_str).collect();
        let wanted = format!("{} {}", sealed.tree, parents.join(" "));
        let have = git
            .call(["rev-list", "--max-count=1", "--no-commit-header", "--format=%T %P", commit.as_str()])
            .text()
            .await?;
        if have.trim() == wanted.trim() {
            return Ok(name);
        }
    }
    for n in 1..=MOST {
        let name = name(session, n);
        if git.commit(&name).await?.is_some() {
            continue;
        }
        // The empty old value: only if there is none yet.
        let said = git.call(["update-ref", &name, sealed.commit.as_str(), ""]).ask().await?;
        match said.code {
            0 => return Ok(name),
            _ if git.commit(&name).await?.is_some() => {}
            _ => return Err(said.fault()),
        }
    }
    Err(Fault::conflict(format!("{session} has {MOST} rescue refs already")).hint("delete some of `ao rescue list`"))
}

/// Lists what was kept, newest first.
pub(super) async fn list(git: &Git) -> Answer<Vec<Rescued>> {
    let format = "--format=%(refname)%00%(objectname)%00%(committerdate:unix)%00%(contents:subject)";
    let listed = git.call(["for-each-ref", "--sort=-committerdate", format, PLACE]).text().await?;
    Ok(listed
        .lines()
        .filter_map(|line| {
            let mut parts = line.splitn(4, '\0');
            Some(Rescued {
                name: parts.next()?.to_owned(),
                commit: CommitId::new(parts.next()?),
                at: parts.next()?.parse().ok()?,
                subject: parts.next()?.to_owned(),
            })
        })
        .collect())
}

/// Puts what was kept into a new worktree at `to`, on a new branch; files that were not committed are not committed there.
pub(super) async fn restore(repository: &Path, name: &str, to: &Path, env: &Environment) -> Answer<String> {
    let git = Git::at(repository, env);
    let short = name.strip_prefix(PLACE).unwrap_or(name);
    let full = format!("{PLACE}{short}");
    ao_core::id::checked_branch(&full).map_err(|error| Fault::invalid(error.to_string()))?;
    let Some(commit) = git.commit(&full).await? else {
        return Err(Fault::not_found(format!("there is no rescue ref {full}")).hint("`ao rescue list` shows them"));
    };
    if !to.is_absolute() {
        return Err(Fault::invalid(format!("{} is not an absolute path", to.display())));
    }
    if disk::exists(to) && !disk::is_empty_dir(to) {
        return Err(Fault::conflict(format!("{} is there already", to.display())).hint("name a new directory"));
    }
    if let Some(parent) = to.parent() {
        std::fs::create_dir_all(parent).map_err(|error| failed(parent, &error))?;
    }
    let branch = free_branch(&git, short).await?;
    // Without a first parent there was no commit yet: the rescued one is where the branch begins.
    let start = git.commit(&format!("{commit}^1")).await?.unwrap_or_else(|| commit.clone());
    let common = Repository::of(&git).await?.common;
    let _turn = turn(Turn::Making, &common).await;
    git.call(["worktree", "add", "--quiet", "--no-track", "-b", &branch])
        .arg(to)
        .arg(start.as_str())
        .limit(LIMIT)
        .run()
        .await?;
    let there = Git::at(to, env);
    there.call(["read-tree", "--reset", "-u", commit.as_str()]).limit(LIMIT).run().await?;
    let message = git.call(["rev-list", "--max-count=1", "--no-commit-header", "--format=%B", commit.as_str()]);
    let message = message.text().await?;
    let staged = message.lines().find_map(|line| line.strip_prefix(INDEX)).map(str::to_owned);
    let index = staged.unwrap_or_else(|| start.as_str().to_owned());
    there.call(["read-tree", &index]).run().await?;
    there.call(["update-index", "-q", "--refresh"]).ask().await?;
    Ok(branch)
}

/// A branch name that nobody has, made of the rescue ref's.
async fn free_branch(git: &Git, short: &str) -> Answer<String> {
    for n in 1..=MOST {
        let branch = if n == 1 { format!("rescue/{short}") } else { format!("rescue/{short}.{n}") };
        if git.commit(&format!("refs/heads/{branch}")).await?.is_none() {
            return Ok(branch);
        }
    }
    Err(Fault::conflict(format!("there are {MOST} branches rescue/{short} already")))
}
