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
const CASES: u32 = 10;

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
