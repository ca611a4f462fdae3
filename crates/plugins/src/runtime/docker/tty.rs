//! The bridge's own terminal, which its session host made: raw, and never waited for.

use rustix::fs::OFlags;
use rustix::termios::{OptionalActions, Termios};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use tokio::net::unix::pipe::{Receiver, Sender};

/// Standard input of a process that runs on a terminal.
///
/// The runtime has no terminals of its own; what it has for pipes waits for any descriptor that can be read and written.
#[derive(Debug)]
pub(super) struct Tty {
    typed: Receiver,
    shown: Sender,
}

impl Tty {
    /// Takes standard input, and makes it pass every byte as it is.
    ///
    /// # Errors
    /// When it is no terminal.
    pub(super) fn raw() -> io::Result<Self> {
        // Copies of one descriptor: what is set for one holds for both. Numbers below 3 are for the standard streams.
        let input = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
        let output = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
        let mut modes: Termios = rustix::termios::tcgetattr(&input)?;
        modes.make_raw();
        rustix::termios::tcsetattr(&input, OptionalActions::Now, &modes)?;
        let flags = rustix::fs::fcntl_getfl(&input)?;
        rustix::fs::fcntl_setfl(&input, flags | OFlags::NONBLOCK)?;
        Ok(Self { typed: Receiver::from_owned_fd_unchecked(input)?, shown: Sender::from_owned_fd_unchecked(output)? })
    }

    /// Columns and rows; none when the terminal is gone or has no size.
    pub(super) fn size(&self) -> Option<(u16, u16)> {
        let size = rustix::termios::tcgetwinsize(self.fd()).ok()?;
        (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
    }

    /// Whether the host still has the other end.
    pub(super) fn is_open(&self) -> bool {
        rustix::termios::tcgetattr(self.fd()).is_ok()
    }

    /// Reads what was typed; 0 when the host is gone.
    pub(super) async fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            self.typed.readable().await?;
            match self.typed.try_read(into) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                other => return other,
            }
        }
    }

    /// Writes all of it.
    pub(super) async fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.shown.writable().await?;
            match self.shown.try_write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.typed.as_fd()
    }
}
