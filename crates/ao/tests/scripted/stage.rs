//! A stage for the scripted agent: a real PTY, the product's screen engine, a real git worktree.
//!
//! It never sleeps: it waits for something on the screen, with a limit, and the agent is killed when the stage is dropped.

use ao_core::activity::{Activity, Observation};
use ao_core::adapter::Adapter;
use ao_core::adapter::watch::Watch;
use ao_core::screen::{Mark, Screen};
use ao_core::time::Time;
use ao_host::engine::terminal::Terminal as Grid;
use ao_host::engine::{Engine, Size, TermEvent};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::pty::OpenptFlags;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

pub struct Stage {
    dir: tempfile::TempDir,
    pty: OwnedFd,
    engine: Grid,
    child: Option<Child>,
    adapter: Adapter,
    watch: Watch,
    marks: Vec<Mark>,
    offset: u64,
    pub seen: Vec<Observation>,
}

fn git(dir: &Path, args: &[&str]) -> String {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@invalid"];
    let out = Command::new("git").args(identity).args(args).current_dir(dir).output().unwrap();
    assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

impl Stage {
    /// A worktree on branch `work` of a repository whose `main` holds `f`, and the agent started in it.
    pub fn open(script: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path().join("tree");
        fs::create_dir(&tree).unwrap();
        git(&tree, &["init", "-q", "-b", "main"]);
        fs::write(tree.join("f"), "one\ntwo\nthree\n").unwrap();
        git(&tree, &["add", "-A"]);
        git(&tree, &["commit", "-q", "-m", "first"]);
        git(&tree, &["checkout", "-q", "-b", "work"]);
        fs::write(dir.path().join("script.json"), script).unwrap();
        let pty = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        rustix::pty::grantpt(&pty).unwrap();
        rustix::pty::unlockpt(&pty).unwrap();
        let agents = ao_plugins::agent::built_in(Path::new(env!("CARGO_BIN_EXE_ao"))).unwrap();
        let agent = agents.into_iter().find(|a| ao_slots::agent::Agent::adapter(a).name == "scripted").unwrap();
        let size = Size::clamped(80, 24);
        let mut stage = Self {
            dir,
            pty,
            engine: Grid::new(size),
            child: None,
            adapter: ao_slots::agent::Agent::adapter(&agent).clone(),
            watch: Watch::default(),
            marks: Vec::new(),
            offset: 0,
            seen: Vec::new(),
        };
        stage.resize(80, 24);
        stage.start();
        stage
    }

    /// Starts the agent, as it is started again after it ended.
    pub fn start(&mut self) {
        let terminal = || {
            let name = rustix::pty::ptsname(&self.pty, Vec::new()).unwrap();
            let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY;
            Stdio::from(rustix::fs::open(name, flags, rustix::fs::Mode::empty()).unwrap())
        };
        let child = Command::new(env!("CARGO_BIN_EXE_ao"))
            .args(["scripted-agent", "--script", "../script.json", "--log", "../log"])
            .current_dir(self.tree())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.dir.path())
            .stdin(terminal())
            .stdout(terminal())
            .stderr(terminal())
            .spawn()
            .unwrap();
        self.child = Some(child);
    }

    pub fn tree(&self) -> PathBuf {
        self.dir.path().join("tree")
    }

    pub fn git(&self, args: &[&str]) -> String {
        git(&self.tree(), args)
    }

    pub fn file(&self, name: &str) -> String {
        fs::read_to_string(self.tree().join(name)).unwrap()
    }

    /// The lines of the log.
    pub fn log(&self) -> Vec<serde_json::Value> {
        let text = fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub fn resize(&mut self, cols: u16, rows: u16) {
        let size = rustix::termios::Winsize { ws_row: rows, ws_col: cols, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&self.pty, size).unwrap();
        self.engine.resize(Size::clamped(cols, rows));
    }

    pub fn type_keys(&mut self, bytes: &str) {
        let mut rest = bytes.as_bytes();
        while !rest.is_empty() {
            let count = rustix::io::write(&self.pty, rest).unwrap();
            rest = &rest[count..];
        }
    }

    /// Pastes a prompt as the host does, waits until the composer holds it, and presses Enter.
    pub fn prompt(&mut self, text: &str) {
        self.type_keys(&format!("\u{1b}[200~{text}\u{1b}[201~"));
        let text = text.to_owned();
        self.wait(&format!("the composer holds {text:?}"), |stage| {
            let found = ao_core::adapter::composer::find(&stage.adapter, &stage.screen());
            found.is_some_and(|found| ao_core::adapter::composer::holds(&stage.adapter, &found, &text))
        });
        self.type_keys("\r");
    }

    pub fn screen(&self) -> Screen {
        let size = self.engine.size();
        let (row, col, _) = self.engine.cursor();
        Screen {
            cols: size.cols,
            rows: (0..size.rows).map(|row| self.engine.row_text(row)).collect(),
            cursor: (row, col),
            title: self.engine.title().to_owned(),
            bracketed_paste: self.engine.bracketed_paste(),
            offset: self.offset,
            marks: self.marks.clone(),
            ..Screen::default()
        }
    }

    pub fn composer(&self) -> Option<String> {
        ao_core::adapter::composer::find(&self.adapter, &self.screen()).map(|found| found.text)
    }

    pub fn shows(&self, text: &str) -> bool {
        self.screen().rows.iter().any(|row| row.contains(text))
    }

    /// What was seen of the agent, in order.
    pub fn activities(&self) -> Vec<&'static str> {
        self.seen.iter().map(|o| o.activity.name()).collect()
    }

    pub fn wait_activity(&mut self, name: &str) {
        self.wait(&format!("the activity {name}"), |stage| {
            stage.seen.last().is_some_and(|o: &Observation| o.activity.name() == name)
        });
    }

    /// Waits for the end of the nth turn.
    pub fn wait_turns(&mut self, n: usize) {
        self.wait(&format!("the end of turn {n}"), |stage| {
            let turns = stage.seen.iter().filter(|o| matches!(o.activity, Activity::Working { .. })).count();
            turns >= n && !stage.seen.last().is_some_and(|o| o.activity.in_turn())
        });
    }

    /// Feeds output until `there` holds.
    pub fn wait(&mut self, what: &str, there: impl Fn(&Self) -> bool) {
        let until = Instant::now() + LIMIT;
        while !there(self) {
            assert!(
                self.pump(until),
                "{what} did not come; the screen is\n{}\nseen {:?}",
                self.screen().rows.join("\n"),
                self.activities()
            );
        }
    }

    /// Reads once. False when the time is up or the terminal was hung up.
    fn pump(&mut self, until: Instant) -> bool {
        let left = until.saturating_duration_since(Instant::now());
        let limit = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
        let ready = rustix::event::poll(&mut [PollFd::new(&self.pty, PollFlags::IN)], Some(&limit)).unwrap();
        let mut buffer = [0; 4096];
        let count = if ready == 0 { 0 } else { rustix::io::read(&self.pty, &mut buffer).unwrap_or(0) };
        if count == 0 {
            return false;
        }
        self.engine.feed(&buffer[..count]);
        self.offset += count as u64;
        for event in self.engine.take_events() {
            match event {
                TermEvent::Title(text) => self.marks.push(Mark { offset: self.offset, osc: 0, text }),
                TermEvent::Osc(osc, text) => self.marks.push(Mark { offset: self.offset, osc, text }),
                TermEvent::Bell | TermEvent::Reply(_) => {}
            }
        }
        let screen = self.screen();
        for observation in self.watch.look(&self.adapter, &screen, Time(self.offset)) {
            self.seen.push(observation);
        }
        true
    }

    /// Waits until the agent has ended.
    pub fn ended(&mut self) -> ExitStatus {
        let until = Instant::now() + LIMIT;
        while self.pump(until) {}
        self.child.take().unwrap().wait().unwrap()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
