//! One trait per plugin slot, and the registry that finds plugins by slot and name.
//!
//! This crate is the single place that defines plugin interfaces. It holds no implementation: built-in plugins live in
//! `ao-plugins`, fakes in `ao-testkit`. Plugins return facts, never decisions.

#![warn(missing_docs)]

pub mod agent;
pub mod notifier;
pub mod registry;
pub mod runtime;
pub mod scm;
pub mod terminal;
pub mod tracker;
pub mod workspace;

pub use ao_core::kind::{Fault, Kind};
pub use registry::Registry;

/// What a plugin answers: the value, or a fault whose kind says what follows from it.
pub type Answer<T> = Result<T, Fault>;
