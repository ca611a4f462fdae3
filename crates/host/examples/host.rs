//! A bare `ao host` and `ao attach` for the tests and measurements of this crate; it does not ship.
//!
//! Usage: `host <launch directory>`, `host --attach <socket>` (`--look` only looks, `--panic` panics as soon as the screen
//! says `panic-now`, `--slow` waits long for the key after the detach key). How attaching ended is told on standard error.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use ao_host::attach::{AttachOptions, attach_terminal};
use ao_host::client::Client;
use ao_host::wire::{Access, Push, Request};

/// Longer than a busy machine ever is.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    match args.as_slice() {
        [dir] => ao_host::run(Path::new(dir)),
        [how, socket] => {
            // The terminal of a test always answers, and a busy machine may take its time.
            let mut options = AttachOptions { answers_within: PATIENCE, ..AttachOptions::default() };
            match how.to_str() {
                Some("--attach") => {}
                Some("--look") => options.access = Access::ReadOnly,
                Some("--slow") => options.second_key_within = PATIENCE,
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
        if let Some(Push::Screen(screen)) = client.next_push(PATIENCE)?
            && screen.rows.iter().any(|row| row.text.contains("panic-now"))
        {
            return Ok(());
        }
    }
}
