//! The runtime contract, kept by real runtimes with the real binary.

mod docker;
mod process;
mod tmux;
