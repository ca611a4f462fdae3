//! Forges: pull requests, checks and merging.
//!
//! What should be merged when is decided elsewhere.

mod local;

pub use local::Local;
