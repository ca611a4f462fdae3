//! What clients ask and what they are told, one arm per request.
//!
//! The work behind each arm is elsewhere; here are only permission and order.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::conn::{Asker, Pace, Phase, Viewer, Watching};
use super::serve::{Host, LINGER};
use super::stop::{LEFTOVER_GRACE, Progress, Stopping};
use super::typing::{Repeated, pasted};
use crate::engine::queries::{INPUT_WAIT_MS, ReplyFilter};
use crate::platform::TreeUsage;
use crate::record::{ExitRecord, Tree};
use crate::wire::{
    self, Access, Attach, Child, ErrorKind, Form, Frame, FrozenIs, Hello, HelloOk, PROTOCOL_USAGE, Push, Refusal,
    Region, Reply, Request, RowRange, RowsAre, SignalTarget, Stopped, Type, Typed, UsageIs, region_sha256,
};

/// Output that is read before a region is compared, so that the comparison sees what the program wrote by now: what a
/// terminal can hold, and the half of the 64 KB for which input may wait that `FLOOD_BUDGET` leaves.
const LOOK_BUDGET: usize = 32 << 10;

impl Host {
    /// Answers one message of the connection at this place.
    pub(super) fn answer(&mut self, at: usize, frame: &Frame) {
        let id = frame.id;
        let request = match Request::decode(frame) {
            Ok(Some(request)) => request,
            Ok(None) => return,
            Err(error) => return self.conns[at].refuse_and_close(id, refusal(ErrorKind::Protocol, &error.to_string())),
        };
        if self.conns[at].phase == Phase::New {
            return match request {
                Request::Hello(hello) => self.greet(at, id, &hello),
                _ => self.conns[at].refuse_and_close(id, refusal(ErrorKind::Protocol, "the first message is a hello")),
            };
        }
        let asker = Asker { conn: self.conns[at].id, id };
        let reader = self.conns[at].viewer.as_ref().is_some_and(|viewer| viewer.access == Access::ReadOnly);
        if matches!(request, Request::Attach(_) | Request::Input(_) | Request::Type(_) | Request::Signal(_)) {
            self.thaw();
        }
        let answer = match request {
            Request::Type(_)
            | Request::Stop(_)
            | Request::Signal(_)
            | Request::Freeze
            | Request::Thaw
            | Request::AckExit
                if reader =>
            {
                Err(refusal(ErrorKind::Denied, "this viewer is read-only"))
            }
            Request::Hello(_) => Err(refusal(ErrorKind::Protocol, "hello was said already")),
            Request::Attach(attach) => {
                self.attach(at, id, viewer(&attach));
                return;
            }
            Request::Ack(offset) => {
                self.acknowledged(at, offset);
                return;
            }
            Request::Input(bytes) => self.person_types(at, &bytes),
            Request::Resize(size) => {
                match &mut self.conns[at].viewer {
                    Some(viewer) => {
                        viewer.size = Some(size);
                        self.claim_size(at);
                    }
                    None => self.set_size(size),
                }
                Ok(Reply::Done)
            }
            Request::Rows(range) => self.rows_are(range),
            Request::Watch(_) => {
                self.conns[at].reply(id, &Reply::Done);
                self.subscribe(at);
                return;
            }
            Request::Type(stage) => match self.type_stage(stage, asker) {
                Some(answer) => answer,
                None => return,
            },
            Request::Deliveries => Ok(Reply::DeliveriesAre(self.typing.log().stages().to_vec())),
            Request::Stop(stop) => {
                self.begin_stop(Duration::from_millis(stop.grace_ms), stop.keys);
                if let Some(stopping) = &mut self.stopping {
                    stopping.askers.push(asker);
                }
                self.look_after_stop(Instant::now());
                return;
            }
            Request::Signal(signal) => self.signal(signal),
            Request::Freeze => self.freeze(asker),
            Request::Thaw => {
                self.thaw();
                Ok(Reply::Done)
            }
            Request::AckExit if self.exit.is_some() => {
                self.leave_at = Some(Instant::now());
                Ok(Reply::Done)
            }
            Request::AckExit => Err(refusal(ErrorKind::Conflict, "the program still runs")),
            Request::Usage => Ok(Reply::UsageIs(self.usage())),
        };
        self.conns[at].reply(id, &answer.unwrap_or_else(Reply::Error));
    }

    fn greet(&mut self, at: usize, id: Option<u32>, hello: &Hello) {
        let Some(version) = wire::agree(hello.min, hello.max) else {
            let (min, max) = (wire::PROTOCOL_MIN, wire::PROTOCOL_MAX);
            let message = format!("this host speaks protocol {min} to {max}");
            return self.conns[at].refuse_and_close(id, refusal(ErrorKind::Version, &message));
        };
        if hello.launch.as_ref().is_some_and(|launch| *launch != self.spec.launch) {
            let message = format!("this is the host of launch {}", self.spec.launch);
            return self.conns[at].refuse_and_close(id, refusal(ErrorKind::WrongLaunch, &message));
        }
        let child = match &self.exit {
            Some(exit) => Child::Ended { exit: exit.clone() },
            None => Child::Running { pid: self.family.child },
        };
        let hello = HelloOk {
            version,
            launch: self.spec.launch.clone(),
            session: self.spec.session.clone(),
            pid: self.family.host,
            software: env!("CARGO_PKG_VERSION").to_owned(),
            child,
        };
        self.conns[at].phase = Phase::Open;
        self.conns[at].version = version;
        self.conns[at].reply(id, &Reply::HelloOk(hello));
    }

    fn person_types(&mut self, at: usize, bytes: &[u8]) -> Result<Reply, Refusal> {
        let viewer = match &mut self.conns[at].viewer {
            Some(viewer) if viewer.access == Access::ReadWrite => viewer,
            Some(_) => return Err(refusal(ErrorKind::Denied, "this viewer is read-only")),
            None => return Err(refusal(ErrorKind::Conflict, "keys come from viewers: attach first")),
        };
        if self.exit.is_some() {
            return Err(refusal(ErrorKind::Conflict, "the program has ended"));
        }
        let keys = viewer.replies.filter_input(bytes);
        viewer.held = viewer.replies.holds().then(|| Instant::now() + Duration::from_millis(INPUT_WAIT_MS));
        self.keys(at, keys);
        Ok(Reply::Done)
    }

    fn keys(&mut self, at: usize, keys: Vec<u8>) {
        if !keys.is_empty() {
            self.watch.person(Instant::now());
            self.claim_size(at);
            self.typing.keys(keys);
            self.flush_keys();
        }
    }

    /// Gives the program what looked like the beginning of a terminal's reply and was none, such as the Escape key.
    pub(super) fn release_keys(&mut self, now: Instant) {
        for at in 0..self.conns.len() {
            if let Some(viewer) = &mut self.conns[at].viewer
                && viewer.held.is_some_and(|until| now >= until)
            {
                viewer.held = None;
                let keys = viewer.replies.flush();
                self.keys(at, keys);
            }
        }
    }

    fn rows_are(&mut self, range: RowRange) -> Result<Reply, Refusal> {
        self.tidy_soon(Instant::now());
        let read = self.rows.read(range.from, range.to.min(self.rows.total()));
        let (from, rows) = read.map_err(|error| refusal(ErrorKind::Failed, &format!("history: {error}")))?;
        Ok(Reply::RowsAre(RowsAre { from, rows, oldest: self.rows.oldest(), total: self.rows.total() }))
    }

    fn subscribe(&mut self, at: usize) {
        // What is known so far goes to earlier subscribers first, so that all share one state afterwards.
        let screen = self.watch.full(&self.display, self.totals());
        let exit = self.exit.clone();
        let frozen = self.family.frozen;
        let conn = &mut self.conns[at];
        conn.watching = Watching::Changes;
        if conn.version >= PROTOCOL_USAGE {
            conn.push(&Push::FrozenIs(FrozenIs { frozen }));
        }
        conn.push(&Push::Screen(screen));
        if let Some(exit) = exit {
            conn.push(&Push::ExitIs(exit));
        }
    }

    /// One stage of a delivery; `None` when the answer comes later.
    fn type_stage(&mut self, stage: Type, asker: Asker) -> Option<Result<Reply, Refusal>> {
        match self.typing.repeated(&stage.delivery, &stage.stage, asker) {
            Some(Repeated::Now(typed)) => return Some(Ok(Reply::Typed(typed))),
            Some(Repeated::Later) => return None,
            None => {}
        }
        if self.exit.is_some() {
            return Some(Err(refusal(ErrorKind::Conflict, "the program has ended")));
        }
        self.drain(LOOK_BUDGET);
        self.flush_keys();
        if !self.typing.is_empty() {
            return Some(Err(refusal(ErrorKind::Conflict, "earlier keys wait: the program does not read its input")));
        }
        if let Some(region) = &stage.if_region {
            let sha256 = self.region(region);
            // Keys that the program has not shown yet have moved the region, too.
            if sha256 != region.sha256 || self.watch.person_is_typing(Instant::now()) {
                return Some(Ok(Reply::Typed(Typed::Moved { sha256 })));
            }
        }
        let bytes = match stage.form {
            Form::Raw => stage.bytes,
            Form::Paste => pasted(&stage.bytes, self.display.modes().bracketed_paste),
        };
        self.typing.stage(stage.delivery, stage.stage, bytes, self.output.end(), asker);
        self.flush_keys();
        None
    }

    fn region(&self, region: &Region) -> String {
        let rows: Vec<String> =
            (region.from..region.to.min(self.display.size().rows)).map(|row| self.display.row(row)).collect();
        region_sha256(rows.iter().map(String::as_str))
    }

    /// Tells those who asked how their stages ended.
    pub(super) fn answer_stages(&mut self, answers: Vec<(Asker, Typed)>) {
        for (asker, typed) in answers {
            self.tell(asker, &Reply::Typed(typed));
        }
    }

    fn tell(&mut self, asker: Asker, reply: &Reply) {
        if let Some(conn) = self.conns.iter_mut().find(|conn| conn.id == asker.conn) {
            conn.reply(asker.id, reply);
        }
    }

    /// Starts a stop, or hurries one.
    pub(super) fn begin_stop(&mut self, grace: Duration, keys: Option<String>) {
        let now = Instant::now();
        if let Some(stopping) = &mut self.stopping {
            return stopping.hurry(grace, now);
        }
        let keys = keys.filter(|keys| !keys.is_empty() && self.exit.is_none());
        let typed = keys.is_some();
        if let Some(keys) = keys {
            self.typing.keys(keys.into_bytes());
            self.flush_keys();
        }
        // A frozen session would sleep through its grace.
        self.thaw();
        self.stopping = Some(Stopping::begin(&self.family, grace, typed, self.pty.foreground(), now));
        self.stop_look_at = Some(now);
    }

    /// When a stop needs a look.
    pub(super) fn stop_at(&self) -> Option<Instant> {
        self.stopping.as_ref().and(self.stop_look_at)
    }

    /// Does a stop's next step.
    pub(super) fn look_after_stop(&mut self, now: Instant) {
        self.reap();
        let Some(stopping) = &mut self.stopping else { return };
        let progress = stopping.look(&self.family, self.exit.is_none(), self.pty.foreground(), now);
        match progress {
            Progress::Wait(at) => self.stop_look_at = Some(at),
            Progress::Clean | Progress::GivenUp => self.stopped(),
        }
    }

    fn stopped(&mut self) {
        let tree = self.family.tree();
        if let Some(exit) = &self.exit
            && exit.tree != tree
        {
            self.tell_exit(ExitRecord { tree: tree.clone(), ..exit.clone() });
        }
        let stopped = Reply::Stopped(Stopped { exit: self.exit.clone(), tree: tree.clone() });
        for asker in self.stopping.take().map(|stopping| stopping.askers).unwrap_or_default() {
            self.tell(asker, &stopped);
        }
        if self.leaving {
            // What even force does not end is tried again later: who goes away owns nothing any more.
            self.leaving = false;
            self.leave_at = Some(if tree == Tree::Empty { Instant::now() } else { Instant::now() + LINGER });
        }
    }

    /// The host was told to end: it leaves as soon as nothing is left.
    pub(super) fn leave_when_stopped(&mut self) {
        self.leaving = true;
    }

    /// Whether it is time to go and nobody of the session is left behind; those who are, are ended first.
    pub(super) fn goes_now(&mut self) -> bool {
        let Some(at) = self.leave_at else { return false };
        let now = Instant::now();
        if now < at {
            return false;
        }
        if !matches!(self.family.tree(), Tree::Left { .. }) {
            return true;
        }
        self.leave_at = None;
        self.leaving = true;
        self.begin_stop(LEFTOVER_GRACE, None);
        self.look_after_stop(now);
        false
    }

    fn signal(&self, signal: wire::Signal) -> Result<Reply, Refusal> {
        let Some(number) = Signal::from_named_raw(signal.signal) else {
            return Err(refusal(ErrorKind::Unsupported, &format!("there is no signal {}", signal.signal)));
        };
        let child = i32::try_from(self.family.child).ok().and_then(Pid::from_raw);
        let sent = match signal.target {
            SignalTarget::Tree => {
                self.family.signal_all(number);
                return Ok(Reply::Done);
            }
            SignalTarget::Foreground => self.pty.foreground().map(|group| kill_process_group(group, number)),
            SignalTarget::Child if self.exit.is_some() => None,
            SignalTarget::Child => child.map(|pid| kill_process(pid, number)),
        };
        match sent {
            Some(Ok(())) => Ok(Reply::Done),
            Some(Err(error)) => Err(refusal(ErrorKind::Failed, &format!("signal {}: {error}", signal.signal))),
            None => Err(refusal(ErrorKind::Conflict, "there is no process to signal")),
        }
    }

    /// Halts the session; whoever looks at it or waits for its end needs it awake.
    fn freeze(&mut self, asker: Asker) -> Result<Reply, Refusal> {
        if !self.family.can_freeze() {
            return Err(refusal(ErrorKind::Unsupported, "halting a session is not supported on this operating system"));
        }
        let why = if self.exit.is_some() {
            "the program has ended"
        } else if self.conns.iter().any(|conn| conn.viewer.is_some() && conn.id != asker.conn) {
            "somebody looks at it"
        } else if self.stopping.is_some() {
            "it is being stopped"
        } else if !self.typing.is_empty() {
            "earlier keys wait"
        } else {
            self.set_frozen(true);
            return Ok(Reply::Done);
        };
        Err(refusal(ErrorKind::Conflict, why))
    }

    /// Wakes the session, if it is halted.
    pub(super) fn thaw(&mut self) {
        if self.family.frozen {
            self.set_frozen(false);
        }
    }

    fn set_frozen(&mut self, frozen: bool) {
        let said = self.family.frozen == frozen;
        self.family.set_frozen(frozen);
        if !said {
            let subscribers = self.conns.iter_mut().filter(|conn| conn.watching != Watching::No);
            subscribers.filter(|conn| conn.version >= PROTOCOL_USAGE).for_each(|conn| {
                conn.push(&Push::FrozenIs(FrozenIs { frozen }));
            });
        }
    }

    fn usage(&self) -> UsageIs {
        let TreeUsage { cpu_us, memory_bytes, processes } = self.family.usage();
        UsageIs { cpu_us, memory_bytes, processes, frozen: self.family.frozen, limits: self.spec.limits }
    }
}

fn viewer(attach: &Attach) -> Viewer {
    Viewer {
        access: attach.access,
        sizing: attach.sizing,
        size: attach.size,
        active: Instant::now(),
        pace: Pace::Due(None),
        sent: 0,
        acked: 0,
        replies: ReplyFilter::new(),
        held: None,
    }
}

fn refusal(kind: ErrorKind, message: &str) -> Refusal {
    Refusal { kind, message: message.to_owned() }
}
