//! Tests of the journal's files: what is promised must be there whatever the disk or the power did.
//!
//! The product's own events are not needed here; `model` has small ones of its own.

mod cuts;
mod failures;
mod fixture;
mod kill;
mod meeting;
mod mends;
mod model;
mod opening;
mod random;
mod reading;
mod sim;
mod snapshots;
mod stops;
