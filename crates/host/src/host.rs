//! The session host: one process that owns a terminal and everything that must survive the daemon.
//!
//! One thread, one poll loop, no policy about what the agent is doing (`docs/design/host.md`).

mod conn;
mod display;
mod ending;
mod listen;
mod requests;
mod run;
mod serve;
mod stop;
mod typing;
mod viewers;
mod watch;

pub use run::{CODE_ENDED, CODE_NOT_STARTED, run};
