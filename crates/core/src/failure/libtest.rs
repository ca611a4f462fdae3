//! Reads what libtest prints: `running 3 tests`, results, captured output, `test result:`.
//! One section is one run of one test binary; which binary it was is not written in it.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::finding::Counts;

/// One run of one test binary.
#[derive(Debug)]
pub(super) struct Section {
    /// All of its lines.
    pub range: Range<usize>,
    /// Names of the tests that failed, each once.
    pub failed: Vec<String>,
    /// Captured output by name.
    pub blocks: HashMap<String, Range<usize>>,
    /// Tests that had begun to print and never got a result.
    pub unfinished: Vec<String>,
    /// Tests that took longer than a minute.
    pub slow: Vec<String>,
    pub counts: Counts,
    /// The binary came to its end and said so.
    pub complete: bool,
}

static RUNNING: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^running (\d+) tests?$").expect("the pattern is valid"));
static STATUS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^test (.+?)(?: - should panic| - compile fail| - compile)? \.\.\. (ok|FAILED|ignored|bench)(?:[,:].*| <.*>)?$")
        .expect("the pattern is valid")
});
static RESULT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^test result: (?:ok|FAILED)\. (\d+) passed; (\d+) failed; (\d+) ignored;")
        .expect("the pattern is valid")
});

/// All sections of the lines, in order.
pub(super) fn sections(lines: &[&str]) -> Vec<Section> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        if let Some(head) = RUNNING.captures(line) {
            let section = section(lines, at, head[1].parse().unwrap_or(0));
            at = section.range.end.max(at + 1);
            found.push(section);
        } else {
            at += 1;
        }
    }
    found
}

/// Whether a line belongs to cargo and so ends a section that has no end of its own.
fn is_boundary(line: &str) -> bool {
    RUNNING.is_match(line)
        || line.starts_with("error: test failed, to rerun pass ")
        || line.starts_with("error: doctest failed, to rerun pass ")
        || line.starts_with("     Running ")
        || line.starts_with("   Doc-tests ")
}

fn section(lines: &[&str], start: usize, total: usize) -> Section {
    let mut section = Section {
        range: start..start,
        failed: Vec::new(),
        blocks: HashMap::new(),
        unfinished: Vec::new(),
        slow: Vec::new(),
        counts: Counts::default(),
        complete: false,
    };
    let progress = progress(lines, start + 1, total, &mut section);
    let seen: HashSet<String> = section.failed.iter().cloned().collect();
    if lines.get(progress) == Some(&"failures:") {
        let (names, end) = match failed_list(lines, progress, &seen, section.counts) {
            Some((names, end)) => (names, end),
            None => (section.failed.clone(), boundary(lines, progress + 1)),
        };
        section.blocks = blocks(lines, progress + 1..end, &names);
        let mut seen = seen;
        let told = names.iter().chain(section.blocks.keys());
        section.failed.extend(told.filter(|name| seen.insert((*name).clone())).cloned());
        section.range.end = end;
    } else {
        section.range.end = progress;
    }
    if let Some(result) = lines.get(section.range.end).and_then(|line| RESULT.captures(line)) {
        let count = |group: usize| result[group].parse().unwrap_or(0);
        section.counts = Counts { passed: count(1), failed: count(2), ignored: count(3) };
        section.complete = true;
        section.range.end += 1;
    }
    section
}

/// Reads results up to the line that ends them, and returns it.
fn progress(lines: &[&str], start: usize, total: usize, section: &mut Section) -> usize {
    let mut at = start;
    let mut results = 0;
    let mut known: HashSet<&str> = HashSet::new();
    let is_status = |line: &&str| STATUS.is_match(line);
    let until = boundary_of_progress(lines, start);
    let last_status = lines[start..until].iter().rposition(is_status).map_or(start, |len| start + len);
    while let Some(line) = lines.get(at) {
        if *line == "failures:" || RESULT.is_match(line) {
            // Without capture a test may print such a line itself; the real one comes after the last result. What
            // quiet runs print as dots is not counted, so a run without any result line ends here too.
            if results >= total || results == 0 || at > last_status {
                break;
            }
        } else if is_boundary(line) {
            break;
        }
        if let Some(status) = STATUS.captures(line) {
            results += 1;
            let name = status.get(1).map_or("", |name| name.as_str());
            let first = known.insert(name);
            match &status[2] {
                "FAILED" => {
                    section.counts.failed += 1;
                    section.failed.extend(first.then(|| name.to_owned()));
                }
                "ignored" => section.counts.ignored += 1,
                _ => section.counts.passed += 1,
            }
        } else if let Some(name) = line.strip_suffix(" --- FAILED") {
            section.counts.failed += 1;
            section.failed.extend(known.insert(name).then(|| name.to_owned()));
        } else if let Some(name) = line.strip_suffix(" has been running for over 60 seconds") {
            section.slow.push(name.strip_prefix("test ").unwrap_or(name).to_owned());
        } else if let Some((name, _)) = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... ")) {
            section.unfinished.push(name.to_owned());
        }
        at += 1;
    }
    section.unfinished.retain(|name| !known.contains(name.as_str()));
    at
}

/// Results do not go on beyond the next line of cargo.
fn boundary_of_progress(lines: &[&str], start: usize) -> usize {
    lines[start..].iter().position(|line| is_boundary(line)).map_or(lines.len(), |len| start + len)
}

fn boundary(lines: &[&str], start: usize) -> usize {
    let ends = |line: &&str| is_boundary(line) || RESULT.is_match(line);
    lines[start..].iter().position(ends).map_or(lines.len(), |len| start + len)
}

/// Lists that a section may hold before its own; a test of a test tool prints a few.
const NESTED_LISTS: usize = 100;

/// The list of failed names that closes a section, and the line of its result. Tests of test tools print lists of their
/// own into the captured output, so the one that agrees with the results seen before wins.
fn failed_list(lines: &[&str], start: usize, seen: &HashSet<String>, counts: Counts) -> Option<(Vec<String>, usize)> {
    let mut plausible = None;
    let heads = (start..lines.len()).filter(|at| lines[*at] == "failures:");
    for at in heads.take(NESTED_LISTS) {
        let names: Vec<&str> = lines[at + 1..].iter().map_while(|line| line.strip_prefix("    ")).collect();
        let end = at + 1 + names.len() + 1;
        let Some(result) = lines.get(end).and_then(|line| RESULT.captures(line)) else { continue };
        if names.is_empty() || !lines[end - 1].is_empty() || result[2].parse() != Ok(names.len()) {
            continue;
        }
        let list = || names.iter().map(|name| (*name).to_owned()).collect();
        if names.len() == counts.failed as usize && names.iter().all(|name| seen.contains(*name)) {
            return Some((list(), end));
        }
        let listed: HashSet<&str> = names.iter().copied().collect();
        if plausible.is_none() && seen.iter().all(|name| listed.contains(name.as_str())) {
            plausible = Some((list(), end));
        }
    }
    plausible
}

/// The captured output of each failed test.
fn blocks(lines: &[&str], range: Range<usize>, names: &[String]) -> HashMap<String, Range<usize>> {
    let expected: HashSet<&str> = names.iter().map(String::as_str).collect();
    let mut found: HashMap<String, Range<usize>> = HashMap::new();
    let mut open: Option<(&str, usize)> = None;
    for at in range.clone() {
        let title = lines[at]
            .strip_prefix("---- ")
            .and_then(|rest| rest.strip_suffix(" stdout ----").or_else(|| rest.strip_suffix(" stderr ----")));
        let Some(name) = title else { continue };
        let is_open = open.is_some_and(|(other, _)| other == name);
        if (expected.is_empty() || expected.contains(name))
            && !is_open
            && !found.contains_key(name)
            && let Some((before, start)) = open.replace((name, at + 1))
        {
            found.insert(before.to_owned(), start..at);
        }
    }
    if let Some((last, start)) = open {
        found.insert(last.to_owned(), start..last_block_end(lines, start..range.end, names));
    }
    found
}

/// The last block ends before the closing list of names.
fn last_block_end(lines: &[&str], block: Range<usize>, names: &[String]) -> usize {
    let tail = block.end.saturating_sub(names.len() + 2);
    if tail >= block.start && lines.get(tail) == Some(&"failures:") { tail } else { block.end }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Section {
        let lines: Vec<&str> = text.lines().collect();
        let mut all = sections(&lines);
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    #[test]
    fn a_section_cut_in_the_blocks_still_names_its_failures() {
        let section = only(
            "running 3 tests\ntest a ... FAILED\ntest b ... FAILED\ntest c ... ok\n\nfailures:\n\n---- b stdout ----\nwhy b",
        );
        assert_eq!(section.failed, ["a", "b"]);
        assert!(!section.complete);
        assert_eq!((section.counts.passed, section.counts.failed), (1, 2));
    }

    #[test]
    fn a_section_whose_results_were_cut_takes_the_names_from_its_end() {
        let section = only(
            "running 9 tests\n[… 5 lines left out …]\n\nfailures:\n    a\n    b\n\ntest result: FAILED. 7 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        );
        assert_eq!(section.failed, ["a", "b"]);
        assert!(section.complete);
    }

    #[test]
    fn a_test_that_never_ended_is_unfinished() {
        let section = only(
            "running 2 tests\ntest a ... ok\ntest b ... something printed\nerror: test failed, to rerun pass `--lib`",
        );
        assert_eq!(section.unfinished, ["b"]);
        assert_eq!(section.range, 0..3);
    }

    #[test]
    fn a_test_that_takes_long_is_remembered() {
        let section = only("running 2 tests\ntest a ... ok\ntest b has been running for over 60 seconds\n");
        assert_eq!(section.slow, ["b"]);
    }
}
