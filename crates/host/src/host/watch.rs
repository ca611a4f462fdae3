//! When subscribers are told of the screen, and what changed since they were told last.
//!
//! Text only: the daemon keeps rows and runs no engine of its own (`docs/design/host.md`, "Wire").

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use super::display::Display;
use crate::engine::TermEvent;
use crate::record::now_ms;
use crate::wire::{Health, Osc, RowText, Screen};

/// Time between two pushes while bytes flow, and from the last byte to the push after quiet (`docs/design/host.md`).
const PERIOD: Duration = Duration::from_millis(100);
/// A person who pressed a key less than this long ago may not be done (`docs/design/delivery.md`).
const PERSON_RESTS: Duration = Duration::from_secs(5);
/// Titles kept for a subscriber that was away: the busiest agent changes its title ten times a second.
const TITLES_KEPT: usize = 32;
/// Other OSC sequences kept: agents send a few in a turn, so this is many turns.
const OSC_KEPT: usize = 96;
/// Longest text kept, in bytes.
const TEXT_KEPT: usize = 1024;

/// Numbers that the rest of the host contributes to a screen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Totals {
    pub offset: u64,
    pub rows_total: u64,
    pub log: Health,
}

/// What subscribers know and wait for.
#[derive(Debug, Default)]
pub(super) struct Watch {
    rev: u64,
    told: Vec<u64>,
    titles: VecDeque<Osc>,
    osc: VecDeque<Osc>,
    /// Up to which offset subscribers were told.
    told_to: u64,
    osc_dropped: u32,
    bells: u32,
    bells_total: u64,
    /// When something first changed since the last push.
    changed: Option<Instant>,
    /// When something last changed, until the push after quiet is out.
    busy: Option<Instant>,
    last_push: Option<Instant>,
    last_output_ms: Option<u64>,
    person_input_ms: Option<u64>,
    person_input: Option<Instant>,
}

impl Watch {
    /// The program wrote something.
    pub fn output(&mut self, now: Instant) {
        self.last_output_ms = Some(now_ms());
        self.touch(now);
    }

    /// A person typed something.
    pub fn person(&mut self, now: Instant) {
        self.person_input_ms = Some(now_ms());
        self.person_input = Some(now);
        self.touch(now);
    }

    /// Whether a person pressed keys so short a time ago that they may not be done.
    pub fn person_is_typing(&self, now: Instant) -> bool {
        self.person_input.is_some_and(|at| now.duration_since(at) < PERSON_RESTS)
    }

    /// Something else changed that subscribers see.
    pub fn touch(&mut self, now: Instant) {
        self.changed.get_or_insert(now);
        self.busy = Some(now);
    }

    /// Keeps what the stream said at this offset, for the next push and for a subscriber to come.
    pub fn said(&mut self, event: TermEvent, offset: u64) {
        let (kept, limit, number, text) = match event {
            TermEvent::Title(text) => (&mut self.titles, TITLES_KEPT, 0, text),
            TermEvent::Osc(number, text) => (&mut self.osc, OSC_KEPT, number, text),
            TermEvent::Bell => {
                self.bells = self.bells.saturating_add(1);
                self.bells_total += 1;
                return;
            }
            TermEvent::Reply(_) => return,
        };
        if text.len() > TEXT_KEPT {
            self.osc_dropped = self.osc_dropped.saturating_add(1);
            return;
        }
        if kept.len() == limit {
            let oldest = kept.pop_front();
            // Losing what was told already is no loss.
            self.osc_dropped += u32::from(oldest.is_some_and(|osc| osc.offset > self.told_to));
        }
        kept.push_back(Osc { offset, number, text });
    }

    /// What was said after `offset`, oldest first.
    fn said_after(&self, offset: u64) -> Vec<Osc> {
        let mut said: Vec<Osc> =
            self.titles.iter().chain(&self.osc).filter(|osc| osc.offset > offset).cloned().collect();
        said.sort_by_key(|osc| osc.offset);
        said
    }

    /// When the next push is due, if there will be one.
    pub fn due(&self) -> Option<Instant> {
        let quiet = self.busy.map(|busy| busy + PERIOD);
        let flow = self.changed.map(|changed| self.last_push.map_or(changed, |last| last.max(changed)) + PERIOD);
        [quiet, flow].into_iter().flatten().min()
    }

    /// Describes the whole screen for a new subscriber; what earlier ones wait for stays.
    pub fn full(&mut self, display: &Display, totals: Totals) -> Screen {
        let rows: Vec<RowText> = (0..display.size().rows).map(|row| RowText { row, text: display.row(row) }).collect();
        if self.told.is_empty() {
            // It is the only one.
            self.told = rows.iter().map(|row| hash(&row.text)).collect();
            self.said_is_told(totals.offset);
        }
        let osc = self.said_after(0);
        let screen = self.screen(display, totals, rows);
        Screen { full: true, osc, osc_dropped: 0, bells: 0, quiet: self.busy.is_none(), ..screen }
    }

    /// Describes what changed since the last push and starts anew.
    pub fn changes(&mut self, display: &Display, totals: Totals, now: Instant) -> Screen {
        let size = display.size();
        self.told.resize(size.rows.into(), NEVER);
        let mut rows = Vec::new();
        for (row, told) in (0..size.rows).zip(&mut self.told) {
            let text = display.row(row);
            let new = hash(&text);
            if std::mem::replace(told, new) != new {
                rows.push(RowText { row, text });
            }
        }
        self.rev += 1;
        let quiet = self.busy.is_none_or(|busy| now.saturating_duration_since(busy) >= PERIOD);
        let screen = Screen { quiet, ..self.screen(display, totals, rows) };
        self.said_is_told(totals.offset);
        self.changed = None;
        self.last_push = Some(now);
        if quiet {
            self.busy = None;
        }
        screen
    }

    fn said_is_told(&mut self, offset: u64) {
        self.told_to = offset;
        self.osc_dropped = 0;
        self.bells = 0;
    }

    /// Nobody listens: nothing is kept but the state for a subscriber to come.
    pub fn forget(&mut self) {
        self.told = Vec::new();
        self.osc_dropped = 0;
        self.bells = 0;
        self.changed = None;
        self.busy = None;
    }

    /// The size changed: every row is news.
    pub fn resized(&mut self, now: Instant) {
        self.told.fill(NEVER);
        self.touch(now);
    }

    fn screen(&self, display: &Display, totals: Totals, rows: Vec<RowText>) -> Screen {
        Screen {
            rev: self.rev,
            full: false,
            size: display.size(),
            rows,
            cursor: display.cursor(),
            title: display.title().to_owned(),
            osc: self.said_after(self.told_to),
            osc_dropped: self.osc_dropped,
            bells: self.bells,
            bells_total: Some(self.bells_total),
            modes: display.modes(),
            offset: totals.offset,
            rows_total: totals.rows_total,
            last_output_ms: self.last_output_ms,
            person_input_ms: self.person_input_ms,
            quiet: false,
            log: totals.log,
            screen: if display.is_degraded() { Health::Degraded } else { Health::Good },
        }
    }
}

/// Stands for a row that nobody was told of.
const NEVER: u64 = 0;

fn hash(text: &str) -> u64 {
    let mut hash = DefaultHasher::new();
    text.hash(&mut hash);
    hash.finish().max(NEVER + 1)
}
