//! The failure readers against recordings of real tools (see `fixtures/failure/make.sh`), and against cut and arbitrary
//! text. It does not run any tool.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use ao_core::failure::{Artefact, CheckOutput, Kind, MESSAGE_MAX, Reader, Report, group, read, trim_log};
use proptest::prelude::*;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/failure")
}

/// A recording: its first line is `# COMMAND # exit CODE`.
#[derive(Debug, Clone)]
struct Recording {
    name: String,
    command: String,
    code: i32,
    output: String,
}

fn recording(name: &str) -> Recording {
    let text = std::fs::read_to_string(folder().join(format!("{name}.txt"))).expect("the recording exists");
    let (head, output) = text.split_once('\n').expect("a first line");
    let (command, code) = head.trim_start_matches("# ").split_once(" # exit ").expect("command and code");
    Recording {
        name: name.to_owned(),
        command: command.to_owned(),
        code: code.parse().expect("a number"),
        output: output.to_owned(),
    }
}

fn recordings() -> Vec<Recording> {
    let mut names = Vec::new();
    for tool in std::fs::read_dir(folder()).expect("fixtures").flatten() {
        for file in std::fs::read_dir(tool.path()).into_iter().flatten().flatten() {
            let path = file.path();
            if path.extension().is_some_and(|extension| extension == "txt") {
                let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
                names.push(format!("{}/{stem}", tool.file_name().to_string_lossy()));
            }
        }
    }
    names.sort();
    assert!(names.len() > 40, "{names:?}");
    names.iter().map(|name| recording(name)).collect()
}

impl Recording {
    fn check<'a>(&'a self, output: &'a str, files: &'a [Artefact]) -> CheckOutput<'a> {
        CheckOutput {
            command: &self.command,
            exit_code: Some(self.code),
            signal: None,
            timed_out: false,
            output,
            files,
        }
    }

    fn report(&self) -> Report {
        read(&self.check(&self.output, &[]))
    }
}

fn artefact(name: &str) -> Artefact {
    let text = std::fs::read_to_string(folder().join(name)).expect("the artefact exists");
    Artefact { path: name.to_owned(), text }
}

/// What a person wants to see of a report: a line a failure, then groups.
fn summary(report: &Report) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    let counts = report.counts;
    let _ = writeln!(
        text,
        "{} by {}, {} passed, {} failed, {} ignored{}",
        if report.passed { "passed" } else { "failed" },
        report.reader.name(),
        counts.passed,
        counts.failed,
        counts.ignored,
        report.note.as_ref().map(|note| format!("\nnote: {note}")).unwrap_or_default()
    );
    for failure in &report.failures {
        let place = match (&failure.file, failure.line, failure.column) {
            (Some(file), Some(line), Some(column)) => format!("{file}:{line}:{column}"),
            (Some(file), Some(line), None) => format!("{file}:{line}"),
            (Some(file), None, _) => file.clone(),
            (None, _, _) => "-".to_owned(),
        };
        let _ = writeln!(text, "\n{:?} {} [{}]", failure.kind, failure.name, failure.suite.as_deref().unwrap_or("-"));
        let _ = writeln!(
            text,
            "  at {place}{}",
            failure
                .cause
                .as_ref()
                .map(|cause| format!(" because of {}:{}", cause.file, cause.line))
                .unwrap_or_default()
        );
        let _ = writeln!(text, "  {}", failure.message.lines().next().unwrap_or(""));
        let _ = writeln!(text, "  $ {}", failure.rerun.as_deref().unwrap_or("-"));
    }
    text.push_str("\ngroups\n");
    for group in group(&report.failures) {
        let _ = writeln!(text, "  {} {}", group.failures.len(), group.title);
    }
    text
}

#[test]
fn every_recording_is_read_as_a_person_would() {
    for recording in recordings() {
        insta::assert_snapshot!(recording.name.replace('/', "__"), summary(&recording.report()));
    }
}

#[test]
fn reports_in_xml_are_read_as_a_person_would() {
    for (name, command) in [
        ("pytest-9.2.0/all.xml", "pytest --junitxml=out.xml"),
        ("pytest-9.2.0/collection.xml", "pytest --junitxml=out.xml"),
        ("nextest-0.9.143/all.xml", "cargo nextest run"),
        ("nextest-0.9.143/abort.xml", "cargo nextest run"),
    ] {
        let files = [artefact(name)];
        let report = read(&CheckOutput { command, exit_code: Some(1), files: &files, ..CheckOutput::default() });
        insta::assert_snapshot!(name.replace('/', "__"), summary(&report));
    }
}

#[test]
fn whole_reports_are_stored_as_they_were_shown() {
    insta::assert_json_snapshot!("whole_cargo_compile", recording("cargo-1.95.0/compile-workspace").report());
    insta::assert_json_snapshot!("whole_pytest_two", recording("pytest-9.2.0/two").report());
    insta::assert_json_snapshot!(
        "whole_nextest_first_groups",
        group(&recording("nextest-0.9.143/first").report().failures)
    );
}
