//! A bare `ao host` and `ao attach` for the tests and measurements of this crate; it does not ship.
//!
//! Usage: `host <launch directory>`, `host --attach <socket>` (`--look` only looks, `--panic` panics as soon as the screen
//! says `panic-now`). How attaching ended is told on standard error.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use ao_host::attach::{AttachOptions, attach_terminal};
use ao_host::client::Client;
use ao_host::wire::{Access, Push, Request};

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    match args.as_slice() {
        [dir] => ao_host::run(Path::new(dir)),
        [how, socket] => {
            let mut options = AttachOptions::default();
            match how.to_str() {
                Some("--attach") => {}
                Some("--look") => options.access = Access::ReadOnly,
                Some("--panic") => panic_when_told(Path::new(socket)),
                _ => return ExitCode::FAILURE,
            }
            let end = attach_terminal(Path::new(socket), &options);
            writeln!(std::io::stderr(), "{end:?}").map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
        }
        _ => ExitCode::FAILURE,
    }
}

fn panic_when_told(socket: &Path) {
    let socket = socket.to_owned();
    std::thread::spawn(move || {
        let told = wait_for_word(&socket).is_ok();
        let ended = std::panic::catch_unwind(|| assert!(!told, "as it was told"));
        std::process::exit(if ended.is_err() { 101 } else { 1 });
    });
}

fn wait_for_word(socket: &Path) -> Result<(), ao_host::client::ClientError> {
    let mut client = Client::connect(socket, None)?;
    client.request(&Request::Watch(Default::default()))?;
    loop {
        if let Some(Push::Screen(screen)) = client.next_push(Duration::from_secs(20))?
            && screen.rows.iter().any(|row| row.text.contains("panic-now"))
        {
            return Ok(());
        }
    }
}
