//! Reads the journal of a data root while a daemon writes it, and folds it into facts: the test's own eyes.
//!
//! It holds the file open, so that a demo which takes everything down is still read to its end.

use ao_core::delivery::{Delivery, DeliveryState};
use ao_core::effect::{Effect, Outcome, Recovery};
use ao_core::event::Event;
use ao_core::facts::{Change, Delta, Facts};
use ao_core::id::EffectKey;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// One line, as far as the tests look at it.
#[derive(Deserialize)]
pub struct Line {
    pub seq: u64,
    pub event: Event,
    pub facts_delta: Delta,
    pub effects: Vec<Effect>,
}

/// A journal that is being followed.
pub struct Journal {
    path: PathBuf,
    file: Option<File>,
    rest: Vec<u8>,
    pub lines: Vec<Line>,
    pub facts: Facts,
}

impl Journal {
    /// Follows the journal of this data root, which need not be there yet.
    pub fn follow(home: &Path) -> Self {
        Self {
            path: home.join("events.jsonl"),
            file: None,
            rest: Vec::new(),
            lines: Vec::new(),
            facts: Facts::default(),
        }
    }

    /// Reads what is new and answers the number of the last line.
    pub fn look(&mut self) -> u64 {
        if self.file.is_none() {
            self.file = File::open(&self.path).ok();
        }
        if let Some(file) = &mut self.file {
            file.read_to_end(&mut self.rest).expect("the journal is readable");
        }
        while let Some(end) = self.rest.iter().position(|b| *b == b'\n') {
            let text: Vec<u8> = self.rest.drain(..=end).collect();
            let line: Line = serde_json::from_slice(&text).expect("a line of the journal");
            assert_eq!(line.seq, self.last() + 1, "the journal goes on without a gap and without a repeat");
            self.facts.apply_all(line.facts_delta.clone());
            self.lines.push(line);
        }
        self.last()
    }

    pub fn last(&self) -> u64 {
        self.lines.last().map_or(0, |line| line.seq)
    }

    /// Whether a daemon has started after line `seq`.
    pub fn starts_after(&self, seq: u64) -> bool {
        self.lines.iter().any(|line| line.seq > seq && matches!(line.event, Event::DaemonStarted { .. }))
    }

    /// The effects that were on their way right after line `seq`.
    pub fn in_flight(&self, seq: u64) -> Vec<EffectKey> {
        let mut facts = Facts::default();
        for line in self.lines.iter().filter(|line| line.seq <= seq) {
            facts.apply_all(line.facts_delta.clone());
        }
        facts.pending.into_keys().collect()
    }

    /// Every delivery there ever was, as it was last.
    pub fn deliveries(&self) -> Vec<Delivery> {
        let puts = self.lines.iter().flat_map(|line| &line.facts_delta);
        let puts = puts.filter_map(|change| if let Change::Delivery(d) = change { Some(d) } else { None });
        let last: BTreeMap<_, _> = puts.map(|d| (d.id.clone(), (**d).clone())).collect();
        last.into_values().collect()
    }

    /// The hash of every prompt that arrived, with the session that it was for; sorted.
    pub fn delivered(&self) -> Vec<(String, String)> {
        let all = self.deliveries().into_iter().filter(|d| matches!(d.state, DeliveryState::Delivered { .. }));
        let mut all: Vec<_> = all.map(|d| (d.session.to_string(), d.sha256)).collect();
        all.sort();
        all
    }

    /// Effects of class `once` that were handed to the world more than once.
    pub fn repeated(&self) -> Vec<EffectKey> {
        let mut asked: BTreeMap<EffectKey, u32> = BTreeMap::new();
        for effect in self.lines.iter().flat_map(|line| &line.effects) {
            if effect.recovery() == Recovery::Once {
                *asked.entry(effect.key()).or_default() += 1;
            }
        }
        asked.into_iter().filter(|(_, n)| *n > 1).map(|(key, _)| key).collect()
    }

    /// Every value that the target took, in order.
    pub fn landed(&self) -> Vec<String> {
        let mut asked: BTreeMap<EffectKey, String> = BTreeMap::new();
        let mut landed = Vec::new();
        for line in &self.lines {
            for effect in &line.effects {
                if let Effect::Land { new, .. } = effect {
                    asked.insert(effect.key(), new.to_string());
                }
            }
            if let Event::EffectDone { key, outcome: Outcome::Landed } = &line.event {
                landed.extend(asked.get(key).cloned());
            }
        }
        landed
    }
}
