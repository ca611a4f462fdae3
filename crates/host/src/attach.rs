//! `ao attach`: a person's terminal joined to a session's, until they detach or the session ends.
//!
//! It talks to the host directly and needs no daemon. The session is drawn on the terminal's alternate screen from an engine
//! of our own, as terminal multiplexers do: what is switched on in the person's terminal is known, and switched off again.

mod answers;
mod canvas;
mod guardian;
mod history;
mod keys;
mod options;
mod outer;
mod viewer;
mod window;

use std::io;
use std::path::Path;

use rustix::process::Signal;
use rustix::termios::isatty;

use crate::client::Client;
use crate::platform::Signals;
use crate::wire::Child;

pub use keys::{DetachKey, NoDetachKey};
pub use options::{AttachEnd, AttachError, AttachOptions};

/// Signals that end a view, change its size, or suspend it.
const SIGNALS: [Signal; 7] =
    [Signal::WINCH, Signal::HUP, Signal::TERM, Signal::INT, Signal::QUIT, Signal::TSTP, Signal::CONT];

/// Joins standard input and output to the session behind a host's socket.
///
/// The terminal is as before on every way out: detaching, the session's end, the host's death, signals, panics; and a
/// process beside ours brings it back when ours is killed.
///
/// # Errors
/// When there is no terminal, or the host is not there, refuses or goes away.
pub fn attach_terminal(socket: &Path, options: &AttachOptions) -> Result<AttachEnd, AttachError> {
    if !isatty(io::stdin()) || !isatty(io::stdout()) {
        return Err(AttachError::NoTerminal);
    }
    let client = Client::connect(socket, options.launch.as_deref())?;
    if let Child::Ended { exit } = &client.hello().child {
        return Ok(AttachEnd::Ended(exit.clone()));
    }
    let signals = Signals::catch(&SIGNALS)?;
    viewer::Viewer::join(client, &signals, options)?.stay()
}
