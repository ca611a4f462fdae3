//! Checks that do not behave: they end, they are told of in words, and nothing of them stays.

use crate::sample::{MENDS, Sample};
use crate::world::Ran;

/// The run is not green and says why; nothing else happened.
#[track_caller]
fn is_told(sample: &Sample, ran: &Ran, words: &[&str]) {
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.code(), 1, "{said}");
    for part in words {
        assert!(said.contains(part), "{part:?} is missing in:\n{said}");
    }
    assert_eq!(sample.on_main("part"), "bad\n", "nothing landed");
}

#[test]
fn a_check_that_hangs_is_ended_at_its_limit_with_all_it_started() {
    let sample = Sample::new(MENDS);
    sample.configure("projects:\n  r: {path: r, checkTimeout: 2s}\n");
    // Longer than this test waits for anything.
    let ran = sample.fix("sleep 10000 & sleep 10000");
    is_told(&sample, &ran, &["the check did not end in its time"]);
    let left: Vec<_> = sample.world.processes().into_iter().filter(|(_, line)| line.contains("sleep")).collect();
    assert!(left.is_empty(), "{left:?}");
    sample.leave_nothing();
}

#[test]
fn a_check_that_floods_costs_neither_memory_nor_disk() {
    let mut sample = Sample::new(r#"{"when": {"all": ["Fix this failure"]}, "say": "I do not know how"}"#);
    let ran = sample.fix("yes 'a flood of words' | head -c 100000000; echo the last word; exit 1");
    is_told(&sample, &ran, &[]);
    sample.journal.look();
    let read = sample.journal.facts.runs.values().flat_map(|run| &run.tasks).count();
    assert_eq!(read, 1, "one failure was read");
    let written: u64 = files(&sample.home).iter().map(|(_, size)| size).sum();
    assert!(written < 64 << 20, "{written} bytes were kept: {:#?}", files(&sample.home));
    let prompts = std::fs::read_to_string(sample.world.path("prompts.jsonl")).expect("the log of prompts");
    assert!(prompts.contains("the last word"), "its end says what is wrong:\n{prompts}");
    assert!(sample.peak_of_daemon() < 200 << 20, "the daemon took {} bytes", sample.peak_of_daemon());
    sample.leave_nothing();
}

fn files(dir: &std::path::Path) -> Vec<(std::path::PathBuf, u64)> {
    let entries = std::fs::read_dir(dir).expect("a directory").flatten().map(|e| e.path());
    let of = |path: std::path::PathBuf| match path.symlink_metadata() {
        Ok(meta) if meta.is_dir() => files(&path),
        Ok(meta) => vec![(path, meta.len())],
        Err(_) => Vec::new(),
    };
    entries.flat_map(of).collect()
}

#[test]
fn a_check_that_does_not_exist_is_told_and_no_agent_is_bothered() {
    let mut sample = Sample::new(MENDS);
    let ran = sample.fix("./no-such-check --all");
    is_told(&sample, &ran, &["no-such-check"]);
    sample.journal.look();
    assert!(sample.journal.facts.sessions.is_empty(), "nobody can mend a check that is not there:\n{}", ran.stderr);
    sample.leave_nothing();
}
