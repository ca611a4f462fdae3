//! A disk that fails while the daemon lives on.

use ao_core::kind::Kind;
use ao_daemon::journal::{AppendError, Committed, Durability, Journal, SnapshotError, StorageFailed};

use crate::model::{ENDLESS, Facts, SMALL, TestRecord, commit, data_dir, open, record, records};
use crate::sim::{Loss, Plan, SimDisk};

/// Opens on a disk that works, commits three records, and gives the disk its plan.
fn three_then(plan: Plan) -> (tempfile::TempDir, SimDisk, Journal) {
    let (dir, disk) = (data_dir(), SimDisk::new(Plan::Works).with_short_writes());
    let (mut journal, _) = open(&disk, dir.path(), ENDLESS).unwrap();
    commit(&mut journal, 3);
    drop(journal);
    let disk = disk.planned(Plan::Works);
    let _ = open(&disk, dir.path(), ENDLESS).unwrap();
    // Opening takes as many operations each time.
    let opening = disk.operations();
    let plan = match plan {
        Plan::Works => Plan::Works,
        Plan::StopsAt(n) => Plan::StopsAt(n + opening),
        Plan::FailsOnceAt(n) => Plan::FailsOnceAt(n + opening),
        Plan::FailsTwiceAt(n) => Plan::FailsTwiceAt(n + opening),
        Plan::FailsFrom(n) => Plan::FailsFrom(n + opening),
    };
    let disk = disk.planned(plan);
    let (journal, _) = open(&disk, dir.path(), ENDLESS).unwrap();
    (dir, disk, journal)
}

fn read_all(journal: &Journal) -> Vec<TestRecord> {
    journal.reader().read_from(1, 1000).unwrap().items
}

fn refused(result: Result<Committed, AppendError>) -> StorageFailed {
    match result {
        Err(e) if e.kind() == Kind::StorageFailed => match e {
            AppendError::Storage(failed) => failed,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_short_write_is_taken_back_and_only_reading_goes_on() {
    let (dir, disk, mut journal) = three_then(Plan::FailsOnceAt(0));
    let before = disk.files()[&dir.path().join("events.jsonl")].clone();
    let failed = refused(journal.append(&records(4, 6), Durability::Synced));
    assert!(failed.reason.contains("bytes were taken"), "{failed}");
    assert_eq!(failed.leftover, 0);
    assert_eq!(disk.files()[&dir.path().join("events.jsonl")], before);

    // The disk works again, and still nothing is taken until the journal is mended.
    assert_eq!(refused(journal.append(&records(4, 4), Durability::Written)), failed);
    assert_eq!(journal.sync().unwrap_err(), failed);
    assert!(matches!(journal.snapshot(0, &Facts::after(3)), Err(SnapshotError::Storage(_))));
    assert_eq!(journal.failure(), Some(&failed));
    assert_eq!(read_all(&journal), records(1, 3));

    drop(journal);
    let (mut journal, opened) = open(&disk, dir.path(), ENDLESS).unwrap();
    assert_eq!(Facts::of(&opened), Facts::after(3));
    commit(&mut journal, 1);
}

#[test]
fn a_failed_sync_takes_back_everything_that_was_not_synced() {
    // Two writes without a sync, then a write whose sync fails.
    let (dir, disk, mut journal) = three_then(Plan::FailsOnceAt(3));
    journal.append(&records(4, 4), Durability::Written).unwrap();
    journal.append(&records(5, 5), Durability::Written).unwrap();
    assert_eq!(journal.reader().last_seq(), 5);
    let failed = refused(journal.append(&records(6, 6), Durability::Synced));
    assert_eq!(failed.doing, "synced");
    assert_eq!(journal.committed(), Committed { last_seq: 3, synced_seq: 3 });
    assert_eq!(read_all(&journal), records(1, 3));
    drop(journal);
    let (_, opened) = open(&disk, dir.path(), ENDLESS).unwrap();
    assert_eq!((Facts::of(&opened), opened.cut), (Facts::after(3), None));
}

#[test]
fn a_failed_write_leaves_earlier_unsynced_turns_alone() {
    let (_dir, _disk, mut journal) = three_then(Plan::FailsOnceAt(1));
    journal.append(&records(4, 5), Durability::Written).unwrap();
    refused(journal.append(&records(6, 6), Durability::Written));
    assert_eq!(journal.committed(), Committed { last_seq: 5, synced_seq: 3 });
    assert_eq!(read_all(&journal), records(1, 5));
}

#[test]
fn the_failure_itself_is_recorded_in_the_room_of_the_reserve() {
    let (dir, disk, mut journal) = three_then(Plan::FailsOnceAt(0));
    let reserve = dir.path().join("events.reserve");
    assert!(disk.files().contains_key(&reserve));
    let failed = refused(journal.append(&records(4, 6), Durability::Synced));
    let recorded = journal.record_failure(&record(4)).unwrap();
    assert_eq!(recorded, Committed { last_seq: 4, synced_seq: 4 });
    assert!(!disk.files().contains_key(&reserve));

    // Once, and the journal stays as it is.
    assert_eq!(refused(journal.record_failure(&record(5))), failed);
    assert_eq!(refused(journal.append(&records(5, 5), Durability::Written)), failed);
    assert_eq!(read_all(&journal), records(1, 4));

    drop(journal);
    let (_, opened) = open(&disk, dir.path(), ENDLESS).unwrap();
    assert_eq!(Facts::of(&opened), Facts::after(4));
    assert!(disk.files().contains_key(&reserve), "the reserve is made again");
}

#[test]
fn what_cannot_be_taken_back_is_reported_and_hidden_from_readers() {
    let (dir, disk, mut journal) = three_then(Plan::FailsFrom(0));
    let failed = refused(journal.append(&records(4, 6), Durability::Synced));
    assert!(failed.leftover > 0);
    assert!(failed.to_string().contains("could not be removed"), "{failed}");
    assert_eq!(refused(journal.record_failure(&record(4))).reason, failed.reason);
    assert_eq!(read_all(&journal), records(1, 3));
    drop(journal);
    let (journal, opened) = open(&disk.planned(Plan::Works), dir.path(), ENDLESS).unwrap();
    let last = journal.committed().last_seq;
    assert!((3..6).contains(&last), "{last}");
    assert_eq!(Facts::of(&opened), Facts::after(last));
    assert!(opened.cut.is_some());
}

#[test]
fn what_could_not_be_taken_back_at_first_is_not_joined_to_the_record_of_the_failure() {
    // The write takes a part, and cutting it off fails too; then the reserve makes room.
    let (dir, disk, mut journal) = three_then(Plan::FailsTwiceAt(0));
    let mut long = record(4);
    long.session = Some("s".repeat(5000));
    let failed = refused(journal.append(&[long], Durability::Synced));
    assert!(failed.leftover > 2000, "{failed}");
    journal.record_failure(&record(4)).unwrap();
    assert_eq!(journal.failure().unwrap().leftover, 0);
    assert_eq!(read_all(&journal), records(1, 4));
    drop(journal);
    let (_, opened) = open(&disk, dir.path(), ENDLESS).unwrap();
    assert_eq!((Facts::of(&opened), opened.cut), (Facts::after(4), None));
}

#[test]
fn after_a_snapshot_failed_commits_are_as_durable_as_before() {
    let dir = data_dir();
    let life = |disk: &SimDisk| -> Option<(u64, bool)> {
        let (mut journal, _) = open(disk, dir.path(), SMALL).ok()?;
        journal.append(&records(1, 13), Durability::Written).ok()?;
        let snapshot = journal.snapshot(13, &Facts::after(13));
        journal.append(&records(14, 15), Durability::Synced).ok()?;
        Some((15, snapshot.is_ok()))
    };
    let whole = SimDisk::new(Plan::Works);
    assert_eq!(life(&whole), Some((15, true)));
    let mut without_snapshot = 0;
    for n in 0..whole.operations() {
        for seed in 0..30 {
            let disk = SimDisk::new(Plan::FailsOnceAt(n));
            let Some((last, snapshot)) = life(&disk) else { continue };
            without_snapshot += u64::from(!snapshot);
            let (_, opened) = open(&disk.after(Loss::Power(seed)), dir.path(), SMALL).unwrap();
            assert_eq!(Facts::of(&opened), Facts::after(last), "failed at {n}, seed {seed}");
        }
    }
    assert!(without_snapshot > 0);
}

#[test]
fn a_failure_at_any_operation_leaves_a_journal_that_agrees_with_what_was_told() {
    let dir = data_dir();
    let life = |disk: &SimDisk| -> Option<Journal> {
        let (mut journal, _) = open(disk, dir.path(), SMALL).ok()?;
        for count in [3, 11, 2, 13, 1] {
            let next = journal.next_seq();
            let written = journal.append(&records(next, next + count - 1), Durability::Written);
            if written.is_err() {
                break;
            }
            match journal.snapshot(next, &Facts::after(next + count - 1)) {
                Ok(()) | Err(SnapshotError::Close { .. } | SnapshotError::Write(_)) => {}
                Err(SnapshotError::Storage(_)) => break,
            }
        }
        Some(journal)
    };
    let whole = SimDisk::new(Plan::Works);
    assert_eq!(life(&whole).unwrap().committed().last_seq, 30);
    let operations = whole.operations();
    let mut failures = 0;
    for n in 0..operations {
        for plan in [Plan::FailsOnceAt(n), Plan::FailsFrom(n)] {
            let disk = SimDisk::new(plan).with_short_writes();
            let Some(mut journal) = life(&disk) else { continue };
            let mut leftover = 0;
            if journal.failure().is_some() {
                failures += 1;
                let _ = journal.record_failure(&record(journal.next_seq()));
                leftover = journal.failure().unwrap().leftover;
            }
            let last = journal.committed().last_seq;
            assert_eq!(read_all(&journal), records(1, last), "{plan:?}");
            drop(journal);
            let (journal, opened) = open(&disk.planned(Plan::Works), dir.path(), SMALL).unwrap();
            let found = journal.committed().last_seq;
            assert_eq!(Facts::of(&opened), Facts::after(found), "{plan:?}");
            if leftover == 0 {
                assert_eq!(found, last, "{plan:?}");
            } else {
                assert!(found >= last, "{plan:?}: {found} {last}");
            }
        }
    }
    assert!(failures > 10, "{failures}");
}
