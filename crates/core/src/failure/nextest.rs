//! Reads what `cargo nextest run` prints: one status line a test, indented output under failed ones, a summary.
//! Retries count by their last attempt; compile errors are read in `rustc.rs`.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::command;
use super::finding::{Counts, Kind, Reader};
use super::panic::{self, Panic, Target};
use super::scan::{Draft, Found, Scan};

static STATUS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^ *(?:TRY \d+ )?([A-Z][A-Z0-9+/ -]*?) \[[^\]]*s\] (?:\([^)]*\) +)?(\S+) +(\S.*)$")
        .expect("the pattern is valid")
});
static SUMMARY: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^ +Summary \[[^\]]*s\] .*?tests? run: (.*)$").expect("the pattern is valid"));
static COUNT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(\d+) (passed|failed|skipped|timed out|exec failed)").expect("the pattern is valid"));

/// Column at which nextest ends its status words; nested output is further in.
const STATUS_WIDTH: usize = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    /// A line about a test that is not its result.
    Under,
}

/// What is known of one test: its last outcome and its last output.
#[derive(Debug)]
struct Test {
    binary: String,
    name: String,
    outcome: Outcome,
    label: String,
    output: Option<Range<usize>>,
}

struct Status<'a> {
    label: &'a str,
    binary: &'a str,
    name: &'a str,
}

fn status(line: &str) -> Option<Status<'_>> {
    let at = line.find(" [")?;
    if at != STATUS_WIDTH {
        return None;
    }
    let parts = STATUS.captures(line)?;
    let part = |group| parts.get(group).map(|part| part.as_str());
    Some(Status { label: part(1)?, binary: part(2)?, name: part(3)? })
}

impl Status<'_> {
    /// Words for failures are many (every signal has one); words for the rest are few.
    fn outcome(&self) -> Outcome {
        match self.label {
            "PASS" | "LEAK" | "SKIP" | "IGN" => Outcome::Passed,
            label if label.starts_with("FLAKY") => Outcome::Passed,
            "SLOW" | "START" | "RETRY" | "DELAY" | "TRMNTG" | "TERMINATING" | "SETUP" | "SETUP PASS" | "SETUP SLOW"
            | "Summary" => Outcome::Under,
            label if label.starts_with(|c: char| c.is_ascii_uppercase()) => Outcome::Failed,
            _ => Outcome::Under,
        }
    }
}

/// Reads and takes all that nextest wrote.
pub(super) fn read(scan: &mut Scan<'_>) -> Found {
    let mut found = Found::default();
    let is_start = |line: &usize| {
        scan.lines[*line].starts_with(" Nextest run ID ") || scan.lines[*line].starts_with("    Starting ")
    };
    let first = scan.free().find(is_start).or_else(|| scan.free().find(|line| status(scan.lines[*line]).is_some()));
    let Some(first) = first else { return found };
    found.recognised.push(Reader::Nextest);
    let (tests, last) = tests(scan, first);
    found.counts = counts(scan, first..last, &tests);
    // Without capture a panic stands among the results, with the test's name as its thread.
    let inline = panic::panics(&scan.lines[first..last]);
    for test in tests.iter().filter(|test| test.outcome == Outcome::Failed) {
        found.drafts.push(draft(scan, test, &inline));
    }
    let is_stop = |line: &&str| {
        line.starts_with("  Cancelling due to ")
            || line.starts_with("  Canceling due to ")
            || line.contains(" not run due to ")
    };
    found.partial = scan.lines[first..].iter().any(is_stop);
    let end = scan.lines[last..].iter().take(5).position(|line| line.starts_with("error: "));
    scan.take(first..last + end.map_or(0, |len| len + 1));
    found
}

/// All tests with what is last known of them, and the line after the last one that is nextest's.
fn tests(scan: &Scan<'_>, first: usize) -> (Vec<Test>, usize) {
    let mut tests: Vec<Test> = Vec::new();
    let mut known: HashMap<(&str, &str), usize> = HashMap::new();
    let mut last = first + 1;
    let mut open: Option<usize> = None;
    let mut summary = false;
    for at in first..scan.lines.len() {
        let line = scan.lines[at];
        let is_frame =
            line.starts_with("────") || line.starts_with("  Cancelling ") || line.starts_with("   Canceling ");
        let is_end = line.starts_with("error: ") || line.starts_with("warning: ");
        if summary && is_end {
            break;
        }
        let status = status(line);
        if (status.is_some() || is_frame || is_end)
            && let Some(output) = open.take().and_then(|test| tests[test].output.as_mut())
        {
            output.end = at;
        }
        if let Some(status) = status {
            last = at + 1;
            let index = *known.entry((status.binary, status.name)).or_insert(tests.len());
            open = note_status(&mut tests, index, &status, at, summary);
        } else if SUMMARY.is_match(line) {
            summary = true;
            last = at + 1;
        } else if is_frame || open.is_some() {
            last = at + 1;
        }
    }
    if let Some(output) = open.and_then(|test| tests[test].output.as_mut()) {
        output.end = last;
    }
    (tests, last)
}

/// Remembers a status line; returns the test when its output may follow.
fn note_status(tests: &mut Vec<Test>, index: usize, status: &Status<'_>, at: usize, summary: bool) -> Option<usize> {
    let outcome = status.outcome();
    if index == tests.len() {
        let (binary, name) = (status.binary.to_owned(), status.name.to_owned());
        tests.push(Test { binary, name, outcome, label: String::new(), output: None });
    }
    let test = &mut tests[index];
    if outcome == Outcome::Under {
        return None;
    }
    test.outcome = outcome;
    test.label = status.label.to_owned();
    if summary {
        return None;
    }
    test.output = Some(at + 1..at + 1);
    Some(index)
}

fn counts(scan: &Scan<'_>, range: Range<usize>, tests: &[Test]) -> Counts {
    let summary = scan.lines[range].iter().rev().find_map(|line| SUMMARY.captures(line)).map(|line| line[1].to_owned());
    let mut counts = Counts::default();
    let Some(summary) = summary else {
        let count =
            |outcome| u32::try_from(tests.iter().filter(|test| test.outcome == outcome).count()).unwrap_or(u32::MAX);
        return Counts { passed: count(Outcome::Passed), failed: count(Outcome::Failed), ignored: 0 };
    };
    for part in COUNT.captures_iter(&summary) {
        let number: u32 = part[1].parse().unwrap_or(0);
        match &part[2] {
            "passed" => counts.passed += number,
            "skipped" => counts.ignored += number,
            _ => counts.failed += number,
        }
    }
    counts
}

fn draft(scan: &Scan<'_>, test: &Test, inline: &[Panic]) -> Draft {
    let output: Vec<&str> = scan.lines[test.output.clone().unwrap_or(0..0)]
        .iter()
        .map(|line| line.strip_prefix("    ").unwrap_or(line))
        .collect();
    let mut draft = Draft::new(Reader::Nextest, Kind::Test, &test.name);
    draft.suite = Some(test.binary.clone());
    let mut panics = panic::panics(&output);
    if panics.is_empty() {
        panics = inline.iter().filter(|panic| panic.thread == test.name).cloned().collect();
    }
    let verdict = panic::judge(&test.name, target(&test.binary), &panics, scan);
    draft.headline = headline(&output, verdict.headline.as_deref(), &test.label);
    draft.detail = panic::tidy(&without_harness(&output, &test.name));
    (draft.file, draft.line, draft.column, draft.cause) = (verdict.file, verdict.line, verdict.column, verdict.cause);
    if let Some((said, place)) = panic::unmet_expectation(&output) {
        draft.headline = said;
        if let Some((place, column)) = place {
            (draft.file, draft.line, draft.column) = (Some(place.file), Some(place.line), Some(column));
        }
    }
    draft.rerun = command::nextest(scan.command, &test.binary, &test.name);
    draft
}

/// Leaves out what libtest says around its one test; nextest has said it already.
fn without_harness<'a>(output: &[&'a str], name: &str) -> Vec<&'a str> {
    let result = format!("test {name} ... FAILED");
    let panicking = format!("test {name} - should panic ... FAILED");
    let listed = format!("    {name}");
    let is_harness = |line: &str| {
        matches!(line, "running 1 test" | "failures:")
            || line == result
            || line == panicking
            || line == listed
            || line.starts_with("test result: FAILED. 0 passed; 1 failed;")
    };
    output.iter().filter(|line| !is_harness(line)).copied().collect()
}

/// A binary id is `package`, `package::test` or `package::bin/name`.
pub(super) fn target(binary: &str) -> Target<'_> {
    match binary.split_once("::") {
        Some((_, rest)) if !rest.contains('/') => Target::Integration,
        Some(_) | None => Target::Unit(None),
    }
}

/// The panic, or what nextest wrote in brackets about the end of the process, or an error that was returned.
fn headline(output: &[&str], panic: Option<&str>, label: &str) -> String {
    let find = |wanted: &dyn Fn(&str) -> bool| {
        output.iter().map(|line| line.trim()).rfind(|line| wanted(line)).map(str::to_owned)
    };
    panic
        .map(|message| message.lines().next().unwrap_or("the test panicked").to_owned())
        .or_else(|| {
            find(&|line| line.ends_with("has overflowed its stack")).map(|_| "the test overflowed its stack".to_owned())
        })
        .or_else(|| {
            find(&|line| line.starts_with("(test ") && line.ends_with(')'))
                .map(|line| line.trim_matches(['(', ')']).to_owned())
        })
        .or_else(|| find(&|line| line.starts_with("Error: ")))
        .unwrap_or_else(|| format!("the test ended with {label}"))
}
