//! The `ao` binary: dispatches hidden subcommands first, then the CLI.

mod hook;
mod scripted;

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    match args.split_first() {
        Some((verb, rest)) if verb == "hook" => hook::run(rest),
        Some((verb, rest)) if verb == "scripted-agent" => scripted::run(rest),
        Some(_) | None => ExitCode::from(2),
    }
}
