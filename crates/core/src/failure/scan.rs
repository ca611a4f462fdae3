//! What readers share while they go through one output: its lines, who took which, and failures in the making.
//! It knows no tool.

use std::ops::Range;

use super::finding::{Artefact, Counts, Failure, Kind, Place, Reader};

/// The cleaned lines of an output. A reader takes the lines it understood, so that no other reads them again: tests of
/// test tools print what looks like results.
pub(super) struct Scan<'a> {
    /// The shell command.
    pub command: &'a str,
    /// The lines, without escape sequences.
    pub lines: Vec<&'a str>,
    /// Reports and source files.
    pub files: &'a [Artefact],
    taken: Vec<bool>,
}

impl<'a> Scan<'a> {
    pub fn new(command: &'a str, clean: &'a str, files: &'a [Artefact]) -> Self {
        let lines: Vec<&str> = clean.lines().collect();
        let taken = vec![false; lines.len()];
        Self { command, lines, files, taken }
    }

    pub fn take(&mut self, range: Range<usize>) {
        let end = range.end.min(self.taken.len());
        if let Some(flags) = self.taken.get_mut(range.start.min(end)..end) {
            flags.fill(true);
        }
    }

    pub fn is_free(&self, line: usize) -> bool {
        self.taken.get(line).is_some_and(|taken| !taken)
    }

    /// The numbers of the lines that nobody took.
    pub fn free(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.lines.len()).filter(|line| !self.taken[*line])
    }

    /// The text of a source file that came with the output.
    pub fn source(&self, path: &str) -> Option<&'a str> {
        self.files.iter().find(|file| file.path == path).map(|file| file.text.as_str())
    }
}

/// What one reader made of an output.
#[derive(Default)]
pub(super) struct Found {
    /// The readers that know the tool which wrote it, even if nothing failed.
    pub recognised: Vec<Reader>,
    pub drafts: Vec<Draft>,
    pub counts: Counts,
    /// The tool stopped before it had run everything.
    pub partial: bool,
    pub notes: Vec<String>,
}

/// A failure before it has an id and before its texts are bounded.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub reader: Reader,
    pub kind: Kind,
    pub name: String,
    /// What identifies it beside reader and suite, when `name` holds something that moves, such as a line number.
    pub identity: Option<String>,
    pub suite: Option<String>,
    pub file: Option<String>,
    pub line: Option<u32>,
    pub column: Option<u32>,
    pub headline: String,
    pub detail: String,
    pub rerun: Option<String>,
    pub cause: Option<Place>,
    /// Something that is missing (a module, a function). Failures that miss the same thing have the same cause.
    pub missing: Option<String>,
}

impl Draft {
    pub fn new(reader: Reader, kind: Kind, name: impl Into<String>) -> Self {
        Self {
            reader,
            kind,
            name: name.into(),
            identity: None,
            suite: None,
            file: None,
            line: None,
            column: None,
            headline: String::new(),
            detail: String::new(),
            rerun: None,
            cause: None,
            missing: None,
        }
    }

    /// The order of reports: by sort, then by where it is, never by when it ran.
    pub fn order(&self) -> impl Ord + use<> {
        // Which unit a compile error is reported for first depends on timing.
        let suite = if self.kind == Kind::Test { self.suite.clone() } else { None };
        (self.kind, self.reader, suite, self.file.clone(), self.line, self.column, self.name.clone())
    }

    /// Makes it a failure whose message has at most `room` bytes.
    pub fn finish(self, id: String, room: usize) -> Failure {
        Failure {
            id,
            reader: self.reader,
            name: super::clean::one_line(&self.name, NAME_MAX),
            kind: self.kind,
            file: self.file,
            line: self.line,
            column: self.column,
            message: message(&self.headline, &self.detail, room),
            rerun: self.rerun,
            suite: self.suite,
            cause: self.cause,
        }
    }
}

/// Longest name in bytes; the longest real ones are parametrised tests.
const NAME_MAX: usize = 300;

/// Longest first line of a message in bytes.
const HEADLINE_MAX: usize = 500;

/// Headline first, then the detail unless it says the same; the whole within the limit.
fn message(headline: &str, detail: &str, max: usize) -> String {
    let headline = super::clean::one_line(headline, HEADLINE_MAX.min(max));
    let detail = detail.trim_end().trim_start_matches('\n');
    let rest = if headline.is_empty() {
        return bounded(detail, max);
    } else if let Some(rest) = detail.strip_prefix(&headline) {
        rest.trim_start_matches('\n')
    } else {
        detail
    };
    if rest.is_empty() {
        return headline;
    }
    let room = max.saturating_sub(headline.len() + 1);
    format!("{headline}\n{}", bounded(rest, room))
}

/// Room for the marker that `trim_log` adds.
const MARKER_MAX: usize = 64;

fn bounded(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let trimmed = super::clean::trim_log(text, max.saturating_sub(MARKER_MAX));
    trimmed.trim_end().to_owned()
}
