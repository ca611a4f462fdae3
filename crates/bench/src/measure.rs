//! The benchmarks, a file each.

mod build;
mod delivery;
mod echo;
mod history;
mod http;
mod idle_all;
mod idle_daemon;
mod idle_hosts;
mod list;
mod new;
mod pty;
mod reattach;
mod status;
mod version;
mod worktree;

use crate::benchmark::Benchmark;

/// Every benchmark, in the order in which they run.
pub const ALL: &[Benchmark] = &[
    version::BENCHMARK,
    list::BENCHMARK,
    http::BENCHMARK,
    idle_daemon::BENCHMARK,
    idle_all::BENCHMARK,
    new::BENCHMARK,
    worktree::BENCHMARK,
    reattach::BENCHMARK,
    idle_hosts::BENCHMARK,
    history::BENCHMARK,
    pty::BENCHMARK,
    echo::BENCHMARK,
    status::BENCHMARK,
    delivery::BENCHMARK,
    build::BENCHMARK,
];
