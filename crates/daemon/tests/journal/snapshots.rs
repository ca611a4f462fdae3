//! Snapshots and closed segments: a shortcut that must not change what is found.

use ao_daemon::journal::disk::LocalDisk;
use ao_daemon::journal::recover::OpenError;
use ao_daemon::journal::snapshot::SnapshotProblem;
use ao_daemon::journal::{Journal, Limits};

use crate::model::{Facts, SMALL, commit, contents, data_dir, open, record, records, take_snapshot};
use crate::sim::{Loss, Plan, SimDisk};

/// Commits until there are two closed segments (1 to 14 and 15 to 28), a snapshot at 28, and three records more.
fn with_segments(dir: &std::path::Path) {
    let (mut journal, _) = open(&LocalDisk, dir, SMALL).unwrap();
    for _ in 0..2 {
        commit(&mut journal, 7);
        assert!(!journal.snapshot_due());
        commit(&mut journal, 7);
        assert!(journal.snapshot_due());
        take_snapshot(&mut journal);
        assert!(!journal.snapshot_due());
    }
    commit(&mut journal, 3);
}

fn reopen(dir: &std::path::Path) -> (Journal, crate::model::TestOpened) {
    open(&LocalDisk, dir, SMALL).unwrap()
}

#[test]
fn a_long_active_file_is_closed_under_the_numbers_of_its_lines() {
    let dir = data_dir();
    with_segments(dir.path());
    let names: Vec<_> = contents(dir.path()).into_keys().map(|path| path.file_name().unwrap().to_owned()).collect();
    let expected =
        ["events-1-14.jsonl", "events-15-28.jsonl", "events.jsonl", "events.lock", "events.reserve", "snapshot.json"];
    assert_eq!(names, expected);
    let lines = std::fs::read_to_string(dir.path().join("events-15-28.jsonl")).unwrap().lines().count();
    assert_eq!(lines, 14);
}

#[test]
fn a_long_file_in_bytes_is_closed_too() {
    let dir = data_dir();
    let (mut journal, _) = open(&LocalDisk, dir.path(), Limits { lines: 1000, bytes: 500 }).unwrap();
    commit(&mut journal, 1);
    assert!(!journal.snapshot_due());
    commit(&mut journal, 4);
    assert!(journal.snapshot_due());
}

#[test]
fn snapshot_and_rest_give_the_same_facts_as_the_whole_history() {
    let dir = data_dir();
    with_segments(dir.path());
    let (journal, opened) = reopen(dir.path());
    assert_eq!(opened.snapshot.as_ref().unwrap().seq, 28);
    assert_eq!(opened.records, records(29, 31));
    assert_eq!(Facts::of(&opened), Facts::after(31));
    drop(journal);
    std::fs::remove_file(dir.path().join("snapshot.json")).unwrap();
    let (_, opened) = reopen(dir.path());
    assert_eq!(opened.records, records(1, 31));
    assert_eq!((Facts::of(&opened), opened.snapshot_problem), (Facts::after(31), None));
}

#[test]
fn a_snapshot_that_was_reported_is_there_after_a_power_loss() {
    for seed in 0..30 {
        let (dir, disk) = (data_dir(), SimDisk::new(Plan::Works));
        let (mut journal, _) = open(&disk, dir.path(), SMALL).unwrap();
        for _ in 0..2 {
            commit(&mut journal, 7);
            take_snapshot(&mut journal);
        }
        drop(journal);
        let (_, opened) = open(&disk.after(Loss::Power(seed)), dir.path(), SMALL).unwrap();
        assert_eq!(opened.snapshot.map(|snapshot| snapshot.seq), Some(14), "seed {seed}");
    }
}

#[test]
fn a_covered_segment_is_not_even_opened() {
    let dir = data_dir();
    with_segments(dir.path());
    std::fs::write(dir.path().join("events-1-14.jsonl"), "not a journal").unwrap();
    let (_, opened) = reopen(dir.path());
    assert_eq!(Facts::of(&opened), Facts::after(31));
}

#[test]
fn a_damaged_snapshot_is_replaced_by_the_whole_history_and_reported() {
    let dir = data_dir();
    with_segments(dir.path());
    let path = dir.path().join("snapshot.json");
    let good = std::fs::read(&path).unwrap();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 7);
        std::fs::write(&path, &bad).unwrap();
        let (_, opened) = reopen(dir.path());
        assert!(matches!(opened.snapshot_problem, Some(SnapshotProblem::Flaw(_))), "byte {at}");
        assert_eq!(opened.records, records(1, 31), "byte {at}");
        assert_eq!(std::fs::read(&path).unwrap(), bad, "it is left to be looked at");
    }
}

#[test]
fn a_snapshot_in_another_format_is_not_used() {
    let dir = data_dir();
    with_segments(dir.path());
    let path = dir.path().join("snapshot.json");
    std::fs::write(&path, crate::opening::sealed(28, r#""format":2,"states":[]"#)).unwrap();
    assert_eq!(reopen(dir.path()).1.snapshot_problem, Some(SnapshotProblem::Format(2)));
    std::fs::write(&path, crate::opening::sealed(28, r#""format":1,"state":[]"#)).unwrap();
    assert!(matches!(reopen(dir.path()).1.snapshot_problem, Some(SnapshotProblem::State(_))));
}

#[test]
fn missing_history_is_an_error_only_where_it_is_needed() {
    let dir = data_dir();
    with_segments(dir.path());
    std::fs::remove_file(dir.path().join("events-1-14.jsonl")).unwrap();
    let (journal, opened) = reopen(dir.path());
    assert_eq!(Facts::of(&opened), Facts::after(31));
    drop(journal);

    std::fs::write(dir.path().join("snapshot.json"), "torn").unwrap();
    let error = open(&LocalDisk, dir.path(), SMALL).unwrap_err();
    assert!(matches!(error, OpenError::Missing { needed: 1, found: 15, .. }), "{error:?}");
    let said = error.to_string();
    assert!(said.contains("lines 1 to 14 of the journal are missing (snapshot.json has no end"), "{said}");
}

#[test]
fn a_hole_between_files_is_an_error() {
    let dir = data_dir();
    with_segments(dir.path());
    std::fs::remove_file(dir.path().join("snapshot.json")).unwrap();
    std::fs::remove_file(dir.path().join("events-15-28.jsonl")).unwrap();
    let error = open(&LocalDisk, dir.path(), SMALL).unwrap_err();
    assert!(matches!(error, OpenError::Missing { needed: 15, found: 29, .. }), "{error:?}");
}

#[test]
fn segments_that_share_lines_are_an_error() {
    let dir = data_dir();
    with_segments(dir.path());
    std::fs::copy(dir.path().join("events-1-14.jsonl"), dir.path().join("events-1-13.jsonl")).unwrap();
    assert!(matches!(open(&LocalDisk, dir.path(), SMALL), Err(OpenError::Overlap { .. })));
}

#[test]
fn a_closed_segment_must_hold_what_its_name_promises() {
    let dir = data_dir();
    with_segments(dir.path());
    std::fs::remove_file(dir.path().join("snapshot.json")).unwrap();
    let path = dir.path().join("events-15-28.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let thirteen = text.trim_end().rfind('\n').unwrap() + 1;
    let longer = text.clone() + &text[thirteen..];
    for bad in [&text[..thirteen], &text[..text.len() - 1], &text[..text.len() - 20], "", longer.as_str()] {
        std::fs::write(&path, bad).unwrap();
        let error = open(&LocalDisk, dir.path(), SMALL).unwrap_err();
        assert!(matches!(&error, OpenError::BadLine(bad) if bad.path == path), "{error:?}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), bad);
    }
}

#[test]
fn history_moved_away_whole_does_not_restart_the_numbers() {
    let dir = data_dir();
    let (mut journal, _) = open(&LocalDisk, dir.path(), SMALL).unwrap();
    commit(&mut journal, 13);
    take_snapshot(&mut journal);
    drop(journal);
    std::fs::remove_file(dir.path().join("events-1-13.jsonl")).unwrap();
    let (mut journal, opened) = reopen(dir.path());
    assert_eq!((journal.next_seq(), Facts::of(&opened)), (14, Facts::after(13)));
    commit(&mut journal, 1);
    drop(journal);
    assert_eq!(reopen(dir.path()).1.records, [record(14)]);
}

#[test]
fn a_snapshot_of_a_short_file_closes_nothing() {
    let dir = data_dir();
    let (mut journal, _) = open(&LocalDisk, dir.path(), SMALL).unwrap();
    commit(&mut journal, 3);
    take_snapshot(&mut journal);
    commit(&mut journal, 2);
    drop(journal);
    let (_, opened) = reopen(dir.path());
    assert_eq!(opened.snapshot.as_ref().unwrap().seq, 3);
    assert_eq!(opened.records, records(4, 5));
    assert!(!dir.path().join("events-1-3.jsonl").exists());
}
