//! The target: a branch and its commit.
//!
//! Reads only; what moves it is in `land`.

use crate::git::{Git, missing_branch};
use ao_core::id::CommitId;
use ao_slots::Answer;

/// The commit of a branch.
pub(super) async fn tip(git: &Git, branch: &str) -> Answer<CommitId> {
    match git.commit(&format!("refs/heads/{branch}")).await? {
        Some(commit) => Ok(commit),
        None => Err(missing_branch(git, branch).await),
    }
}
