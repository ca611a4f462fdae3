//! The `ao` binary. Everything is in the library; where sessions cannot run, it says so in words.

use std::process::ExitCode;

#[cfg(unix)]
fn main() -> ExitCode {
    ao_cli::main()
}

#[cfg(not(unix))]
fn main() -> ExitCode {
    eprintln!(
        "ao: not supported on this operating system: sessions need the terminals, processes and sockets of a Unix.\n\
         Hint: run it inside WSL 2, or on a Linux or macOS machine, and open the dashboard in a browser here."
    );
    ExitCode::from(ao_core::kind::Kind::Unsupported.exit_code())
}
