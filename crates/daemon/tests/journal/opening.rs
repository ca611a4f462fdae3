//! Start-up on files that are not as they should be: who holds them, who wrote them, what is missing.

use ao_core::kind::Kind;
use ao_daemon::journal::line::Flaw;
use ao_daemon::journal::recover::OpenError;

use crate::model::{Facts, commit, contents, data_dir, open, open_real, record, take_snapshot};

/// Seals a line by hand, independently of the code under test: `body` holds everything after `crc`.
pub fn sealed(seq: u64, body: &str) -> String {
    let blank = format!(r#"{{"seq":{seq},"at":5,"crc":"00000000",{body}}}"#);
    let mut crc = !0_u32;
    for byte in blank.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
        }
    }
    blank.replace(r#""crc":"00000000""#, &format!(r#""crc":"{:08x}""#, !crc)) + "\n"
}

const TICK: &str = r#""time":1,"event":{"kind":"ticked"},"facts_delta":"nothing","effects":[]"#;

fn flaw(result: Result<impl std::fmt::Debug, OpenError>) -> (u64, u64, Flaw) {
    match result {
        Err(OpenError::BadLine(bad)) => (bad.line, bad.offset, bad.flaw),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_new_directory_begins_with_record_1() {
    let dir = data_dir();
    let (mut journal, opened) = open_real(dir.path()).unwrap();
    assert_eq!((journal.next_seq(), opened.records.len()), (1, 0));
    assert_eq!((opened.snapshot, opened.cut), (None, None));
    commit(&mut journal, 2);
    drop(journal);
    let (journal, opened) = open_real(dir.path()).unwrap();
    assert_eq!(journal.next_seq(), 3);
    assert_eq!(opened.records, [record(1), record(2)]);
}

#[test]
fn a_second_writer_is_refused_and_told_who_is_first() {
    let dir = data_dir();
    let (journal, _) = open_real(dir.path()).unwrap();
    match open_real(dir.path()) {
        Err(e @ OpenError::Locked { pid, .. }) => {
            assert_eq!(e.kind(), Kind::Conflict);
            assert_eq!(pid, Some(std::process::id()));
            assert!(e.to_string().contains(&format!("in use by process {}", std::process::id())), "{e}");
        }
        other => panic!("{other:?}"),
    }
    drop(journal);
    open_real(dir.path()).map(drop).unwrap();
}

#[test]
fn the_files_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = data_dir();
    let (mut journal, _) = open(&ao_daemon::journal::disk::LocalDisk, dir.path(), crate::model::SMALL).unwrap();
    commit(&mut journal, 13);
    take_snapshot(&mut journal);
    let mut seen = 0;
    for path in contents(dir.path()).keys() {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
        seen += 1;
    }
    assert_eq!(seen, 5, "active, closed, snapshot, reserve, lock");
}

#[test]
fn a_line_sealed_by_hand_is_read() {
    let dir = data_dir();
    std::fs::write(dir.path().join("events.jsonl"), sealed(1, TICK) + &sealed(2, TICK)).unwrap();
    let (journal, opened) = open_real(dir.path()).unwrap();
    assert_eq!((journal.next_seq(), opened.records.len()), (3, 2));
}

#[test]
fn a_gap_or_a_repeat_of_numbers_stops_start_up() {
    let dir = data_dir();
    let path = dir.path().join("events.jsonl");
    let first = sealed(1, TICK);
    for seq in [1, 3] {
        std::fs::write(&path, first.clone() + &sealed(seq, TICK)).unwrap();
        let expected = Flaw::Sequence { expected: 2, found: seq };
        assert_eq!(flaw(open_real(dir.path())), (2, first.len() as u64, expected));
    }
    std::fs::write(&path, sealed(0, TICK)).unwrap();
    assert_eq!(flaw(open_real(dir.path())).2, Flaw::Sequence { expected: 1, found: 0 });
}

#[test]
fn an_event_of_a_newer_version_stops_start_up_by_name() {
    let dir = data_dir();
    let unknown = r#""time":1,"event":{"kind":"teleported"},"facts_delta":"nothing","effects":[]"#;
    let text = sealed(1, TICK) + &sealed(2, unknown) + &sealed(3, TICK);
    std::fs::write(dir.path().join("events.jsonl"), &text).unwrap();
    let before = contents(dir.path());
    let error = open_real(dir.path()).unwrap_err();
    assert_eq!(error.kind(), Kind::Unsupported);
    let error = error.to_string();
    assert!(error.contains("events.jsonl: line 2 (at byte "), "{error}");
    assert!(error.contains("written by a newer ao (teleported"), "{error}");
    assert_eq!(contents(dir.path())[&dir.path().join("events.jsonl")], before[&dir.path().join("events.jsonl")]);

    for part in [
        r#""time":1,"event":{"kind":"ticked"},"facts_delta":"melt","effects":[]"#,
        r#""time":1,"event":{"kind":"ticked"},"facts_delta":"nothing","effects":[{"fly":{}}]"#,
    ] {
        std::fs::write(dir.path().join("events.jsonl"), sealed(1, part)).unwrap();
        assert!(matches!(flaw(open_real(dir.path())).2, Flaw::Newer { kind, .. } if kind == "ticked"));
    }
}

#[test]
fn an_unknown_event_that_may_be_skipped_is_skipped_and_reported() {
    let dir = data_dir();
    let unknown = r#""skip":true,"time":1,"event":{"kind":"hummed"},"facts_delta":{"odd":1},"effects":[]"#;
    let known = format!(r#""skip":true,{TICK}"#);
    let text = sealed(1, TICK) + &sealed(2, unknown) + &sealed(3, &known);
    std::fs::write(dir.path().join("events.jsonl"), &text).unwrap();
    let (mut journal, opened) = open_real(dir.path()).unwrap();
    assert_eq!(opened.records.iter().map(|record| record.seq).collect::<Vec<_>>(), [1, 3]);
    assert_eq!((opened.skipped[0].seq, opened.skipped[0].kind.as_str()), (2, "hummed"));
    assert_eq!(journal.next_seq(), 4);
    commit(&mut journal, 1);
    let on_disk = std::fs::read_to_string(dir.path().join("events.jsonl")).unwrap();
    assert!(on_disk.starts_with(&text), "old lines stay byte for byte");
}

#[test]
fn fields_that_are_not_known_stay_in_the_file() {
    let dir = data_dir();
    let text = sealed(1, &format!(r#"{TICK},"trace":{{"a":[1]}}"#));
    std::fs::write(dir.path().join("events.jsonl"), &text).unwrap();
    let (mut journal, opened) = open_real(dir.path()).unwrap();
    assert_eq!(opened.records.len(), 1);
    commit(&mut journal, 1);
    take_snapshot(&mut journal);
    assert!(journal.reader().read_lines(1, 1).unwrap().items[0].json.ends_with(r#","trace":{"a":[1]}}"#));
    assert!(std::fs::read_to_string(dir.path().join("events.jsonl")).unwrap().starts_with(&text));
}

#[test]
fn text_that_is_no_json_under_a_true_checksum_stops_start_up() {
    let dir = data_dir();
    std::fs::write(dir.path().join("events.jsonl"), sealed(1, "oops")).unwrap();
    assert!(matches!(flaw(open_real(dir.path())), (1, 0, Flaw::Json(_))));
}

#[test]
fn a_snapshot_ahead_of_the_journal_stops_start_up() {
    let dir = data_dir();
    let path = dir.path().join("events.jsonl");
    let (mut journal, _) = open_real(dir.path()).unwrap();
    commit(&mut journal, 5);
    take_snapshot(&mut journal);
    drop(journal);
    let text = std::fs::read(&path).unwrap();
    let four = text.len() - text.iter().rev().skip(1).position(|byte| *byte == b'\n').unwrap() - 1;
    for len in [four, four + 10, 10] {
        std::fs::write(&path, &text[..len]).unwrap();
        assert!(matches!(open_real(dir.path()), Err(OpenError::SnapshotAhead { snapshot: 5, .. })), "{len}");
        assert_eq!(std::fs::read(&path).unwrap().len(), len);
    }
}

#[test]
fn records_out_of_order_or_too_long_are_refused_and_the_journal_goes_on() {
    use ao_daemon::journal::{AppendError, Durability};
    let dir = data_dir();
    let (mut journal, _) = open_real(dir.path()).unwrap();
    commit(&mut journal, 2);
    for wrong in [vec![record(2)], vec![record(4)], vec![record(3), record(5)]] {
        let refused = journal.append(&wrong, Durability::Synced);
        assert!(matches!(refused, Err(AppendError::Sequence { .. })), "{refused:?}");
    }
    let mut long = record(3);
    long.session = Some("s".repeat(ao_daemon::journal::line::MAX_LINE));
    assert!(matches!(journal.append(&[long], Durability::Synced), Err(AppendError::Encode(_))));
    commit(&mut journal, 1);
    drop(journal);
    let (_, opened) = open_real(dir.path()).unwrap();
    assert_eq!(Facts::of(&opened), Facts::after(3));
}
