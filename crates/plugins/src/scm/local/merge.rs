//! Merging in memory: two commits become a tree, or a list of paths; no checkout and no index is touched.
//!
//! Which commits are merged, and what becomes of the tree, is for the callers.

use crate::git::{Git, Said};
use ao_core::id::CommitId;
use ao_slots::Answer;
use std::ffi::OsStr;

/// What becomes of two trees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Merged {
    /// They fit.
    Tree(String),
    /// They do not, in these paths.
    Conflict(Vec<String>),
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
