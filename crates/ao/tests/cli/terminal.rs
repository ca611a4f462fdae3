//! What happens on a real terminal: attaching and leaving, progress that is redrawn, tables that fit.

use crate::world::{LIMIT, World, until};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::time::Instant;

/// A terminal with a program on it.
struct Terminal {
    ours: OwnedFd,
    /// Ours of their end; closed when the program has ended, so that reading ends, too.
    theirs: Option<File>,
    child: Child,
    seen: String,
}

impl Terminal {
    fn start(mut command: Command, cols: u16) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let theirs = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        tcsetwinsize(&theirs, Winsize { ws_row: 30, ws_col: cols, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let end = || theirs.try_clone().unwrap();
        let child = command.env("TERM", "xterm-256color").stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        Self { ours, theirs: Some(theirs), child, seen: String::new() }
    }

    fn wait_for(&mut self, words: &str) {
        let begun = Instant::now();
        while !self.seen.contains(words) {
            assert!(begun.elapsed() < LIMIT, "{words:?} did not come: {:?}", self.seen);
            self.read();
        }
    }

    /// Reads what is there, or waits a moment for it; false at the end of everything.
    fn read(&mut self) -> bool {
        let moment = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
        let mut fds = [PollFd::new(&self.ours, PollFlags::IN)];
        if poll(&mut fds, Some(&moment)).unwrap() == 0 {
            return true;
        }
        let mut bytes = [0; 4096];
        let count = rustix::io::read(&self.ours, &mut bytes).unwrap_or(0);
        self.seen.push_str(&String::from_utf8_lossy(&bytes[..count]));
        count > 0
    }

    fn type_keys(&self, keys: &[u8]) {
        assert_eq!(rustix::io::write(&self.ours, keys).unwrap(), keys.len());
    }

    fn is_raw(&self) -> bool {
        !tcgetattr(&self.ours).unwrap().local_modes.contains(LocalModes::ICANON)
    }

    /// Waits for the end, reads all that it said, and returns the exit code.
    fn end(&mut self) -> i32 {
        let begun = Instant::now();
        let code = loop {
            assert!(begun.elapsed() < LIMIT, "it does not end: {:?}", self.seen);
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code().unwrap_or(-1);
            }
            self.read();
        };
        drop(self.theirs.take());
        while self.read() {
            assert!(begun.elapsed() < LIMIT, "its terminal stays open: {:?}", self.seen);
        }
        code
    }
}

#[test]
fn attach_joins_a_session_types_into_it_and_leaves_the_terminal_as_it_was() {
    let world = World::new();
    let id = world.shell("echo ready; read answer; echo got $answer; exec cat");
    until("it is ready", || world.ao(&["logs", &id]).ok().out.contains("ready"));
    let mut terminal = Terminal::start(world.command(&["attach", &id]), 100);
    terminal.wait_for("ready");
    assert!(terminal.is_raw());
    terminal.type_keys(b"yes\r");
    terminal.wait_for("got yes");
    terminal.type_keys(b"\x1c");
    assert_eq!(terminal.end(), 0, "{:?}", terminal.seen);
    assert!(terminal.seen.contains(&format!("left {id}; it goes on")), "{:?}", terminal.seen);
    assert!(!terminal.is_raw(), "the terminal is as before");
    assert_eq!(world.json(&["status", &id])["runtimeState"].as_str(), Some("alive"));
}

#[test]
fn attach_needs_no_daemon_and_sees_the_end() {
    let world = World::new();
    let id = world.shell("echo ready; read answer; exit 7");
    until("it is ready", || world.ao(&["logs", &id]).ok().out.contains("ready"));
    world.ao(&["daemon", "stop"]).ok();
    let mut terminal = Terminal::start(world.command(&["attach", &id]), 100);
    terminal.wait_for("ready");
    assert!(!world.home.join("daemon.json").exists(), "a daemon was started for nothing");
    terminal.type_keys(b"\r");
    assert_eq!(terminal.end(), 0);
    assert!(terminal.seen.contains(&format!("{id} ended: exit code 7")) && !terminal.is_raw(), "{:?}", terminal.seen);
}

#[test]
fn progress_is_redrawn_in_place_and_gone_when_the_result_stands_there() {
    let world = World::new();
    let script = world.beside("script.json");
    let mends = r#"{"default": {"say": "mended", "edits": [{"file": "done", "write": "x"}], "commit": "Do it"}}"#;
    std::fs::write(&script, mends).unwrap();
    let log = world.beside("prompts.log");
    let fix = ["fix", "--check", "test -f done", "--agent", "scripted", "--", "--script"];
    let mut command = world.command(&fix);
    command.arg(&script).arg("--log").arg(&log);
    let mut terminal = Terminal::start(command, 100);
    assert_eq!(terminal.end(), 0, "{:?}", terminal.seen);
    assert!(terminal.seen.contains("\u{1b}[3A\r\u{1b}[J"), "nothing was redrawn: {:?}", terminal.seen);
    let last = terminal.seen.rsplit("\u{1b}[J").next().unwrap();
    assert!(last.contains("main is green at") && !last.contains("app-fix-1:"), "{last:?}");
}

#[test]
fn a_list_fits_the_terminal() {
    let world = World::new();
    world.ao(&["new", &"a long title ".repeat(20), "--agent", "shell", "--no-prompt", "--", "cat"]).ok();
    let mut terminal = Terminal::start(world.command(&["list", "--color", "never"]), 60);
    assert_eq!(terminal.end(), 0);
    assert!(terminal.seen.contains('…'), "{:?}", terminal.seen);
    for line in terminal.seen.lines() {
        assert!(line.chars().count() <= 60, "{line:?}");
    }
}

#[test]
fn start_asks_before_it_writes_a_configuration() {
    let world = World::new();
    let file = world.repo.join("agent-orchestrator.yaml");
    for (answer, written) in [(b"n\r", false), (b"y\r", true)] {
        let mut terminal = Terminal::start(world.command(&["start"]), 100);
        terminal.wait_for("[y/N]");
        terminal.type_keys(answer);
        assert_eq!(terminal.end(), 0, "{:?}", terminal.seen);
        assert_eq!(file.exists(), written, "{:?}", terminal.seen);
    }
}
