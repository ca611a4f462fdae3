//! Tests of the whole engine: recordings, snapshots, fidelity, hostile bytes.
//!
//! Tests of a single part stand in that part's file.

mod answers;
mod compare;
mod cuts;
mod fidelity;
mod fuzzed;
mod grammar;
mod hostile;
mod judge;
mod queries;
mod recordings;
mod shortcuts;
mod snapshot;
mod table;
mod vttest;
mod widths;
