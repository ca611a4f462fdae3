//! Every terminal keeps the contract of terminals; the programs that they start write down how they were called.

use super::{Emulator, Here, Iterm2, TmuxWindow, Web};
use ao_slots::terminal::Terminal;
use ao_testkit::contract::terminal::{self as rules, Maker};
use std::path::PathBuf;

/// A program that appends its own name, its words and where it runs to `said`, one a line.
struct Recorder {
    dir: tempfile::TempDir,
}

impl Recorder {
    fn new() -> Self {
        let recorder = Self { dir: tempfile::tempdir().unwrap() };
        let text = format!(
            "#!/bin/sh\nprintf '%s\\n' \"$0\" \"$@\" \"in $(pwd)\" '' >> '{}'\n",
            recorder.dir.path().join("said").display()
        );
        // Written by another process: a file that this one has open for writing cannot be run by a thread of it.
        let write = std::process::Command::new("sh")
            .args(["-c", "printf %s \"$1\" > \"$0\" && chmod 755 \"$0\""])
            .arg(recorder.program())
            .arg(text)
            .status();
        assert!(write.unwrap().success());
        recorder
    }

    fn program(&self) -> PathBuf {
        self.dir.path().join("a program")
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("said")).unwrap_or_default()
    }
}

struct Webs(Recorder);

impl Maker for Webs {
    fn terminal(&self) -> Box<dyn Terminal> {
        Box::new(Web::by(self.0.program(), true))
    }
    fn nowhere(&self) -> Box<dyn Terminal> {
        Box::new(Web::by(self.0.program(), false))
    }
    fn started(&self) -> String {
        self.0.said()
    }
}

struct Attached(Recorder);

impl Maker for Attached {
    fn terminal(&self) -> Box<dyn Terminal> {
        Box::new(Here)
    }
    fn nowhere(&self) -> Box<dyn Terminal> {
        Box::new(Here)
    }
    fn started(&self) -> String {
        self.0.said()
    }
    fn attach(&self) -> String {
        self.0.program().display().to_string()
    }
}

struct Windows(Recorder);

impl Maker for Windows {
    fn terminal(&self) -> Box<dyn Terminal> {
        Box::new(TmuxWindow::by(self.0.program(), true))
    }
    fn nowhere(&self) -> Box<dyn Terminal> {
        Box::new(TmuxWindow::by(self.0.program(), false))
    }
    fn started(&self) -> String {
        self.0.said()
    }
}

struct Macs(Recorder);

impl Maker for Macs {
    fn terminal(&self) -> Box<dyn Terminal> {
        Box::new(Iterm2)
    }
    fn nowhere(&self) -> Box<dyn Terminal> {
        Box::new(Iterm2)
    }
    fn started(&self) -> String {
        self.0.said()
    }
    // On a Mac it would open a window for each rule.
    fn runs_here(&self) -> bool {
        false
    }
}

struct Commands(Recorder);

impl Maker for Commands {
    fn terminal(&self) -> Box<dyn Terminal> {
        Box::new(Emulator::new(format!("'{}' {{attach}}", self.0.program().display()).parse().unwrap()))
    }
    fn nowhere(&self) -> Box<dyn Terminal> {
        Box::new(Emulator::new("/nowhere/term -e {attach}".parse().unwrap()))
    }
    fn started(&self) -> String {
        self.0.said()
    }
    fn dir(&self) -> Option<PathBuf> {
        Some(self.0.dir.path().canonicalize().unwrap())
    }
}

async fn keeps_the_contract<M: Maker>(make: fn(Recorder) -> M) {
    rules::words_arrive_as_they_are(&make(Recorder::new())).await;
    rules::the_board_is_a_page(&make(Recorder::new())).await;
    rules::what_cannot_be_opened_is_said_with_what_to_do(&make(Recorder::new())).await;
    rules::several_are_opened_one_by_one(&make(Recorder::new())).await;
    rules::it_begins_in_the_workspace(&make(Recorder::new())).await;
}

#[tokio::test]
async fn web() {
    keeps_the_contract(Webs).await;
}

#[tokio::test]
async fn attach() {
    keeps_the_contract(Attached).await;
}

#[tokio::test]
async fn tmux() {
    keeps_the_contract(Windows).await;
}

#[cfg(not(target_os = "macos"))]
#[tokio::test]
async fn iterm2() {
    keeps_the_contract(Macs).await;
}

#[tokio::test]
async fn command() {
    keeps_the_contract(Commands).await;
}
