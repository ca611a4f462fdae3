//! Reads JUnit XML reports of any tool: nested suites, failures, errors, skipped tests.
//! A report that is cut or broken gives what was read so far and a note.

use quick_xml::events::{BytesRef, BytesStart, Event};

use super::finding::{Artefact, Kind, Reader};
use super::panic;
use super::scan::{Draft, Found, Scan};
use super::traceback::{self, During};
use super::{clean, command, nextest};

/// One test case while it is read.
#[derive(Debug, Default)]
struct Case {
    name: String,
    class: String,
    file: Option<String>,
    line: Option<u32>,
    outcome: Outcome,
    summary: String,
    text: String,
    printed: String,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    #[default]
    Passed,
    Skipped,
    Failed,
}

/// What character data belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Into {
    Nothing,
    Failure,
    Printed,
}

/// Reads all reports among the artefacts, and the output itself when it is one.
pub(super) fn read(scan: &Scan<'_>) -> Found {
    let mut found = Found::default();
    for file in scan.files {
        if looks_like_report(file) {
            read_report(scan, &file.path, &file.text, &mut found);
        }
    }
    let is_xml = |line: &str| line.starts_with("<?xml") || line.starts_with("<testsuite");
    let start = scan.lines.iter().position(|line| is_xml(line)).filter(|at| scan.is_free(*at));
    if let Some(start) = start {
        let text = scan.lines[start..].join("\n");
        if text.contains("<testsuite") {
            let end = text
                .rfind("</testsuites>")
                .map_or_else(|| text.rfind("</testsuite>").map(|at| at + 12), |at| Some(at + 13));
            read_report(scan, "the output", &text[..end.unwrap_or(text.len())], &mut found);
        }
    }
    found
}

/// How far into a file its root element must appear.
const ROOT_WITHIN: usize = 4096;

fn looks_like_report(file: &Artefact) -> bool {
    let head = &file.text[..clean::floor_char(&file.text, ROOT_WITHIN)];
    head.trim_start_matches('\u{feff}').trim_start().starts_with('<') && head.contains("<testsuite")
}

fn read_report(scan: &Scan<'_>, path: &str, text: &str, found: &mut Found) {
    found.recognised.push(Reader::Junit);
    let mut suites: Vec<String> = Vec::new();
    let mut case: Option<Case> = None;
    let mut into = Into::Nothing;
    let mut reader = quick_xml::Reader::from_str(text);
    let mut depth = 0_usize;
    loop {
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(error) => {
                let at = reader.error_position();
                found.notes.push(format!(
                    "the JUnit report {path} is broken at byte {at} ({error}); what came before it was read"
                ));
                break;
            }
        };
        match event {
            Event::Start(element) => {
                depth += 1;
                into = open(&element, &mut suites, &mut case, into);
            }
            Event::Empty(element) => {
                let before = into;
                open(&element, &mut suites, &mut case, into);
                close(scan, element.local_name().as_ref(), &mut suites, &mut case, found);
                into = before;
            }
            Event::End(element) => {
                depth = depth.saturating_sub(1);
                into = Into::Nothing;
                close(scan, element.local_name().as_ref(), &mut suites, &mut case, found);
            }
            Event::Text(text) => push(&mut case, into, &text.xml10_content()),
            Event::CData(text) => push(&mut case, into, &text.xml10_content()),
            Event::GeneralRef(reference) => push(&mut case, into, &resolve(&reference)),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            Event::Eof => {
                if depth > 0 {
                    found.notes.push(format!("the JUnit report {path} ends early; what came before its end was read"));
                }
                break;
            }
        }
    }
    // A failure that was being read when the report broke off is still a failure.
    if let Some(case) = case.filter(|case| case.outcome == Outcome::Failed) {
        finish(scan, &suites, &case, found);
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = element.attributes().with_checks(false).flatten().find(|attribute| attribute.key.as_ref() == name)?;
    let value = found
        .normalized_value(quick_xml::XmlVersion::Implicit1_0)
        .map_or_else(|_| found.value.to_string(), |value| value.into_owned());
    Some(clean::strip(&value))
}

/// The character that `&lt;` or `&#10;` stands for; anything unknown stays as it was written.
fn resolve(reference: &BytesRef<'_>) -> String {
    if let Ok(Some(c)) = reference.resolve_char_ref() {
        return c.to_string();
    }
    let name: &str = reference;
    match name {
        "lt" => "<".to_owned(),
        "gt" => ">".to_owned(),
        "amp" => "&".to_owned(),
        "quot" => "\"".to_owned(),
        "apos" => "'".to_owned(),
        other => format!("&{other};"),
    }
}

fn open(element: &BytesStart<'_>, suites: &mut Vec<String>, case: &mut Option<Case>, into: Into) -> Into {
    match (element.local_name().as_ref(), case.as_mut()) {
        ("testsuite", _) => suites.push(attribute(element, "name").unwrap_or_default()),
        ("testcase", _) => {
            *case = Some(Case {
                name: attribute(element, "name").unwrap_or_default(),
                class: attribute(element, "classname").unwrap_or_default(),
                file: attribute(element, "file"),
                line: attribute(element, "line").and_then(|line| line.parse().ok()),
                ..Case::default()
            });
        }
        ("failure" | "error", Some(case)) => {
            // The first verdict is the one to mend; a second one is an error in teardown.
            let first = case.outcome != Outcome::Failed;
            case.outcome = Outcome::Failed;
            if !first {
                return Into::Printed;
            }
            let say = |name| attribute(element, name).filter(|text| !text.is_empty());
            case.summary = say("message").or_else(|| say("type")).unwrap_or_default();
            return Into::Failure;
        }
        ("skipped", Some(case)) if case.outcome == Outcome::Passed => case.outcome = Outcome::Skipped,
        ("system-out" | "system-err", Some(_)) => return Into::Printed,
        // Attempts that were repeated (`flakyFailure`, `rerunFailure`) decide nothing.
        (_, _) => {}
    }
    if element.local_name().as_ref() == "testcase" { Into::Nothing } else { into_unknown(into) }
}

/// Unknown elements inside a failure keep its text flowing; elsewhere text is dropped.
fn into_unknown(into: Into) -> Into {
    match into {
        Into::Failure => Into::Failure,
        Into::Nothing | Into::Printed => Into::Nothing,
    }
}

/// Captured output that one case may keep, in bytes; messages are shorter anyhow.
const PRINTED_MAX: usize = 64 * 1024;

fn push(case: &mut Option<Case>, into: Into, text: &str) {
    let Some(case) = case else { return };
    match into {
        Into::Nothing => {}
        Into::Failure => case.text.push_str(text),
        Into::Printed => {
            let room = PRINTED_MAX.saturating_sub(case.printed.len());
            case.printed.push_str(&text[..clean::floor_char(text, room)]);
        }
    }
}

fn close(scan: &Scan<'_>, element: &str, suites: &mut Vec<String>, case: &mut Option<Case>, found: &mut Found) {
    match element {
        "testsuite" => {
            suites.pop();
        }
        "testcase" => {
            let Some(case) = case.take() else { return };
            match case.outcome {
                Outcome::Passed => found.counts.passed += 1,
                Outcome::Skipped => found.counts.ignored += 1,
                Outcome::Failed => finish(scan, suites, &case, found),
            }
        }
        _ => {}
    }
}

/// Makes a failure of a test case. What it says is read like the text of the tool that wrote it.
fn finish(scan: &Scan<'_>, suites: &[String], case: &Case, found: &mut Found) {
    found.counts.failed += 1;
    let text = clean::strip(&case.text);
    let printed = clean::strip(&case.printed);
    let suite = if case.class.is_empty() { suites.join("/") } else { case.class.clone() };
    let mut draft = Draft::new(Reader::Junit, Kind::Test, &case.name);
    let lines: Vec<&str> = text.lines().collect();
    let all: Vec<&str> = printed.lines().chain(text.lines()).collect();
    let panics = panic::panics(&all);
    if panics.is_empty() {
        let collection = case.summary == "collection failure";
        let during = match (collection, case.summary.starts_with("failed on ")) {
            (true, _) => During::Collection,
            (false, true) => During::Fixture,
            (false, false) => During::Call,
        };
        let reading = traceback::read(&lines, super::pytest::root(&scan.lines).as_deref(), during);
        draft.kind = if collection { Kind::Compile } else { Kind::Test };
        draft.headline = reading.headline.unwrap_or_default();
        draft.missing = reading.missing.filter(|_| collection);
        draft.cause = reading.cause;
        (draft.file, draft.line) = reading.own.map_or((None, None), |own| (Some(own.file), Some(own.line)));
        draft.rerun = pytest_node(case, draft.file.as_deref()).and_then(|node| command::pytest(scan.command, &node));
    } else {
        let verdict = panic::judge(&case.name, nextest::target(&suite), &panics, scan);
        draft.headline = verdict.headline.as_deref().and_then(|text| text.lines().next()).unwrap_or("").to_owned();
        (draft.file, draft.line, draft.column, draft.cause) =
            (verdict.file, verdict.line, verdict.column, verdict.cause);
    }
    if draft.rerun.is_none() {
        draft.rerun = command::nextest(scan.command, &suite, &case.name);
    }
    if draft.file.is_none() {
        (draft.file, draft.line) = (case.file.clone(), case.line);
    }
    if draft.headline.is_empty() {
        draft.headline = case.summary.lines().next().unwrap_or("the test failed").to_owned();
    }
    draft.suite = Some(suite).filter(|suite| !suite.is_empty());
    let silent = lines.iter().all(|line| line.trim().is_empty());
    draft.detail = panic::tidy(if silent { &all } else { &lines });
    found.drafts.push(draft);
}

/// pytest writes `tests.test_a.TestB` where its node id has `tests/test_a.py::TestB`.
fn pytest_node(case: &Case, file: Option<&str>) -> Option<String> {
    let file = file.filter(|file| file.ends_with(".py"))?;
    let module = file.strip_suffix(".py")?.replace('/', ".");
    if case.class.is_empty() {
        return (case.name == module).then(|| file.to_owned());
    }
    let rest = case.class.strip_prefix(&module)?;
    let classes: String = rest.split('.').filter(|part| !part.is_empty()).map(|part| format!("{part}::")).collect();
    Some(format!("{file}::{classes}{}", case.name))
}
