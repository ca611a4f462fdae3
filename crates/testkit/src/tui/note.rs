//! What the scripted agent was given, one line of JSON each, in a file per session.

use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

/// One thing that happened to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum Note {
    /// Its process began.
    Started,
    /// It takes a prompt and has none.
    Idle,
    /// It shows a question.
    Asked,
    /// A prompt began a turn.
    Submitted {
        /// The prompt.
        text: String,
        /// What was in the file that it names, when it names one.
        file: Option<String>,
    },
    /// Enter did nothing.
    Swallowed,
    /// A choice was made.
    Answered {
        /// Its label.
        label: String,
    },
    /// Keys came while a question was shown.
    Astray {
        /// Which.
        text: String,
    },
}

/// Everything that the agent in workspace `name` noted so far, oldest first.
///
/// # Errors
/// When the file cannot be read, or a line is not a note.
pub fn notes(dir: &Path, name: &str) -> io::Result<Vec<Note>> {
    let text = match fs::read_to_string(dir.join(format!("{name}.jsonl"))) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    // A line that is being written has no end yet.
    let whole = text.rfind('\n').map_or("", |end| text.get(..end).unwrap_or_default());
    whole.lines().map(|line| serde_json::from_str(line).map_err(io::Error::other)).collect()
}

pub(super) fn append(dir: &Path, name: &str, note: &Note) -> io::Result<()> {
    let mut file = fs::File::options().append(true).create(true).open(dir.join(format!("{name}.jsonl")))?;
    file.write_all(format!("{}\n", serde_json::to_string(note)?).as_bytes())
}

/// The file that a prompt names when it was too long to type (`docs/design/delivery.md`).
pub(super) fn file_in(text: &str) -> Option<&str> {
    text.split(' ').find(|word| word.starts_with(".ao/prompts/"))
}
