//! Feeds the screen engine; what must hold is in the file that `cargo test` shares.
#![no_main]

#[path = "../../crates/host/src/engine/tests/fuzzed/engine.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| target::holds(bytes));
