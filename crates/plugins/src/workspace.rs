//! Workspaces: a session's own copy of the repository, made, looked at, and removed without losing what is in it.
//!
//! What an agent did is kept as commits and refs of the user's repository; index, HEAD and files stay as they are.

mod about;
mod bytes;
mod clone;
mod conflict;
mod copies;
mod entries;
mod inner;
mod inspect;
mod names;
mod prepare;
mod record;
mod removal;
mod rescue;
mod restore;
mod seal;
mod snapshot;
mod submodules;
mod tips;
mod worktree;

pub use clone::LocalClone;
pub use worktree::Worktree;
