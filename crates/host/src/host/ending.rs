//! The child's end: waiting for it, `exit.json`, and telling everybody.
//!
//! What is left of its processes is reported here and killed in `stop`, on request only.

use std::time::Instant;

use rustix::io::Errno;
use rustix::process::{WaitOptions, WaitStatus, wait};

use super::conn::{Phase, Watching};
use super::serve::{Host, LINGER};
use crate::record::{self, Durability, EXIT_FILE, Ending, ExitRecord, Tree, now_ms};
use crate::wire::Push;

impl Host {
    /// Waits for every child that ended; orphans of the session come here too.
    pub(super) fn reap(&mut self) {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => {
                    if u32::try_from(pid.as_raw_nonzero().get()) == Ok(self.family.child) {
                        self.ended(ending(status));
                    }
                }
                Err(Errno::INTR) => {}
                Ok(None) | Err(_) => break,
            }
        }
        self.review_tree();
    }

    fn ended(&mut self, ending: Ending) {
        if self.exit.is_some() {
            return;
        }
        self.drain_to_end();
        let answers = self.typing.fail("the program ended", self.output.end());
        self.answer_stages(answers);
        let size = self.display.size();
        let exit = ExitRecord {
            launch: self.spec.launch.clone(),
            session: self.spec.session.clone(),
            ending,
            at_ms: now_ms(),
            last_offset: self.output.end(),
            rows_total: self.rows.total(),
            size,
            screen: (0..size.rows).map(|row| self.display.row(row)).collect(),
            tree: self.family.tree(),
        };
        self.leave_at = Some(Instant::now() + LINGER);
        self.tell_exit(exit);
    }

    /// After the end: says so when what was left of the tree has gone.
    pub(super) fn review_tree(&mut self) {
        let Some(exit) = &self.exit else { return };
        if matches!(exit.tree, Tree::Left { .. }) && self.family.tree() == Tree::Empty {
            let exit = ExitRecord { tree: Tree::Empty, ..exit.clone() };
            self.tell_exit(exit);
        }
    }

    /// Writes the record and pushes it to whoever listens.
    pub(super) fn tell_exit(&mut self, exit: ExitRecord) {
        let path = self.dir.join(EXIT_FILE);
        self.exit_written = record::write_json(&path, &exit, Durability::Power).is_ok();
        self.push_screens(Instant::now());
        for conn in self.conns.iter_mut().filter(|conn| conn.phase == Phase::Open) {
            if conn.viewer.is_some() || conn.watching != Watching::No {
                conn.push(&Push::ExitIs(exit.clone()));
            }
        }
        self.exit = Some(exit);
    }
}

fn ending(status: WaitStatus) -> Ending {
    match status.terminating_signal() {
        Some(signal) => Ending::Signaled { signal },
        None => Ending::Exited { code: status.exit_status().unwrap_or(-1) },
    }
}
