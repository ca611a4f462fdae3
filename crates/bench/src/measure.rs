//! The benchmarks, a file each.

mod build;
mod idle_daemon;
mod idle_hosts;
mod list;
mod new;
mod pty;

use crate::benchmark::Benchmark;

/// Every benchmark, in the order in which they run.
pub const ALL: &[Benchmark] =
    &[list::BENCHMARK, idle_daemon::BENCHMARK, new::BENCHMARK, idle_hosts::BENCHMARK, pty::BENCHMARK, build::BENCHMARK];
