//! A bare `ao host` for the tests and measurements of this crate; it does not ship.
//!
//! Usage: `host <launch directory>`.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args_os().nth(1) {
        Some(dir) => ao_host::run(Path::new(&dir)),
        None => ExitCode::FAILURE,
    }
}
