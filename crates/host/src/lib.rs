//! The per-session host process and its sans-IO wire codec.
//!
//! One host per session owns the agent's terminal and survives the daemon (`docs/design/host.md`). It is small, synchronous,
//! never stops draining, and decides nothing about what an agent is doing: no tokio, no policy.

pub mod attach;
pub mod client;
pub mod discover;
pub mod engine;
pub mod exec_launch;
pub mod files;
mod host;
pub mod platform;
pub mod record;
pub mod spec;
pub mod wire;

pub use host::{CODE_ENDED, CODE_NOT_STARTED, run};
