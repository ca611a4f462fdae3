//! The host's end of a pseudo-terminal.
//!
//! It reads and writes without ever waiting; waiting is the poll loop's.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::Pid;
use rustix::pty::OpenptFlags;
use rustix::termios::{InputModes, OptionalActions, Winsize};

use crate::engine::Size;

/// What a read of the terminal brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// This many bytes.
    Bytes(usize),
    /// Nothing for now.
    Nothing,
    /// No process has the terminal open.
    HungUp,
}

/// The host's end.
#[derive(Debug)]
pub struct Pty {
    host_end: OwnedFd,
}

impl Pty {
    /// Opens a terminal of this size, in the modes of a fresh one plus UTF-8 aware erasing.
    ///
    /// # Errors
    /// When the system has no terminal left.
    pub fn open(size: Size) -> io::Result<Self> {
        let host_end = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        rustix::io::fcntl_setfd(&host_end, rustix::io::FdFlags::CLOEXEC)?;
        rustix::pty::grantpt(&host_end)?;
        rustix::pty::unlockpt(&host_end)?;
        let flags = rustix::fs::fcntl_getfl(&host_end)?;
        rustix::fs::fcntl_setfl(&host_end, flags | OFlags::NONBLOCK)?;
        let mut modes = rustix::termios::tcgetattr(&host_end)?;
        modes.input_modes |= InputModes::IUTF8;
        rustix::termios::tcsetattr(&host_end, OptionalActions::Now, &modes)?;
        let pty = Self { host_end };
        pty.resize(size)?;
        Ok(pty)
    }

    /// Opens the program's end; it becomes nobody's controlling terminal by that.
    pub(super) fn open_terminal(&self) -> io::Result<OwnedFd> {
        let name = rustix::pty::ptsname(&self.host_end, Vec::new())?;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        Ok(rustix::fs::open(name, flags, rustix::fs::Mode::empty())?)
    }

    /// Changes the size; the foreground processes get SIGWINCH.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn resize(&self, size: Size) -> io::Result<()> {
        let size = Winsize { ws_row: size.rows, ws_col: size.cols, ws_xpixel: 0, ws_ypixel: 0 };
        Ok(rustix::termios::tcsetwinsize(&self.host_end, size)?)
    }

    /// The descriptor to wait for.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.host_end.as_fd()
    }

    /// Takes what the program wrote, as much as fits.
    ///
    /// # Errors
    /// On anything but "nothing there" and "hung up".
    pub fn take(&self, into: &mut [u8]) -> io::Result<Taken> {
        match rustix::io::read(&self.host_end, into) {
            Ok(0) | Err(Errno::IO) => Ok(Taken::HungUp),
            Ok(count) => Ok(Taken::Bytes(count)),
            Err(Errno::AGAIN | Errno::INTR) => Ok(Taken::Nothing),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives bytes to the program; returns how many its terminal took.
    ///
    /// # Errors
    /// On anything but "no room".
    pub fn give(&self, bytes: &[u8]) -> io::Result<usize> {
        match rustix::io::write(&self.host_end, bytes) {
            Ok(count) => Ok(count),
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    /// The foreground process group, if there is one.
    #[must_use]
    pub fn foreground(&self) -> Option<Pid> {
        rustix::termios::tcgetpgrp(&self.host_end).ok()
    }
}
