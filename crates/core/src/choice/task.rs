//! What kind of task a text asks for, by its words: a hint for choosing an agent, never more.

use schemars::JsonSchema;
use serde::Deserialize;

/// A side of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TaskKind {
    /// Something is broken.
    Bug,
    /// Tests are to be written or mended.
    Tests,
    /// The same behaviour in better shape.
    Refactoring,
    /// Words for people.
    Docs,
    /// What people see.
    Interface,
    /// An answer, not a change.
    Research,
    /// Building, shipping, machines.
    Operations,
    /// Something new.
    Feature,
}

/// The words of each kind; a word matches from its beginning, so that `test` finds `tests` and `testing`.
const WORDS: [(TaskKind, &[&str]); 8] = [
    (TaskKind::Bug, &["bug", "fix", "crash", "panic", "broken", "regression", "error", "fail", "wrong"]),
    (TaskKind::Tests, &["test", "coverage", "flaky", "assert"]),
    (TaskKind::Refactoring, &["refactor", "rename", "extract", "clean", "simplify", "dedup", "restructure"]),
    (TaskKind::Docs, &["doc", "readme", "changelog", "comment", "typo", "tutorial"]),
    (TaskKind::Interface, &["ui", "css", "html", "layout", "page", "button", "frontend", "dashboard", "react"]),
    (TaskKind::Research, &["why", "explain", "investigate", "research", "analyse", "analyze", "compare", "how"]),
    (
        TaskKind::Operations,
        &["ci", "docker", "deploy", "release", "build", "pipeline", "upgrade", "terraform", "kubernetes"],
    ),
    (TaskKind::Feature, &["add", "implement", "support", "create", "new", "introduce"]),
];

/// Words of two letters stand alone: `ci` is not the beginning of `city`.
const WHOLE: usize = 3;

/// A task's first lines say what it is; what follows may be a log of everything.
const READ: usize = 2000;

impl TaskKind {
    /// For a reason in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Bug => "suits bugs",
            Self::Tests => "suits tests",
            Self::Refactoring => "suits refactoring",
            Self::Docs => "suits docs",
            Self::Interface => "suits interfaces",
            Self::Research => "suits research",
            Self::Operations => "suits operations",
            Self::Feature => "suits new features",
        }
    }
}

/// The kinds that a task shows, in the order of [`TaskKind`].
#[must_use]
pub fn kinds(task: &str) -> Vec<TaskKind> {
    let begin: String = task.chars().take(READ).collect::<String>().to_lowercase();
    let words: Vec<&str> = begin.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let says = |stem: &&str| words.iter().any(|w| if stem.len() <= WHOLE { w == stem } else { w.starts_with(stem) });
    WORDS.iter().filter(|(_, stems)| stems.iter().any(&says)).map(|(kind, _)| *kind).collect()
}
