//! What goes into the readers and what comes out: outputs, failures, reports, groups.
//! It holds data only; who fills it is in the files beside it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest `Failure::message` in bytes; enough for an assertion with its context, little enough for ten in one prompt.
pub const MESSAGE_MAX: usize = 4096;

/// Most failures that one report lists. A report is stored and sent as a whole, and nobody mends more at once.
pub const FAILURES_MAX: usize = 1000;

/// Most bytes that the messages of one report take together; beyond it each gets a smaller share.
pub const MESSAGES_MAX: usize = 1024 * 1024;

/// Lines of output that a failure without a reader of its own carries.
pub const TAIL_LINES: usize = 60;

/// What a check left behind: the input of [`super::read`].
#[derive(Debug, Clone, Copy, Default)]
pub struct CheckOutput<'a> {
    /// The shell command as it was given, such as `cargo test --workspace`.
    pub command: &'a str,
    /// Exit code; `None` when a signal ended it, or when it never started.
    pub exit_code: Option<i32>,
    /// Number of the signal that ended it.
    pub signal: Option<i32>,
    /// It was stopped because its time was over.
    pub timed_out: bool,
    /// Standard output and standard error, best in the order in which they came; it may lack its middle.
    pub output: &'a str,
    /// Reports that the check wrote (JUnit XML), and source files, as far as they are at hand: a source file that a
    /// failure names tells whether a line is test code.
    pub files: &'a [Artefact],
}

/// A file that came with a check's output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Artefact {
    /// Path relative to the directory where the check ran.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// Who read a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "FailureReader")]
pub enum Reader {
    /// `cargo test` and what else prints rustc's diagnostics (`cargo build`, `check`, `clippy`).
    Cargo,
    /// `cargo nextest run`.
    Nextest,
    /// `pytest`.
    Pytest,
    /// A JUnit XML report.
    Junit,
    /// Nobody understood the text; only the way it ended is known.
    Exit,
}

impl Reader {
    /// The name that people and ids see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cargo => "cargo",
            Self::Nextest => "nextest",
            Self::Pytest => "pytest",
            Self::Junit => "junit",
            Self::Exit => "exit",
        }
    }
}

/// What sort of thing failed. The order is the order in which failures are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "FailureKind")]
pub enum Kind {
    /// Code that does not compile or cannot be loaded; it usually hides others.
    Compile,
    /// A lint that was raised to an error.
    Lint,
    /// A test.
    Test,
    /// The check itself ended badly, for a reason that no reader found.
    Exit,
}

/// A line of a file of the repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// Path as the tool printed it, relative to where the check ran.
    pub file: String,
    /// Line, counted from 1.
    pub line: u32,
}

/// One thing that must be mended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// 16 hex digits: the same failure has the same id in the next run, also when lines moved.
    pub id: String,
    /// Who found it.
    pub reader: Reader,
    /// What the tool calls it: a test's full name, or the first line of a compiler's message.
    pub name: String,
    /// What sort of failure it is.
    pub kind: Kind,
    /// The file to open first: the test's own place when it is known, else the place of the panic or error.
    pub file: Option<String>,
    /// Line in `file`, from 1.
    pub line: Option<u32>,
    /// Column in `file`, from 1.
    pub column: Option<u32>,
    /// What went wrong, the telling line first; at most [`MESSAGE_MAX`] bytes, no control characters but line ends.
    pub message: String,
    /// Shell command that runs just this again, to be run where and how the check was run. `None` when only the whole
    /// check reproduces it. A test that was renamed makes some runners succeed without running anything: look at
    /// `Report::counts` too.
    pub rerun: Option<String>,
    /// Where the name is unique: a test binary, a test file, a compilation unit, a JUnit suite.
    pub suite: Option<String>,
    /// The place outside of test code that brought it about, when the output shows one. Failures that share it are
    /// mended together.
    pub cause: Option<Place>,
}

/// How many tests there were, as far as the tools said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TestCounts")]
pub struct Counts {
    /// Tests that passed.
    pub passed: u32,
    /// Tests that failed, as the tools count; compile errors are not tests.
    pub failed: u32,
    /// Tests that were skipped, ignored or expected to fail.
    pub ignored: u32,
}

/// What [`super::read`] found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CheckReport")]
pub struct Report {
    /// The check ended with exit code 0, in time. Nothing else decides it.
    pub passed: bool,
    /// What failed, in an order that does not depend on the order in which tests ran. Never empty unless `passed`.
    pub failures: Vec<Failure>,
    /// The tools stopped before they had run everything (a compile error, a runner that stops at the first failure, a
    /// crash), or a failure could not be read: more may fail than is listed.
    pub partial: bool,
    /// The reader that found most, or `exit` when none understood the output.
    pub reader: Reader,
    /// How many tests there were.
    pub counts: Counts,
    /// What a person should know about the reading itself: broken reports, contradictions.
    pub note: Option<String>,
}

/// Failures that are mended together because they have one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "FailureGroup")]
pub struct Group {
    /// 16 hex digits, made of the ids of its failures.
    pub id: String,
    /// One short line.
    pub title: String,
    /// At least one.
    pub failures: Vec<Failure>,
}
