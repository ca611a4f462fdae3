//! The process killed, or the power lost, before every single operation on the disk.

use ao_daemon::journal::{Durability, Journal};

use crate::model::{Facts, SMALL, data_dir, open, records};
use crate::sim::{Loss, Plan, SimDisk};

/// What the caller does, one step a turn.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    Commit(u64, Durability),
    Sync,
    Snapshot,
    Reopen,
}

/// What the caller was told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    /// Tried, perhaps without an answer.
    pub tried: u64,
    pub committed: u64,
    pub synced: u64,
}

/// Does one step; an error ends the life of this process.
pub fn step(journal: &mut Journal, step: Step, told: &mut Told) -> Result<(), String> {
    let next = journal.next_seq();
    let committed = match step {
        Step::Commit(count, durability) => {
            told.tried = told.tried.max(next + count - 1);
            journal.append(&records(next, next + count - 1), durability).map_err(|e| e.to_string())?
        }
        Step::Sync => journal.sync().map_err(|e| e.to_string())?,
        Step::Snapshot => {
            journal.snapshot(next, &Facts::after(next - 1)).map_err(|e| e.to_string())?;
            journal.committed()
        }
        Step::Reopen => journal.committed(),
    };
    told.committed = told.committed.max(committed.last_seq);
    told.synced = told.synced.max(committed.synced_seq);
    Ok(())
}

/// Runs the steps until the disk stops.
pub fn run(disk: &SimDisk, dir: &std::path::Path, steps: &[Step], told: &mut Told) {
    let Ok((mut journal, _)) = open(disk, dir, SMALL) else { return };
    // What is found at start-up was synced there.
    told.synced = told.synced.max(journal.committed().synced_seq);
    for one in steps {
        if let Step::Reopen = one {
            drop(journal);
            match open(disk, dir, SMALL) {
                Ok((opened, _)) => journal = opened,
                Err(_) => return,
            }
        }
        if step(&mut journal, *one, told).is_err() {
            return;
        }
    }
}

/// Opens what was left and asserts that it is a true beginning that holds what was promised; then goes on with it.
pub fn check_what_is_left(disk: &SimDisk, dir: &std::path::Path, loss: Loss, told: Told, context: &str) {
    let left = disk.after(loss);
    let (mut journal, opened) = match open(&left, dir, SMALL) {
        Ok(opened) => opened,
        Err(e) => panic!("{context}: does not open: {e}\n{:#?}", left.files().keys()),
    };
    let last = journal.committed().last_seq;
    let promised = match loss {
        Loss::Process => told.committed,
        Loss::Power(_) => told.synced,
    };
    assert!(last >= promised, "{context}: {promised} was promised, {last} is there");
    assert!(last <= told.tried, "{context}: {last} is there, {} was tried", told.tried);
    assert_eq!(Facts::of(&opened), Facts::after(last), "{context}");
    assert_eq!(opened.snapshot_problem, None, "{context}");

    let mut more = Told { tried: last, committed: last, synced: last };
    for one in [Step::Commit(9, Durability::Synced), Step::Snapshot, Step::Commit(5, Durability::Synced)] {
        step(&mut journal, one, &mut more).unwrap();
    }
    drop(journal);
    let (_, opened) = open(&left.after(Loss::Power(7)), dir, SMALL).unwrap();
    assert_eq!(Facts::of(&opened), Facts::after(last + 14), "{context}, then went on");
}

const LIFE: [Step; 17] = [
    Step::Commit(3, Durability::Synced),
    Step::Commit(2, Durability::Written),
    Step::Commit(1, Durability::Synced),
    Step::Snapshot,
    Step::Commit(9, Durability::Written),
    Step::Commit(4, Durability::Written),
    Step::Snapshot,
    Step::Commit(1, Durability::Written),
    Step::Reopen,
    Step::Commit(2, Durability::Synced),
    Step::Commit(14, Durability::Synced),
    Step::Snapshot,
    Step::Snapshot,
    Step::Commit(3, Durability::Written),
    Step::Sync,
    Step::Reopen,
    Step::Commit(2, Durability::Written),
];

#[test]
fn whatever_operation_a_crash_comes_before_the_journal_opens_with_all_that_was_promised() {
    let dir = data_dir();
    let whole = SimDisk::new(Plan::Works);
    let mut told = Told::default();
    run(&whole, dir.path(), &LIFE, &mut told);
    assert_eq!((told.committed, told.synced), (41, 39));
    let operations = whole.operations();
    assert!(operations > 40, "{operations}");

    for n in 0..=operations {
        for loss in std::iter::once(Loss::Process).chain((0..16).map(Loss::Power)) {
            for short in [false, true] {
                let disk = SimDisk::new(Plan::StopsAt(n));
                let disk = if short { disk.with_short_writes() } else { disk };
                let mut told = Told::default();
                run(&disk, dir.path(), &LIFE, &mut told);
                check_what_is_left(&disk, dir.path(), loss, told, &format!("before operation {n}, {loss:?}, {short}"));
            }
        }
    }
}

#[test]
fn a_turn_costs_one_write_and_no_more_syncs_than_were_asked_for() {
    let dir = data_dir();
    let disk = SimDisk::new(Plan::Works);
    let (mut journal, _) = open(&disk, dir.path(), SMALL).unwrap();
    let (writes, syncs) = disk.writes_and_syncs();
    let mut told = Told::default();
    let mut cost = |journal: &mut Journal, one| {
        step(journal, one, &mut told).unwrap();
        let (w, s) = disk.writes_and_syncs();
        (w - writes, s - syncs)
    };
    assert_eq!(cost(&mut journal, Step::Commit(8, Durability::Synced)), (1, 1));
    assert_eq!(cost(&mut journal, Step::Commit(8, Durability::Written)), (2, 1));
    assert_eq!(cost(&mut journal, Step::Commit(1, Durability::Written)), (3, 1));
    assert_eq!(cost(&mut journal, Step::Commit(0, Durability::Written)), (3, 1));
    assert_eq!(cost(&mut journal, Step::Commit(0, Durability::Synced)), (3, 2));
    assert_eq!(cost(&mut journal, Step::Sync), (3, 2));
}
