//! A small world to journal: its events, its facts, and what they must be after any number of records.
//!
//! Record `n` is always the same, so that the facts after it are known without having been there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ao_daemon::journal::disk::{Disk, LocalDisk};
use ao_daemon::journal::record::Record;
use ao_daemon::journal::recover::{OpenError, Opened};
use ao_daemon::journal::{Durability, Journal, Limits};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    Said { text: String },
    Ticked,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delta {
    Add { name: String, amount: u64 },
    Forget { name: String },
    Nothing,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    Ring { key: String },
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    amounts: BTreeMap<String, u64>,
    applied: u64,
}

pub type TestRecord = Record<Event, Delta, Effect>;
pub type TestOpened = Opened<Event, Delta, Effect, Facts>;

/// Small enough that a few commits fill a segment.
pub const SMALL: Limits = Limits { lines: 12, bytes: 1 << 20 };
/// No segment is ever closed.
pub const ENDLESS: Limits = Limits { lines: u64::MAX, bytes: u64::MAX };

/// Returns record `seq`.
pub fn record(seq: u64) -> TestRecord {
    let name = format!("n{}", seq % 5);
    let (event, delta) = match seq % 7 {
        0 => (Event::Ticked, Delta::Nothing),
        3 => (Event::Said { text: format!("forget\n\"{name}\" \u{fc}\u{0}") }, Delta::Forget { name }),
        _ => (Event::Said { text: "x".repeat((seq * 13 % 60) as usize) }, Delta::Add { name, amount: seq }),
    };
    Record {
        seq,
        at: 1_760_000_000_000 + seq,
        time: seq * 10,
        project: seq.is_multiple_of(2).then(|| "demo".to_owned()),
        session: seq.is_multiple_of(3).then(|| format!("demo-{}", seq % 4)),
        event,
        delta,
        effects: (0..seq % 3).map(|n| Effect::Ring { key: format!("{seq}.{n}") }).collect(),
    }
}

/// Returns records `from..=to`.
pub fn records(from: u64, to: u64) -> Vec<TestRecord> {
    (from..=to).map(record).collect()
}

impl Facts {
    pub fn apply(&mut self, delta: &Delta) {
        self.applied += 1;
        match delta {
            Delta::Add { name, amount } => *self.amounts.entry(name.clone()).or_default() += amount,
            Delta::Forget { name } => {
                self.amounts.remove(name);
            }
            Delta::Nothing => {}
        }
    }

    /// Returns what the facts must be after record `last`.
    pub fn after(last: u64) -> Self {
        let mut facts = Self::default();
        (1..=last).for_each(|seq| facts.apply(&record(seq).delta));
        facts
    }

    /// Returns what start-up makes of the files.
    pub fn of(opened: &TestOpened) -> Self {
        let mut facts = opened.snapshot.as_ref().map(|snapshot| snapshot.state.clone()).unwrap_or_default();
        opened.records.iter().for_each(|record| facts.apply(&record.delta));
        facts
    }
}

/// Opens a journal of this world.
pub fn open(
    disk: &(impl Disk + Clone + 'static),
    dir: &Path,
    limits: Limits,
) -> Result<(Journal, TestOpened), OpenError> {
    Journal::open_on(Arc::new(disk.clone()), dir, limits)
}

/// Opens a journal on the real disk that never closes a segment.
pub fn open_real(dir: &Path) -> Result<(Journal, TestOpened), OpenError> {
    open(&LocalDisk, dir, ENDLESS)
}

/// Commits `count` records and waits for the disk.
pub fn commit(journal: &mut Journal, count: u64) {
    let next = journal.next_seq();
    let committed = journal.append(&records(next, next + count - 1), Durability::Synced).unwrap();
    assert_eq!(committed.last_seq, committed.synced_seq);
    assert_eq!(committed.last_seq, next + count - 1);
}

/// Takes a snapshot of what the facts must be.
pub fn take_snapshot(journal: &mut Journal) {
    let last = journal.committed().last_seq;
    journal.snapshot(last, &Facts::after(last)).unwrap();
}

/// Returns every file below `dir` with its content.
pub fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let paths = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// A data directory. On a simulated disk only the lock lies in it.
pub fn data_dir() -> TempDir {
    tempfile::Builder::new().prefix("aoj").tempdir().unwrap()
}
