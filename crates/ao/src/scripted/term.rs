//! The terminal it runs in: raw mode while it lives, bytes in, bytes out.

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::termios::{OptionalActions, Termios};
use std::io::{self, Write};
use std::time::Duration;

/// What a wait for input brought.
#[derive(Debug)]
pub enum Input {
    /// Bytes.
    Bytes(Vec<u8>),
    /// Nothing within the time.
    Nothing,
    /// The terminal is gone.
    Ended,
}

/// The terminal in raw mode; dropping it gives the former modes back.
pub struct Terminal {
    former: Termios,
}

/// Bracketed paste on; the cursor keys as usual.
const ENTER: &str = "\x1b[?2004h";
/// Everything back as it was, and a title of nobody.
const LEAVE: &str = "\x1b[?2004l\x1b[?25h\x1b]0;\x07";

impl Terminal {
    /// Takes over the terminal.
    ///
    /// # Errors
    /// When standard input or output is none.
    pub fn open() -> io::Result<Self> {
        let former = rustix::termios::tcgetattr(io::stdin())?;
        rustix::termios::tcgetwinsize(io::stdout())?;
        let mut raw = former.clone();
        raw.make_raw();
        rustix::termios::tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        let terminal = Self { former };
        terminal.write(ENTER)?;
        Ok(terminal)
    }

    /// Columns and rows; 80 by 24 when the terminal does not say.
    pub fn size(&self) -> (usize, usize) {
        match rustix::termios::tcgetwinsize(io::stdout()) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (usize::from(size.ws_col), usize::from(size.ws_row)),
            Ok(_) | Err(_) => (80, 24),
        }
    }

    /// Waits for input, at most this long.
    ///
    /// # Errors
    /// When the system refuses to wait or to read.
    pub fn read(&self, wait: Duration) -> io::Result<Input> {
        let stdin = io::stdin();
        let limit = Timespec { tv_sec: wait.as_secs().cast_signed(), tv_nsec: wait.subsec_nanos().into() };
        let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
        match rustix::event::poll(&mut fds, Some(&limit)) {
            Ok(0) | Err(Errno::INTR) => return Ok(Input::Nothing),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let mut buffer = [0; 4096];
        match rustix::io::read(&stdin, &mut buffer) {
            Ok(0) | Err(Errno::IO) => Ok(Input::Ended),
            Ok(count) => Ok(Input::Bytes(buffer[..count].to_vec())),
            Err(Errno::INTR | Errno::AGAIN) => Ok(Input::Nothing),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes at once.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn write(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The terminal may be gone already; then there is nothing to give back.
        let _ = self.write(LEAVE);
        let _ = rustix::termios::tcsetattr(io::stdin(), OptionalActions::Drain, &self.former);
    }
}
