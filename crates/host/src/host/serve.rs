//! The poll loop of a host: terminal, clients, children and timers, one thing at a time.
//!
//! Order matters: keys go first, output has a budget per wake-up, so a flood never keeps a person waiting.

use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;

use super::conn::{Conn, Phase, Watching};
use super::display::{Display, Fed};
use super::listen::bind;
use super::stop::{Family, Stopping};
use super::typing::Typing;
use super::watch::{Totals, Watch};
use crate::engine::TermEvent;
use crate::files::{OutputLog, RowLog};
use crate::platform::{Membership, Pty, Signals, Taken, give_memory_back, nearest_session, peer};
use crate::record::{ExitRecord, now_us};
use crate::spec::LaunchSpec;
use crate::wire::{ErrorKind, Health, Refusal};

/// Most bytes of one read: a Linux terminal gives no more at once. They are drawn before the next read, because that waits
/// until the kernel has brought more, which it does meanwhile.
const READ: usize = 4 << 10;
/// Most bytes that are taken from the terminal before they are logged and shown, all of them at once.
const PIECE: usize = 16 << 10;
/// A read that brings less was of a terminal that is empty now: a program that floods fills it. Asking once more would only
/// keep the echo of a key waiting; if more came meanwhile, the poll says so.
const FEW: usize = 512;
/// Bytes of a flood per wake-up before keys are looked at again (`docs/design/host.md`: input waits for at most 64 KB; the
/// other half is for `LOOK_BUDGET`).
const FLOOD_BUDGET: usize = 32 << 10;
/// Most bytes read after the child's end; a terminal holds far less.
const LAST_WORDS: usize = 1 << 20;
/// Time between two tries of a disk that refused.
const RETRY: Duration = Duration::from_secs(1);
/// How long a host serves after the end when nobody acknowledges it (`docs/design/host.md`: 10 min).
pub(super) const LINGER: Duration = Duration::from_secs(600);
/// Time between two looks at a terminal that no process has open while the agent lives on.
const REOPEN: Duration = Duration::from_secs(1);
/// Output after which a pause is used to give memory back: less leaves nothing worth the call behind.
const TIDY_AFTER: u64 = 256 << 10;
/// Length of such a pause.
const TIDY_PAUSE: Duration = Duration::from_secs(1);
/// Most connections at once; a session has a daemon and a handful of viewers.
const MAX_CONNS: usize = 64;
/// Grace of a stop that was asked for by SIGTERM, as a system that shuts down does.
const TERM_GRACE: Duration = Duration::from_secs(3);

/// Everything a host has.
pub(super) struct Host {
    pub dir: PathBuf,
    pub spec: LaunchSpec,
    pub pty: Pty,
    pub display: Display,
    pub output: OutputLog,
    pub rows: RowLog,
    pub typing: Typing,
    pub watch: Watch,
    pub conns: Vec<Conn>,
    pub family: Family,
    pub stopping: Option<Stopping>,
    pub exit: Option<ExitRecord>,
    pub exit_written: bool,
    pub leave_at: Option<Instant>,
    /// The viewer whose size holds.
    pub size_owner: Option<u64>,
    pub hung_up: Option<Instant>,
    pub retry_at: Option<Instant>,
    pub stop_look_at: Option<Instant>,
    /// Whether the host goes when a stop is over.
    pub leaving: bool,
    /// Offset up to which memory was given back, and when it is done again.
    pub tidied: u64,
    pub tidy_at: Option<Instant>,
    pub next_conn: u64,
    pub membership: Membership,
    pub uid: u32,
}

/// What a wake-up found.
struct Ready {
    signals: bool,
    listener: bool,
    terminal: bool,
    conns: Vec<u64>,
}

impl Host {
    /// Serves until the end is acknowledged or long past.
    pub fn serve(mut self, signals: &Signals, mut listener: UnixListener) {
        while !self.goes_now() {
            let ready = self.wait(signals, &listener);
            if ready.signals {
                self.on_signals(signals, &mut listener);
            }
            if ready.listener {
                self.accept(&listener);
            }
            for conn in ready.conns {
                self.receive(conn);
            }
            self.flush_keys();
            if ready.terminal {
                self.drain_while(FLOOD_BUDGET, FEW);
            }
            self.on_time(Instant::now());
            self.catch_up();
            self.flush();
        }
        self.farewell();
    }

    fn wait(&self, signals: &Signals, listener: &UnixListener) -> Ready {
        let timeout = self.deadline().map(|at| at.saturating_duration_since(Instant::now()));
        let timeout = timeout.map(|left| Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        });
        let mut fds = Vec::with_capacity(3 + self.conns.len());
        fds.push(PollFd::from_borrowed_fd(signals.fd(), PollFlags::IN));
        use std::os::fd::AsFd;
        fds.push(PollFd::from_borrowed_fd(listener.as_fd(), PollFlags::IN));
        for conn in &self.conns {
            let mut events = PollFlags::empty();
            events.set(PollFlags::IN, self.is_read(conn));
            events.set(PollFlags::OUT, conn.waiting() > 0);
            fds.push(PollFd::from_borrowed_fd(conn.fd(), events));
        }
        if self.hung_up.is_none() {
            let mut events = PollFlags::IN;
            events.set(PollFlags::OUT, !self.typing.is_empty());
            fds.push(PollFd::from_borrowed_fd(self.pty.fd(), events));
        }
        if poll(&mut fds, timeout.as_ref()).is_err() {
            // Interrupted: the signal's byte is there for the next round.
            return Ready { signals: true, listener: false, terminal: false, conns: Vec::new() };
        }
        let woken = |fd: &PollFd<'_>| !fd.revents().is_empty();
        let (head, rest) = fds.split_at(2);
        let (conns, terminal) = rest.split_at(self.conns.len());
        Ready {
            signals: woken(&head[0]),
            listener: woken(&head[1]),
            terminal: terminal.first().is_some_and(woken),
            conns: self.conns.iter().zip(conns).filter(|(_, fd)| woken(fd)).map(|(conn, _)| conn.id).collect(),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let own = [
            self.leave_at,
            self.stop_at(),
            self.hung_up,
            self.retry_at,
            self.tidy_at,
            self.watch.due(),
            self.display.due(),
        ];
        let held = self.conns.iter().filter_map(|conn| conn.viewer.as_ref()?.held);
        own.into_iter().flatten().chain(held).min()
    }

    fn on_signals(&mut self, signals: &Signals, listener: &mut UnixListener) {
        let came = signals.take();
        if came.contains(&Signal::CHILD.as_raw()) {
            self.reap();
            if self.stopping.is_some() {
                self.look_after_stop(Instant::now());
            }
        }
        if came.contains(&Signal::TERM.as_raw()) {
            self.begin_stop(TERM_GRACE, None);
            self.leave_when_stopped();
        }
        // Whoever finds no socket, or one that nobody listens on, asks this way; a terminal that hangs up changes nothing.
        if came.contains(&Signal::HUP.as_raw())
            && UnixStream::connect(&self.spec.socket).is_err()
            && let Ok(new) = bind(&self.spec.socket)
        {
            *listener = new;
        }
    }

    fn accept(&mut self, listener: &UnixListener) {
        while let Ok((stream, _)) = listener.accept() {
            let id = self.next_conn;
            self.next_conn += 1;
            let refusal = match peer(&stream) {
                Ok(peer) if peer.uid != self.uid => Some("this session belongs to another user"),
                Ok(peer) if nearest_session(peer.pid) != self.membership => {
                    Some("a process inside a session may not talk to a host")
                }
                Ok(_) if self.conns.len() >= MAX_CONNS => Some("too many connections"),
                Ok(_) => None,
                Err(_) => Some("the system does not say who is connecting"),
            };
            // A connection that fails at once is the peer's loss only.
            let Ok(mut conn) = Conn::new(id, stream) else { continue };
            if let Some(message) = refusal {
                let refusal = Refusal { kind: ErrorKind::Denied, message: message.to_owned() };
                conn.refuse_and_close(None, refusal);
                conn.flush();
            } else {
                self.conns.push(conn);
            }
        }
    }

    /// Whether a connection is read now. Viewers wait while the program does not take their keys; others may be about
    /// to stop it.
    fn is_read(&self, conn: &Conn) -> bool {
        conn.is_read() && (conn.viewer.is_none() || !self.typing.is_full())
    }

    /// Reads one connection and does what it asks.
    fn receive(&mut self, id: u64) {
        let Some(at) = self.conns.iter().position(|conn| conn.id == id) else { return };
        if self.is_read(&self.conns[at]) {
            self.conns[at].receive();
        }
        // Everything that came before the end counts, even if the sender is gone by now.
        loop {
            let conn = &mut self.conns[at];
            if conn.phase == Phase::Closing {
                return;
            }
            match conn.next_frame() {
                Ok(Some(frame)) => self.answer(at, &frame),
                Ok(None) => return,
                Err(error) => {
                    let refusal = Refusal { kind: ErrorKind::Protocol, message: error.to_string() };
                    return conn.refuse_and_close(None, refusal);
                }
            }
        }
    }

    /// Gives the program what was typed.
    pub(super) fn flush_keys(&mut self) {
        let answers = self.typing.flush(&self.pty, self.output.end());
        self.answer_stages(answers);
    }

    /// Takes output up to a budget: engine, log, rows, replies, viewers.
    pub(super) fn drain(&mut self, budget: usize) {
        self.drain_while(budget, 0);
    }

    /// Takes output up to a budget, or until a read brings less than `few`.
    fn drain_while(&mut self, budget: usize, few: usize) {
        let mut piece = [0; PIECE];
        let mut left = budget;
        while left >= READ {
            let (count, end) = self.take(&mut piece[..left.min(PIECE)], few);
            if count > 0 {
                self.on_output(&piece[..count]);
                left -= count;
            }
            match end {
                None => {}
                Some(Taken::HungUp) => return self.hung_up = Some(Instant::now() + REOPEN),
                Some(_) => return self.hung_up = None,
            }
        }
    }

    /// Takes and draws output until the piece has no room for another read, or until there is no more: then it says why.
    fn take(&mut self, piece: &mut [u8], few: usize) -> (usize, Option<Taken>) {
        let mut count = 0;
        while let Some(room) = piece.get_mut(count..count + READ) {
            match self.pty.take(room) {
                Ok(Taken::Bytes(more)) => {
                    self.display.feed(&room[..more], Instant::now());
                    count += more;
                    if more < few {
                        return (count, Some(Taken::Nothing));
                    }
                }
                Ok(Taken::Nothing) => return (count, Some(Taken::Nothing)),
                Ok(Taken::HungUp) | Err(_) => return (count, Some(Taken::HungUp)),
            }
        }
        (count, None)
    }

    /// Takes all that is left after the child's end.
    pub(super) fn drain_to_end(&mut self) {
        self.drain(LAST_WORDS);
    }

    /// Keeps and shows bytes that were drawn. Nobody has seen any of them before they are in the log.
    fn on_output(&mut self, bytes: &[u8]) {
        self.output.append(bytes, now_us());
        let fed = self.display.take();
        self.spread(fed);
        let now = Instant::now();
        self.watch.output(now);
        if self.output.end() - self.tidied > TIDY_AFTER {
            self.tidy_soon(now);
        }
        self.flush_keys();
    }

    /// Gives memory back after a pause.
    pub(super) fn tidy_soon(&mut self, now: Instant) {
        self.tidy_at = Some(now + TIDY_PAUSE);
    }

    /// Gives everybody their part of what the terminal made of some bytes.
    pub(super) fn spread(&mut self, fed: Fed) {
        self.rows.append(&fed.scrolled);
        // Each moment gets an offset of its own inside the piece of output that it came with.
        let mut after = fed.events.len() as u64;
        for event in fed.events {
            after -= 1;
            match event {
                TermEvent::Reply(reply) => self.typing.answer(reply),
                other => self.watch.said(other, self.output.end().saturating_sub(after)),
            }
        }
        if !fed.visible.is_empty() {
            self.show(&fed.visible);
        }
        if self.is_degraded() && self.retry_at.is_none() {
            self.retry_at = Some(Instant::now() + RETRY);
        }
    }

    fn on_time(&mut self, now: Instant) {
        if self.hung_up.is_some_and(|at| now >= at) {
            self.hung_up = None;
            if self.exit.is_none() {
                self.drain(FLOOD_BUDGET);
            } else {
                // Nobody can open it again: the session's leader is gone.
                self.hung_up = Some(now + LINGER);
            }
        }
        if self.tidy_at.is_some_and(|at| now >= at) {
            self.tidy_at = None;
            self.tidied = self.output.end();
            give_memory_back();
        }
        if self.retry_at.is_some_and(|at| now >= at) {
            self.output.retry(now_us());
            self.retry_exit();
            self.retry_at = self.is_degraded().then(|| now + RETRY);
        }
        if self.stop_at().is_some_and(|at| now >= at) {
            self.look_after_stop(now);
        }
        self.release_keys(now);
        if self.display.due().is_some_and(|at| now >= at) {
            let fed = self.display.on_time(now);
            self.spread(fed);
            self.watch.touch(now);
        }
        if self.watch.due().is_some_and(|at| now >= at) {
            self.push_screens(now);
        }
    }

    fn retry_exit(&mut self) {
        if !self.exit_written
            && let Some(exit) = self.exit.take()
        {
            self.tell_exit(exit);
        }
    }

    fn is_degraded(&self) -> bool {
        self.output.is_degraded() || (self.exit.is_some() && !self.exit_written)
    }

    pub(super) fn totals(&self) -> Totals {
        let bad = self.output.is_degraded() || self.rows.is_degraded() || self.typing.is_degraded();
        let log = if bad { Health::Degraded } else { Health::Good };
        Totals { offset: self.output.end(), rows_total: self.rows.total(), log }
    }

    fn flush(&mut self) {
        for conn in &mut self.conns {
            conn.flush();
        }
        self.press_what_leavers_held();
        let owner = self.size_owner;
        self.conns.retain(|conn| conn.phase != Phase::Gone);
        if owner.is_some_and(|owner| self.conns.iter().all(|conn| conn.id != owner)) {
            self.size_owner = None;
            self.pass_size_on();
        }
        if self.conns.iter().all(|conn| conn.watching == Watching::No) {
            self.watch.forget();
        }
        if self.conns.iter().all(|conn| conn.viewer.is_none()) {
            self.display.unseen();
        }
    }

    /// Whoever pressed Escape and left has pressed it: it was held for looking like the beginning of a terminal's reply.
    fn press_what_leavers_held(&mut self) {
        let leavers = self.conns.iter_mut().filter(|conn| conn.phase == Phase::Gone);
        let held: Vec<u8> =
            leavers.filter_map(|conn| conn.viewer.as_mut()).flat_map(|viewer| viewer.replies.flush()).collect();
        if !held.is_empty() && self.exit.is_none() {
            self.typing.keys(held);
            self.flush_keys();
        }
    }

    /// Last words: what waits is sent as far as sockets take it, then the socket goes.
    fn farewell(&mut self) {
        self.flush();
        self.family.remove_groups();
        // The next start of a host would replace it anyway.
        drop(std::fs::remove_file(&self.spec.socket));
    }
}
