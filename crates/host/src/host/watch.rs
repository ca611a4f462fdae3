//! When subscribers are told of the screen, and what changed since they were told last.
//!
//! Text only: the daemon keeps rows and runs no engine of its own (`design/host.md`, "Wire").

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use super::display::Display;
use crate::engine::TermEvent;
use crate::record::now_ms;
use crate::wire::{Health, Osc, RowText, Screen};

/// Time between two pushes while bytes flow, and from the last byte to the push after quiet (`design/host.md`).
const PERIOD: Duration = Duration::from_millis(100);
/// OSC sequences kept between two pushes; agents send a few a second.
const OSC_KEPT: usize = 64;
/// OSC numbers whose last text is kept for a new subscriber.
const OSC_NUMBERS: usize = 16;
/// Longest text kept for that, in bytes.
const OSC_STATE_TEXT: usize = 1024;

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
    osc: VecDeque<Osc>,
    osc_dropped: u32,
    osc_state: BTreeMap<u16, String>,
    bells: u32,
    /// When something first changed since the last push.
    changed: Option<Instant>,
    /// When something last changed, until the push after quiet is out.
    busy: Option<Instant>,
    last_push: Option<Instant>,
    last_output_ms: Option<u64>,
    person_input_ms: Option<u64>,
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
        self.touch(now);
    }

    /// Something else changed that subscribers see.
    pub fn touch(&mut self, now: Instant) {
        self.changed.get_or_insert(now);
        self.busy = Some(now);
    }

    /// Keeps what the stream said for the next push.
    pub fn said(&mut self, event: TermEvent) {
        match event {
            TermEvent::Osc(number, text) => {
                let known = self.osc_state.contains_key(&number);
                if text.len() <= OSC_STATE_TEXT && (known || self.osc_state.len() < OSC_NUMBERS) {
                    self.osc_state.insert(number, text.clone());
                }
                if self.osc.len() == OSC_KEPT {
                    self.osc.pop_front();
                    self.osc_dropped += 1;
                }
                self.osc.push_back(Osc { number, text });
            }
            TermEvent::Bell => self.bells = self.bells.saturating_add(1),
            TermEvent::Title(_) | TermEvent::Reply(_) => {}
        }
    }

    /// When the next push is due, if there will be one.
    pub fn due(&self) -> Option<Instant> {
        let quiet = self.busy.map(|busy| busy + PERIOD);
        let flow = self.changed.map(|changed| self.last_push.map_or(changed, |last| last.max(changed)) + PERIOD);
        [quiet, flow].into_iter().flatten().min()
    }

    /// Describes the whole screen for a new subscriber; what others wait for stays.
    pub fn full(&self, display: &Display, totals: Totals) -> Screen {
        let rows = (0..display.size().rows).map(|row| RowText { row, text: display.row(row) }).collect();
        let osc = self.osc_state.iter().map(|(number, text)| Osc { number: *number, text: text.clone() }).collect();
        Screen { full: true, osc, osc_dropped: 0, bells: 0, quiet: self.busy.is_none(), ..self.screen(display, totals, rows) }
    }

    /// Describes what changed since the last push and starts anew.
    pub fn changes(&mut self, display: &Display, totals: Totals, now: Instant) -> Screen {
        let size = display.size();
        self.told.resize(size.rows.into(), 0);
        let mut rows = Vec::new();
        for (row, told) in (0..size.rows).zip(&mut self.told) {
            let text = display.row(row);
            let mut hash = DefaultHasher::new();
            text.hash(&mut hash);
            // 0 stands for "never told".
            let hash = hash.finish().max(1);
            if std::mem::replace(told, hash) != hash {
                rows.push(RowText { row, text });
            }
        }
        self.rev += 1;
        let screen = self.screen(display, totals, rows);
        self.osc.clear();
        self.osc_dropped = 0;
        self.bells = 0;
        self.changed = None;
        self.last_push = Some(now);
        if self.busy.is_none_or(|busy| now.saturating_duration_since(busy) >= PERIOD) {
            self.busy = None;
            return Screen { quiet: true, ..screen };
        }
        screen
    }

    /// Nobody listens: nothing is kept but the state for a subscriber to come.
    pub fn forget(&mut self) {
        self.told = Vec::new();
        self.osc = VecDeque::new();
        self.osc_dropped = 0;
        self.bells = 0;
        self.changed = None;
        self.busy = None;
    }

    /// The size changed: every row is news.
    pub fn resized(&mut self, now: Instant) {
        self.told.clear();
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
            osc: self.osc.iter().cloned().collect(),
            osc_dropped: self.osc_dropped,
            bells: self.bells,
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
