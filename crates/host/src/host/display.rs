//! The terminal as the host sees it: engine, ground offset, and what viewers receive of the stream.
//!
//! It does no input or output; scrolled rows, events and bytes for viewers are handed to the caller.

use std::time::{Duration, Instant};

use crate::engine::guarded::Guarded;
use crate::engine::queries::QueryFilter;
use crate::engine::scrolled::Scrolled;
use crate::engine::terminal::Terminal;
use crate::engine::{Engine, Size, TermEvent};
use crate::wire::{Cursor, Modes};

/// Bytes since the ground offset that are kept for a viewer to come; a sequence longer than that (an image) makes
/// viewers wait for its end.
const OPEN: usize = 256 << 10;

/// Room for such bytes that is kept for the next ones.
const KEPT_OPEN: usize = 4 << 10;

/// What a piece of output led to.
#[derive(Debug, Default)]
pub(super) struct Fed {
    /// The bytes for viewers.
    pub visible: Vec<u8>,
    /// Rows that scrolled off.
    pub scrolled: Scrolled,
    /// What the stream said besides drawing.
    pub events: Vec<TermEvent>,
}

/// What a viewer needs to go on from here.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// Offset of the state.
    pub ground: u64,
    /// The state.
    pub screen: Vec<u8>,
    /// What viewers got since then.
    pub tail: Vec<u8>,
}

/// The terminal.
pub(super) struct Display {
    engine: Guarded<Terminal>,
    /// Takes queries out of what viewers get; there is none while nobody looks.
    filter: Option<QueryFilter>,
    visible: Vec<u8>,
    /// Ground offset at which `open` begins.
    ground: u64,
    /// Raw bytes since then, at most [`OPEN`] and one piece more.
    open: Vec<u8>,
    fed: u64,
    /// The engine's clock counts from here.
    started: Instant,
}

impl Display {
    pub fn new(size: Size) -> Self {
        Self {
            engine: Guarded::new(size, Terminal::new),
            filter: None,
            visible: Vec::new(),
            ground: 0,
            open: Vec::new(),
            fed: 0,
            started: Instant::now(),
        }
    }

    /// Interprets a piece of output.
    pub fn feed(&mut self, bytes: &[u8], now: Instant) {
        self.engine.tick(self.clock(now));
        self.engine.feed(bytes);
        self.fed += bytes.len() as u64;
        let open = self.fed - self.engine.ground_offset();
        if open < bytes.len() as u64 {
            // All that came before is behind the ground; so is the front of this.
            self.ground = self.fed - open;
            self.keep(&bytes[bytes.len() - usize::try_from(open).unwrap_or(0)..]);
        } else {
            if self.open.len() <= OPEN {
                self.open.extend_from_slice(bytes);
            }
            self.settle();
        }
        if let Some(filter) = &mut self.filter {
            self.visible.append(&mut filter.filter_output(bytes));
        }
    }

    /// Nobody looks any more: what they would see need not be worked out.
    pub fn unseen(&mut self) {
        self.filter = None;
    }

    /// Keeps only these bytes since the ground.
    fn keep(&mut self, open: &[u8]) {
        self.open.clear();
        if open.is_empty() && self.open.capacity() > KEPT_OPEN {
            self.open = Vec::new();
        }
        self.open.extend_from_slice(open);
    }

    /// Forgets what is before the ground.
    fn settle(&mut self) {
        let ground = self.engine.ground_offset();
        if ground == self.fed {
            self.keep(&[]);
        } else {
            let done = usize::try_from(ground - self.ground).unwrap_or(usize::MAX);
            // Bytes that were too many to keep are behind the ground only when all that is kept is.
            self.open.drain(..done.min(self.open.len()));
        }
        self.ground = ground;
    }

    /// What was fed since the last call led to.
    pub fn take(&mut self) -> Fed {
        Fed {
            visible: std::mem::take(&mut self.visible),
            scrolled: self.engine.take_scrolled(),
            events: self.engine.take_events(),
        }
    }

    fn clock(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.started).as_millis()).unwrap_or(u64::MAX)
    }

    /// When something happens by itself: a synchronized update that stays open for too long is drawn.
    pub fn due(&self) -> Option<Instant> {
        self.engine.deadline().map(|at| self.started + Duration::from_millis(at))
    }

    /// Does what was due.
    pub fn on_time(&mut self, now: Instant) -> Fed {
        self.engine.tick(self.clock(now));
        self.settle();
        self.take()
    }

    pub fn resize(&mut self, size: Size) -> Fed {
        self.engine.resize(size);
        self.take()
    }

    /// The state at the ground offset and what came since; `None` while an open sequence is too long to be kept.
    pub fn snapshot(&mut self) -> Option<Snapshot> {
        if self.ground + self.open.len() as u64 != self.fed {
            return None;
        }
        // At the ground nothing is half done, so a fresh filter does what the one of the stream did.
        let mut filter = QueryFilter::new();
        let tail = filter.filter_output(&self.open);
        self.filter.get_or_insert(filter);
        Some(Snapshot { ground: self.ground, screen: self.engine.serialise(), tail })
    }

    pub fn size(&self) -> Size {
        self.engine.size()
    }

    pub fn row(&self, row: u16) -> String {
        self.engine.row_text(row)
    }

    pub fn title(&self) -> &str {
        self.engine.title()
    }

    pub fn cursor(&self) -> Cursor {
        let (row, col, shown) = self.engine.cursor();
        Cursor { row, col, shown }
    }

    pub fn modes(&self) -> Modes {
        Modes { bracketed_paste: self.engine.bracketed_paste(), alternate_screen: self.engine.alternate_screen() }
    }

    pub fn is_degraded(&self) -> bool {
        self.engine.degraded()
    }
}
