//! The end of the file cut off anywhere, and bytes changed anywhere.

use ao_daemon::journal::line::Flaw;
use ao_daemon::journal::recover::OpenError;

use crate::model::{ENDLESS, Facts, commit, contents, data_dir, open, open_real, take_snapshot};
use crate::sim::{Plan, SimDisk};

/// Returns the number of whole lines in `text` and their length.
fn whole_lines(text: &[u8]) -> (u64, usize) {
    let ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    ends.fold((0, 0), |(count, _), (at, _)| (count + 1, at + 1))
}

/// Returns the text of a journal of several hundred records in commits of one to nine.
fn several_hundred() -> Vec<u8> {
    several_hundred_and_snapshot().0
}

/// Returns it with the text of a snapshot taken before the last ten commits.
fn several_hundred_and_snapshot() -> (Vec<u8>, Vec<u8>) {
    let (dir, disk) = (data_dir(), SimDisk::new(Plan::Works));
    let (mut journal, _) = open(&disk, dir.path(), ENDLESS).unwrap();
    (0..60).for_each(|n| commit(&mut journal, n % 9 + 1));
    take_snapshot(&mut journal);
    (60..70).for_each(|n| commit(&mut journal, n % 9 + 1));
    let mut files = disk.files();
    let mut take = |name| files.remove(&dir.path().join(name)).unwrap();
    (take("events.jsonl"), take("snapshot.json"))
}

#[test]
fn a_journal_cut_at_any_byte_of_its_last_commits_opens_at_its_last_whole_record() {
    let (text, snapshot) = several_hundred_and_snapshot();
    let dir = data_dir();
    let path = dir.path().join("events.jsonl");
    assert!(whole_lines(&text).0 > 300);
    // The last two commits had six and seven records.
    let last_commits = text.len() - 2000;
    for len in (last_commits..=text.len()).rev() {
        let disk = SimDisk::new(Plan::Works);
        disk.put(&path, &text[..len]);
        disk.put(&dir.path().join("snapshot.json"), &snapshot);
        let (journal, opened) = open(&disk, dir.path(), ENDLESS).unwrap();
        let (lines, good) = whole_lines(&text[..len]);
        assert_eq!(Facts::of(&opened), Facts::after(lines), "cut at {len}");
        assert_eq!(journal.committed().last_seq, lines);
        assert_eq!(disk.files()[&path], text[..good]);
        match opened.cut {
            None => assert_eq!(good, len),
            Some(cut) => {
                assert_eq!((cut.offset, cut.bytes, cut.line), (good as u64, (len - good) as u64, lines + 1));
                assert_eq!(cut.preview, String::from_utf8_lossy(&text[good..len.min(good + 200)]));
            }
        }
    }
}

#[test]
fn a_journal_cut_on_the_real_disk_goes_on_after_its_last_whole_record() {
    let text = several_hundred();
    let dir = data_dir();
    let path = dir.path().join("events.jsonl");
    for len in (text.len() - 900..text.len()).rev().step_by(13) {
        std::fs::write(&path, &text[..len]).unwrap();
        let (lines, good) = whole_lines(&text[..len]);
        let (mut journal, opened) = open_real(dir.path()).unwrap();
        assert_eq!(opened.cut.as_ref().map_or(0, |cut| cut.bytes), (len - good) as u64);
        commit(&mut journal, 2);
        drop(journal);
        let (_, opened) = open_real(dir.path()).unwrap();
        assert_eq!(opened.cut, None);
        assert_eq!(Facts::of(&opened), Facts::after(lines + 2), "cut at {len}");
    }
}

#[test]
fn a_changed_byte_stops_start_up_and_no_file_is_touched() {
    let dir = data_dir();
    let path = dir.path().join("events.jsonl");
    let (mut journal, _) = open_real(dir.path()).unwrap();
    commit(&mut journal, 12);
    drop(journal);
    // A start-up that stops does not make it either.
    std::fs::remove_file(dir.path().join("events.reserve")).unwrap();
    let text = std::fs::read(&path).unwrap();
    // The last newline is left alone: without it the last line is torn.
    for at in 0..text.len() - 1 {
        let mut bad = text.clone();
        bad[at] ^= 1 << (at % 7);
        std::fs::write(&path, &bad).unwrap();
        let before = contents(dir.path());
        match open_real(dir.path()) {
            Err(OpenError::BadLine(bad_line)) => {
                let (lines_before, offset) = whole_lines(&text[..at]);
                assert_eq!((bad_line.line, bad_line.offset), (lines_before + 1, offset as u64), "byte {at}");
                assert_eq!(bad_line.path, path);
            }
            other => panic!("byte {at}: {other:?}"),
        }
        assert_eq!(contents(dir.path()), before, "byte {at}");
    }
}

#[test]
fn a_torn_end_is_not_cut_while_a_line_before_it_is_bad() {
    let dir = data_dir();
    let path = dir.path().join("events.jsonl");
    let mut text = several_hundred();
    text[1000] ^= 1;
    text.truncate(text.len() - 10);
    std::fs::write(&path, &text).unwrap();
    assert!(matches!(open_real(dir.path()), Err(OpenError::BadLine(_))));
    assert_eq!(std::fs::read(&path).unwrap(), text);
}

#[test]
fn sectors_that_were_never_written_are_a_torn_end() {
    let text = several_hundred();
    let dir = data_dir();
    let path = dir.path().join("events.jsonl");
    let (lines, good) = whole_lines(&text[..text.len() - 1500]);
    let first_sector = good.next_multiple_of(512);
    for zeros_from in [good, first_sector, first_sector + 512] {
        let mut torn = text.clone();
        torn[zeros_from..].fill(0);
        let (whole, kept) = whole_lines(&torn);
        assert!(whole >= lines);
        std::fs::write(&path, &torn).unwrap();
        let (_, opened) = open_real(dir.path()).unwrap();
        assert_eq!(opened.cut.as_ref().unwrap().offset, kept as u64);
        assert_eq!(Facts::of(&opened), Facts::after(whole));
    }
    // The length of one line was counted, its end was written, its beginning was not.
    let (_, last) = whole_lines(&text[..text.len() - 1]);
    let mut torn = text.clone();
    let sector_end = (last + 1).next_multiple_of(512).min(text.len() - 1);
    torn[last..sector_end].fill(0);
    std::fs::write(&path, &torn).unwrap();
    let (_, opened) = open_real(dir.path()).unwrap();
    assert_eq!(opened.cut.unwrap().offset, last as u64);
}

#[test]
fn zeros_before_a_good_line_are_damage() {
    let mut text = several_hundred();
    let dir = data_dir();
    let path = dir.path().join("events.jsonl");
    text[5120..5632].fill(0);
    std::fs::write(&path, &text).unwrap();
    match open_real(dir.path()) {
        Err(OpenError::BadLine(bad)) => assert!(matches!(bad.flaw, Flaw::Shape | Flaw::Checksum { .. }), "{bad}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(std::fs::read(&path).unwrap(), text);
}
