//! Scratch checkouts: where candidates are gated. Ignored files stay from one commit to the next, as build caches should.
//!
//! A directory is only ever cleared when it is known to be one of ours.

use crate::disk::{self, failed};
use crate::exec::{Environment, end_marked, place_mark};
use crate::git::{Git, Registration, Repository, Turn, registration, turn};
use ao_core::id::CommitId;
use ao_slots::{Answer, Fault};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Checking out a large repository on a slow disk.
const CHECKOUT: Duration = Duration::from_secs(15 * 60);

/// The reason with which git locks a scratch checkout from the first moment on: it tells ours from anybody else's, and
/// keeps it from being pruned.
const OURS: &str = "scratch checkout of ao";

fn is_ours(known: &Registration) -> bool {
    fs::read_to_string(known.admin.join("locked")).is_ok_and(|why| why.trim() == OURS)
}

/// Makes sure that `dir` is a checkout of `commit`.
pub(super) async fn ensure(main: &Git, dir: &Path, commit: &CommitId, env: &Environment) -> Answer<()> {
    if main.commit(commit.as_str()).await?.is_none() {
        return Err(Fault::not_found(format!("there is no commit {commit} in {}", main.dir().display())));
    }
    let common = Repository::of(main).await?.common;
    // A daemon that was killed may have left a check running there.
    end_marked(place_mark(dir)).await;
    if let Some(known) = registration(&common, dir) {
        if is_ours(&known) && known.is_linked_from(dir) && reuse(dir, &known.admin, commit, env).await {
            return Ok(());
        }
        remove(main, dir).await?;
    }
    if holds_something(dir) {
        return Err(not_ours(dir));
    }
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent).map_err(|error| failed(parent, &error))?;
    }
    let _turn = turn(Turn::Making, &common).await;
    main.call(["worktree", "add", "--quiet", "--detach", "--lock", "--reason", OURS])
        .arg(dir)
        .arg(commit.as_str())
        .limit(CHECKOUT)
        .run()
        .await
        .map(drop)
}

/// Moves a scratch checkout to another commit; false when it is broken.
async fn reuse(dir: &Path, admin: &Path, commit: &CommitId, env: &Environment) -> bool {
    // Only checks run there, and they are over.
    let _ = fs::remove_file(admin.join("index.lock"));
    let git = Git::at(dir, env).on(admin, dir);
    let checkout = git.call(["checkout", "--quiet", "--force", "--detach", commit.as_str()]).limit(CHECKOUT);
    if checkout.run().await.is_err() {
        return false;
    }
    // Twice: repositories that a check made inside go as well.
    git.call(["clean", "-d", "--force", "--force", "--quiet"]).limit(CHECKOUT).run().await.is_ok()
}

/// Removes a scratch checkout; one that is gone is not an error.
pub(super) async fn remove(main: &Git, dir: &Path) -> Answer<()> {
    let common = Repository::of(main).await?.common;
    let Some(known) = registration(&common, dir) else {
        return if holds_something(dir) { Err(not_ours(dir)) } else { Ok(()) };
    };
    if !is_ours(&known) {
        return Err(not_ours(dir));
    }
    disk::delete(dir).await?;
    main.call(["worktree", "remove", "--force", "--force"]).arg(dir).run().await.map(drop)
}

fn holds_something(dir: &Path) -> bool {
    disk::exists(dir) && !disk::is_empty_dir(dir)
}

fn not_ours(dir: &Path) -> Fault {
    Fault::conflict(format!("{} is no scratch checkout; it was left as it is", dir.display())).hint("move it away")
}
