//! A bare `ao host` and `ao attach` for the tests and measurements of this crate; it does not ship.
//!
//! Usage: `host <launch directory>` or `host --attach <socket>`.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use ao_host::attach::{AttachOptions, attach_terminal};
use ao_host::wire::Access;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    match args.as_slice() {
        [dir] => ao_host::run(Path::new(dir)),
        [attach, socket] if attach == "--attach" => {
            let options = AttachOptions { access: Access::ReadWrite, launch: None };
            let end = attach_terminal(Path::new(socket), &options);
            writeln!(std::io::stdout(), "{end:?}").map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
        }
        _ => ExitCode::FAILURE,
    }
}
