//! The git program, called by argv: the one place that knows its options, its words and its files.
//!
//! What a workspace or a forge does with it is decided by its callers; nothing goes through a shell.

mod call;
mod facts;
mod fault;
mod places;
mod status;
mod turns;

pub use call::{Call, Git, Said};
pub use facts::{Head, RepoFacts, facts, head_branch, missing_branch};
pub use places::{
    Listed, Registration, Repository, Unfinished, common_of, git_dir_of, list_worktrees, merging, plain_common,
    plain_tip, rebased_branch, registration, same, unfinished,
};
pub use status::{Status, status};
pub use turns::{Turn, turn};
