//! Rescue refs: what was in a workspace when it was removed, kept under `refs/ao/rescue/`, listed, shown, forgotten.
//!
//! Nothing here is ever deleted unless a person asks for it.

use super::about::About;
use super::seal::Sealed;
use crate::git::Git;
use ao_core::id::{CommitId, SessionId};
use ao_slots::workspace::Rescued;
use ao_slots::{Answer, Fault};

/// Where rescue refs are.
const PLACE: &str = "refs/ao/rescue/";

/// A session that was removed more often than this has other problems.
const MOST: u32 = 1000;

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

/// Bytes that a session's rescued work takes and that nothing else holds; none when this git cannot say.
pub(super) async fn bytes(git: &Git, session: &SessionId) -> Answer<Option<u64>> {
    let mut names = Vec::new();
    for n in 1..=MOST {
        let name = name(session, n);
        if git.commit(&name).await?.is_none() {
            break;
        }
        names.push(name);
    }
    if names.is_empty() {
        return Ok(None);
    }
    // git 2.31 and newer.
    let call = git.call(["rev-list", "--objects", "--disk-usage"]).args(names);
    let said = call.args(["--not", "--branches", "--tags", "--remotes"]).ask().await?;
    Ok((said.code == 0).then(|| said.line().parse().ok()).flatten())
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

/// The full name and the commit of what was kept under a name, a short one or the ref's.
pub(super) async fn find(git: &Git, name: &str) -> Answer<(String, CommitId)> {
    let short = name.strip_prefix(PLACE).unwrap_or(name);
    let full = format!("{PLACE}{short}");
    ao_core::id::checked_branch(&full).map_err(|error| Fault::invalid(error.to_string()))?;
    match git.commit(&full).await? {
        Some(commit) => Ok((full, commit)),
        None => Err(Fault::not_found(format!("there is no rescue ref {full}")).hint("`ao rescue list` shows them")),
    }
}

/// Forgets what was kept, if it still is this commit.
pub(super) async fn drop_one(git: &Git, name: &str, commit: &CommitId) -> Answer<()> {
    let (full, _) = find(git, name).await?;
    git.call(["update-ref", "-d", &full, commit.as_str()]).run().await.map(drop)
}

/// What a rescue commit says about itself.
pub(super) async fn about(git: &Git, commit: &CommitId) -> Answer<About> {
    let call = ["rev-list", "--max-count=1", "--no-commit-header", "--format=%B", commit.as_str()];
    let mut about = About::read(&git.call(call).text().await?);
    if about.head.is_none() {
        // An old one: its first parent was HEAD.
        about.head = Some(git.commit(&format!("{commit}^1")).await?);
    }
    Ok(about)
}

/// The whole message of what was kept, and what differs from the commit that the work stood on.
pub(super) async fn show(git: &Git, name: &str) -> Answer<String> {
    let (_, commit) = find(git, name).await?;
    let about = about(git, &commit).await?;
    let message = git.call(["rev-list", "--max-count=1", "--no-commit-header", "--format=%B", commit.as_str()]);
    let message = message.text().await?;
    let call = git.call(["-c", "core.quotePath=true", "diff-tree", "-r", "--stat=100", "--summary", "--root"]);
    let changes = match about.head.flatten() {
        Some(head) => call.args([head.as_str(), commit.as_str()]),
        None => call.args(["--no-commit-id", &format!("{commit}^{{tree}}")]),
    };
    let changes = changes.ask().await?;
    Ok(format!("{}\n\n{}", message.trim_end(), changes.line()))
}

/// A branch name that nobody has, made of the rescue ref's.
pub(super) async fn free_branch(git: &Git, full: &str) -> Answer<String> {
    let short = full.strip_prefix(PLACE).unwrap_or(full);
    for n in 1..=MOST {
        let branch = if n == 1 { format!("rescue/{short}") } else { format!("rescue/{short}.{n}") };
        if git.commit(&format!("refs/heads/{branch}")).await?.is_none() {
            return Ok(branch);
        }
    }
    Err(Fault::conflict(format!("there are {MOST} branches rescue/{short} already")))
}
