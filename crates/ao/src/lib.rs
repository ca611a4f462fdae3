//! All of the `ao` binary: what agents and sessions call is answered first and without ceremony, then come the verbs for people.
//!
//! It is there on Unix only; elsewhere `main` says so.

#![cfg(unix)]

mod ask;
mod capacity;
mod cli;
mod command;
mod compose;
mod confirm;
mod connect;
mod context;
mod demo;
mod detach;
mod exit;
mod follow;
mod hook;
mod output;
mod patience;
mod place;
mod progress;
mod recorded;
mod redact;
mod render;
mod route;
mod scripted;

use compose::docker;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

/// Does what the command line says.
#[must_use]
pub fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    // Hosts and agents start thousands of these: no parser, no runtime, no logging before them.
    match args.split_first() {
        Some((verb, [dir])) if verb == "host" => ao_host::run(Path::new(dir)),
        Some((verb, [dir])) if verb == "exec-launch" => ao_host::exec_launch::exec_launch(Path::new(dir)),
        Some((verb, rest)) if verb == "hook" => hook::run(rest),
        Some((verb, [dir])) if verb == docker::BRIDGE_VERB => docker::bridge(Path::new(dir)),
        Some((verb, rest)) if verb == "scripted-agent" => scripted::run(rest),
        Some((verb, _)) if verb == "credential" => no_credential(),
        Some(_) | None => cli::run(),
    }
}

/// git asks here for a login; none is kept yet, and saying nothing makes git go on to the next helper.
fn no_credential() -> ExitCode {
    eprintln!("ao credential: no credentials are kept: they come with remote forges; git asks its next helper");
    ExitCode::from(1)
}
