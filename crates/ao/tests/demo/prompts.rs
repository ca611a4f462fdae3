//! The scripted agents' own log of every prompt that they read from their terminals.

use serde::Deserialize;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// One prompt.
#[derive(Clone, Debug, Deserialize)]
pub struct Prompt {
    pub sha256: String,
    pub text: String,
    cwd: PathBuf,
}

impl Prompt {
    /// The session: its worktree is called like it.
    pub fn session(&self) -> String {
        self.cwd.file_name().and_then(|name| name.to_str()).expect("a worktree").to_owned()
    }
}

/// The log, held open so that it is still there when the demo has taken everything down.
pub struct Prompts {
    path: PathBuf,
    file: Option<File>,
    text: String,
}

impl Prompts {
    pub fn follow(path: &Path) -> Self {
        Self { path: path.to_owned(), file: None, text: String::new() }
    }

    pub fn look(&mut self) {
        if self.file.is_none() {
            self.file = File::open(&self.path).ok();
        }
        if let Some(file) = &mut self.file {
            file.read_to_string(&mut self.text).expect("the log is readable");
        }
    }

    pub fn all(&self) -> Vec<Prompt> {
        self.text.lines().map(|line| serde_json::from_str(line).expect("a line of the log")).collect()
    }

    /// The hash of every prompt that was read, with the session that read it; sorted.
    pub fn read(&self) -> Vec<(String, String)> {
        let mut all: Vec<_> = self.all().into_iter().map(|p| (p.session(), p.sha256)).collect();
        all.sort();
        all
    }
}
