//! The terminal as the host sees it: engine, ground offset, and what viewers receive of the stream.
//!
//! It does no input or output; scrolled rows, events and bytes for viewers are handed to the caller.

use std::time::Instant;

use crate::engine::alacritty::AlacrittyEngine;
use crate::engine::{Engine, Size, TermEvent};
use crate::wire::{Cursor, Modes};

/// Bytes since the ground offset that are kept for a viewer to come; a sequence longer than that (an image) makes
/// viewers wait for its end.
const TAIL: usize = 256 << 10;

/// What a piece of output led to.
#[derive(Debug, Default)]
pub(super) struct Fed {
    /// The bytes for viewers.
    pub visible: Vec<u8>,
    /// Rows that scrolled off.
    pub scrolled: Vec<String>,
    /// What the stream said besides drawing.
    pub events: Vec<TermEvent>,
}

/// The terminal.
pub(super) struct Display {
    engine: Box<dyn Engine>,
    /// Bytes fed so far.
    offset: u64,
    /// Last offset at which nothing was half done.
    ground: u64,
    /// What viewers got since then.
    tail: Vec<u8>,
}

impl Display {
    pub fn new(size: Size) -> Self {
        Self { engine: Box::new(AlacrittyEngine::new(size)), offset: 0, ground: 0, tail: Vec::new() }
    }

    /// Interprets a piece of output.
    pub fn feed(&mut self, bytes: &[u8]) -> Fed {
        self.engine.feed(bytes);
        self.offset += bytes.len() as u64;
        self.ground = self.offset;
        let visible = bytes.to_vec();
        self.tail.clear();
        Fed { visible, scrolled: self.engine.take_scrolled(), events: self.engine.take_events() }
    }

    /// When something happens by itself: a synchronized update that stays open for too long is drawn.
    pub fn due(&self) -> Option<Instant> {
        None
    }

    /// Does what was due.
    pub fn on_time(&mut self, _now: Instant) -> Fed {
        Fed::default()
    }

    pub fn resize(&mut self, size: Size) -> Fed {
        self.engine.resize(size);
        Fed { visible: Vec::new(), scrolled: self.engine.take_scrolled(), events: self.engine.take_events() }
    }

    /// The state at the ground offset and what came since; `None` while a sequence is too long to be kept.
    pub fn snapshot(&self) -> Option<(u64, Vec<u8>, &[u8])> {
        (self.tail.len() <= TAIL).then(|| (self.ground, self.engine.serialise(), self.tail.as_slice()))
    }

    /// What of a viewer's input its person typed: replies of its terminal are left out.
    pub fn keys(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        bytes
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
        false
    }
}
