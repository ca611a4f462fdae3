//! A disk that takes writes again: the journal goes on without a restart, and nothing that was promised is missing.

use ao_daemon::journal::{Durability, Journal};

use crate::model::{ENDLESS, Facts, SMALL, commit, data_dir, open, record, records};
use crate::sim::{Loss, Plan, SimDisk};

/// Appends in rounds as the loop does; returns how far it came before the disk failed, if it did.
fn rounds(journal: &mut Journal, from: usize) -> usize {
    for (n, count) in [3, 11, 2, 13, 1, 4].into_iter().enumerate().skip(from) {
        let next = journal.next_seq();
        let durability = if n % 2 == 0 { Durability::Synced } else { Durability::Written };
        if journal.append(&records(next, next + count - 1), durability).is_err() {
            return n;
        }
        // A snapshot that fails is none; one that fails the journal is seen at the next append.
        let _ = journal.snapshot(next, &Facts::after(journal.committed().last_seq));
    }
    6
}

#[test]
fn a_full_disk_that_has_room_again_is_written_to_again() {
    let (dir, disk) = (data_dir(), SimDisk::new(Plan::Works).with_short_writes());
    let (mut journal, _) = open(&disk, dir.path(), ENDLESS).unwrap();
    commit(&mut journal, 3);
    let opening = disk.operations();
    drop(journal);
    let (mut journal, _) = open(&disk.planned(Plan::FailsOnceAt(opening)), dir.path(), ENDLESS).unwrap();
    while journal.failure().is_none() {
        let next = journal.next_seq();
        let _ = journal.append(&records(next, next), Durability::Synced);
    }
    let last = journal.committed().last_seq;
    journal.record_failure(&record(last + 1)).unwrap();
    journal.mend().unwrap();
    assert_eq!(journal.failure(), None);
    commit(&mut journal, 5);
    assert_eq!(journal.reader().read_from::<_, _, _>(1, 1000).unwrap().items, records(1, last + 6));
    drop(journal);
    let (journal, opened) = open(&disk.planned(Plan::Works), dir.path(), ENDLESS).unwrap();
    assert_eq!((Facts::of(&opened), journal.committed().last_seq), (Facts::after(last + 6), last + 6));
    assert!(disk.files().contains_key(&dir.path().join("events.reserve")), "the reserve is held again");
}

#[test]
fn a_disk_that_still_fails_stays_failed_and_says_how() {
    let (dir, disk) = (data_dir(), SimDisk::new(Plan::Works));
    let (mut journal, _) = open(&disk, dir.path(), ENDLESS).unwrap();
    commit(&mut journal, 3);
    drop(journal);
    let opening = {
        let disk = disk.planned(Plan::Works);
        let _ = open(&disk, dir.path(), ENDLESS).unwrap();
        disk.operations()
    };
    let (mut journal, _) = open(&disk.planned(Plan::FailsFrom(opening)), dir.path(), ENDLESS).unwrap();
    journal.append(&records(4, 6), Durability::Synced).unwrap_err();
    let why = journal.mend().unwrap_err();
    assert!(why.reason.contains("planned failure"), "{why}");
    assert!(journal.failure().is_some());
    journal.append(&records(4, 4), Durability::Written).unwrap_err();
}

#[test]
fn after_a_failure_at_any_operation_a_mended_journal_holds_what_was_told_and_nothing_else() {
    let dir = data_dir();
    let whole = SimDisk::new(Plan::Works);
    let (mut journal, _) = open(&whole, dir.path(), SMALL).unwrap();
    assert_eq!(rounds(&mut journal, 0), 6);
    drop(journal);
    let operations = whole.operations();
    let mut mended = 0;
    for n in 0..operations {
        for plan in [Plan::FailsOnceAt(n), Plan::FailsTwiceAt(n)] {
            let disk = SimDisk::new(plan).with_short_writes();
            let Ok((mut journal, _)) = open(&disk, dir.path(), SMALL) else { continue };
            let mut done = 0;
            // Two failures at the most, and each is mended.
            for _ in 0..6 {
                done = rounds(&mut journal, done);
                if done == 6 && journal.failure().is_none() {
                    break;
                }
                mended += u64::from(journal.failure().is_some() && journal.mend().is_ok());
            }
            assert_eq!((done, journal.failure()), (6, None), "{plan:?}");
            journal.sync().unwrap();
            let last = journal.committed().last_seq;
            assert_eq!(journal.reader().read_from::<_, _, _>(1, 1000).unwrap().items, records(1, last), "{plan:?}");
            drop(journal);
            for loss in [Loss::Process, Loss::Power(n)] {
                let (next, opened) = open(&disk.after(loss), dir.path(), SMALL).unwrap();
                assert_eq!(next.committed().last_seq, last, "{plan:?} {loss:?}");
                assert_eq!(Facts::of(&opened), Facts::after(last), "{plan:?} {loss:?}");
            }
        }
    }
    assert!(mended > 10, "{mended}");
}
