//! The built-in plugins: a module each, leaves of the tree.

pub mod agent;
mod disk;
pub mod exec;
pub mod git;
pub mod runtime;
pub mod scm;
pub mod steps;
pub mod workspace;
pub mod notifier;
pub mod terminal;
pub mod tracker;
