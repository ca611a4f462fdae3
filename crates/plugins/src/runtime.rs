//! Runtimes: where an agent's terminal lives.

pub mod process;
