//! `ao attach`: a person's terminal joined to a session's, until they detach or the session ends.
//!
//! It talks to the host directly and needs no daemon. The detach key is Ctrl-\ (also as the kitty keyboard protocol and
//! modifyOtherKeys spell it), so that no key sequence of an agent is taken away.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::Signal;
use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr};

use crate::client::{Client, ClientError};
use crate::engine::Size;
use crate::platform::Signals;
use crate::record::ExitRecord;
use crate::wire::{Access, Attach, Attached, Child, Push, Reply, Request, Sizing};

/// Ctrl-\ as a terminal sends it by default.
const DETACH: u8 = 0x1c;
/// Code point of `\`, as keyboard protocols number keys.
const BACKSLASH: u32 = 92;
/// Ctrl among the modifiers of the keyboard protocols, which are sent plus one.
const CTRL: u32 = 4;
/// Modifiers that are keys; the bits above are locks.
const MODIFIER_KEYS: u32 = 0b0011_1111;

/// Saves the title on terminals that can (xterm, 22/23 t).
const ENTER: &[u8] = b"\x1b[22;0t";

/// Brings a terminal back from whatever a program may have switched on: synchronized update, alternate screen, mouse
/// and focus reports, bracketed paste, keyboard protocols, cursor keys, origin, insert, margins, charsets, link,
/// palette, attributes, hidden or unusual cursor.
const RESTORE: &[u8] =
    b"\x1b[?2026l\x1b[?1049l\x1b[?9l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l\x1b[?1015l\
\x1b[?1016l\x1b[?1004l\x1b[?2004l\x1b[?2031l\x1b[=0;1u\x1b[>4;0m\x1b[?1l\x1b>\x1b[?6l\x1b[4l\x1b[?5l\x1b[?7h\x1b[r\
\x1b(B\x1b)B\x0f\x1b]8;;\x1b\\\x1b]104\x1b\\\x1b]110\x1b\\\x1b]111\x1b\\\x1b]112\x1b\\\x1b[m\x1b[0 q\x1b[?25h";

/// Gives the title back and leaves the cursor on a fresh line below the screen.
const LEAVE: &[u8] = b"\x1b[23;0t\x1b[999;1H\r\n";

/// How a terminal is joined.
#[derive(Clone, Debug, Default)]
pub struct AttachOptions {
    /// Whether the person may type; their size counts if they may.
    pub access: Access,
    /// The launch it must be.
    pub launch: Option<String>,
}

/// Why it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttachEnd {
    /// The person detached; the session goes on.
    Detached,
    /// A signal (terminal closed, kill) ended us; the session goes on.
    Interrupted,
    /// The session's program ended.
    Ended(ExitRecord),
}

/// Why it could not be joined, or was cut.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// Standard input or output is a file or a pipe.
    #[error("standard input and output must be a terminal")]
    NoTerminal,
    /// The host cannot be talked to.
    #[error(transparent)]
    Host(#[from] ClientError),
    /// The person's terminal failed.
    #[error("terminal: {0}")]
    Terminal(#[from] io::Error),
}

/// Joins standard input and output to the session behind a host's socket.
///
/// The terminal is as before on every way out, panics included.
///
/// # Errors
/// When there is no terminal, or the host is not there, refuses or goes away.
pub fn attach_terminal(socket: &Path, options: &AttachOptions) -> Result<AttachEnd, AttachError> {
    if !isatty(io::stdin()) || !isatty(io::stdout()) {
        return Err(AttachError::NoTerminal);
    }
    let mut client = Client::connect(socket, options.launch.as_deref())?;
    if let Child::Ended { exit } = &client.hello().child {
        return Ok(AttachEnd::Ended(exit.clone()));
    }
    let signals = Signals::catch(&[Signal::WINCH, Signal::HUP, Signal::TERM, Signal::INT])?;
    let raw = Raw::enter()?;
    let sizing = match options.access {
        Access::ReadWrite => Sizing::Own,
        Access::ReadOnly => Sizing::Follow,
    };
    let attach = Attach { size: size(), access: options.access, sizing };
    let Reply::Attached(attached) = client.request(&Request::Attach(attach))? else {
        return Err(ClientError::Unexpected.into());
    };
    draw(&attached)?;
    let end = join(&mut client, &signals, options.access);
    drop(raw);
    end
}

fn join(client: &mut Client, signals: &Signals, access: Access) -> Result<AttachEnd, AttachError> {
    let stdin = io::stdin();
    loop {
        // What came together with an answer waits inside the client, where no poll sees it.
        if let Some(end) = show_all(client)? {
            return Ok(end);
        }
        let mut fds = [
            PollFd::new(&stdin, PollFlags::IN),
            PollFd::from_borrowed_fd(client.stream().as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(signals.fd(), PollFlags::IN),
        ];
        match poll(&mut fds, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(io::Error::from(error).into()),
        }
        let [keys, _, came] = fds.map(|fd| !fd.revents().is_empty());
        if came && let Some(end) = on_signals(client, signals)? {
            return Ok(end);
        }
        if keys && let Some(end) = on_keys(client, access)? {
            return Ok(end);
        }
    }
}

fn show_all(client: &mut Client) -> Result<Option<AttachEnd>, AttachError> {
    let mut out = io::stdout().lock();
    while let Some(push) = client.next_push(Duration::ZERO)? {
        match push {
            Push::Output(output) => {
                out.write_all(&output.bytes)?;
                out.flush()?;
            }
            Push::Attached(attached) => draw(&attached)?,
            Push::ExitIs(exit) => return Ok(Some(AttachEnd::Ended(exit))),
            // A key too late for the program; its end is on the way.
            Push::Screen(_) | Push::FrozenIs(_) | Push::Error(_) => {}
        }
    }
    Ok(None)
}

fn on_signals(client: &mut Client, signals: &Signals) -> Result<Option<AttachEnd>, AttachError> {
    let came = signals.take();
    if came.iter().any(|signal| *signal != Signal::WINCH.as_raw()) {
        return Ok(Some(AttachEnd::Interrupted));
    }
    if let Some(size) = size() {
        client.send(&Request::Resize(size))?;
    }
    Ok(None)
}

fn on_keys(client: &mut Client, access: Access) -> Result<Option<AttachEnd>, AttachError> {
    let mut bytes = [0; 4096];
    let count = match io::stdin().lock().read(&mut bytes) {
        Ok(0) => return Ok(Some(AttachEnd::Interrupted)),
        Ok(count) => count,
        Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let detach = detach_at(&bytes[..count]);
    let keys = &bytes[..detach.unwrap_or(count)];
    if access == Access::ReadWrite && !keys.is_empty() {
        client.send(&Request::Input(keys.to_vec()))?;
    }
    Ok(detach.map(|_| AttachEnd::Detached))
}

/// Where the detach key begins.
fn detach_at(bytes: &[u8]) -> Option<usize> {
    (0..bytes.len()).find(|&at| bytes[at] == DETACH || bytes[at..].strip_prefix(b"\x1b[").is_some_and(is_detach_csi))
}

/// Whether what follows `CSI` is Ctrl-\: `92 ; modifiers [: event] u`, or `27 ; modifiers ; 92 ~`.
fn is_detach_csi(rest: &[u8]) -> bool {
    let Some(end) = rest.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b';' | b':')) else { return false };
    let mut fields = rest[..end].split(|byte| *byte == b';').map(|field| {
        let first = field.split(|byte| *byte == b':').next().unwrap_or_default();
        std::str::from_utf8(first).ok().and_then(|text| text.parse::<u32>().ok())
    });
    let (first, modifiers, third) = (fields.next().flatten(), fields.next().flatten(), fields.next().flatten());
    let ctrl = modifiers.is_some_and(|sent| sent.wrapping_sub(1) & MODIFIER_KEYS == CTRL);
    match rest[end] {
        b'u' => ctrl && first == Some(BACKSLASH),
        b'~' => ctrl && first == Some(27) && third == Some(BACKSLASH),
        _ => false,
    }
}

fn draw(attached: &Attached) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(RESTORE)?;
    out.write_all(&attached.screen)?;
    out.flush()
}

fn size() -> Option<Size> {
    let size = tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then(|| Size::clamped(size.ws_col, size.ws_row))
}

/// The terminal in raw mode; dropped, it is as before.
struct Raw {
    before: Termios,
}

impl Raw {
    fn enter() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        let entered = Self { before };
        let mut out = io::stdout().lock();
        out.write_all(ENTER)?;
        out.flush()?;
        Ok(entered)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let mut out = io::stdout().lock();
        // The terminal may be gone, which needs no restoring.
        let _ = out.write_all(RESTORE).and_then(|()| out.write_all(LEAVE)).and_then(|()| out.flush());
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_detach_key_is_known_in_every_spelling() {
        for key in ["\x1c", "\x1b[92;5u", "\x1b[92;5:1u", "\x1b[92:124;69u", "\x1b[27;5;92~"] {
            assert_eq!(detach_at(format!("ab{key}cd").as_bytes()), Some(2), "{key:?}");
        }
        for key in ["\\", "\x1b\\", "\x1b[92;3u", "\x1b[92u", "\x1b[93;5u", "\x1b[27;5;9~", "\x1b[1;5A", "\x1b[92;5"] {
            assert_eq!(detach_at(key.as_bytes()), None, "{key:?}");
        }
    }
}
