//! The agent's life on its terminal: prompts in, turns out, one loop.

use super::act::{self, Done};
use super::composer::Composer;
use super::keys::{Key, Keys};
use super::prompt_log::PromptLog;
use super::script::{Script, Step, Then};
use super::term::{Input, Terminal};
use super::view::{Live, Style, View};
use std::collections::VecDeque;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// A lone Esc becomes a key after this long (xterm programs use 25 to 100 ms).
const ESCAPE_WAIT: Duration = Duration::from_millis(40);
/// How often the line that says "working" moves.
const SPIN: Duration = Duration::from_millis(250);
/// How often the size of the terminal is looked at while nothing happens.
const REST: Duration = Duration::from_secs(1);

/// Exit code of `"then": "die"`: told apart from 0 (left), 1 (failed) and 2 (misuse).
const DIE: i32 = 7;

/// What it is doing.
enum Phase {
    AtPrompt,
    /// Looks busy until then.
    Thinking {
        until: Instant,
        step: Option<Step>,
    },
    /// Waits for leave.
    Asking {
        step: Step,
    },
    /// Busy for ever.
    Hanging,
}

/// What it says about itself by OSC 7501.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Interrupted,
    Working,
    Done,
    Blocked,
    Error,
}

impl State {
    /// The sequences for it: OSC 7501 in the spelling of Codex with `;` between fields, and the title.
    fn marks(self) -> String {
        let (state, title) = match self {
            Self::Idle => ("state=idle;app=scripted", "◇ scripted agent"),
            Self::Interrupted => ("state=idle;app=scripted;reason=interrupted", "◇ scripted agent"),
            Self::Working => ("state=working;app=scripted", "◆ scripted agent"),
            Self::Done => ("state=done;app=scripted", "◇ scripted agent"),
            Self::Blocked => ("state=blocked;app=scripted;kind=permission", "? scripted agent"),
            Self::Error => ("state=error;app=scripted", "◇ scripted agent"),
        };
        format!("\x1b]0;{title}\x07\x1b]7501;{state}\x1b\\")
    }
}

/// One agent on one terminal.
pub struct Session {
    script: Script,
    log: PromptLog,
    worktree: PathBuf,
    terminal: Terminal,
    keys: Keys,
    composer: Composer,
    view: View,
    phase: Phase,
    state: State,
    /// Marks that are not written yet.
    marks: String,
    began: Instant,
    /// Prompts that were sent during a turn.
    waiting: VecDeque<(String, Option<Step>)>,
    leaving: Option<u8>,
    interrupts: u32,
}

impl Session {
    /// Makes the agent; nothing is drawn yet.
    pub fn new(script: Script, log: PromptLog, worktree: PathBuf, terminal: Terminal) -> Self {
        let view = View::new(terminal.size());
        Self {
            script,
            log,
            worktree,
            terminal,
            keys: Keys::default(),
            composer: Composer::default(),
            view,
            phase: Phase::AtPrompt,
            state: State::Idle,
            marks: State::Idle.marks(),
            began: Instant::now(),
            waiting: VecDeque::new(),
            leaving: None,
            interrupts: 0,
        }
    }

    /// Lives until it leaves or its terminal is gone.
    ///
    /// # Errors
    /// When the terminal or the log stops working.
    pub fn run(mut self) -> Result<ExitCode, String> {
        self.view.say(Style::Bold, "ao scripted agent");
        self.view.say(
            Style::Dim,
            "A stand-in, not a model: it plays the model's part from a script file and knows nothing else\n\
             than that script, this terminal and this directory.\n ",
        );
        self.view.say(Style::Dim, &format!("{}\n ", self.worktree.display()));
        self.live().map_err(|e| format!("the terminal or the log failed: {e}"))
    }

    fn live(&mut self) -> io::Result<ExitCode> {
        let mut whole = false;
        loop {
            self.draw(whole)?;
            if let Some(code) = self.leaving {
                self.view.say(Style::Dim, "The scripted agent has left.");
                let farewell = self.view.farewell();
                self.terminal.write(&farewell)?;
                return Ok(ExitCode::from(code));
            }
            match self.terminal.read(self.wait())? {
                Input::Bytes(bytes) => {
                    for key in self.keys.feed(&bytes) {
                        self.key(key)?;
                    }
                }
                Input::Nothing => {
                    if let Some(key) = self.keys.settle() {
                        self.key(key)?;
                    }
                }
                Input::Ended => return Ok(ExitCode::SUCCESS),
            }
            self.advance()?;
            whole = self.view.resize(self.terminal.size());
        }
    }

    fn wait(&self) -> Duration {
        let wait = match &self.phase {
            Phase::AtPrompt | Phase::Asking { .. } | Phase::Hanging => REST,
            Phase::Thinking { until, .. } => until.saturating_duration_since(Instant::now()).min(SPIN),
        };
        if self.keys.undecided() { wait.min(ESCAPE_WAIT) } else { wait }
    }

    fn draw(&mut self, whole: bool) -> io::Result<()> {
        if matches!(self.phase, Phase::Hanging) && self.marks.is_empty() && !whole {
            return Ok(());
        }
        let seconds = self.began.elapsed().as_secs();
        let status = match &self.phase {
            Phase::AtPrompt | Phase::Asking { .. } => String::new(),
            Phase::Thinking { .. } => {
                let sign =
                    ["·", "✢", "✳", "✢"][usize::try_from(self.began.elapsed().as_millis() / 250 % 4).unwrap_or(0)];
                format!("{sign} Working… ({seconds}s · Esc to interrupt){}", self.queued())
            }
            Phase::Hanging => "· Working… (Esc to interrupt)".to_owned(),
        };
        let question = match &self.phase {
            Phase::Asking { .. } => Some("Do you want to let it change files here?"),
            Phase::AtPrompt | Phase::Thinking { .. } | Phase::Hanging => None,
        };
        let live = Live { status, question, composer: self.composer.shown() };
        let marks = std::mem::take(&mut self.marks);
        let frame = self.view.frame(&live, &marks, whole);
        self.terminal.write(&frame)
    }

    fn queued(&self) -> String {
        match self.waiting.len() {
            0 => String::new(),
            n => format!(" · {n} more to do"),
        }
    }

    fn key(&mut self, key: Key) -> io::Result<()> {
        if !matches!(key, Key::Interrupt) {
            self.interrupts = 0;
        }
        if matches!(self.phase, Phase::Asking { .. }) {
            self.answer(&key);
            return Ok(());
        }
        match key {
            Key::Char(c) => self.composer.push(c),
            Key::Paste(text) => self.composer.paste(text),
            Key::NewLine => self.composer.push('\n'),
            Key::Backspace => self.composer.backspace(),
            Key::Clear => self.composer.clear(),
            Key::Enter => return self.submit(),
            Key::Escape => self.interrupt(),
            Key::Interrupt => self.control_c(),
            Key::End => {
                if self.composer.is_empty() && matches!(self.phase, Phase::AtPrompt) {
                    self.leaving = Some(0);
                }
            }
        }
        Ok(())
    }

    fn control_c(&mut self) {
        if !matches!(self.phase, Phase::AtPrompt) {
            self.interrupt();
            return;
        }
        self.composer.clear();
        self.interrupts += 1;
        if self.interrupts > 1 {
            self.leaving = Some(0);
        }
    }

    fn answer(&mut self, key: &Key) {
        let Phase::Asking { step } = std::mem::replace(&mut self.phase, Phase::AtPrompt) else { return };
        match key {
            Key::Enter | Key::Char('1' | 'y' | 'Y') => {
                self.say_state(State::Working);
                self.phase = Phase::Thinking { until: Instant::now(), step: Some(Step { then: Then::Idle, ..step }) };
            }
            Key::Escape | Key::Interrupt | Key::Char('2' | 'n' | 'N') => {
                self.view.say(Style::Red, "  refused by the user\n ");
                self.say_state(State::Interrupted);
            }
            Key::Char(_) | Key::Paste(_) | Key::NewLine | Key::Backspace | Key::Clear | Key::End => {
                self.phase = Phase::Asking { step };
            }
        }
    }

    fn interrupt(&mut self) {
        if matches!(self.phase, Phase::AtPrompt) {
            return;
        }
        self.phase = Phase::AtPrompt;
        self.waiting.clear();
        self.view.say(Style::Red, "  interrupted by the user\n ");
        self.say_state(State::Interrupted);
    }

    fn submit(&mut self) -> io::Result<()> {
        let text = self.composer.take();
        if text.trim().is_empty() {
            return Ok(());
        }
        if text.trim() == "/exit" {
            self.leaving = Some(0);
            return Ok(());
        }
        let whole = with_file(&text, &self.worktree);
        let log = &self.log;
        let (place, step) = match self.script.choose(&whole, &|n| log.used(n)) {
            Some((place, step)) => (place, Some(step.clone())),
            None => (None, None),
        };
        self.log.add(&text, place)?;
        self.waiting.push_back((text, step));
        Ok(())
    }

    /// Begins what can begin and ends what is over.
    fn advance(&mut self) -> io::Result<()> {
        loop {
            match std::mem::replace(&mut self.phase, Phase::AtPrompt) {
                Phase::AtPrompt => {
                    if self.leaving.is_some() {
                        return Ok(());
                    }
                    let Some((text, step)) = self.waiting.pop_front() else { return Ok(()) };
                    self.begin(&text, step);
                }
                Phase::Thinking { until, step } if until <= Instant::now() => self.act(step)?,
                busy @ (Phase::Thinking { .. } | Phase::Asking { .. } | Phase::Hanging) => {
                    self.phase = busy;
                    return Ok(());
                }
            }
        }
    }

    fn begin(&mut self, text: &str, step: Option<Step>) {
        for (n, line) in text.lines().enumerate() {
            self.view.say(Style::Bold, &format!("{}{line} ", if n == 0 { "» " } else { "  " }));
        }
        self.view.say(Style::Plain, " ");
        self.began = Instant::now();
        self.say_state(State::Working);
        let think = step.as_ref().map_or(0, |s| s.think_ms);
        self.phase = Phase::Thinking { until: self.began + Duration::from_millis(think), step };
    }

    fn act(&mut self, step: Option<Step>) -> io::Result<()> {
        // What comes may take a moment: whoever looks must see that a turn is going on.
        self.phase = Phase::Thinking { until: Instant::now(), step: None };
        self.draw(false)?;
        self.phase = Phase::AtPrompt;
        let Some(step) = step else {
            self.view.say(Style::Plain, "● My script holds no answer to this prompt.\n ");
            self.say_state(State::Done);
            return Ok(());
        };
        if let Some(say) = &step.say {
            self.view.say(Style::Plain, &format!("● {say}"));
        }
        match step.then {
            Then::Ask => {
                self.say_state(State::Blocked);
                self.phase = Phase::Asking { step: Step { say: None, ..step } };
                return Ok(());
            }
            Then::Error => {
                self.view.say(Style::Red, "● Error: the script plays a failed request to a model\n ");
                self.say_state(State::Error);
                return Ok(());
            }
            Then::Idle | Then::Exit | Then::Hang | Then::Die | Then::Crash => {}
        }
        for done in act::perform(&step, &self.worktree) {
            match done {
                Done::Well(text) => self.view.say(Style::Dim, &format!("  {text}")),
                Done::Badly(text) => self.view.say(Style::Red, &format!("  {text}")),
            }
        }
        self.view.say(Style::Plain, " ");
        self.end(step.then)
    }

    fn end(&mut self, then: Then) -> io::Result<()> {
        match then {
            Then::Idle | Then::Ask | Then::Error => {
                if self.waiting.is_empty() {
                    self.say_state(State::Done);
                }
            }
            Then::Exit => {
                self.say_state(State::Done);
                self.leaving = Some(0);
            }
            Then::Hang => self.phase = Phase::Hanging,
            Then::Die => {
                self.view.say(Style::Red, "The script ends the agent here.");
                self.draw(false)?;
                std::process::exit(DIE);
            }
            Then::Crash => {
                self.view.say(Style::Red, "The script crashes the agent here.");
                self.draw(false)?;
                without_core();
                std::process::abort();
            }
        }
        if self.state == State::Working && matches!(self.phase, Phase::Hanging) {
            // Drawn once more, then silence.
            self.marks = State::Working.marks();
        }
        Ok(())
    }

    fn say_state(&mut self, state: State) {
        self.state = state;
        self.marks.push_str(&state.marks());
    }
}

/// A wanted crash leaves no core file in somebody's worktree.
fn without_core() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    // Without the limit the crash leaves a file more: not worth failing for.
    let _ = setrlimit(Resource::Core, none);
}

/// A prompt that names the file with the instructions is matched with the file's text, if that lies in the worktree.
fn with_file(prompt: &str, worktree: &Path) -> String {
    let named = prompt.split_once("in the file ").and_then(|(_, rest)| rest.split_once(" in this workspace"));
    let Some((name, _)) = named else { return prompt.to_owned() };
    let inside = Path::new(name).components().all(|c| matches!(c, Component::Normal(_)));
    match std::fs::read_to_string(worktree.join(name)) {
        Ok(text) if inside => format!("{prompt}\n{text}"),
        Ok(_) | Err(_) => prompt.to_owned(),
    }
}
