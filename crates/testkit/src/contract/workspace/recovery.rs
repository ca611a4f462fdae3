//! A daemon that is killed between any two steps: the next call goes on, and nothing is lost or done twice.

use super::{Make, assert_nothing_beside, inspection, place, plan, removal};
use crate::contract::repo::Repo;
use ao_core::effect::Inspection;
use ao_slots::workspace::Workspace;
use std::fs;
use std::sync::Arc;

/// More steps than any operation has.
const MANY: usize = 30;

/// Making it is finished by the next call, wherever the first one stopped.
pub async fn a_making_that_was_cut_short_is_finished(make: Make<'_>) {
    for steps in 0..MANY {
        let repo = Repo::new();
        let mut wanted = plan(&repo);
        wanted.post_create = vec!["echo ran >> build.log".to_owned()];
        let first = make(&repo, Some(steps)).ensure(&wanted).await;
        repo.commit(&repo.path, "later.txt", "the target moves on\n");
        let workspace = make(&repo, None);
        let ready = workspace.ensure(&wanted).await.unwrap_or_else(|fault| panic!("after {steps} steps: {fault}"));
        assert_eq!(ready.branch, "feat/x");
        assert_eq!(repo.head(&place(&repo)), ready.base, "after {steps} steps");
        assert!(place(&repo).join("build.log").exists(), "after {steps} steps");
        let found = workspace.inspect(&inspection(&repo, &ready)).await.expect("it can be looked at");
        assert_eq!(found, Inspection::Unchanged, "after {steps} steps");
        assert_nothing_beside(&place(&repo));
        if first.is_ok() {
            assert!(steps > 1, "no step was ever counted");
            return;
        }
    }
    panic!("more than {MANY} steps");
}

async fn with_work(repo: &Repo, make: Make<'_>) -> Arc<dyn Workspace> {
    let workspace = make(repo, None);
    workspace.ensure(&plan(repo)).await.expect("a plain plan");
    repo.commit(&place(repo), "src/committed.txt", "committed\n");
    repo.write(&place(repo), "src/a.txt", "staged\n");
    repo.git_in(&place(repo), &["add", "--all"]);
    repo.write(&place(repo), "src/a.txt", "changed\n");
    repo.write(&place(repo), "untracked.txt", "untracked\n");
    workspace
}

/// Removing it is finished by the next call, with exactly one rescue of everything.
pub async fn a_removal_that_was_cut_short_is_finished_once(make: Make<'_>) {
    for steps in 0..MANY {
        let repo = Repo::new();
        let workspace = with_work(&repo, make).await;
        let first = make(&repo, Some(steps)).remove(&removal(&repo)).await;
        let removed = workspace.remove(&removal(&repo)).await.unwrap_or_else(|fault| panic!("after {steps}: {fault}"));
        let name = removed.rescue;
        assert!(!place(&repo).exists(), "after {steps} steps");
        assert_nothing_beside(&place(&repo));
        let rescued = workspace.rescued(&repo.path).await.expect("it can be listed");
        assert_eq!(rescued.len(), 1, "after {steps} steps: {rescued:?}");
        if first.is_err() {
            assert!(name.as_ref().is_none_or(|name| *name == rescued[0].name), "after {steps} steps: {name:?}");
        }
        let commit = &rescued[0].commit;
        for (file, text) in
            [("src/committed.txt", "committed\n"), ("src/a.txt", "changed\n"), ("untracked.txt", "untracked\n")]
        {
            assert_eq!(repo.file_of(commit, file).as_deref(), Some(text), "{file} after {steps} steps");
        }
        if first.is_ok() {
            assert!(steps > 2, "no step was ever counted");
            return;
        }
    }
    panic!("more than {MANY} steps");
}

/// A removal that was cut short and then not wanted any more: what was not saved yet is in place again.
pub async fn a_workspace_is_there_again_after_half_a_removal(make: Make<'_>) {
    for steps in 0..MANY {
        let repo = Repo::new();
        let workspace = with_work(&repo, make).await;
        let first = make(&repo, Some(steps)).remove(&removal(&repo)).await;
        workspace.ensure(&plan(&repo)).await.unwrap_or_else(|fault| panic!("after {steps} steps: {fault}"));
        let rescued = workspace.rescued(&repo.path).await.expect("it can be listed");
        let in_place = fs::read_to_string(place(&repo).join("untracked.txt")).is_ok_and(|text| text == "untracked\n");
        let saved = rescued.iter().any(|r| repo.file_of(&r.commit, "untracked.txt").is_some());
        assert!(in_place || saved, "work is lost after {steps} steps");
        assert_nothing_beside(&place(&repo));
        if first.is_ok() {
            return;
        }
    }
    panic!("more than {MANY} steps");
}
