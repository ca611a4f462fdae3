//! Letting go of the terminal and files that the starter had open.
//!
//! Other inherited descriptors are close-on-exec in our own callers and are left alone.

use std::io;

use rustix::fs::{Mode, OFlags};

/// Points standard input, output and error at nothing.
///
/// # Errors
/// When `/dev/null` cannot be opened.
pub fn detach_stdio() -> io::Result<()> {
    let null = rustix::fs::open("/dev/null", OFlags::RDWR, Mode::empty())?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    Ok(())
}
