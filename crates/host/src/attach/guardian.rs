//! A process that brings the terminal back when ours was killed: it sees the end of a pipe, whatever ended us.
//!
//! After the fork it makes system calls only; it allocates nothing, and holds nothing open but the pipe and the terminal.

use std::io::{self, Write as _};
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::pipe::pipe;
use rustix::process::{Pid, Signal, WaitOptions, waitpid};
use rustix::termios::{OptionalActions, Termios, tcsetattr};

use crate::platform::{Fork, close_inherited, exit_at_once, fork, ignore_signal};

/// Longest instruction in bytes: a pipe takes so much in one piece (POSIX asks for 512, Linux gives 4096), and all that is
/// ever switched takes a tenth of it.
const MOST: usize = 4094;
/// Instead of a length: all is well.
const DISMISSED: u16 = u16::MAX;

/// The process.
pub(super) struct Guardian {
    pipe: std::fs::File,
    pid: u32,
}

impl Guardian {
    /// Starts it; `termios` is what the terminal goes back to.
    pub fn start(termios: &Termios) -> io::Result<Self> {
        // Not every system makes one that closes by itself; nothing is run in between.
        let (reader, writer) = pipe()?;
        fcntl_setfd(&reader, FdFlags::CLOEXEC)?;
        fcntl_setfd(&writer, FdFlags::CLOEXEC)?;
        match fork()? {
            Fork::Parent(pid) => Ok(Self { pipe: writer.into(), pid }),
            Fork::Child => {
                drop(writer);
                watch(&reader, termios);
                exit_at_once(0);
            }
        }
    }

    /// Says how to come back from now on.
    pub fn tell(&mut self, bytes: &[u8]) {
        let Ok(length) = u16::try_from(bytes.len()) else { return };
        if bytes.len() <= MOST {
            // If it is gone, nobody can be told.
            let _ = self.pipe.write_all(&[&length.to_le_bytes(), bytes].concat());
        }
    }

    /// Lets it go: the terminal is as it was.
    pub fn dismiss(mut self) {
        let _ = self.pipe.write_all(&DISMISSED.to_le_bytes());
        drop(self.pipe);
        if let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) {
            // It reads two bytes and leaves.
            while matches!(waitpid(Some(pid), WaitOptions::empty()), Err(Errno::INTR)) {}
        }
    }
}

/// Waits for the pipe's end and brings the terminal back, unless it was dismissed.
fn watch(pipe: &OwnedFd, termios: &Termios) {
    // What ends a whole group of processes must not end this one.
    let _ = rustix::process::setsid();
    for signal in [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM, Signal::TTOU, Signal::TSTP, Signal::PIPE] {
        ignore_signal(signal);
    }
    // The keyboard's end stays at 0, the screen's at 1; the pipe takes the place of standard error.
    if rustix::stdio::dup2_stderr(pipe).is_err() {
        return;
    }
    close_inherited();
    let mut bytes = [0; MOST + 2];
    let (mut last, mut filled) = ([0; MOST], 0);
    while let Some(length) = read_exact(&mut bytes[..2]).then(|| u16::from_le_bytes([bytes[0], bytes[1]])) {
        if length == DISMISSED {
            return;
        }
        let length = usize::from(length).min(MOST);
        if !read_exact(&mut bytes[..length]) {
            // Killed in the middle of telling: the terminal is still as it was said before.
            break;
        }
        last[..length].copy_from_slice(&bytes[..length]);
        filled = length;
    }
    let mut rest = &last[..filled];
    while let Ok(count @ 1..) = rustix::io::write(rustix::stdio::stdout(), rest) {
        rest = &rest[count..];
    }
    let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Flush, termios);
}

/// Fills the buffer from the pipe; false at its end.
fn read_exact(mut into: &mut [u8]) -> bool {
    while !into.is_empty() {
        match rustix::io::read(rustix::stdio::stderr(), &mut *into) {
            Ok(count @ 1..) => into = &mut into[count..],
            Err(Errno::INTR) => {}
            Ok(_) | Err(_) => return false,
        }
    }
    true
}
