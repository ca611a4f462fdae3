//! Systems that are no Unix: no session can run there, and whoever asks is told so.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use super::facts::Unsupported;

/// Refuses, in the words of a host that cannot start.
#[must_use]
pub fn run(_launch_dir: &Path) -> ExitCode {
    let refusal = Unsupported { what: "a session host (terminals, process trees, local sockets)" };
    // Nobody may be reading; the exit code says the same.
    drop(writeln!(io::stdout(), "failed {refusal}"));
    ExitCode::FAILURE
}
