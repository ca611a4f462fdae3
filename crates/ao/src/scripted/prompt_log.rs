//! The log of every prompt read from the terminal, one JSON object a line. It is also what a restarted agent remembers.
//!
//! Agents in several worktrees may share one file: a line is one appending write and names its worktree.

use ao_core::screen::sha256_hex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// One line.
#[derive(Serialize, Deserialize)]
struct Line {
    /// Ordinal of the prompt in its worktree, from 1.
    n: u32,
    /// SHA-256 of the exact text, hexadecimal.
    sha256: String,
    /// The exact text.
    text: String,
    /// When Enter was read, RFC 3339.
    time: String,
    /// The worktree.
    cwd: PathBuf,
    /// The step that answers it, counted from 0; null for the default and for none.
    step: Option<usize>,
}

/// The open log.
pub struct PromptLog {
    file: File,
    cwd: PathBuf,
    prompts: u32,
    used: BTreeMap<usize, u32>,
}

impl PromptLog {
    /// Opens or makes the file (mode 0600) and reads what earlier launches in this worktree were asked.
    ///
    /// # Errors
    /// When it cannot be read or written. Lines that are no such lines are passed over: a crash may have cut one.
    pub fn open(path: &Path, cwd: &Path) -> io::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let file = OpenOptions::new().create(true).append(true).read(true).mode(0o600).open(path)?;
        let mut log = Self { file, cwd: cwd.to_owned(), prompts: 0, used: BTreeMap::new() };
        for line in BufReader::new(File::open(path)?).split(b'\n') {
            let line = line?;
            if let Ok(line) = serde_json::from_slice::<Line>(&line)
                && line.cwd == cwd
            {
                log.count(line.step);
            }
        }
        Ok(log)
    }

    /// How often a step was used in this worktree.
    pub fn used(&self, step: usize) -> u32 {
        self.used.get(&step).copied().unwrap_or(0)
    }

    /// Appends a prompt.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add(&mut self, text: &str, step: Option<usize>) -> io::Result<()> {
        self.count(step);
        let line = Line {
            n: self.prompts,
            sha256: sha256_hex(text.as_bytes()),
            text: text.to_owned(),
            time: jiff::Timestamp::now().to_string(),
            cwd: self.cwd.clone(),
            step,
        };
        let mut bytes = serde_json::to_vec(&line)?;
        bytes.push(b'\n');
        self.file.write_all(&bytes)
    }

    fn count(&mut self, step: Option<usize>) {
        self.prompts += 1;
        if let Some(step) = step {
            *self.used.entry(step).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restarted_agent_remembers_its_own_prompts_and_nobody_elses() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let (here, there) = (Path::new("/w/1"), Path::new("/w/2"));
        PromptLog::open(&path, here).unwrap().add("one\ntwo", Some(3)).unwrap();
        PromptLog::open(&path, there).unwrap().add("other", Some(3)).unwrap();
        std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"n\":9,\n").unwrap();
        let mut again = PromptLog::open(&path, here).unwrap();
        assert_eq!(again.used(3), 1);
        again.add("third", None).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let last: Line = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!((last.n, last.sha256), (2, sha256_hex(b"third")));
    }
}
