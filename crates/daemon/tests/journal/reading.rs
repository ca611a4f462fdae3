//! Reading by number, across files and while the journal is written.

use ao_daemon::journal::Durability;
use ao_daemon::journal::disk::LocalDisk;
use ao_daemon::journal::read::{Page, ReadError, Reader};

use crate::model::{ENDLESS, SMALL, TestRecord, commit, data_dir, open, records, take_snapshot};

fn page(reader: &Reader, from: u64, limit: usize) -> Page<TestRecord> {
    reader.read_from(from, limit).unwrap()
}

#[test]
fn any_range_is_read_across_segments() {
    let dir = data_dir();
    let (mut journal, _) = open(&LocalDisk, dir.path(), SMALL).unwrap();
    for _ in 0..5 {
        commit(&mut journal, 12);
        take_snapshot(&mut journal);
    }
    commit(&mut journal, 5);
    let reader = journal.reader();
    for from in 0..=67_u64 {
        for limit in [0, 1, 2, 11, 12, 13, 40, 100] {
            let first = from.max(1);
            let last = 65.min((first + limit).saturating_sub(1));
            let Page { items, next } = page(&reader, from, limit as usize);
            assert_eq!(items, records(first, last), "{limit} from {from}");
            assert_eq!(next, first.max(last + 1), "{limit} from {from}");
        }
    }
}

#[test]
fn one_file_of_thousands_of_lines_is_searched_not_scanned() {
    let dir = data_dir();
    let (mut journal, _) = open(&LocalDisk, dir.path(), ENDLESS).unwrap();
    for _ in 0..10 {
        commit(&mut journal, 400);
    }
    let reader = journal.reader();
    for from in (1..4000).step_by(97) {
        assert_eq!(page(&reader, from, 3).items, records(from, from + 2));
    }
    let all = page(&reader, 1, usize::MAX);
    assert_eq!(all.items, records(1, all.next - 1));
    let rest = page(&reader, all.next, usize::MAX);
    assert_eq!((all.items.len() + rest.items.len(), rest.next), (4000, 4001));
}

#[test]
fn unsynced_records_are_read_and_the_future_is_empty() {
    let dir = data_dir();
    let (mut journal, _) = open(&LocalDisk, dir.path(), SMALL).unwrap();
    journal.append(&records(1, 2), Durability::Written).unwrap();
    let reader = journal.reader();
    assert_eq!(page(&reader, 1, 10), Page { items: records(1, 2), next: 3 });
    assert_eq!(page(&reader, 3, 10), Page { items: vec![], next: 3 });
    assert_eq!(page(&reader, 900, 10), Page { items: vec![], next: 900 });
}

#[test]
fn history_that_was_moved_away_is_said_to_be_gone() {
    let dir = data_dir();
    let (mut journal, _) = open(&LocalDisk, dir.path(), SMALL).unwrap();
    commit(&mut journal, 12);
    take_snapshot(&mut journal);
    commit(&mut journal, 1);
    drop(journal);
    std::fs::remove_file(dir.path().join("events-1-12.jsonl")).unwrap();
    let (journal, _) = open(&LocalDisk, dir.path(), SMALL).unwrap();
    let gone = journal.reader().read_lines(4, 10);
    assert!(matches!(gone, Err(ReadError::Gone { wanted: 4, oldest: 13 })), "{gone:?}");
    assert_eq!(page(&journal.reader(), 13, 10).items, records(13, 13));
}

#[test]
fn a_line_that_went_bad_is_reported_where_it_is() {
    let dir = data_dir();
    let (mut journal, _) = open(&LocalDisk, dir.path(), ENDLESS).unwrap();
    commit(&mut journal, 2000);
    let path = dir.path().join("events.jsonl");
    let mut text = std::fs::read(&path).unwrap();
    let ends: Vec<usize> = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();
    text[ends[1499] + 40] ^= 1;
    std::fs::write(&path, &text).unwrap();
    let reader = journal.reader();
    assert_eq!(page(&reader, 1400, 100).items, records(1400, 1499));
    match reader.read_lines(1490, 100) {
        Err(ReadError::BadLine(bad)) => assert_eq!((bad.line, bad.offset), (1501, ends[1499] as u64 + 1)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn readers_see_whole_lines_in_order_while_segments_come_and_go() {
    let dir = data_dir();
    let (mut journal, _) = open(&LocalDisk, dir.path(), SMALL).unwrap();
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let reader = journal.reader();
            std::thread::spawn(move || {
                let mut seen = 1;
                while seen <= 600 {
                    let Page { items, next } = page(&reader, seen, 7);
                    assert_eq!(items, records(seen, next - 1));
                    seen = next;
                    std::thread::yield_now();
                }
            })
        })
        .collect();
    while journal.next_seq() <= 600 {
        let next = journal.next_seq();
        journal.append(&records(next, next + 2), Durability::Written).unwrap();
        if journal.snapshot_due() {
            take_snapshot(&mut journal);
        }
    }
    readers.into_iter().for_each(|reader| reader.join().unwrap());
}
