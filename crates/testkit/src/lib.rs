//! A virtual world, fakes and contract suites; used by tests only.
//!
//! It is there on Unix only, as what it tests.

#![cfg(unix)]

pub mod contract;
pub mod dice;
pub mod fakes;
pub mod sends;
pub mod tui;
pub mod world;
