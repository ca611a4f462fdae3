//! A scripted agent with the worst manners of real ones, on a real terminal: it looks like Claude Code, starts slowly, draws
//! late and again and again, swallows Enter, and asks questions in the middle of a turn. It notes everything it was given.
//!
//! It has no model: each prompt begins a turn that only takes time. What it noted is the truth that deliveries are judged by.

mod input;
mod mode;
mod note;
mod screen;

pub use note::{Note, notes};

use crate::dice::Dice;
use input::{Input, Key};
use mode::Mode;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use screen::View;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Says where the agent notes what it is given: a directory with its manners.
pub const NOTES: &str = "AO_TUI_NOTES";

/// Enter this soon after a paste is part of the paste, as several real agents have it (`docs/agents.md`).
const PASTE_TAKES: Duration = Duration::from_millis(50);
/// What leave is asked with.
const CHOICES: [&str; 3] = ["Yes", "Yes, and don't ask again for make commands in this project", "No"];
/// Between two pictures of a turn.
const SPIN: Duration = Duration::from_millis(60);

/// How it behaves; times in milliseconds, each drawn anew between the two bounds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Manners {
    /// Chance of its own for every session comes from this and the workspace's name.
    pub seed: u64,
    /// From its start to its first composer.
    pub start: (u64, u64),
    /// A turn.
    pub turn: (u64, u64),
    /// From a change to the picture that shows it.
    pub draw: (u64, u64),
    /// How long a question stands; it goes away by itself, as if it was answered elsewhere.
    pub question: (u64, u64),
    /// Of 100 turns, those with a question in them.
    pub questions: u64,
    /// Of 100 presses of Enter, those that do nothing.
    pub swallowed: u64,
    /// Of 100 changes, those that are drawn five times in a row.
    pub storms: u64,
    /// Every turn asks leave in a menu of three rows, its second one selected, and waits until it is answered.
    #[serde(default)]
    pub permission: bool,
}

struct Tui {
    manners: Manners,
    dice: Dice,
    dir: PathBuf,
    name: String,
    mode: Mode,
    view: View,
    /// Prompts that were entered during a turn.
    queued: VecDeque<String>,
    pasted_at: Option<Instant>,
    draw_at: Option<Instant>,
    repeats: u32,
}

/// Plays until its terminal ends. `dir` has `manners.json` and gets the notes, under the name of its workspace's directory.
///
/// # Errors
/// When there is no terminal, or the files cannot be read or written.
pub fn play(dir: &Path) -> io::Result<()> {
    let manners: Manners = serde_json::from_slice(&fs::read(dir.join("manners.json"))?)?;
    let workspace = std::env::current_dir()?;
    let name = workspace.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let mut terminal = tcgetattr(io::stdin())?;
    terminal.make_raw();
    tcsetattr(io::stdin(), OptionalActions::Now, &terminal)?;
    let part = name.bytes().fold(7, |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let mut dice = Dice::new(manners.seed, part);
    let until = Instant::now() + between(&mut dice, manners.start);
    let mut tui = Tui {
        manners,
        dice,
        dir: dir.to_owned(),
        name,
        mode: Mode::Starting { until },
        view: View::default(),
        queued: VecDeque::new(),
        pasted_at: None,
        draw_at: None,
        repeats: 0,
    };
    tui.note(&Note::Started)?;
    screen::begin()?;
    tui.draw()?;
    tui.run()
}

fn between(dice: &mut Dice, (least, most): (u64, u64)) -> Duration {
    Duration::from_millis(least + dice.below(most.saturating_sub(least) + 1))
}

impl Tui {
    fn run(&mut self) -> io::Result<()> {
        let mut input = Input::default();
        let mut bytes = [0; 4096];
        loop {
            let wait = self.wakes_at().map(|at| at.saturating_duration_since(Instant::now()));
            let wait = wait.map(|wait| Timespec::try_from(wait).map_err(io::Error::other)).transpose()?;
            let stdin = io::stdin();
            let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
            match poll(&mut fds, wait.as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            if !fds[0].revents().is_empty() {
                let count = stdin.lock().read(&mut bytes)?;
                if count == 0 {
                    return Ok(());
                }
                for key in input.feed(bytes.get(..count).unwrap_or_default()) {
                    self.key(key)?;
                }
            }
            self.time_passed()?;
        }
    }

    /// When something happens by itself.
    fn wakes_at(&self) -> Option<Instant> {
        let mode = match self.mode {
            Mode::Starting { until } | Mode::Question { until, .. } => Some(until),
            Mode::Idle | Mode::Permission { .. } => None,
            Mode::Turn { until, question } => Some(question.map_or(until, |at| at.min(until))),
        };
        [mode, self.draw_at].into_iter().flatten().min()
    }

    fn key(&mut self, key: Key) -> io::Result<()> {
        if let Mode::Permission { selected, turn } = self.mode {
            return self.choose(&key, selected, turn);
        }
        if let Mode::Question { .. } = self.mode {
            // A person who presses a key at that moment sees what they did.
            return if key == Key::Person { Ok(()) } else { self.note(&Note::Astray { text: key.words() }) };
        }
        match key {
            Key::Text(text) => self.view.typed(&text),
            Key::Paste(text) => {
                self.view.pasted(text);
                self.pasted_at = Some(Instant::now());
            }
            Key::Clear => self.view.clear(),
            Key::Enter | Key::Person => return self.enter(),
            // The composer has one line of history: none.
            Key::Up | Key::Down => return Ok(()),
        }
        self.changed();
        Ok(())
    }

    /// A key while leave is asked: arrows move, Enter chooses, everything else went astray.
    fn choose(&mut self, key: &Key, selected: usize, turn: Instant) -> io::Result<()> {
        let to = match key {
            Key::Up => selected.saturating_sub(1),
            Key::Down => (selected + 1).min(CHOICES.len() - 1),
            Key::Enter if self.dice.below(100) < self.manners.swallowed => return self.note(&Note::Swallowed),
            Key::Enter => {
                let label = CHOICES.get(selected).copied().unwrap_or_default().to_owned();
                self.note(&Note::Answered { label })?;
                self.mode = Mode::Turn { until: Instant::now().max(turn), question: None };
                return self.draw();
            }
            Key::Text(_) | Key::Paste(_) | Key::Person | Key::Clear => {
                return self.note(&Note::Astray { text: key.words() });
            }
        };
        self.mode = Mode::Permission { selected: to, turn };
        self.changed();
        Ok(())
    }

    fn enter(&mut self) -> io::Result<()> {
        if self.pasted_at.is_some_and(|at| at.elapsed() < PASTE_TAKES) {
            self.view.typed("\n");
            self.changed();
            return Ok(());
        }
        if self.dice.below(100) < self.manners.swallowed {
            return self.note(&Note::Swallowed);
        }
        let Some(text) = self.view.take() else { return Ok(()) };
        match self.mode {
            Mode::Idle => self.submit(text)?,
            // Both keep it for later, as real agents do.
            Mode::Starting { .. } | Mode::Turn { .. } => self.queued.push_back(text),
            Mode::Question { .. } | Mode::Permission { .. } => {}
        }
        self.changed();
        Ok(())
    }

    fn submit(&mut self, text: String) -> io::Result<()> {
        self.view.said(&text);
        let file = note::file_in(&text).map(|path| fs::read_to_string(path).unwrap_or_default());
        self.note(&Note::Submitted { text, file })?;
        let now = Instant::now();
        let length = between(&mut self.dice, self.manners.turn);
        let asks = self.manners.permission || self.dice.below(100) < self.manners.questions;
        self.mode = Mode::Turn { until: now + length, question: asks.then(|| now + length / 2) };
        Ok(())
    }

    fn time_passed(&mut self) -> io::Result<()> {
        let now = Instant::now();
        match self.mode {
            Mode::Starting { until } if now >= until => self.rest()?,
            Mode::Turn { question: Some(at), until } if now >= at && self.manners.permission => {
                self.mode = Mode::Permission { selected: 1, turn: until };
                self.draw()?;
                self.note(&Note::Asked)?;
            }
            Mode::Turn { question: Some(at), until } if now >= at => {
                let stands = between(&mut self.dice, self.manners.question);
                self.mode = Mode::Question { until: now + stands, turn: until + stands };
                // A question is drawn when it is asked: until it can be seen, nobody is to blame for answering it.
                self.draw()?;
                self.note(&Note::Asked)?;
            }
            Mode::Question { until, turn } if now >= until => {
                self.mode = Mode::Turn { until: turn, question: None };
                self.draw()?;
            }
            Mode::Turn { until, .. } if now >= until => self.rest()?,
            Mode::Starting { .. }
            | Mode::Idle
            | Mode::Turn { .. }
            | Mode::Question { .. }
            | Mode::Permission { .. } => {}
        }
        if self.draw_at.is_some_and(|at| now >= at) {
            self.draw()?;
        }
        Ok(())
    }

    /// A start or a turn is over: what was entered meanwhile goes on.
    fn rest(&mut self) -> io::Result<()> {
        self.mode = Mode::Idle;
        match self.queued.pop_front() {
            Some(text) => self.submit(text)?,
            None => self.note(&Note::Idle)?,
        }
        self.changed();
        Ok(())
    }

    /// Something is to be drawn, some time later and maybe several times.
    fn changed(&mut self) {
        self.draw_at = Some(Instant::now() + between(&mut self.dice, self.manners.draw));
        self.repeats = if self.dice.below(100) < self.manners.storms { 5 } else { 1 };
    }

    fn draw(&mut self) -> io::Result<()> {
        self.view.draw(self.mode, &CHOICES)?;
        self.repeats = self.repeats.saturating_sub(1);
        self.draw_at = match self.mode {
            _ if self.repeats > 0 => Some(Instant::now()),
            Mode::Turn { .. } => Some(Instant::now() + SPIN),
            Mode::Starting { .. } | Mode::Idle | Mode::Question { .. } | Mode::Permission { .. } => None,
        };
        Ok(())
    }

    fn note(&self, note: &Note) -> io::Result<()> {
        note::append(&self.dir, &self.name, note)
    }
}
