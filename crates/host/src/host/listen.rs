//! The socket of a host: made at the start, and again when somebody deleted it.
//!
//! Who is let in is decided in `serve`.

use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use crate::files::private_dir;

/// Listens on the launch's socket; a socket that nobody listens on any more is replaced.
pub(super) fn bind(socket: &Path) -> io::Result<UnixListener> {
    if let Some(parent) = socket.parent() {
        private_dir(parent)?;
    }
    let said = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", socket.display()));
    let listener = match UnixListener::bind(socket) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            if UnixStream::connect(socket).is_ok() {
                return Err(said(error));
            }
            std::fs::remove_file(socket).map_err(said)?;
            UnixListener::bind(socket).map_err(said)?
        }
        other => other.map_err(said)?,
    };
    listener.set_nonblocking(true)?;
    Ok(listener)
}
