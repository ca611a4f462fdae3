//! Workspaces: a session's own copy of the repository, made, looked at, and removed without losing what is in it.
//!
//! What an agent did is kept as commits and refs of the user's repository; index, HEAD and files stay as they are.

mod clone;
mod conflict;
mod inspect;
mod prepare;
mod record;
mod removal;
mod rescue;
mod seal;
mod snapshot;
mod worktree;

pub use clone::LocalClone;
pub use worktree::Worktree;
