//! A host's exit record as the slot's exit.

use ao_host::record::{Ending, ExitRecord, Tree};
use ao_slots::runtime::Exit;

pub(in crate::runtime) fn exit_of(record: &ExitRecord) -> Exit {
    let (code, signal, why) = match &record.ending {
        Ending::Exited { code } => (Some(*code), None, None),
        Ending::Signaled { signal } => (None, Some(*signal), None),
        Ending::NotStarted { reason } => (None, None, Some(format!("the agent could not be started: {reason}"))),
    };
    let left = match &record.tree {
        Tree::Empty => Some(0),
        Tree::Left { pids } => Some(u32::try_from(pids.len()).unwrap_or(u32::MAX)),
        Tree::Unknown => None,
    };
    Exit { code, signal, why, left }
}
