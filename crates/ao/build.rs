//! Links the binary without PIE where that is known to work: relocated data is private memory of every process.
//!
//! A host per session pays for it (`docs/benchmarks.md`, "idle-hosts"); nothing else is decided here.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    // Elsewhere the linker's own start files, or the system, ask for PIE.
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
