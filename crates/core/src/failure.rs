//! Reads what a check printed and says what failed, where, and how to run just that again.
//! It never runs anything and decides nothing about what happens next; it takes text and gives facts.
//!
//! Text from a check is data written by others: everything that leaves this module has no control characters and a
//! bounded length, and what becomes part of a command is quoted.

mod cargo;
mod clean;
mod command;
mod exit;
mod finding;
mod group;
mod junit;
mod libtest;
mod nextest;
mod panic;
mod place;
mod pytest;
mod report;
mod rustc;
mod scan;
mod shell;
mod traceback;

pub use clean::{strip, trim_log};
pub use finding::{
    Artefact, CheckOutput, Counts, FAILURES_MAX, Failure, Group, Kind, MESSAGE_MAX, MESSAGES_MAX, Place, Reader,
    Report, TAIL_LINES,
};
pub use group::group;
pub use report::read;
