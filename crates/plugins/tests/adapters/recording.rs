//! Recordings of real agents with the truth beside them.
//!
//! Nothing is known here before the recording says it: neither what we typed nor the marks of the truth are looked at.

use ao_core::activity::{Activity, InputKind};
use ao_core::screen::Screen;
use ao_host::engine::Engine as _;
use ao_host::engine::terminal::Terminal;
use ao_plugins::agent::cast::{Cast, What};
use serde::Deserialize;
use std::path::Path;

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
    pub cast: Cast,
    /// When something was typed, in milliseconds.
    pub keys: Vec<u64>,
    pub states: Vec<State>,
}

impl Recording {
    pub fn read(path: &Path) -> Self {
        let cast = Cast::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
        let truth = std::fs::read_to_string(path.with_extension("truth.json")).unwrap();
        let truth: Truth = serde_json::from_str(&truth).unwrap();
        Self {
            name: path.file_stem().unwrap().to_string_lossy().into_owned(),
            agent: cast.title.split('/').next().unwrap().to_owned(),
            keys: cast.records.iter().filter(|r| matches!(r.what, What::Input(_))).map(|r| r.t).collect(),
            cast,
            states: truth.states,
        }
    }
}

/// Every prompt that was pasted by itself, with the screen just before the next key.
pub fn pastes(recording: &Recording) -> Vec<(String, Screen)> {
    let mut engine = Terminal::new(recording.cast.size);
    let mut pasted: Option<String> = None;
    let mut out = Vec::new();
    for record in &recording.cast.records {
        engine.tick(record.t);
        match &record.what {
            What::Output(data) => engine.feed(data.as_bytes()),
            What::Resize(size) => engine.resize(*size),
            What::Input(data) => {
                if let Some(prompt) = pasted.take() {
                    let rows = (0..engine.size().rows).map(|row| engine.row_text(row)).collect();
                    out.push((prompt, Screen { rows, ..Screen::default() }));
                }
                let inside = data.strip_prefix("\u{1b}[200~").and_then(|d| d.strip_suffix("\u{1b}[201~"));
                pasted = inside.map(str::to_owned);
            }
            What::Marker(_) => {}
        }
    }
    out
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
