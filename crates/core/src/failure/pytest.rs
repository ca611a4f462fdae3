//! Reads what pytest prints in its many styles: the short summary names the failures, the blocks say why.
//! How a traceback is understood is in `traceback.rs`.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::command;
use super::finding::{Counts, Kind, Place, Reader};
use super::place::{in_repository, is_test_path};
use super::scan::{Draft, Found, Scan};
use super::traceback::{self, During, Reading};

static RULE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^=+ (.+?) =+$").expect("the pattern is valid"));
static TITLE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^_+ ([^_].*?|_[^ ].*?) _+$").expect("the pattern is valid"));
static FINAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:=+ )?((?:\d+ [a-z]+(?:, )?)+|no tests ran) in \d+(?:\.\d+)?s(?: \(.*\))?(?: =+)?$")
        .expect("the pattern is valid")
});
static COUNT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(\d+) ([a-z]+)").expect("the pattern is valid"));
static VERBOSE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:\[gw\d+\] \[ *\d+%\] )?(?:(FAILED|ERROR) )?(\S+\.py::\S.*?)(?: (FAILED|ERROR))?(?: +\[ *\d+%\])?$")
        .expect("the pattern is valid")
});
static SUBTEST: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(?:SUBFAILED|SUBFAIL)(.*?) (\S+\.py::.+)$").expect("the pattern is valid"));
static ROOT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\s*rootdir: ([^,]+?)(?:, .*)?$").expect("the pattern is valid"));
static LINE_STYLE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(\S[^:]*\.\w+):(\d+): (.+)$").expect("the pattern is valid"));

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Call,
    Fixture,
    Collection,
}

/// One failure as the summary or the title of its block gives it.
#[derive(Debug)]
struct Item {
    node: String,
    /// How the title of its block names it.
    title: String,
    phase: Phase,
    said: String,
    block: Option<Range<usize>>,
}

/// Reads and takes all that pytest wrote.
pub(super) fn read(scan: &mut Scan<'_>) -> Found {
    let mut found = Found::default();
    let Some(region) = region(scan) else { return found };
    found.recognised.push(Reader::Pytest);
    let lines = &scan.lines[region.clone()];
    let root = root(lines);
    let root = root.as_deref();
    let totals = lines.iter().rev().find_map(|line| FINAL.captures(line)).map(|end| end[1].to_owned());
    found.counts = totals.as_deref().map(counts).unwrap_or_default();
    let is_stop = |line: &&str| line.starts_with("!!") && line.ends_with("!!");
    found.partial = totals.is_none() || lines.iter().any(is_stop);
    let mut items = summary(lines);
    let complete = totals.is_some() && items.len() == found.counts.failed as usize;
    join_blocks(lines, &mut items, complete, root);
    if items.is_empty() {
        items = verbose(lines);
    }
    join_line_style(lines, &mut items);
    let folded = fold_subtests(&mut items);
    found.counts.failed = found.counts.failed.saturating_sub(folded);
    found.drafts = items.iter().map(|item| draft(scan.command, lines, item, root)).collect();
    found.drafts.extend(conftest(lines, root));
    if found.drafts.is_empty() {
        found.drafts.extend(crash(scan.command, lines, root));
    }
    scan.take(region);
    found
}

/// The directory that pytest says it runs in; paths that are printed in full begin with it.
pub(super) fn root(lines: &[&str]) -> Option<String> {
    lines.iter().find_map(|line| ROOT.captures(line)).map(|root| root[1].to_owned())
}

/// The lines between the first and the last that only pytest writes.
fn region(scan: &Scan<'_>) -> Option<Range<usize>> {
    let is_ours = |at: &usize| {
        let line = scan.lines[*at];
        match RULE.captures(line).map(|rule| rule[1].to_owned()).as_deref() {
            Some("test session starts" | "FAILURES" | "ERRORS" | "short test summary info") => true,
            _ => FINAL.is_match(line) || line.starts_with("ImportError while loading conftest '"),
        }
    };
    let mut ours = scan.free().filter(is_ours);
    let first = ours.next()?;
    let last_final = scan.free().filter(|at| FINAL.is_match(scan.lines[*at])).last();
    let mut end = last_final.map_or(scan.lines.len(), |at| at + 1);
    if end <= first {
        end = scan.lines.len();
    }
    // A reader before this one may have taken what follows.
    let taken = (first..end).find(|at| !scan.is_free(*at)).unwrap_or(end);
    Some(first..taken)
}

fn counts(totals: &str) -> Counts {
    let mut counts = Counts::default();
    for part in COUNT.captures_iter(totals) {
        let number: u32 = part[1].parse().unwrap_or(0);
        match &part[2] {
            "passed" | "xpassed" => counts.passed += number,
            "failed" | "error" | "errors" => counts.failed += number,
            "skipped" | "xfailed" => counts.ignored += number,
            _ => {}
        }
    }
    counts
}

/// The failures named after the last "short test summary info". An earlier one was printed by a test.
fn summary(lines: &[&str]) -> Vec<Item> {
    let is_start = |line: &&str| RULE.captures(line).is_some_and(|rule| &rule[1] == "short test summary info");
    let Some(start) = lines.iter().rposition(is_start) else { return Vec::new() };
    let mut items = Vec::new();
    for line in &lines[start + 1..] {
        let (phase, subtest, rest) = match line.split_once(' ') {
            Some(("FAILED", rest)) => (Phase::Call, "", rest),
            Some(("ERROR", rest)) => (Phase::Fixture, "", rest),
            _ => {
                match SUBTEST.captures(line).and_then(|parts| Some((parts.get(1)?.as_str(), parts.get(2)?.as_str()))) {
                    Some((subtest, rest)) => (Phase::Call, subtest.trim(), rest),
                    None => continue,
                }
            }
        };
        let (node, said) = split_node(rest);
        if !node.contains("::") && !node.contains('.') && !node.contains('/') {
            continue;
        }
        let phase = if phase == Phase::Fixture && !node.contains("::") { Phase::Collection } else { phase };
        let title = format!("{} {subtest}", domain(node)).trim_end().to_owned();
        items.push(Item { node: node.to_owned(), title, phase, said: said.to_owned(), block: None });
    }
    items
}

/// Subtests are no tests of their own: they cannot be run alone. Keeps the first of each test and returns how many went.
fn fold_subtests(items: &mut Vec<Item>) -> u32 {
    let before = items.len();
    let mut seen: HashSet<String> = HashSet::new();
    items.retain(|item| item.phase != Phase::Call || seen.insert(item.node.clone()));
    u32::try_from(before - items.len()).unwrap_or(u32::MAX)
}

/// `tests/a.py::b[x - y] - AssertionError` is a node id and what it said; parameters may hold the separator.
fn split_node(text: &str) -> (&str, &str) {
    let separator = text.find(" - ").unwrap_or(text.len());
    let from = match text.find('[') {
        Some(open) if open < separator => {
            let closed = text[open..].find("] - ").map(|at| open + at + 1);
            closed.unwrap_or(if text.ends_with(']') { text.len() } else { separator })
        }
        Some(_) | None => separator,
    };
    let (node, said) = text.split_at(from);
    (node.trim_end(), said.strip_prefix(" - ").unwrap_or(""))
}

/// How the title of a block names a node: `TestA.test_b[x]` for `tests/a.py::TestA::test_b[x]`.
fn domain(node: &str) -> String {
    let Some((_, path)) = node.split_once("::") else { return node.to_owned() };
    let (name, parameters) = path.find('[').map_or((path, ""), |at| path.split_at(at));
    name.replace("::", ".") + parameters
}

/// Finds the block of each item; where there is no complete summary, blocks make items.
fn join_blocks(lines: &[&str], items: &mut Vec<Item>, complete: bool, root: Option<&str>) {
    let mut in_failures = false;
    let mut open: Option<usize> = None;
    for (at, line) in lines.iter().enumerate() {
        let rule = RULE.captures(line);
        let begins = in_failures.then(|| TITLE.captures(line)).flatten().and_then(|title| {
            let (phase, domain) = parse_title(&title[1]);
            let known = matching(items, phase, &domain, &lines[at + 1..]);
            known.or_else(|| {
                (!complete).then(|| {
                    items.push(Item { node: domain.clone(), title: domain, phase, said: String::new(), block: None });
                    items.len() - 1
                })
            })
        });
        let ends = rule.is_some() || is_report_line(line);
        if (begins.is_some() || ends)
            && let Some(block) = open.take().and_then(|item| items[item].block.as_mut())
        {
            block.end = at;
        }
        if let Some(item) = begins {
            items[item].block = Some(at + 1..lines.len());
            open = Some(item);
        } else if let Some(rule) = rule {
            in_failures = matches!(&rule[1], "FAILURES" | "ERRORS") || (in_failures && !is_section(&rule[1]));
        }
    }
    let is_node = |node: &str| node.split('[').next().is_some_and(|path| path.contains("::"));
    for item in items.iter_mut().filter(|item| !is_node(&item.node) && item.phase == Phase::Call) {
        item.node = node_of_block(&item.node, lines, item.block.clone(), root);
    }
    let contains = |item: &Item| {
        item.block
            .clone()
            .is_some_and(|block| lines[block].iter().take(1).any(|line| line.ends_with(" failed subtests")))
    };
    // The test that only sums up its subtests is named after them.
    for at in 0..items.len() {
        if !is_node(&items[at].node) && contains(&items[at]) {
            let name = items[at].title.clone();
            let is_subtest =
                |other: &&Item| other.title.strip_prefix(&name).is_some_and(|rest| rest.starts_with([' ']));
            let node = items.iter().find(is_subtest).map(|other| other.node.clone());
            items[at].node = node.unwrap_or(name);
        }
    }
}

/// `- generated xml file: /repo/out.xml -`.
fn is_report_line(line: &str) -> bool {
    line.starts_with('-') && line.ends_with('-') && line.contains(" generated xml file: ")
}

/// Sections after the failures; tests print other rules.
fn is_section(rule: &str) -> bool {
    matches!(rule, "PASSES" | "XPASSES" | "XFAILURES" | "warnings summary" | "short test summary info")
        || rule.starts_with("slowest ")
}

fn parse_title(title: &str) -> (Phase, String) {
    let error = |prefix: &str| title.strip_prefix(prefix).map(str::to_owned);
    if let Some(domain) = error("ERROR at setup of ").or_else(|| error("ERROR at teardown of ")) {
        (Phase::Fixture, domain)
    } else if let Some(path) = error("ERROR collecting ") {
        (Phase::Collection, path)
    } else {
        (Phase::Call, title.strip_prefix("[doctest] ").unwrap_or(title).to_owned())
    }
}

/// The first item without a block that a title means; among tests of one name in several files, the one whose file the
/// block mentions.
fn matching(items: &[Item], phase: Phase, title: &str, block: &[&str]) -> Option<usize> {
    let fits = |item: &Item| item.block.is_none() && item.phase == phase && item.title == title;
    let fitting: Vec<usize> = (0..items.len()).filter(|at| fits(&items[*at])).collect();
    let mentioned = |at: &&usize| {
        let file = items[**at].node.split("::").next().unwrap_or("");
        let is_frame = |line: &str| line.strip_prefix(file).is_some_and(|rest| rest.starts_with(':'));
        block.iter().take_while(|line| !TITLE.is_match(line)).any(|line| is_frame(line))
    };
    fitting.iter().find(mentioned).or(fitting.first()).copied()
}

/// A node id from a block alone: its first frame is the test's.
fn node_of_block(domain: &str, lines: &[&str], block: Option<Range<usize>>, root: Option<&str>) -> String {
    let reading = traceback::read(&lines[block.unwrap_or(0..0)], root, During::Call);
    match reading.own {
        Some(own) if is_test_path(&own.file) => {
            let (name, parameters) = domain.find(['[', '(']).map_or((domain, ""), |at| domain.split_at(at));
            // What stands apart from the name names a subtest.
            let parameters = if name.ends_with(' ') { "" } else { parameters };
            format!("{}::{}{parameters}", own.file, name.trim_end().replace('.', "::"))
        }
        _ => domain.to_owned(),
    }
}

/// `-v` names every test as it ends; this is all there is of a run that was stopped.
fn verbose(lines: &[&str]) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut seen: HashSet<(&str, bool)> = HashSet::new();
    for line in lines {
        let Some(result) = VERBOSE.captures(line) else { continue };
        let phase = match result.get(1).or(result.get(3)).map(|word| word.as_str()) {
            Some("FAILED") => Phase::Call,
            Some(_) => Phase::Fixture,
            None => continue,
        };
        let node = result.get(2).map_or("", |node| node.as_str());
        if seen.insert((node, phase == Phase::Call)) {
            items.push(Item { title: domain(node), node: node.to_owned(), phase, said: String::new(), block: None });
        }
    }
    items
}

/// `--tb=line` has no titles: one `path:line: error` a failure, in the order of the summary. An item is joined with the
/// next line that says the same.
fn join_line_style(lines: &[&str], items: &mut [Item]) {
    let is_failures = |line: &&str| RULE.captures(line).is_some_and(|rule| &rule[1] == "FAILURES");
    let Some(start) = lines.iter().position(is_failures) else { return };
    let mut next = start + 1;
    for item in items.iter_mut().filter(|item| item.phase == Phase::Call && item.block.is_none()) {
        let said = item.said.trim_end_matches("...");
        let says = |line: &&str| LINE_STYLE.captures(line).is_some_and(|place| place[3].starts_with(said));
        if said.is_empty() {
            continue;
        }
        if let Some(len) = lines[next..].iter().position(says) {
            item.block = Some(next..next + len + 1);
            next += len + 1;
        }
    }
}

fn draft(command: &str, lines: &[&str], item: &Item, root: Option<&str>) -> Draft {
    let block = &lines[item.block.clone().unwrap_or(0..0)];
    let during = match item.phase {
        Phase::Call => During::Call,
        Phase::Fixture => During::Fixture,
        Phase::Collection => During::Collection,
    };
    let mut reading = traceback::read(block, root, during);
    if reading.own.is_none() {
        line_style_place(block, root, &mut reading);
    }
    let kind = if item.phase == Phase::Collection { Kind::Compile } else { Kind::Test };
    let mut draft = Draft::new(Reader::Pytest, kind, &item.node);
    let file = item.node.split("::").next().unwrap_or(&item.node);
    draft.suite = Some(file.to_owned());
    draft.identity = (item.phase == Phase::Fixture).then(|| format!("{} in a fixture", item.node));
    let own = reading.own.or_else(|| reading.cause.clone());
    match own {
        Some(own) => (draft.file, draft.line) = (Some(own.file), Some(own.line)),
        None => {
            draft.file =
                file.contains('.').then(|| file.to_owned()).filter(|_| item.node.contains("::") || file.contains('/'));
        }
    }
    draft.cause = reading.cause;
    draft.missing = reading.missing.filter(|_| item.phase == Phase::Collection);
    draft.headline = headline(reading.headline, &item.said, block);
    draft.detail = block.join("\n");
    draft.rerun = (item.node.contains("::") || item.phase == Phase::Collection)
        .then(|| command::pytest(command, &item.node))
        .flatten();
    draft
}

/// The last line of a `--tb=line` block or of a documentation test is its place.
fn line_style_place(block: &[&str], root: Option<&str>, reading: &mut Reading) {
    let Some(place) = block.last().and_then(|line| LINE_STYLE.captures(line)) else { return };
    let Some(file) = in_repository(&place[1], root) else { return };
    let Ok(line) = place[2].parse() else { return };
    let place = Place { file, line };
    reading.cause = Some(place.clone()).filter(|place| !is_test_path(&place.file));
    reading.own = Some(place);
}

fn headline(raised: Option<String>, said: &str, block: &[&str]) -> String {
    if block.iter().any(|line| line.starts_with("[XPASS(strict)]")) || said.starts_with("[XPASS(strict)]") {
        return "the test was expected to fail and passed".to_owned();
    }
    let doctest = block.iter().position(|line| *line == "Expected:").zip(block.iter().position(|line| *line == "Got:"));
    if let Some((expected, got)) = doctest {
        let word = |at: usize| block.get(at + 1).map_or("", |line| line.trim());
        return format!("expected {}, got {}", word(expected), word(got));
    }
    match raised {
        Some(raised) if !raised.is_empty() => raised,
        _ if !said.is_empty() => said.to_owned(),
        _ => "the test failed; pytest was told to say no more".to_owned(),
    }
}

/// A conftest.py that cannot be imported stops everything before a session starts.
fn conftest(lines: &[&str], root: Option<&str>) -> Option<Draft> {
    let is_start = |line: &&str| line.starts_with("ImportError while loading conftest '");
    let start = lines.iter().position(is_start)?;
    let reading = traceback::read(&lines[start + 1..], root, During::Fixture);
    let path = lines[start].split('\'').nth(1).unwrap_or("conftest.py");
    let file = reading.own.as_ref().map_or_else(|| path.to_owned(), |own| own.file.clone());
    let mut draft = Draft::new(Reader::Pytest, Kind::Compile, &file);
    draft.line = reading.own.map(|own| own.line);
    draft.suite = Some(file.clone());
    draft.file = Some(file);
    draft.cause = reading.cause;
    draft.headline = reading.headline.unwrap_or_else(|| "conftest.py cannot be imported".to_owned());
    draft.detail = lines[start..].join("\n");
    Some(draft)
}

/// The interpreter itself died: its report names the test among the callers.
fn crash(command: &str, lines: &[&str], root: Option<&str>) -> Option<Draft> {
    static CALLER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"^  File "(.+)", line (\d+) in (\S+)$"#).expect("the pattern is valid"));
    let start = lines.iter().position(|line| line.contains("Fatal Python error: "))?;
    let callers: Vec<(String, u32, String)> = lines[start..]
        .iter()
        .filter_map(|line| CALLER.captures(line))
        .filter_map(|caller| Some((in_repository(&caller[1], root)?, caller[2].parse().ok()?, caller[3].to_owned())))
        .collect();
    let (file, line, function) =
        callers.iter().find(|(file, _, function)| is_test_path(file) && function.starts_with("test"))?;
    let mut draft = Draft::new(Reader::Pytest, Kind::Test, format!("{file}::{function}"));
    draft.suite = Some(file.clone());
    (draft.file, draft.line) = (Some(file.clone()), Some(*line));
    draft.cause = callers
        .first()
        .filter(|(file, ..)| !is_test_path(file))
        .map(|(file, line, _)| Place { file: file.clone(), line: *line });
    draft.headline = lines[start]
        .split_once("Fatal Python error: ")
        .map_or_else(String::new, |(_, what)| format!("Fatal Python error: {what}"));
    draft.detail = lines[start..].join("\n");
    draft.rerun = command::pytest(command, &draft.name);
    Some(draft)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_line_is_split_at_the_end_of_its_node() {
        let cases = [
            ("a.py::t - assert [1] - 2", ("a.py::t", "assert [1] - 2")),
            ("a.py::t[a - b] - assert 1", ("a.py::t[a - b]", "assert 1")),
            ("a.py::t[a - b]", ("a.py::t[a - b]", "")),
            ("a.py::t[[x]-2] - E", ("a.py::t[[x]-2]", "E")),
            ("a.py", ("a.py", "")),
            ("a.py::t[cut", ("a.py::t[cut", "")),
        ];
        for (text, expected) in cases {
            assert_eq!(split_node(text), expected, "{text}");
        }
    }

    #[test]
    fn separators_are_no_titles() {
        for line in ["_ _ _ _ _ _ _", "____", "__ __", "___ a"] {
            assert!(!TITLE.is_match(line), "{line}");
        }
        for line in ["_ TestA.test_b _", "____ test_x[1] ____", "___ _private ___"] {
            assert!(TITLE.is_match(line), "{line}");
        }
    }
}
