//! Plays a recording of an agent on a virtual clock and says what would have been believed when: the product's own screen,
//! rules and arbiter, and nothing that was not known at that time.

use super::cast::{Cast, What};
use ao_core::activity::{Activity, Known, Observation, Source};
use ao_core::adapter::watch::Watch;
use ao_core::adapter::{Adapter, observe};
use ao_core::arbiter::fuse;
use ao_core::hook::{self, HookPayload};
use ao_core::screen::{Mark, Screen};
use ao_core::time::Time;
use ao_host::engine::terminal::Terminal;
use ao_host::engine::{Engine as _, TermEvent};
use std::collections::{BTreeMap, BTreeSet};

/// Milliseconds between two looks at a screen that does not change.
pub const STEP: u64 = 100;

/// What may be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signals {
    /// Output only.
    Screen,
    /// Output, calls of hooks, and what was typed.
    All,
}

/// What was believed.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    /// Times in milliseconds, ascending; each holds until the next.
    pub known: Vec<(u64, Known)>,
    /// Ends of turns, as the machine would count them.
    pub turns: u32,
    /// Screen rules that held at some time.
    pub rules: BTreeSet<String>,
}

impl Replay {
    /// What was believed at this time, in milliseconds.
    #[must_use]
    pub fn at(&self, t: u64) -> Activity {
        let before = self.known.iter().take_while(|(when, _)| *when <= t).last();
        before.map_or(Activity::Starting, |(_, known)| known.activity.clone())
    }
}

struct Player<'a> {
    adapter: &'a Adapter,
    engine: Terminal,
    watch: Watch,
    evidence: BTreeMap<Source, Observation>,
    marks: Vec<Mark>,
    offset: u64,
    last_output: u64,
    in_turn: bool,
    /// Text was typed that Enter has not sent yet.
    text: bool,
    out: Replay,
}

/// Replays a recording.
#[must_use]
pub fn replay(cast: &Cast, adapter: &Adapter, signals: Signals) -> Replay {
    let mut player = Player {
        adapter,
        engine: Terminal::new(cast.size),
        watch: Watch::default(),
        evidence: BTreeMap::new(),
        marks: Vec::new(),
        offset: 0,
        last_output: 0,
        in_turn: false,
        text: false,
        out: Replay::default(),
    };
    // A screen that does not change is looked at again only for rules that wait for that.
    let waits = adapter.settle_ms > 0 || adapter.rules.iter().any(|rule| rule.hold_ms > 0);
    let mut looked = 0;
    for record in &cast.records {
        let t = record.t;
        while waits && looked + STEP < t {
            looked += STEP;
            player.look(looked);
        }
        match &record.what {
            What::Output(text) => {
                player.feed(t, text.as_bytes());
                player.look(t);
            }
            What::Resize(size) => player.engine.resize(*size),
            What::Marker(text) if signals == Signals::All => player.hooked(t, text),
            What::Input(keys) if signals == Signals::All => player.typed(t, keys),
            What::Marker(_) | What::Input(_) => {}
        }
    }
    player.out
}

impl Player<'_> {
    fn feed(&mut self, t: u64, bytes: &[u8]) {
        self.engine.tick(t);
        self.engine.feed(bytes);
        self.offset += bytes.len() as u64;
        self.last_output = t;
        for event in self.engine.take_events() {
            let (osc, text) = match event {
                TermEvent::Title(text) => (0, text),
                TermEvent::Osc(osc, text) => (osc, text),
                TermEvent::Bell | TermEvent::Reply(_) => continue,
            };
            self.marks.push(Mark { offset: self.offset, osc, text });
        }
    }

    fn look(&mut self, t: u64) {
        self.engine.tick(t);
        let screen = Screen { marks: std::mem::take(&mut self.marks), ..self.screen(t) };
        self.out.rules.extend(observe::holding(self.adapter, &screen).into_iter().map(|rule| rule.name.clone()));
        for seen in self.watch.look(self.adapter, &screen, Time(t)) {
            self.observed(t, seen);
        }
    }

    fn screen(&self, t: u64) -> Screen {
        let size = self.engine.size();
        let (row, col, _) = self.engine.cursor();
        Screen {
            cols: size.cols,
            rows: (0..size.rows).map(|row| self.engine.row_text(row)).collect(),
            cursor: (row, col),
            title: self.engine.title().to_owned(),
            bracketed_paste: self.engine.bracketed_paste(),
            offset: self.offset,
            quiet_ms: t - self.last_output,
            ..Screen::default()
        }
    }

    /// `hook:EVENT JSON` is how a recorder notes a call.
    fn hooked(&mut self, t: u64, note: &str) {
        let Some((event, json)) = note.strip_prefix("hook:").and_then(|d| d.split_once(' ')) else { return };
        let event = hook::detailed(event, &HookPayload::read(json.as_bytes()));
        if let Some(seen) = observe::hook(self.adapter, &event, Time(t)) {
            self.observed(t, seen);
        }
    }

    /// Text and then Enter, where nothing is asked, is a prompt: it begins a turn, as a delivery does.
    fn typed(&mut self, t: u64, keys: &str) {
        let asked = self.out.known.last().is_some_and(|(_, k)| matches!(k.activity, Activity::NeedsInput { .. }));
        let sent = keys == "\r" && std::mem::take(&mut self.text);
        self.text |= keys.chars().filter(|c| !c.is_control()).count() > 1 && !keys.starts_with('/');
        if !sent || asked {
            return;
        }
        let why = "a prompt was sent".to_owned();
        let working = Activity::Working { on: None };
        self.observed(t, Observation { activity: working, source: Source::Process, at: Time(t), offset: None, why });
    }

    /// As `machine::session::observed` does.
    fn observed(&mut self, t: u64, seen: Observation) {
        self.evidence.insert(seen.source, seen);
        let before = self.out.known.last().map_or_else(|| Known::nothing(Time(0)), |(_, known)| known.clone());
        let known = fuse(&self.evidence, &before, Time(t));
        match &known.activity {
            Activity::Working { .. } | Activity::Retrying => self.in_turn = true,
            Activity::Idle
            | Activity::Ready
            | Activity::Interrupted
            | Activity::Error { .. }
            | Activity::RateLimited { .. }
            | Activity::Exited { .. } => {
                self.out.turns += u32::from(self.in_turn);
                self.in_turn = false;
            }
            Activity::Starting | Activity::NeedsInput { .. } | Activity::Unknown => {}
        }
        self.out.known.push((t, known));
    }
}
