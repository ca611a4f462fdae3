//! How much of the disk sessions take: walked in the background, one session at a time, with a limit; kept with its time.
//!
//! Nobody waits for a walk: whoever asks gets what is known after a moment, and how old it is.

use ao_api::disk::Bytes;
use ao_core::id::SessionId;
use ao_core::session::Session;
use ao_core::time::{Millis, Time};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What was measured is good for so long: agents write for hours, and a person looks twice.
const FRESH: Millis = Millis::mins(1);

/// Of a session that is over nothing changes but by hand.
const FRESH_ENDED: Millis = Millis::mins(30);

/// Most files of one walk: a large `node_modules` has a third of that.
const FILES: u64 = 300_000;

/// Longest walk: a cold disk reads some thousand directory entries a second.
const LONGEST: Duration = Duration::from_secs(20);

/// Bytes of a block in `st_blocks` (POSIX).
const BLOCK: u64 = 512;

/// What was measured.
#[derive(Default)]
pub(crate) struct DiskUse {
    known: Mutex<BTreeMap<SessionId, Measured>>,
    /// One walk at a time: two would only make each other slow.
    turn: tokio::sync::Mutex<()>,
}

/// What was measured of one session.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    /// When.
    pub(crate) at: Time,
    /// The workspace that was walked.
    path: Option<String>,
    /// The rescue ref that counted.
    rescue: Option<String>,
    ended: bool,
    archived: bool,
    /// Its workspace.
    pub(crate) workspace: Option<Bytes>,
    /// Its directory of logs.
    pub(crate) logs: Bytes,
    /// Its rescued work.
    pub(crate) rescued: Option<u64>,
}

impl DiskUse {
    /// What is known of a session.
    pub(crate) fn of(&self, session: &SessionId) -> Option<Measured> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(session).cloned()
    }

    /// Whether that is good enough.
    pub(crate) fn is_fresh(&self, session: &Session, now: Time) -> bool {
        self.of(&session.id).is_some_and(|measured| measured.is_fresh(session, now))
    }

    /// Waits for one's turn to walk.
    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Remembers what was measured of a session as it stood then.
    pub(crate) fn remember(&self, session: &Session, at: Time, walked: &Walked, rescued: Option<u64>) {
        let measured = Measured {
            at,
            path: session.workspace_path.clone(),
            rescue: session.rescue.clone(),
            ended: session.ended(),
            archived: session.belongings.archived.is_some(),
            workspace: walked.workspace,
            logs: walked.logs,
            rescued,
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(session.id.clone(), measured);
    }
}

/// What walks found.
pub(crate) struct Walked {
    workspace: Option<Bytes>,
    logs: Bytes,
}

/// Walks a session's directories. Blocking.
pub(crate) fn walked(workspace: Option<&Path>, logs: &Path) -> Walked {
    let all = |path: &Path| walk(path, FILES, LONGEST);
    Walked { workspace: workspace.map(all), logs: all(logs) }
}

impl Measured {
    fn is_fresh(&self, session: &Session, now: Time) -> bool {
        let same = self.path == session.workspace_path
            && self.rescue == session.rescue
            // What was measured while it lived says nothing of how it left things.
            && self.ended == session.ended()
            && self.archived == session.belongings.archived.is_some();
        let limit = if session.ended() { FRESH_ENDED } else { FRESH };
        same && now.since(self.at) < limit
    }
}

/// Bytes on the disk below a directory. Links are not followed, and what cannot be read counts nothing.
fn walk(root: &Path, most: u64, longest: Duration) -> Bytes {
    let until = Instant::now() + longest;
    let mut bytes = Bytes::default();
    // Files with several names: the names that were met, all there are, their bytes.
    let mut linked: HashMap<(u64, u64), (u64, u64, u64)> = HashMap::new();
    let mut left = most;
    let mut todo = vec![root.to_owned()];
    'walk: while let Some(dir) = todo.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            if left == 0 || Instant::now() >= until {
                bytes.partial = true;
                break 'walk;
            }
            left -= 1;
            // Of the entry itself.
            let Ok(meta) = entry.metadata() else { continue };
            if meta.is_dir() {
                todo.push(entry.path());
            }
            let size = meta.blocks() * BLOCK;
            if meta.is_dir() || meta.nlink() < 2 {
                bytes.own += size;
            } else {
                linked.entry((meta.dev(), meta.ino())).or_insert((0, meta.nlink(), size)).0 += 1;
            }
        }
    }
    for (met, all, size) in linked.into_values() {
        if met < all {
            bytes.shared += size;
        } else {
            bytes.own += size;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_count_once_and_those_linked_from_elsewhere_are_shared() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("place");
        fs::create_dir_all(place.join("deep")).unwrap();
        let write = |path: &Path| fs::write(path, vec![7; 100_000]).unwrap();
        write(&place.join("own"));
        write(&place.join("twice"));
        fs::hard_link(place.join("twice"), place.join("deep/twice")).unwrap();
        write(&dir.path().join("elsewhere"));
        fs::hard_link(dir.path().join("elsewhere"), place.join("deep/linked")).unwrap();
        std::os::unix::fs::symlink(dir.path(), place.join("up")).unwrap();
        let found = walk(&place, 1000, LONGEST);
        assert!((200_000..300_000).contains(&found.own), "{found:?}");
        assert!((100_000..150_000).contains(&found.shared), "{found:?}");
        assert!(!found.partial);
        assert_eq!(walk(&dir.path().join("nowhere"), 10, LONGEST), Bytes::default());
    }

    #[test]
    fn a_walk_ends_at_its_limit_and_says_so() {
        let dir = tempfile::tempdir().unwrap();
        for n in 0..20 {
            fs::write(dir.path().join(n.to_string()), "x").unwrap();
        }
        assert!(walk(dir.path(), 10, LONGEST).partial && walk(dir.path(), 1000, Duration::ZERO).partial);
        assert!(!walk(dir.path(), 20, LONGEST).partial);
    }
}
