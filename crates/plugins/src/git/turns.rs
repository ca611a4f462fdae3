//! Turns: what two gits of ours must not do to one repository at the same time.
//!
//! Within this process; against the user's own git only git's own locks help, and trying again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// What is done in turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// Making a worktree: git writes its files one by one, and another git that reads them half written fails.
    Making,
    /// Landing: two fast-forwards of one checkout at once leave it with the files of one and the commit of the other.
    Landing,
}

type Locks = BTreeMap<(Turn, PathBuf), Arc<AsyncMutex<()>>>;

/// One lock per repository; they are few, and stay.
static LOCKS: LazyLock<Mutex<Locks>> = LazyLock::new(Mutex::default);

/// Waits for a turn in the repository with this common directory.
pub async fn turn(what: Turn, common: &Path) -> OwnedMutexGuard<()> {
    let lock =
        LOCKS.lock().unwrap_or_else(PoisonError::into_inner).entry((what, common.to_owned())).or_default().clone();
    lock.lock_owned().await
}
