//! A viewer at work: what the host sends becomes cells in the person's terminal, what the person does goes to the host.
//!
//! The session's screen is kept by an engine of our own and drawn from there, so that the person's terminal is never in a
//! state that we do not know, and may have another size.

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Signal, getpid, kill_process};

use super::canvas::Canvas;
use super::history::{History, Move};
use super::keys::{Keys, Mouse, Piece, each};
use super::options::{AttachEnd, AttachError, AttachOptions};
use super::outer::{Outer, Switches, show, size};
use super::window;
use crate::client::{Client, ClientError};
use crate::engine::cell::{Attrs, Cell};
use crate::engine::modes::Mode;
use crate::engine::terminal::Terminal;
use crate::engine::{Engine, Size, TermEvent};
use crate::platform::Signals;
use crate::wire::{Access, Attach, Attached, Push, Reply, Request, Sizing};

/// How long half a key waits for its other half.
const HALF_KEY: Duration = Duration::from_millis(50);
/// How long a notice stands over the screen.
const NOTICE: Duration = Duration::from_secs(4);
/// Bytes taken before they are drawn, so that a flood is seen to move.
const BUDGET: usize = 256 << 10;
/// Rows that the wheel moves, as terminals do.
const WHEEL: u64 = 3;
/// Notifications that a person's terminal shows: iTerm2's, rxvt's, kitty's.
const NOTIFICATIONS: [u16; 3] = [9, 777, 99];
/// What follows `OSC 9;` when it is no notification but a progress bar (ConEmu).
const PROGRESS: &str = "4;";

/// One person's view of a session.
pub(super) struct Viewer<'a> {
    client: Client,
    signals: &'a Signals,
    options: &'a AttachOptions,
    /// `None` only while it is suspended.
    outer: Option<Outer>,
    size: Size,
    keys: Keys,
    engine: Terminal,
    /// The engine's clock counts from here.
    started: Instant,
    rows_total: u64,
    canvas: Canvas,
    /// Row and column of the session at the terminal's top left corner.
    corner: (usize, usize),
    history: Option<History>,
    /// When the detach key, pressed once, detaches.
    detach_at: Option<Instant>,
    /// When half a key is given up waiting for.
    flush_at: Option<Instant>,
    notice: Option<(String, Instant)>,
    stale: bool,
}

impl<'a> Viewer<'a> {
    /// Joins the terminal.
    pub fn join(mut client: Client, signals: &'a Signals, options: &'a AttachOptions) -> Result<Self, AttachError> {
        let (outer, typed) = Outer::enter(options.answers_within)?;
        let size = size().unwrap_or(Size { cols: 80, rows: 24 });
        let sizing = match options.access {
            Access::ReadWrite => Sizing::Own,
            Access::ReadOnly => Sizing::Follow,
        };
        let attach = Attach { size: Some(size), access: options.access, sizing };
        let Reply::Attached(attached) = client.request(&Request::Attach(attach))? else {
            return Err(ClientError::Unexpected.into());
        };
        let mut viewer = Self {
            client,
            signals,
            options,
            outer: Some(outer),
            size,
            keys: Keys::new(options.detach),
            engine: Terminal::new(attached.size),
            started: Instant::now(),
            rows_total: 0,
            canvas: Canvas::default(),
            corner: (0, 0),
            history: None,
            detach_at: None,
            flush_at: None,
            notice: None,
            stale: true,
        };
        viewer.take_screen(&attached);
        viewer.on_keys(&typed)?;
        Ok(viewer)
    }

    /// Shows and types until it is over.
    pub fn stay(mut self) -> Result<AttachEnd, AttachError> {
        let stdin = io::stdin();
        loop {
            // What came together with an answer waits inside the client, where no poll sees it.
            if let Some(end) = self.take_pushes()? {
                return Ok(end);
            }
            if let Some(end) = self.on_time(Instant::now())? {
                return Ok(end);
            }
            if self.stale {
                self.draw()?;
            }
            let timeout = self.deadline().map(|at| {
                let left = at.saturating_duration_since(Instant::now());
                Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() }
            });
            let mut fds = [
                PollFd::new(&stdin, PollFlags::IN),
                PollFd::from_borrowed_fd(self.client.stream().as_fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(self.signals.fd(), PollFlags::IN),
            ];
            match poll(&mut fds, timeout.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(io::Error::from(error).into()),
            }
            let [keys, _, came] = fds.map(|fd| !fd.revents().is_empty());
            if came && let Some(end) = self.on_signals()? {
                return Ok(end);
            }
            if keys {
                let mut bytes = [0; 4096];
                let end = match rustix::io::read(&stdin, &mut bytes) {
                    Ok(0) => Some(AttachEnd::Interrupted),
                    Ok(count) => self.on_keys(&bytes[..count])?,
                    Err(Errno::INTR | Errno::AGAIN) => None,
                    Err(error) => return Err(io::Error::from(error).into()),
                };
                if let Some(end) = end {
                    return Ok(end);
                }
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let held = self.engine.deadline().map(|at| self.started + Duration::from_millis(at));
        let notice = self.notice.as_ref().map(|(_, until)| *until);
        [held, notice, self.detach_at, self.flush_at].into_iter().flatten().min()
    }

    fn on_time(&mut self, now: Instant) -> Result<Option<AttachEnd>, AttachError> {
        if self.engine.deadline().is_some_and(|at| now >= self.started + Duration::from_millis(at)) {
            self.tick(now);
            self.stale = true;
        }
        if self.notice.as_ref().is_some_and(|(_, until)| now >= *until) {
            self.notice = None;
            self.stale = true;
        }
        if self.flush_at.is_some_and(|at| now >= at) {
            self.flush_at = None;
            let keys = self.keys.flush();
            self.type_keys(keys)?;
        }
        Ok(self.detach_at.is_some_and(|at| now >= at).then_some(AttachEnd::Detached))
    }

    fn tick(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.started).as_millis();
        self.engine.tick(u64::try_from(since).unwrap_or(u64::MAX));
    }

    // ---- from the host

    fn take_pushes(&mut self) -> Result<Option<AttachEnd>, AttachError> {
        let mut taken = 0;
        while taken < BUDGET
            && let Some(push) = self.client.next_push(Duration::ZERO)?
        {
            match push {
                Push::Output(output) => {
                    taken += output.bytes.len();
                    self.tick(Instant::now());
                    self.engine.feed(&output.bytes);
                    self.pass_on()?;
                    self.stale = true;
                }
                Push::Attached(attached) => self.take_screen(&attached),
                Push::ExitIs(exit) => return Ok(Some(AttachEnd::Ended(exit))),
                // A key too late for the program; its end is on the way.
                Push::Screen(_) | Push::FrozenIs(_) | Push::Error(_) => {}
            }
        }
        Ok(None)
    }

    fn take_screen(&mut self, attached: &Attached) {
        let was = self.engine.size();
        self.engine = Terminal::new(attached.size);
        self.started = Instant::now();
        self.engine.feed(&attached.screen);
        // Titles of the snapshot are no news, and neither is what it scrolls.
        drop((self.engine.take_events(), self.engine.take_scrolled()));
        self.rows_total = attached.rows_total;
        self.stale = true;
        if attached.size != self.size && (attached.size != was || self.notice.is_none()) {
            let Size { cols, rows } = attached.size;
            let how = match self.options.access {
                Access::ReadWrite => "type to make it yours",
                Access::ReadOnly => "you only look",
            };
            self.tell(format!("{cols}×{rows} is the size of another viewer; {how}"));
        }
    }

    /// Hands on what the program said besides drawing, if a person's terminal can do something with it.
    fn pass_on(&mut self) -> io::Result<()> {
        self.rows_total += self.engine.take_scrolled().len() as u64;
        let mut out = String::new();
        for event in self.engine.take_events() {
            match event {
                TermEvent::Bell => out.push('\x07'),
                TermEvent::Osc(number, text) if NOTIFICATIONS.contains(&number) && !text.starts_with(PROGRESS) => {
                    out.push_str(&format!("\x1b]{number};{text}\x1b\\"));
                }
                TermEvent::Osc(..) | TermEvent::Title(_) | TermEvent::Reply(_) => {}
            }
        }
        show(out.as_bytes())
    }

    // ---- from the person

    fn on_signals(&mut self) -> Result<Option<AttachEnd>, AttachError> {
        let came = self.signals.take();
        let has = |signal: Signal| came.contains(&signal.as_raw());
        if [Signal::HUP, Signal::TERM, Signal::INT, Signal::QUIT].into_iter().any(has) {
            return Ok(Some(AttachEnd::Interrupted));
        }
        if has(Signal::TSTP) || has(Signal::CONT) {
            drop(self.outer.take());
            if has(Signal::TSTP) {
                kill_process(getpid(), Signal::STOP).map_err(io::Error::from)?;
            }
            // The signal that woke us is no second one.
            drop(self.signals.take());
            let (outer, typed) = Outer::enter(self.options.answers_within)?;
            self.outer = Some(outer);
            self.resized()?;
            return self.on_keys(&typed);
        }
        self.resized()?;
        Ok(None)
    }

    fn resized(&mut self) -> Result<(), AttachError> {
        if let Some(size) = size() {
            self.size = size;
            self.client.send(&Request::Resize(size))?;
        }
        self.canvas.forget();
        self.stale = true;
        Ok(())
    }

    fn on_keys(&mut self, bytes: &[u8]) -> Result<Option<AttachEnd>, AttachError> {
        for piece in self.keys.cut(bytes) {
            if self.detach_at.is_some() {
                if let Some(end) = self.second_key(piece)? {
                    return Ok(Some(end));
                }
                continue;
            }
            match piece {
                Piece::Detach(_) if self.history.is_some() => self.leave_history(),
                Piece::Detach(_) => {
                    self.detach_at = Some(Instant::now() + self.options.second_key_within);
                    self.stale = true;
                }
                Piece::Keys(keys) if self.history.is_some() => each(&keys).for_each(|key| self.move_by(key)),
                Piece::Keys(keys) => self.type_keys(keys)?,
                Piece::Mouse(mouse) => self.on_mouse(mouse)?,
            }
        }
        self.flush_at = self.keys.holds().then(|| Instant::now() + HALF_KEY);
        Ok(None)
    }

    /// What follows the detach key.
    fn second_key(&mut self, piece: Piece) -> Result<Option<AttachEnd>, AttachError> {
        match piece {
            // Keyboards that say when a key is let go say it of the detach key as well.
            Piece::Keys(keys) if is_release(&keys) => return Ok(None),
            Piece::Mouse(mouse) if mouse.button != 64 => return Ok(None),
            Piece::Detach(bytes) => self.type_keys(bytes)?,
            Piece::Mouse(_) => self.enter_history(WHEEL),
            Piece::Keys(keys) => match each(&keys).next().unwrap_or_default() {
                b"\x1b" | b"\x1b[27u" => {}
                b"\x1b[5~" => self.enter_history(self.page()),
                b"\x1b[A" | b"\x1bOA" | b"[" => self.enter_history(1),
                _ => return Ok(Some(AttachEnd::Detached)),
            },
        }
        self.detach_at = None;
        self.stale = true;
        Ok(None)
    }

    fn type_keys(&mut self, keys: Vec<u8>) -> Result<(), AttachError> {
        if self.options.access == Access::ReadWrite && !keys.is_empty() {
            self.client.send(&Request::Input(keys))?;
        }
        Ok(())
    }

    fn on_mouse(&mut self, mouse: Mouse) -> Result<(), AttachError> {
        let wheel = match mouse.button {
            64 => Some(true),
            65 => Some(false),
            _ => None,
        };
        if let Some(history) = &mut self.history {
            match wheel {
                Some(true) => history.go(Move::Up(WHEEL), self.rows_total),
                Some(false) => history.go(Move::Down(WHEEL), self.rows_total),
                None => return Ok(()),
            }
            self.stale = true;
            if self.history.as_ref().is_some_and(|history| history.is_over(self.rows_total)) {
                self.leave_history();
            }
            return Ok(());
        }
        let screen = self.engine.screen();
        if screen.modes.mouse != 0 {
            // Where the session is drawn on the person's terminal, and not beside it.
            let (col, row) = (mouse.col + small(self.corner.1), mouse.row + small(self.corner.0));
            let inside = col <= u32::from(screen.size.cols) && row <= u32::from(screen.size.rows);
            // Pixels (1016) are passed on as they are.
            let mouse = if screen.modes.mouse_encoding == 1016 { mouse } else { Mouse { col, row, ..mouse } };
            return if inside || screen.modes.mouse_encoding == 1016 { self.type_keys(mouse.spell()) } else { Ok(()) };
        }
        match wheel {
            // As terminals do it for programs that know no wheel.
            Some(up) if screen.behind.is_some() => {
                let start = if screen.modes.has(Mode::CursorKeys) { "\x1bO" } else { "\x1b[" };
                let key = format!("{start}{}", if up { 'A' } else { 'B' });
                self.type_keys(key.repeat(usize::try_from(WHEEL).unwrap_or(1)).into_bytes())
            }
            Some(true) => {
                self.enter_history(WHEEL);
                Ok(())
            }
            Some(false) | None => Ok(()),
        }
    }

    // ---- history

    fn page(&self) -> u64 {
        u64::from(self.size.rows.saturating_sub(2)).max(1)
    }

    fn enter_history(&mut self, up: u64) {
        if self.rows_total == 0 {
            self.tell("nothing has scrolled off yet".to_owned());
            return;
        }
        let mut history = History::at_end(self.rows_total);
        history.go(Move::Up(up), self.rows_total);
        self.history = Some(history);
        self.stale = true;
    }

    fn leave_history(&mut self) {
        self.history = None;
        self.stale = true;
    }

    fn move_by(&mut self, key: &[u8]) {
        let page = self.page();
        let Some(history) = &mut self.history else { return };
        let moved = match key {
            b"\x1b[A" | b"\x1bOA" | b"k" => Move::Up(1),
            b"\x1b[B" | b"\x1bOB" | b"j" | b"\r" => Move::Down(1),
            b"\x1b[5~" | b"b" => Move::Up(page),
            b"\x1b[6~" | b" " => Move::Down(page),
            b"\x1b[H" | b"\x1bOH" | b"\x1b[1~" | b"g" => Move::Top,
            b"q" | b"\x1b" | b"\x03" | b"G" | b"\x1b[F" | b"\x1bOF" | b"\x1b[4~" => return self.leave_history(),
            _ => return,
        };
        history.go(moved, self.rows_total);
        if history.is_over(self.rows_total) {
            return self.leave_history();
        }
        self.stale = true;
    }

    // ---- drawing

    fn tell(&mut self, text: String) {
        self.notice = Some((text, Instant::now() + NOTICE));
        self.stale = true;
    }

    fn draw(&mut self) -> Result<(), AttachError> {
        let mut picture = match &mut self.history {
            Some(history) => history.picture(&mut self.client, &self.engine, self.rows_total, self.size)?,
            None => {
                let (picture, corner) = window::picture(self.engine.screen(), self.size);
                self.corner = corner;
                picture
            }
        };
        let bar = Cell { attrs: Attrs(Attrs::INVERSE), ..Cell::default() };
        let last = picture.rows.len() - 1;
        if self.detach_at.is_some() {
            let key = self.options.detach;
            picture.text(last, &format!(" leaving… PgUp: history · {key} again: type it · Esc: stay"), &bar);
        } else if let Some((text, _)) = &self.notice {
            picture.text(last, &format!(" {text}"), &bar);
        }
        let wanted = self.switches();
        let mut frame = String::from("\x1b[?2026h");
        let begin = frame.len();
        if let Some(outer) = &mut self.outer {
            outer.switch(&wanted, &mut frame);
        }
        self.canvas.draw(picture, &mut frame);
        self.stale = false;
        if frame.len() > begin {
            frame.push_str("\x1b[?2026l");
            show(frame.as_bytes())?;
        }
        Ok(())
    }

    /// What the session's program wants of the terminal, as far as this person may use it.
    fn switches(&self) -> Switches {
        let screen = self.engine.screen();
        let mut modes = screen.modes;
        // They steer how text is drawn, and it is drawn here.
        modes.set(Mode::Insert, false);
        modes.set(Mode::NewLine, false);
        modes.set(Mode::Autowrap, true);
        if self.history.is_some() {
            modes.set(Mode::CursorShown, false);
        }
        // What the wheel does is decided here, too.
        modes.set(Mode::AlternateScroll, false);
        let types = self.options.access == Access::ReadWrite && self.history.is_none();
        if !types {
            for mode in [Mode::CursorKeys, Mode::Keypad, Mode::Focus, Mode::BracketedPaste, Mode::ColourScheme] {
                modes.set(mode, false);
            }
            (modes.mouse, modes.mouse_encoding) = (0, 0);
        }
        if modes.mouse == 0 && self.options.wheel {
            (modes.mouse, modes.mouse_encoding) = (1000, 1006);
        }
        Switches {
            modes,
            kitty: if types { screen.page.kitty.flags } else { 0 },
            other_keys: if types { screen.other_keys } else { 0 },
            style: screen.cursor_style,
            title: screen.title.clone(),
        }
    }
}

fn small(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// Whether it is a key let go, as the kitty keyboard protocol tells it.
fn is_release(keys: &[u8]) -> bool {
    keys.starts_with(b"\x1b[") && keys.windows(2).any(|pair| pair == b":3")
}
