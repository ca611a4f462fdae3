//! Feeds the serialiser; what must hold is in the file that `cargo test` shares.
#![no_main]

#[path = "../../crates/host/src/engine/tests/compare.rs"]
mod compare;
#[path = "../../crates/host/src/engine/tests/grammar.rs"]
mod grammar;
#[path = "../../crates/host/src/engine/tests/fuzzed/serialiser.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| target::holds(bytes));
