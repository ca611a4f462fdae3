//! Any state that git can be in, made by random steps: nothing of it is lost when the workspace is removed.
//!
//! `AO_STATES=500` makes that many states instead of the few of every day.

use ao_plugins::exec::Environment;
use ao_plugins::workspace::{LocalClone, Worktree};
use ao_slots::workspace::Workspace;
use ao_testkit::contract::repo::Repo;
use ao_testkit::contract::workspace::states::{Step, whatever_is_there_is_kept};
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::Arc;

/// Enough to find a rule that is broken often; more are made on purpose.
const CASES: u32 = 6;

fn config() -> ProptestConfig {
    let cases = std::env::var("AO_STATES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES);
    ProptestConfig { cases, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() }
}

fn worktree_of(repo: &Repo, _: Option<usize>) -> Arc<dyn Workspace> {
    Arc::new(Worktree::new(Environment::exactly(repo.env())))
}

fn clone_of(repo: &Repo, _: Option<usize>) -> Arc<dyn Workspace> {
    Arc::new(LocalClone::new(Environment::exactly(repo.env())))
}

fn hold(make: fn(&Repo, Option<usize>) -> Arc<dyn Workspace>, setup: u8, steps: &[Step]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(whatever_is_there_is_kept(&make, setup, steps));
}

/// States that once lost something, by what that was: a setup and its steps.
const FOUND: [(&str, u8, &[Step]); 11] = [
    (
        "an empty file that was ignored before an orphan branch, in a sparse checkout",
        18,
        &[(167, 27, 0), (242, 0, 117)],
    ),
    ("a file that cannot be encoded", 0, &[(90, 0, 0), (179, 0, 73)]),
    ("a repository whose name is no UTF-8", 0, &[(145, 86, 0)]),
    ("a file deleted while assumed to be unchanged", 0, &[(201, 234, 56)]),
    ("an index that was deleted in the middle of a merge", 0, &[(12, 0, 0), (154, 0, 59)]),
    ("a file that only the way out converts", 0, &[(236, 14, 66), (153, 0, 130)]),
    ("files that nobody touched and new rules change", 0, &[(186, 112, 211), (179, 0, 43)]),
    (
        "a directory in the place of a file, beside one that cannot be encoded",
        50,
        &[(160, 145, 29), (240, 184, 251), (64, 96, 96), (23, 46, 93)],
    ),
    ("a worktree inside", 0, &[(145, 62, 54)]),
    ("a file left out and assumed to be unchanged", 32, &[(227, 0, 43), (97, 15, 72)]),
    ("an index beside a repository in the place of a folder of it", 80, &[(145, 89, 26), (50, 0, 43), (38, 0, 0)]),
];

#[test]
fn what_was_lost_once_is_kept_in_a_worktree() {
    for (what, setup, steps) in FOUND {
        println!("{what}");
        hold(worktree_of, setup, steps);
    }
}

#[test]
fn what_was_lost_once_is_kept_in_a_clone() {
    for (what, setup, steps) in FOUND {
        println!("{what}");
        hold(clone_of, setup, steps);
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn nothing_in_a_worktree_is_lost(setup in any::<u8>(), steps in vec(any::<Step>(), 0..14)) {
        hold(worktree_of, setup, &steps);
    }

    #[test]
    fn nothing_in_a_clone_is_lost(setup in any::<u8>(), steps in vec(any::<Step>(), 0..14)) {
        hold(clone_of, setup, &steps);
    }
}
