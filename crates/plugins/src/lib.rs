//! The built-in plugins: a module each, leaves of the tree.
//!
//! It is there on Unix only: elsewhere the binary says in words that it cannot work.

#![cfg(unix)]

pub mod agent;
mod disk;
pub mod exec;
pub mod git;
pub mod notifier;
pub mod runtime;
pub mod scm;
pub mod steps;
pub mod terminal;
pub mod tracker;
pub mod workspace;
