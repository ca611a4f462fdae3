//! A real writer in a process of its own, killed in the middle of its work.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use ao_daemon::journal::disk::LocalDisk;
use ao_daemon::journal::{Durability, Journal};

use crate::model::{Facts, SMALL, data_dir, open, records, take_snapshot};

/// Tells the test binary that it is the writer, and where to write.
const WRITER_DIR: &str = "AO_JOURNAL_TEST_WRITER_DIR";

/// Ends the process with the test, whatever the test does.
struct Writer(Child);

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Commits until it is killed, and says after each commit what was promised.
fn write_until_killed(dir: &Path) -> ! {
    let (mut journal, _): (Journal, _) = open(&LocalDisk, dir, SMALL).unwrap();
    loop {
        let next = journal.next_seq();
        let durability = if next % 3 == 0 { Durability::Synced } else { Durability::Written };
        let committed = journal.append(&records(next, next + next % 4), durability).unwrap();
        println!("promised {}", committed.last_seq);
        if journal.snapshot_due() {
            take_snapshot(&mut journal);
        }
    }
}

#[test]
fn a_writer_that_is_killed_leaves_all_that_it_was_promised_and_no_lock() {
    if let Some(dir) = std::env::var_os(WRITER_DIR) {
        write_until_killed(Path::new(&dir));
    }
    let dir = data_dir();
    let mut last = 0;
    for commits in [1, 2, 9, 40, 17, 3] {
        let child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "--nocapture",
                "kill::a_writer_that_is_killed_leaves_all_that_it_was_promised_and_no_lock",
            ])
            .env(WRITER_DIR, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut writer = Writer(child);
        let mut output = BufReader::new(writer.0.stdout.take().unwrap()).lines().map(Result::unwrap);
        let promised = |line: String| line.rsplit_once("promised ").map(|(_, seq)| seq.parse::<u64>().unwrap());
        let mut told = output.by_ref().filter_map(promised).take(commits).last().unwrap();
        writer.0.kill().unwrap();
        writer.0.wait().unwrap();
        // What it said between that and its end counts too; its last word may be cut off.
        for line in output.filter(|line| line.starts_with("promised ")) {
            told = told.max(line["promised ".len()..].parse().unwrap_or(0));
        }
        let (journal, opened) = open(&LocalDisk, dir.path(), SMALL).unwrap();
        assert!(told > last);
        last = journal.committed().last_seq;
        assert!(last >= told, "{told} was promised, {last} is there");
        assert_eq!(Facts::of(&opened), Facts::after(last));
    }
}
