//! A virtual world, fakes and contract suites; used by tests only.

pub mod contract;
pub mod fakes;
pub mod world;
