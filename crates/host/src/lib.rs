//! The per-session host process and its sans-IO wire codec.
//!
//! One host per session owns the agent's terminal and survives the daemon (`docs/design/host.md`). It is small, synchronous,
//! never stops draining, and decides nothing about what an agent is doing: no tokio, no policy.

// The fuzz targets and examples share files with the tests, which name the crate as they do.
#[cfg(test)]
extern crate self as ao_host;

// Terminals, sockets and processes as Unix has them; elsewhere `platform` says in words what is missing.
#[cfg(unix)]
pub mod attach;
#[cfg(unix)]
pub mod client;
#[cfg(unix)]
pub mod discover;
pub mod engine;
#[cfg(unix)]
pub mod exec_launch;
#[cfg(unix)]
pub mod files;
#[cfg(unix)]
mod host;
#[cfg(unix)]
mod limits;
pub mod platform;
#[cfg(unix)]
pub mod record;
#[cfg(unix)]
pub mod spec;
#[cfg(unix)]
pub mod wire;

#[cfg(unix)]
pub use host::{CODE_ENDED, CODE_NOT_STARTED, run};
#[cfg(not(unix))]
pub use platform::run;
