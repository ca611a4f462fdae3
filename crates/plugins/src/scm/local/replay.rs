//! The commits of a branch, one by one, on top of another commit, as a rebase would make them; no checkout is needed.
//!
//! Authors, dates and messages stay; who commits is `ao`. Commits whose change is there already are left out.

use super::merge::{Merged, Put, merge};
use crate::git::Git;
use ao_core::id::CommitId;
use ao_slots::{Answer, Fault};

/// Whether the commits from `base` to `head` are one line without merges.
pub(super) async fn is_linear(git: &Git, base: &CommitId, head: &CommitId) -> Answer<bool> {
    let range = format!("{base}..{head}");
    Ok(git.call(["rev-list", "--merges", "--max-count=1", &range]).text().await?.is_empty())
}

/// Replays them.
pub(super) async fn replay(git: &Git, onto: &CommitId, base: &CommitId, head: &CommitId) -> Answer<Put> {
    let range = format!("{base}..{head}");
    let commits = git.call(["rev-list", "--reverse", "--topo-order", &range]).text().await?;
    let mut tip = onto.clone();
    let mut tree = git.tree(onto).await?;
    for commit in commits.lines().map(CommitId::new) {
        let Some(parent) = git.commit(&format!("{commit}^")).await? else {
            return Ok(Put::Conflict(vec!["(its history has nothing in common with the target)".to_owned()]));
        };
        match merge(git, &tip, &commit, Some(&parent)).await? {
            Merged::Conflict(paths) => return Ok(Put::Conflict(paths)),
            Merged::Tree(same) if same == tree => {}
            Merged::Tree(new) => {
                tip = again(git, &commit, &new, &tip).await?;
                tree = new;
            }
        }
    }
    Ok(if tip == *onto { Put::Nothing } else { Put::Commit(tip) })
}

/// The same commit with another tree and parent.
async fn again(git: &Git, commit: &CommitId, tree: &str, parent: &CommitId) -> Answer<CommitId> {
    let format = "--format=%an%x00%ae%x00%at%x00%B";
    let said =
        git.call(["rev-list", "--max-count=1", "--no-commit-header", format, commit.as_str()]).run().await?.stdout;
    let mut parts = said.splitn(4, |&byte| byte == 0).map(|part| String::from_utf8_lossy(part).into_owned());
    let (Some(name), Some(email), Some(seconds), Some(message)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Fault::conflict(format!("commit {commit} cannot be read")));
    };
    let mut call = git
        .call(["commit-tree", tree, "-F", "-", "-p", parent.as_str()])
        .own()
        .env("GIT_AUTHOR_DATE", format!("@{seconds} +0000"))
        .stdin(message.into_bytes());
    // Git refuses authors without a name: then it is `ao`.
    if !name.trim().is_empty() {
        call = call.env("GIT_AUTHOR_NAME", name).env("GIT_AUTHOR_EMAIL", email);
    }
    Ok(CommitId::new(call.text().await?))
}
