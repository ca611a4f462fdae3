//! Replays a recording on a virtual clock: the product's screen, its adapters, its arbiter, and the truth beside it.
//!
//! Nothing is known here before the recording says it: neither what we typed nor the marks of the truth are looked at.

use ao_core::activity::{Activity, InputKind, Known, Observation, Source};
use ao_core::adapter::watch::Watch;
use ao_core::adapter::{Adapter, observe};
use ao_core::arbiter::fuse;
use ao_core::hook::HookPayload;
use ao_core::screen::{Mark, Screen};
use ao_core::time::Time;
use ao_host::engine::terminal::Terminal;
use ao_host::engine::{Engine, Size, TermEvent};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Milliseconds between two looks at a screen that does not change, and between two samples.
pub const STEP: u64 = 100;

#[derive(Deserialize)]
struct Header {
    width: u16,
    height: u16,
    title: String,
}

#[derive(Deserialize)]
struct Truth {
    states: Vec<State>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct State {
    pub t: f64,
    pub state: String,
}

/// A recording and its truth.
pub struct Recording {
    pub name: String,
    /// The agent by a name or alias.
    pub agent: String,
    size: Size,
    records: Vec<(u64, String, String)>,
    /// When something was typed, in milliseconds.
    pub keys: Vec<u64>,
    pub states: Vec<State>,
}

impl Recording {
    pub fn read(cast: &Path) -> Self {
        let text = std::fs::read_to_string(cast).unwrap();
        let (head, rest) = text.split_once('\n').unwrap();
        let header: Header = serde_json::from_str(head).unwrap();
        let ms = |t: f64| (t * 1000.0) as u64;
        let records: Vec<(u64, String, String)> = rest
            .lines()
            .map(|line| serde_json::from_str::<(f64, String, String)>(line).unwrap())
            .map(|(t, kind, data)| (ms(t), kind, data))
            .collect();
        let truth = std::fs::read_to_string(cast.with_extension("truth.json")).unwrap();
        let truth: Truth = serde_json::from_str(&truth).unwrap();
        Self {
            name: cast.file_stem().unwrap().to_string_lossy().into_owned(),
            agent: header.title.split('/').next().unwrap().to_owned(),
            size: Size::clamped(header.width, header.height),
            keys: records.iter().filter(|(_, kind, _)| kind == "i").map(|(t, ..)| *t).collect(),
            records,
            states: truth.states,
        }
    }
}

/// What may be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signals {
    /// Output only.
    Screen,
    /// Output and calls of hooks.
    All,
}

/// What was believed when.
pub struct Replay {
    /// Times in milliseconds, ascending; each holds until the next.
    pub known: Vec<(u64, Known)>,
    /// Ends of turns, as the machine would count them.
    pub turns: u32,
    /// Screen rules that held at some time.
    pub rules: BTreeSet<String>,
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
    out: Replay,
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
        let size = self.engine.size();
        let (row, col, _) = self.engine.cursor();
        let screen = Screen {
            cols: size.cols,
            rows: (0..size.rows).map(|row| self.engine.row_text(row)).collect(),
            cursor: (row, col),
            title: self.engine.title().to_owned(),
            offset: self.offset,
            quiet_ms: t - self.last_output,
            marks: std::mem::take(&mut self.marks),
            ..Screen::default()
        };
        self.out.rules.extend(observe::holding(self.adapter, &screen).into_iter().map(|rule| rule.name.clone()));
        for seen in self.watch.look(self.adapter, &screen, Time(t)) {
            self.observed(t, seen);
        }
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

/// Every prompt that was pasted by itself, with the screen just before the next key.
pub fn pastes(recording: &Recording) -> Vec<(String, Screen)> {
    let mut engine = Terminal::new(recording.size);
    let mut pasted: Option<String> = None;
    let mut out = Vec::new();
    for (t, kind, data) in &recording.records {
        engine.tick(*t);
        match kind.as_str() {
            "o" => engine.feed(data.as_bytes()),
            "r" => engine.resize(size(data)),
            "i" => {
                if let Some(prompt) = pasted.take() {
                    let rows = (0..engine.size().rows).map(|row| engine.row_text(row)).collect();
                    out.push((prompt, Screen { rows, ..Screen::default() }));
                }
                let inside = data.strip_prefix("\u{1b}[200~").and_then(|d| d.strip_suffix("\u{1b}[201~"));
                pasted = inside.map(str::to_owned);
            }
            _ => {}
        }
    }
    out
}

fn size(data: &str) -> Size {
    let (cols, rows) = data.split_once('x').unwrap();
    Size::clamped(cols.parse().unwrap(), rows.parse().unwrap())
}

/// Replays a recording.
pub fn replay(recording: &Recording, adapter: &Adapter, signals: Signals) -> Replay {
    let mut player = Player {
        adapter,
        engine: Terminal::new(recording.size),
        watch: Watch::default(),
        evidence: BTreeMap::new(),
        marks: Vec::new(),
        offset: 0,
        last_output: 0,
        in_turn: false,
        out: Replay { known: Vec::new(), turns: 0, rules: BTreeSet::new() },
    };
    // A screen that does not change is looked at again only for rules that wait for that.
    let waits = adapter.rules.iter().any(|rule| rule.hold_ms > 0);
    let mut looked = 0;
    for (t, kind, data) in &recording.records {
        while waits && looked + STEP < *t {
            looked += STEP;
            player.look(looked);
        }
        match kind.as_str() {
            "o" => {
                player.feed(*t, data.as_bytes());
                player.look(*t);
            }
            "r" => player.engine.resize(size(data)),
            "m" if signals == Signals::All => {
                if let Some((event, json)) = data.strip_prefix("hook:").and_then(|d| d.split_once(' ')) {
                    let payload = HookPayload::read(json.as_bytes());
                    let event = ao_core::hook::detailed(event, &payload);
                    if let Some(seen) = observe::hook(adapter, &event, Time(*t)) {
                        player.observed(*t, seen);
                    }
                }
            }
            _ => {}
        }
    }
    player.out
}

impl Replay {
    /// What was believed at this time.
    pub fn at(&self, t: u64) -> Activity {
        let before = self.known.iter().take_while(|(when, _)| *when <= t).last();
        before.map_or(Activity::Starting, |(_, known)| known.activity.clone())
    }
}

/// The class of a state or activity: what a person must know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    Starting,
    Idle,
    Working,
    NeedsInput,
    Error,
    Exited,
    Unknown,
}

pub fn class(activity: &Activity) -> Class {
    match activity {
        Activity::Starting => Class::Starting,
        Activity::Ready | Activity::Idle | Activity::Interrupted => Class::Idle,
        Activity::Working { .. } | Activity::Retrying | Activity::RateLimited { .. } => Class::Working,
        Activity::NeedsInput { .. } => Class::NeedsInput,
        Activity::Error { .. } => Class::Error,
        Activity::Exited { .. } => Class::Exited,
        Activity::Unknown => Class::Unknown,
    }
}

impl State {
    /// Its class; none for times of which the truth is not known.
    pub fn class(&self) -> Option<Class> {
        Some(match self.state.as_str() {
            "starting" => Class::Starting,
            "ready" | "idle" | "interrupted" => Class::Idle,
            "working" | "retrying" => Class::Working,
            "error" => Class::Error,
            _ if !self.kinds().is_empty() => Class::NeedsInput,
            _ => return None,
        })
    }

    /// What may be said to be asked for.
    pub fn kinds(&self) -> &'static [InputKind] {
        match self.state.as_str() {
            "permission" => &[InputKind::Permission],
            "question" => &[InputKind::Question],
            "trust_dialog" | "hook_trust_dialog" | "bypass_dialog" => &[InputKind::Trust],
            "login_prompt" => &[InputKind::Login],
            "api_key_prompt" => &[InputKind::Login, InputKind::Onboarding],
            "resume_picker" => &[InputKind::Menu],
            "onboarding_theme" | "onboarding_security" => &[InputKind::Onboarding],
            _ => &[],
        }
    }

    /// Milliseconds after the change in which an answer is not counted: how exact the truth is.
    pub fn grace(&self) -> u64 {
        match self.class() {
            Some(Class::NeedsInput) => 1000,
            _ if matches!(self.state.as_str(), "ready" | "interrupted") => 1000,
            _ => 500,
        }
    }
}
