//! Reads `cargo test`: which binary each libtest section belongs to, binaries that ended without a verdict, compile errors.
//! The form of libtest's own output is known in `libtest.rs`, of diagnostics in `rustc.rs`.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::command::{self, CargoTarget, Only};
use super::finding::{Kind, Reader};
use super::libtest::{self, Section};
use super::panic::{self, Panic, Target};
use super::rustc;
use super::scan::{Draft, Found, Scan};

static RUNNING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^ +Running (?:(unittests )?(\S.*?) \((.+)\)|`?(\S*?deps\S+)`?)$").expect("the pattern is valid")
});
static DOC_TESTS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^ +Doc-tests (\S+)$").expect("the pattern is valid"));
static RERUN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^error: (?:test|doctest|bench) failed, to rerun pass [`'](.*)[`']$").expect("the pattern is valid")
});
static ENDED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^  process didn't exit successfully: `.*` \((.+)\)$").expect("the pattern is valid"));
static OVERFLOW: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^thread '(.+)' (?:\(\d+\) )?has overflowed its stack$").expect("the pattern is valid")
});
static DOC_NAME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(\S+) - (?:(\S+) )?\(line (\d+)\)$").expect("the pattern is valid"));

/// What cargo says before it starts a test binary.
#[derive(Debug, Clone, PartialEq)]
enum Header {
    /// A test binary: whether it holds unit tests, its root file, and its name without the hash.
    Binary {
        unit: bool,
        root: Option<String>,
        stem: String,
    },
    Doc(String),
}

/// One test binary's run, pieced together.
#[derive(Debug, Default)]
struct Run {
    header: Option<Header>,
    sections: Vec<usize>,
    spec: Option<String>,
    lines: Range<usize>,
    /// How the process ended, when it did not end by itself.
    ended: Option<String>,
}

/// Reads and takes all that cargo and libtest wrote.
pub(super) fn read(scan: &mut Scan<'_>) -> Found {
    let mut found = Found::default();
    let sections = sections_of_free_lines(scan);
    let runs = runs(scan, &sections);
    for run in &runs {
        read_run(scan, run, &sections, &mut found);
    }
    found.recognised.extend((!runs.is_empty()).then_some(Reader::Cargo));
    for section in &sections {
        scan.take(section.range.clone());
    }
    for run in &runs {
        scan.take(run.lines.clone());
    }
    // Only `--no-fail-fast` runs what comes after a failed binary, and then says how many failed.
    let is_total = |line: &str| {
        line.starts_with("error: ") && (line.ends_with(" targets failed:") || line == "error: 1 target failed:")
    };
    found.partial = runs.iter().any(|run| run.spec.is_some()) && !scan.lines.iter().any(|line| is_total(line));
    let no_run = command::cargo_no_run(scan.command);
    let diagnostics = rustc::read(scan, no_run.as_deref());
    found.partial |= !diagnostics.is_empty();
    found.drafts.extend(diagnostics);
    found
}

fn sections_of_free_lines(scan: &Scan<'_>) -> Vec<Section> {
    let is_free = |section: &Section| section.range.clone().all(|line| scan.is_free(line));
    libtest::sections(&scan.lines).into_iter().filter(is_free).collect()
}

/// Says which binary each section belongs to. Interleaved output tells by order. When the two streams come one after
/// the other, the n-th section belongs to the n-th binary, if there are as many.
fn runs(scan: &Scan<'_>, sections: &[Section]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut closed = true;
    let mut next_section = 0;
    let mut at = 0;
    while at < scan.lines.len() {
        if let Some(section) = sections.get(next_section).filter(|section| section.range.start == at) {
            // Without headers (`-q`) every section is a run of its own.
            if closed || runs.last().is_none_or(|run| run.header.is_none()) {
                runs.push(Run { lines: section.range.clone(), ..Run::default() });
            }
            if let Some(run) = runs.last_mut() {
                run.sections.push(next_section);
                run.lines.end = section.range.end;
            }
            closed = false;
            next_section += 1;
            at = section.range.end.max(at + 1);
            continue;
        }
        if scan.is_free(at) {
            if let Some(header) = header(scan.lines[at]) {
                runs.push(Run { header: Some(header), lines: at..at + 1, ..Run::default() });
                closed = false;
            } else if let Some(rerun) = RERUN.captures(scan.lines[at]) {
                if closed {
                    runs.push(Run { lines: at..at + 1, ..Run::default() });
                }
                if let Some(run) = runs.last_mut() {
                    run.spec = Some(rerun[1].to_owned());
                    run.ended = scan.lines[at + 1..]
                        .iter()
                        .take(3)
                        .find_map(|line| ENDED.captures(line))
                        .map(|ended| ended[1].to_owned());
                    run.lines.end = at + 1 + if run.ended.is_some() { 3 } else { 0 };
                }
                closed = true;
            }
        }
        at += 1;
    }
    join_apart(runs, sections)
}

/// Joins binaries and sections that came in two streams, one after the other.
fn join_apart(mut runs: Vec<Run>, sections: &[Section]) -> Vec<Run> {
    let last_section = sections.last().map_or(0, |section| section.range.start);
    let first_header = runs.iter().find(|run| run.header.is_some()).map(|run| run.lines.start);
    let apart = first_header.is_some_and(|header| header > last_section) && !sections.is_empty();
    if !apart {
        return runs;
    }
    let (with, without): (Vec<Run>, Vec<Run>) =
        runs.drain(..).partition(|run| run.header.is_some() || run.sections.is_empty());
    if with.len() == without.len() {
        return with.into_iter().zip(without).map(|(head, body)| Run { sections: body.sections, ..head }).collect();
    }
    let failed = |run: &Run| run.sections.iter().any(|section| !sections[*section].failed.is_empty());
    let mut specs = with.iter().filter(|run| run.spec.is_some() && run.ended.is_none());
    let same_count = specs.clone().count() == without.iter().filter(|run| failed(run)).count();
    let mut joined: Vec<Run> = Vec::new();
    for run in without {
        let head = if failed(&run) && same_count { specs.next() } else { None };
        joined.push(match head {
            Some(head) => Run { header: head.header.clone(), spec: head.spec.clone(), ..run },
            None => run,
        });
    }
    joined.extend(with.into_iter().filter(|run| run.ended.is_some()));
    joined
}

fn header(line: &str) -> Option<Header> {
    if let Some(doc) = DOC_TESTS.captures(line) {
        return Some(Header::Doc(doc[1].to_owned()));
    }
    let running = RUNNING.captures(line)?;
    let root = running.get(2).map(|root| root.as_str().to_owned());
    let binary = running.get(3).or(running.get(4))?.as_str();
    let file = binary.rsplit('/').next().unwrap_or(binary);
    let stem = file.rsplit_once('-').map_or(file, |(stem, _hash)| stem).to_owned();
    Some(Header::Binary { unit: running.get(1).is_some(), root, stem })
}

impl Run {
    /// A name for the binary that is the same on every machine and in every run.
    fn suite(&self) -> Option<String> {
        match &self.header {
            Some(Header::Doc(name)) => Some(format!("{name} doc-tests")),
            Some(Header::Binary { root: Some(root), stem, .. }) => Some(format!("{stem} ({root})")),
            Some(Header::Binary { root: None, stem, .. }) => Some(stem.clone()),
            None => self.spec.clone(),
        }
    }

    fn target(&self) -> CargoTarget {
        if let Some(target) = self.spec.as_deref().and_then(CargoTarget::parse) {
            return target;
        }
        let spec = match &self.header {
            Some(Header::Doc(_)) => "--doc".to_owned(),
            Some(Header::Binary { root: Some(root), .. }) => selection(root),
            Some(Header::Binary { root: None, .. }) | None => String::new(),
        };
        CargoTarget::parse(&spec).unwrap_or_default()
    }

    fn kind(&self) -> Target<'_> {
        let spec = self.spec.as_deref().unwrap_or("");
        match &self.header {
            Some(Header::Doc(_)) => Target::Doc(None),
            Some(Header::Binary { unit: true, root, .. }) => Target::Unit(root.as_deref()),
            Some(Header::Binary { root: Some(_), .. }) => Target::Integration,
            Some(Header::Binary { root: None, .. }) | None if spec.contains("--test ") => Target::Integration,
            Some(Header::Binary { root: None, .. }) | None => Target::Unit(None),
        }
    }
}

/// The option that selects the binary of a root file, by cargo's conventions.
fn selection(root: &str) -> String {
    let parts: Vec<&str> = root.trim_end_matches("/main.rs").trim_end_matches(".rs").split('/').collect();
    match parts.as_slice() {
        [.., "src", "lib"] => "--lib".to_owned(),
        [.., "src"] => "--bins".to_owned(),
        [.., "src", "bin", name] => format!("--bin {name}"),
        [.., "tests", name] => format!("--test {name}"),
        [.., "examples", name] => format!("--example {name}"),
        [.., "benches", name] => format!("--bench {name}"),
        _ => String::new(),
    }
}

fn read_run(scan: &Scan<'_>, run: &Run, sections: &[Section], found: &mut Found) {
    let before = found.drafts.len();
    for index in &run.sections {
        let section = &sections[*index];
        found.counts.passed += section.counts.passed;
        found.counts.failed += section.counts.failed;
        found.counts.ignored += section.counts.ignored;
        // Without capture a panic stands among the results, with the test's name as its thread.
        let inline = panic::panics(&scan.lines[section.range.clone()]);
        for name in &section.failed {
            found.drafts.push(test(scan, run, section, name, &inline));
        }
        for name in &section.slow {
            found.notes.push(format!("the test {name} ran for over 60 seconds"));
        }
    }
    let silent = found.drafts.len() == before;
    if run.spec.is_some() && (silent || run.ended.as_deref().is_some_and(|how| how.starts_with("signal"))) {
        found.drafts.push(collapse(scan, run, sections));
    }
}

/// One failed test.
fn test(scan: &Scan<'_>, run: &Run, section: &Section, name: &str, inline: &[Panic]) -> Draft {
    let mut draft = Draft::new(Reader::Cargo, Kind::Test, name);
    draft.suite = run.suite();
    let doc = DOC_NAME.captures(name);
    let doc_file = doc.as_ref().map(|doc| doc[1].to_owned());
    let target = match &doc_file {
        Some(file) => Target::Doc(Some(file)),
        None => run.kind(),
    };
    let block = section.blocks.get(name).cloned();
    let block = scan.lines.get(block.unwrap_or(0..0)).unwrap_or(&[]);
    let mut panics = panic::panics(block);
    if panics.is_empty() {
        panics = inline.iter().filter(|panic| panic.thread == name).cloned().collect();
    }
    let verdict = panic::judge(name, target, &panics, scan);
    draft.headline = headline(block, verdict.headline.as_deref(), run.ended.as_deref());
    draft.detail = panic::tidy(block);
    if draft.detail.trim().is_empty() {
        draft.detail = panics
            .iter()
            .map(|panic| format!("{}:{}: {}", panic.file, panic.line, panic.message))
            .collect::<Vec<_>>()
            .join("\n");
    }
    (draft.file, draft.line, draft.column) = (verdict.file, verdict.line, verdict.column);
    draft.cause = verdict.cause;
    if let Some((said, place)) = panic::unmet_expectation(block) {
        draft.headline = said;
        if let Some((place, column)) = place {
            (draft.file, draft.line, draft.column) = (Some(place.file), Some(place.line), Some(column));
        }
    }
    let only = match &doc {
        Some(doc) => {
            draft.file = Some(doc[1].to_owned());
            draft.line = doc[3].parse().ok();
            let item = doc.get(2).map(|item| item.as_str());
            draft.identity = Some(format!("{} {}", &doc[1], item.unwrap_or("")));
            item.map_or(Only::All, Only::Containing)
        }
        None => Only::Exact(name),
    };
    draft.rerun = command::cargo_test(scan.command, &run.target(), &only);
    draft
}

/// The line that tells most: the panic, else an error that was returned, else a
/// compiler's word about a documentation test, else the first line there is.
fn headline(block: &[&str], panic: Option<&str>, ended: Option<&str>) -> String {
    let starts = |prefix: &str| block.iter().find(|line| line.starts_with(prefix)).map(|line| (*line).to_owned());
    panic
        .map(|message| message.lines().next().unwrap_or("the test panicked").to_owned())
        .or_else(|| starts("Error: "))
        .or_else(|| starts("error"))
        .or_else(|| block.iter().find(|line| !line.trim().is_empty()).map(|line| (*line).to_owned()))
        .or_else(|| ended.map(|how| format!("the test process ended with {how}")))
        .unwrap_or_else(|| "the test failed and said nothing".to_owned())
}

/// A binary that failed without naming a test: it was killed, left by itself, or has a harness of its own.
fn collapse(scan: &Scan<'_>, run: &Run, sections: &[Section]) -> Draft {
    let lines = &scan.lines[run.lines.clone()];
    let overflowed = lines.iter().find_map(|line| OVERFLOW.captures(line)).map(|head| head[1].to_owned());
    let unfinished = match run.sections.last().map(|section| sections[*section].unfinished.as_slice()) {
        Some([name]) => Some(name.clone()),
        _ => None,
    };
    let test = overflowed.clone().or(unfinished);
    let suite = run.suite().unwrap_or_else(|| "tests".to_owned());
    let mut draft = Draft::new(Reader::Cargo, Kind::Test, test.clone().unwrap_or_else(|| suite.clone()));
    draft.suite = Some(suite);
    let how = run.ended.as_deref().unwrap_or("a failure");
    draft.headline = match (&overflowed, &test) {
        (Some(_), _) => format!("the test overflowed its stack ({how})"),
        (None, Some(_)) => format!("the test process ended with {how} while this test ran"),
        (None, None) => format!("the test process ended with {how} before it named a failed test"),
    };
    draft.detail = panic::tidy(lines);
    if let Some(Header::Binary { root: Some(root), .. }) = &run.header {
        draft.file = Some(root.clone());
    }
    let only = test.as_deref().map_or(Only::All, Only::Exact);
    draft.rerun = command::cargo_test(scan.command, &run.target(), &only);
    draft
}
