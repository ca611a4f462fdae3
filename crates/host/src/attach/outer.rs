//! The person's terminal: what it was before, what is switched on in it for the session, and how it becomes again what it
//! was, whatever ends us.
//!
//! It asks the terminal for its modes first (DECRQM), so that exactly what was changed is changed back.

use std::fmt::Write as _;
use std::io;
use std::panic::{self, PanicHookInfo};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use super::answers::{self, Before};
use super::guardian::Guardian;
use crate::engine::Size;
use crate::engine::modes::{ANSI, Mode, Modes, PRIVATE};

/// Terminals that print what they do not understand; they are taken for fresh ones.
const SIMPLE: [&str; 3] = ["dumb", "linux", ""];

/// What a session wants of the terminal besides what is drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Switches {
    /// Modes.
    pub modes: Modes,
    /// Kitty keyboard flags.
    pub kitty: u8,
    /// XTMODKEYS value of `modifyOtherKeys`.
    pub other_keys: u8,
    /// Cursor style as in DECSCUSR; 0 is the terminal's own.
    pub style: u8,
    /// Window title; empty leaves the person's.
    pub title: String,
}

/// The person's terminal while it shows a session.
pub(super) struct Outer {
    before: Before,
    now: Switches,
    /// What was pushed and must be popped.
    titled: bool,
    kitty: bool,
    hook: Arc<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>,
}

/// What brings the terminal back; taken by whoever does it first: leaving, a panic.
static UNDO: Mutex<Option<Undo>> = Mutex::new(None);

struct Undo {
    bytes: Vec<u8>,
    termios: Termios,
    guardian: Option<Guardian>,
}

impl Outer {
    /// Makes the terminal raw, keeps what it shows, and clears a screen for the session. Returns what was typed meanwhile.
    /// The terminal has `within` to say how it is.
    pub fn enter(within: Duration) -> io::Result<(Self, Vec<u8>)> {
        let termios = tcgetattr(io::stdin())?;
        // From here on somebody else brings the terminal back, too: being killed leaves no time for that.
        let guardian = Guardian::start(&termios).ok();
        *undo() = Some(Undo { bytes: Vec::new(), termios: termios.clone(), guardian });
        let mut raw = termios;
        raw.make_raw();
        let earlier: Arc<dyn Fn(&PanicHookInfo<'_>) + Send + Sync> = Arc::from(panic::take_hook());
        let hook = earlier.clone();
        panic::set_hook(Box::new(move |info| {
            // The message must be readable.
            restore();
            hook(info);
        }));
        let before = Before::default();
        let mut outer = Self { before, now: Switches::default(), titled: false, kitty: false, hook: earlier };
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        let typed = outer.ask(within)?;
        outer.now.modes = outer.before.modes;
        outer.now.style = outer.before.style;
        outer.remember();
        let shown = if outer.before.alternate { "\x1b7" } else { "\x1b[?1049h" };
        // Origin mode and character sets come back with the cursor.
        write_all(format!("{shown}\x1b[?6l\x1b(B\x0f\x1b[m\x1b[H\x1b[2J").as_bytes())?;
        Ok((outer, typed))
    }

    /// Asks how the terminal is; returns what the person typed in the meantime.
    fn ask(&mut self, within: Duration) -> io::Result<Vec<u8>> {
        let term = std::env::var("TERM").unwrap_or_default();
        if SIMPLE.contains(&term.as_str()) {
            return Ok(Vec::new());
        }
        let mut query = String::new();
        for mode in answers::asked() {
            query.push_str(&format!("\x1b[?{mode}$p"));
        }
        for (mode, _) in ANSI {
            query.push_str(&format!("\x1b[{mode}$p"));
        }
        // The last one is answered by every terminal: what is not known by then never will be.
        query.push_str("\x1b[?4m\x1bP$q q\x1b\\\x1b[c");
        write_all(query.as_bytes())?;
        let until = Instant::now() + within;
        let mut came = Vec::new();
        let mut bytes = [0; 1024];
        loop {
            let (before, typed, over) = answers::read(&came);
            let left = until.saturating_duration_since(Instant::now());
            if over || left.is_zero() || !readable(left)? {
                self.before = before;
                return Ok(typed);
            }
            match rustix::io::read(io::stdin(), &mut bytes) {
                Ok(0) => return Ok(typed),
                Ok(count) => came.extend_from_slice(&bytes[..count]),
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Appends what makes the terminal as the session wants it.
    pub fn switch(&mut self, wanted: &Switches, out: &mut String) {
        if *wanted == self.now {
            return;
        }
        let titled = self.titled || !wanted.title.is_empty();
        let kitty = self.kitty || wanted.kitty != 0;
        if titled && !self.titled {
            out.push_str("\x1b[22;2t");
        }
        if titled && wanted.title != self.now.title {
            // Writing to a String cannot fail, here and below.
            let _ = write!(out, "\x1b]2;{}\x1b\\", wanted.title);
        }
        if kitty && !self.kitty {
            let _ = write!(out, "\x1b[>{}u", wanted.kitty);
        } else if wanted.kitty != self.now.kitty {
            let _ = write!(out, "\x1b[={};1u", wanted.kitty);
        }
        if wanted.other_keys != self.now.other_keys {
            let _ = write!(out, "\x1b[>4;{}m", wanted.other_keys);
        }
        if wanted.style != self.now.style {
            let _ = write!(out, "\x1b[{} q", wanted.style);
        }
        change(&self.now.modes, &wanted.modes, out);
        (self.titled, self.kitty, self.now) = (titled, kitty, wanted.clone());
        self.remember();
    }

    /// What brings the terminal back from where it is now.
    fn leave(&self) -> String {
        // An unfinished string or sequence ends here, and so does an unfinished frame.
        let mut out = String::from("\x1b\\\x1b[?2026l");
        change(&self.now.modes, &self.before.modes, &mut out);
        if self.kitty {
            out.push_str("\x1b[<u");
        }
        match self.before.other_keys {
            _ if self.now.other_keys == self.before.other_keys.unwrap_or(0) => {}
            Some(keys) => out.push_str(&format!("\x1b[>4;{keys}m")),
            None => out.push_str("\x1b[>4m"),
        }
        if self.now.style != self.before.style {
            let _ = write!(out, "\x1b[{} q", self.before.style);
        }
        if self.titled {
            out.push_str("\x1b[23;2t");
        }
        out.push_str("\x1b[m\x1b]8;;\x1b\\");
        out.push_str(if self.before.alternate { "\x1b[H\x1b[2J\x1b8" } else { "\x1b[?1049l" });
        out
    }

    /// Lets the guardian and the panic hook know how to come back from here.
    fn remember(&self) {
        let bytes = self.leave().into_bytes();
        if let Some(undo) = undo().as_mut() {
            if let Some(guardian) = &mut undo.guardian {
                guardian.tell(&bytes);
            }
            undo.bytes = bytes;
        }
    }
}

impl Drop for Outer {
    fn drop(&mut self) {
        restore();
        if !std::thread::panicking() {
            let earlier = self.hook.clone();
            panic::set_hook(Box::new(move |info| earlier(info)));
        }
    }
}

fn undo() -> std::sync::MutexGuard<'static, Option<Undo>> {
    UNDO.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Brings the terminal back, once.
fn restore() {
    let Some(Undo { bytes, termios, guardian }) = undo().take() else { return };
    // The terminal may be gone, which needs no restoring.
    let _ = write_all(&bytes);
    let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &termios);
    if let Some(guardian) = guardian {
        guardian.dismiss();
    }
}

/// Writes what turns the modes `from` into `to`.
fn change(from: &Modes, to: &Modes, out: &mut String) {
    let letter = |on: bool| if on { 'h' } else { 'l' };
    for (number, mode) in PRIVATE.into_iter().filter(|(_, mode)| from.has(*mode) != to.has(*mode)) {
        let on = to.has(mode);
        if mode == Mode::Keypad {
            // More terminals know this spelling.
            out.push_str(if on { "\x1b=" } else { "\x1b>" });
        } else {
            let _ = write!(out, "\x1b[?{number}{}", letter(on));
        }
    }
    for (number, mode) in ANSI.into_iter().filter(|(_, mode)| from.has(*mode) != to.has(*mode)) {
        let _ = write!(out, "\x1b[{number}{}", letter(to.has(mode)));
    }
    for (was, is) in [(from.mouse, to.mouse), (from.mouse_encoding, to.mouse_encoding)] {
        if was != is {
            if was != 0 {
                let _ = write!(out, "\x1b[?{was}l");
            }
            if is != 0 {
                let _ = write!(out, "\x1b[?{is}h");
            }
        }
    }
}

/// The terminal's size, clamped as sessions are; `None` when it does not say.
pub(super) fn size() -> Option<Size> {
    let size = tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then(|| Size::clamped(size.ws_col, size.ws_row))
}

/// Writes to the terminal as long as it shows the session: a thread that panics gives it back under our hands.
pub(super) fn show(bytes: &[u8]) -> io::Result<()> {
    let undo = undo();
    if undo.is_some() { write_all(bytes) } else { Ok(()) }
}

/// Writes everything to the terminal, however long that takes.
fn write_all(mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(io::stdout(), bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                // Whoever shares the terminal made it non-blocking.
                let stdout = io::stdout();
                let _ = poll(&mut [PollFd::new(&stdout, PollFlags::OUT)], None);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn readable(within: Duration) -> io::Result<bool> {
    let stdin = io::stdin();
    let limit = Timespec { tv_sec: within.as_secs().cast_signed(), tv_nsec: within.subsec_nanos().into() };
    match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&limit)) {
        Ok(count) => Ok(count > 0),
        Err(Errno::INTR) => Ok(true),
        Err(error) => Err(error.into()),
    }
}
