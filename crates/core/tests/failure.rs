//! The failure readers against recordings of real tools (see `fixtures/failure/make.sh`), and against cut and arbitrary
//! text. It does not run any tool.

#![expect(clippy::disallowed_methods, reason = "recordings are files; only the product's core must not read any")]

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use ao_core::failure::{
    Artefact, CheckOutput, FAILURES_MAX, Kind, MESSAGE_MAX, MESSAGES_MAX, Reader, Report, group, read, trim_log,
};
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
        "{}{} by {}, {} passed, {} failed, {} ignored{}",
        if report.passed { "passed" } else { "failed" },
        if report.partial { " in part" } else { "" },
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

#[test]
fn sources_tell_test_code_from_the_code_under_test() {
    let recording = recording("cargo-1.95.0/all");
    let source = |path: &str| {
        let text =
            std::fs::read_to_string(folder().join(format!("samples/calc/{path}.sample"))).expect("the sample exists");
        Artefact { path: path.to_owned(), text }
    };
    let files = [source("src/lib.rs"), source("src/main.rs"), source("src/parser.rs")];
    let with = read(&recording.check(&recording.output, &files));
    let causes: HashSet<String> = with
        .failures
        .iter()
        .filter_map(|failure| failure.cause.as_ref())
        .map(|cause| format!("{}:{}", cause.file, cause.line))
        .collect();
    let expected = ["src/lib.rs:15", "src/lib.rs:24", "src/parser.rs:5"].map(str::to_owned);
    assert_eq!(causes, HashSet::from(expected));
}

#[test]
fn two_tests_that_call_one_function_stay_apart_when_they_fail_in_their_own_assertions() {
    let report = recording("pytest-9.2.0/all").report();
    let groups = group(&report.failures);
    let of = |name: &str| {
        groups
            .iter()
            .find(|group| group.failures.iter().any(|failure| failure.name.ends_with(name)))
            .map(|group| group.id.clone())
    };
    assert_ne!(of("::test_discount"), of("::test_discount_of_all"));
    assert_eq!(of("::test_parse_dollar"), of("::test_many[0x7-7]"));
}

#[test]
fn the_way_a_runner_prints_does_not_change_what_failed() {
    let names = |name: &str| -> Vec<(String, Option<ao_core::failure::Place>)> {
        let mut names: Vec<_> =
            recording(name).report().failures.into_iter().map(|failure| (failure.id, failure.cause)).collect();
        names.sort();
        names
    };
    for style in ["short", "quiet", "verbose", "color", "parallel"] {
        assert_eq!(names("pytest-9.2.0/all"), names(&format!("pytest-9.2.0/{style}")), "{style}");
    }
    assert_eq!(names("cargo-1.95.0/workspace"), names("cargo-1.95.0/apart"));
    let ids = |name: &str| names(name).into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    for style in ["native", "line", "no-traceback"] {
        assert_eq!(ids("pytest-9.2.0/all"), ids(&format!("pytest-9.2.0/{style}")), "{style}");
    }
    assert_eq!(ids("cargo-1.95.0/all"), ids("cargo-1.95.0/backtrace"));
}

#[test]
fn an_id_does_not_move_with_the_lines() {
    let recording = recording("cargo-1.95.0/compile");
    let moved = recording
        .output
        .replace("src/lib.rs:5:5", "src/lib.rs:6:5")
        .replace("src/lib.rs:10:", "src/lib.rs:11:")
        .replace("src/lib.rs:15:", "src/lib.rs:16:");
    let ids = |output: &str| {
        read(&recording.check(output, &[])).failures.into_iter().map(|failure| failure.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&recording.output), ids(&moved));
}

#[test]
fn no_two_failures_of_a_report_share_an_id() {
    for recording in recordings() {
        let report = recording.report();
        let ids: HashSet<&str> = report.failures.iter().map(|failure| failure.id.as_str()).collect();
        assert_eq!(ids.len(), report.failures.len(), "{}", recording.name);
    }
}

#[test]
fn a_report_and_the_text_of_one_run_are_not_counted_twice() {
    for (text, xml) in [
        ("pytest-9.2.0/all", "pytest-9.2.0/all.xml"),
        ("pytest-9.2.0/collection", "pytest-9.2.0/collection.xml"),
        ("nextest-0.9.143/all", "nextest-0.9.143/all.xml"),
    ] {
        let recording = recording(text);
        let files = [artefact(xml)];
        assert_eq!(read(&recording.check(&recording.output, &files)), recording.report(), "{text}");
    }
}

#[test]
fn a_report_fills_in_what_a_cut_text_lost() {
    let recording = recording("nextest-0.9.143/all");
    let cut = recording.output.lines().take(30).collect::<Vec<_>>().join("\n");
    let files = [artefact("nextest-0.9.143/all.xml")];
    let names = |report: Report| {
        report.failures.into_iter().map(|failure| (failure.suite, failure.name)).collect::<HashSet<_>>()
    };
    assert_eq!(names(read(&recording.check(&cut, &files))), names(recording.report()));
}

fn check(output: &str, exit_code: Option<i32>) -> CheckOutput<'_> {
    CheckOutput { command: "make check", exit_code, output, ..CheckOutput::default() }
}

#[test]
fn an_unknown_failure_carries_the_end_of_its_output() {
    let output: String = (1..=100).map(|n| format!("line {n}\n")).collect();
    let report = read(&check(&output, Some(2)));
    assert_eq!(report.failures.len(), 1);
    let failure = &report.failures[0];
    assert_eq!(
        (failure.kind, failure.reader, failure.name.as_str()),
        (Kind::Exit, Reader::Exit, "the check ended with exit code 2")
    );
    assert!(failure.message.starts_with("the check ended with exit code 2\nline 41\n"), "{}", failure.message);
    assert!(failure.message.ends_with("line 100"));
}

#[test]
fn a_check_that_says_all_is_well_and_exits_badly_has_failed() {
    let passing = recording("pytest-9.2.0/pass");
    let report = read(&CheckOutput { exit_code: Some(1), ..passing.check(&passing.output, &[]) });
    assert!(!report.passed);
    assert_eq!(report.failures.len(), 1);
    assert_eq!(report.failures[0].kind, Kind::Exit);
    assert_eq!(report.counts.passed, 1);
}

#[test]
fn a_check_that_shows_failures_and_exits_well_has_passed_with_a_note() {
    let recording = recording("pytest-9.2.0/two");
    let report = read(&CheckOutput { exit_code: Some(0), ..recording.check(&recording.output, &[]) });
    assert!(report.passed);
    assert_eq!(report.note.as_deref(), Some("the output shows 1 failure but the exit code is 0"));
}

#[test]
fn each_way_to_end_has_a_name_of_its_own() {
    let name = |check: CheckOutput<'_>| {
        let report = read(&check);
        assert!(!report.passed);
        report.failures[0].name.clone()
    };
    assert_eq!(name(CheckOutput { timed_out: true, ..check("", None) }), "the check timed out");
    assert_eq!(name(CheckOutput { timed_out: true, ..check("", Some(0)) }), "the check timed out");
    assert_eq!(name(CheckOutput { signal: Some(9), ..check("", None) }), "the check was ended by signal 9 SIGKILL");
    assert_eq!(name(check("", None)), "the check did not run");
    assert_eq!(name(check("sh: 1: pytset: not found", Some(127))), "the check's command was not found (exit code 127)");
}

#[test]
fn a_check_that_timed_out_names_the_slow_test() {
    let output = "running 2 tests\ntest a ... ok\ntest tests::hangs has been running for over 60 seconds\n";
    let report = read(&CheckOutput { command: "cargo test", timed_out: true, output, ..CheckOutput::default() });
    assert_eq!(report.failures.len(), 1);
    assert!(
        report.failures[0]
            .message
            .lines()
            .next()
            .expect("a line")
            .contains("the test tests::hangs ran for over 60 seconds")
    );
}

#[test]
fn junit_reads_nested_suites_character_data_and_every_verdict() {
    let xml = r#"<?xml version="1.0"?>
<!DOCTYPE x>
<testsuites><testsuite name="outer"><testsuite name="inner">
<testcase name="a" classname="pkg.A"><failure message="first&#10;second" type="E"><![CDATA[1 < 2 & 3]]></failure><system-out><![CDATA[said]]></system-out></testcase>
<testcase name="b"><error type="Boom"/></testcase>
<testcase name="c"><skipped/></testcase>
<testcase name="d"><system-out>fine</system-out></testcase>
<testcase name="e" file="src/e.js" line="7"><failure>at &lt;x&gt; &unknown;</failure><error message="teardown">later</error></testcase>
<testcase name="f"><flakyFailure message="once">x</flakyFailure></testcase>
</testsuite></testsuite></testsuites>"#;
    let files = [Artefact { path: "out.xml".into(), text: xml.into() }];
    let report = read(&CheckOutput { files: &files, ..check("", Some(1)) });
    insta::assert_snapshot!("junit_by_hand", summary(&report));
    assert_eq!(
        report.failures.iter().find(|failure| failure.name == "a").map(|failure| failure.message.as_str()),
        Some("first\n1 < 2 & 3")
    );
}

#[test]
fn a_broken_junit_report_gives_what_was_read_and_a_note() {
    let whole = artefact("nextest-0.9.143/all.xml").text;
    let cut = whole.find("tests::adds_two").expect("the test is in there");
    for (text, said) in [
        (whole[..cut].to_owned(), "is broken"),
        (format!("{}</wrong>", &whole[..cut - 60]), "is broken"),
        (whole[..whole.find("</testsuites>").expect("an end")].to_owned(), "ends early"),
    ] {
        let files = [Artefact { path: "out.xml".into(), text }];
        let report = read(&CheckOutput { files: &files, ..check("", Some(1)) });
        assert!(report.note.as_deref().is_some_and(|note| note.contains(said)), "{:?}", report.note);
        assert!(report.failures.iter().any(|failure| failure.name == "tests::adds_three"));
    }
}

#[test]
fn messages_are_bounded_and_clean() {
    let long = format!(
        "test result: x\nrunning 1 test\ntest a ... FAILED\n\nfailures:\n\n---- a stdout ----\n{}\n\nfailures:\n    a\n\ntest result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n",
        "\u{1b}[31mü\u{202e}\u{7} long line\n".repeat(5000)
    );
    let report =
        read(&CheckOutput { command: "cargo test", exit_code: Some(101), output: &long, ..CheckOutput::default() });
    let message = &report.failures[0].message;
    assert!(message.len() <= MESSAGE_MAX, "{}", message.len());
    assert!(message.contains("lines left out"));
    assert!(!message.contains(['\u{1b}', '\u{7}', '\u{202e}']));
}

#[test]
fn a_flood_of_failures_stays_small_and_says_what_it_dropped() {
    let mut output = "running 3000 tests\n".to_owned();
    output.extend((0..3000).map(|n| format!("test t{n:04} ... FAILED\n")));
    output.push_str("\nfailures:\n\n");
    output.extend((0..3000).map(|n| format!("---- t{n:04} stdout ----\n{}\n", "why\n".repeat(300))));
    let report =
        read(&CheckOutput { command: "cargo test", exit_code: Some(101), output: &output, ..CheckOutput::default() });
    assert_eq!(report.failures.len(), FAILURES_MAX);
    assert!(report.partial);
    assert_eq!(report.note.as_deref(), Some("2000 more failures are not listed"));
    assert_eq!(report.failures[0].name, "t0000");
    assert!(report.failures.iter().map(|failure| failure.message.len()).sum::<usize>() <= MESSAGES_MAX);
}

#[test]
fn a_failure_that_was_counted_and_not_read_is_noted() {
    let recording = recording("pytest-9.2.0/all");
    let kept: String = recording
        .output
        .lines()
        .filter(|line| !line.contains("test_discount"))
        .map(|line| format!("{line}\n"))
        .collect();
    let report = read(&recording.check(&kept, &[]));
    assert!(report.partial);
    assert_eq!(report.note.as_deref(), Some("the tools counted 23 failed, 2 of them could not be read"));
}

/// What must hold of any report.
fn check_report(report: &Report, exit_code: Option<i32>) {
    assert!(!report.passed || exit_code == Some(0));
    assert!(report.passed || !report.failures.is_empty());
    let mut ids = HashSet::new();
    for failure in &report.failures {
        assert!(ids.insert(&failure.id), "{failure:?}");
        assert!(failure.message.len() <= MESSAGE_MAX, "{}", failure.message.len());
        assert!(!failure.message.chars().any(|c| c.is_control() && c != '\n' && c != '\t'), "{:?}", failure.message);
        assert!(!failure.name.contains('\n'));
    }
    let grouped: usize = group(&report.failures).iter().map(|group| group.failures.len()).sum();
    assert_eq!(grouped, report.failures.len());
}

#[test]
fn a_recording_cut_at_any_line_is_still_a_failure() {
    for recording in recordings().iter().filter(|recording| recording.code != 0) {
        let ends: Vec<usize> = recording.output.match_indices('\n').map(|(at, _)| at).collect();
        // A stride keeps the longest recordings from taking all the time; it is no divisor of their block lengths.
        let stride = 1 + ends.len() / 40;
        for at in ends.into_iter().step_by(stride) {
            check_report(&read(&recording.check(&recording.output[..at], &[])), Some(recording.code));
            check_report(&read(&recording.check(&recording.output[at..], &[])), Some(recording.code));
        }
    }
}

/// Lines and words that readers look for, so that arbitrary text reaches their inner parts.
fn telling() -> impl Strategy<Value = String> {
    let words = [
        "running 2 tests",
        "test a ... FAILED",
        "test b ... ok",
        "failures:",
        "---- a stdout ----",
        "    a",
        "",
        "test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured",
        "     Running tests/it.rs (target/debug/deps/it-1)",
        "   Doc-tests x",
        "error: test failed, to rerun pass `--lib`",
        "error[E0308]: x",
        " --> src/lib.rs:1:2",
        "  |",
        "error: could not compile `x` (lib) due to",
        "thread 'a' (1) panicked at src/lib.rs:1:2:",
        "thread 'a' panicked at 'x', src/lib.rs:1:2",
        "thread 'a' panicked at 'x",
        "stack backtrace:",
        "   0: a::b",
        "             at ./src/lib.rs:1:2",
        "note: run with",
        " Nextest run ID x",
        "        FAIL [   0.005s] (1/2) x::it a",
        "  TRY 1 ABRT [   0.005s] x a",
        "────────────",
        "     Summary [   0.1s] 2 tests run: 1 passed, 1 failed",
        "error: test run failed",
        "  stdout ───",
        "===== test session starts =====",
        "=== FAILURES ===",
        "=== ERRORS ===",
        "____ test_a ____",
        "__ ERROR at setup of test_a __",
        "__ ERROR collecting tests/test_a.py __",
        "=== short test summary info ===",
        "FAILED tests/test_a.py::test_a[x] - assert 0",
        "ERROR tests/test_a.py",
        "E   assert 0",
        "tests/test_a.py:1: AssertionError",
        "src/a.py:3: in f",
        "--- Captured stdout call ---",
        "The above exception was the direct cause of the following exception:",
        "1 failed, 2 passed in 0.1s",
        "rootdir: /repo",
        "  File \"/repo/a.py\", line 1, in x",
        "Fatal Python error: x",
        "<testsuite name='x'>",
        "<testcase name='a'><failure>",
        "</failure></testcase>",
        "<![CDATA[",
        "]]>",
        "&lt;",
        "[… 3 lines left out …]",
        "ü",
        "\u{1b}[1m",
        "note: test did not panic as expected at :::",
        "note: panic did not contain expected string",
        "ImportError while loading conftest '",
        "thread 'a' has overflowed its stack",
    ];
    let part = prop_oneof![8 => prop::sample::select(words.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,20}"];
    let glue = prop_oneof![6 => Just("\n"), 1 => Just(" "), 1 => Just("")];
    prop::collection::vec((part, glue), 0..60)
        .prop_map(|parts| parts.into_iter().map(|(part, glue)| part + glue).collect())
}

fn command() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("cargo test --workspace".to_owned()),
        Just("cargo nextest run".to_owned()),
        Just("python -m pytest -q".to_owned()),
        "[a-z '\"\\\\$&;|=-]{0,30}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_gives_a_report(text in any::<String>(), command in command(), exit_code in prop::option::of(0..3)) {
        let files = [Artefact { path: "a.xml".into(), text: format!("<testsuite>{text}") }];
        check_report(&read(&CheckOutput { command: &command, exit_code, output: &text, files: &files, ..CheckOutput::default() }), exit_code);
    }

    #[test]
    fn any_mixture_of_telling_lines_gives_a_report(text in telling(), report in telling(), command in command(), exit_code in prop::option::of(0..3)) {
        let files = [Artefact { path: "a.xml".into(), text: format!("<testsuite>{report}") }];
        check_report(&read(&CheckOutput { command: &command, exit_code, output: &text, files: &files, ..CheckOutput::default() }), exit_code);
    }

    #[test]
    fn a_recording_cut_at_any_character_is_still_a_failure(pick in any::<prop::sample::Index>(), from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>()) {
        let all = recordings();
        let failed: Vec<&Recording> = all.iter().filter(|recording| recording.code != 0).collect();
        let recording = failed[pick.index(failed.len())];
        let boundaries: Vec<usize> = recording.output.char_indices().map(|(at, _)| at).collect();
        let (from, to) = (boundaries[from.index(boundaries.len())], boundaries[to.index(boundaries.len())]);
        let (from, to) = (from.min(to), from.max(to));
        for cut in [&recording.output[..from], &recording.output[from..to], &recording.output[to..]] {
            check_report(&read(&recording.check(cut, &[])), Some(recording.code));
        }
        let holed = format!("{}[… {} bytes left out …]{}", &recording.output[..from], to - from, &recording.output[to..]);
        check_report(&read(&recording.check(&holed, &[])), Some(recording.code));
    }

    #[test]
    fn an_xml_report_cut_at_any_character_gives_a_report(at in any::<prop::sample::Index>(), name in prop::sample::select(vec!["pytest-9.2.0/all.xml", "nextest-0.9.143/abort.xml"])) {
        let whole = artefact(name).text;
        let boundaries: Vec<usize> = whole.char_indices().map(|(at, _)| at).collect();
        let files = [Artefact { path: "a.xml".into(), text: whole[..boundaries[at.index(boundaries.len())]].to_owned() }];
        check_report(&read(&CheckOutput { files: &files, ..check("", Some(1)) }), Some(1));
    }

    #[test]
    fn a_trimmed_log_is_clean_and_about_as_long_as_asked(text in any::<String>(), max in 0..200_usize) {
        let trimmed = trim_log(&text.repeat(5), max);
        prop_assert!(trimmed.len() <= max + 60, "{} {}", trimmed.len(), max);
        prop_assert!(!trimmed.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
    }
}
