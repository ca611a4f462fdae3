//! The built-in plugins: a module each, leaves of the tree.

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
