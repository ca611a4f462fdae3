//! Contract suites: what every implementation of a slot must keep, whoever wrote it.
//!
//! Each rule is one function that panics when it is broken; the crates that implement a slot call them all.

pub mod repo;
pub mod runtime;
pub mod scm;
pub mod terminal;
pub mod workspace;
