//! Bare terminals for floors: opened, and a command put onto one. Nothing looks at what is printed.

use std::os::fd::OwnedFd;
use std::process::Command;

use anyhow::Result;
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::os;

/// A new terminal: this program's end and the other one.
pub fn open() -> Result<(OwnedFd, OwnedFd)> {
    let host_end = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&host_end)?;
    unlockpt(&host_end)?;
    let name = ptsname(&host_end, Vec::new())?;
    let program_end = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
    Ok((host_end, program_end))
}

/// Puts a command onto a terminal.
pub fn attach(command: &mut Command, terminal: OwnedFd) -> Result<()> {
    command.stdin(terminal.try_clone()?).stdout(terminal.try_clone()?).stderr(terminal);
    os::on_own_terminal(command);
    Ok(())
}
