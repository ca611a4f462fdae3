//! The first released format, frozen: `fixtures/journal-v1` was not written by this code and must always open.
//!
//! Its checksums come from another implementation of CRC-32. Never edit those files; a new format gets new ones.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ao_daemon::journal::recover::Opened;
use ao_daemon::journal::{Durability, Journal};
use serde_json::{Value, json};

use crate::model::{contents, data_dir};

type AnyOpened = Opened<Value, Value, Value, Value>;

/// Returns a copy to open, and what is in it.
fn copied() -> (tempfile::TempDir, BTreeMap<PathBuf, Vec<u8>>) {
    let dir = data_dir();
    let frozen = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal-v1");
    for (path, content) in contents(&frozen) {
        std::fs::write(dir.path().join(path.file_name().unwrap()), content).unwrap();
    }
    let copy = contents(dir.path());
    assert_eq!(copy.len(), 3);
    (dir, copy)
}

#[test]
fn the_first_format_opens() {
    let (dir, before) = copied();
    let (journal, opened): (_, AnyOpened) = Journal::open(dir.path()).unwrap();
    let snapshot = opened.snapshot.unwrap();
    assert_eq!((snapshot.seq, snapshot.at), (3, 1_760_000_003_500));
    assert_eq!(snapshot.state, json!({"daemon": "running", "demo": "known", "demo-1": "spawning"}));
    assert_eq!((&opened.cut, &opened.snapshot_problem, opened.skipped.len()), (&None, &None, 0));
    assert_eq!(opened.records.iter().map(|record| record.seq).collect::<Vec<_>>(), [4, 5, 6, 7, 8]);
    let last = opened.records.last().unwrap();
    assert_eq!((last.at, last.time), (1_760_000_008_000, 1080));
    assert_eq!((last.project.as_deref(), last.session.as_deref()), (Some("demo"), Some("demo-1")));
    assert_eq!(last.event, json!({"kind": "agent_exited", "code": 0}));
    assert_eq!(last.delta, json!({"unset": ["d-1"], "set": {"demo-1": "done"}}));
    assert_eq!(last.effects, [json!({"kind": "notify", "key": "demo-1/done/1"})]);

    let all = journal.reader().read_lines(1, 100).unwrap();
    let text: String = all.items.iter().map(|line| line.json.clone() + "\n").collect();
    let written: Vec<u8> =
        ["events-1-3.jsonl", "events.jsonl"].map(|name| before[&dir.path().join(name)].clone()).concat();
    assert_eq!(text.as_bytes(), written, "what is not known is kept");
    drop(journal);
    let after = contents(dir.path());
    assert!(before.iter().all(|(path, content)| after[path] == *content), "opening changed a file");
}

#[test]
fn the_first_format_opens_without_its_snapshot() {
    let (dir, _) = copied();
    std::fs::remove_file(dir.path().join("snapshot.json")).unwrap();
    let (_, opened): (_, AnyOpened) = Journal::open(dir.path()).unwrap();
    assert_eq!(opened.records.len(), 8);
    assert_eq!((opened.records[0].project.as_ref(), opened.records[0].session.as_ref()), (None, None));
    assert_eq!(opened.records[2].event["prompt"], "fix the \"first\" test\nthen stop \u{1F600}");
}

#[test]
fn a_journal_of_the_first_format_goes_on_in_it() {
    let (dir, before) = copied();
    let (mut journal, opened): (_, AnyOpened) = Journal::open(dir.path()).unwrap();
    // Written again, the last record gives the same line but for number and checksum.
    let mut again = opened.records.last().unwrap().clone();
    again.seq = 9;
    journal.append(&[again], Durability::Synced).unwrap();
    let path = dir.path().join("events.jsonl");
    let (old, new) = (&before[&path], std::fs::read(&path).unwrap());
    assert!(new.starts_with(old));
    let line = |bytes: &[u8]| {
        let mut value: Value = serde_json::from_slice(bytes).unwrap();
        let fields = value.as_object_mut().unwrap();
        fields.remove("seq");
        fields.remove("crc");
        value
    };
    let last = old[..old.len() - 1].rsplit(|byte| *byte == b'\n').next().unwrap();
    assert_eq!(line(&new[old.len()..]), line(last));
}
