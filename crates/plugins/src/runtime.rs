//! Runtimes: where an agent's terminal lives.

pub mod docker;
pub mod process;
pub mod tmux;
