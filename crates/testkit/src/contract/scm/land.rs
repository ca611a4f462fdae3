//! Landing: the swap, the checkout that goes along, and everything that must stop it.

use super::{Make, candidate_plan};
use crate::contract::repo::Repo;
use ao_core::id::CommitId;
use ao_core::project::MergeStrategy::Squash;
use ao_slots::scm::{Landing, Scm};
use std::fs;
use std::sync::Arc;

struct Bench {
    repo: Repo,
    scm: Arc<dyn Scm>,
    old: CommitId,
    new: CommitId,
}

/// A repository with a candidate that changes `src/a.txt` and adds `new.txt` and `late.log`, which is ignored.
async fn bench(make: Make<'_>) -> Bench {
    let repo = Repo::new();
    let dir = repo.place("branching");
    repo.git(&["worktree", "add", "--quiet", "-b", "work", &dir.display().to_string()]);
    repo.write(&dir, "src/a.txt", "landed\n");
    repo.write(&dir, "new.txt", "landed\n");
    repo.write(&dir, "late.log", "landed\n");
    repo.git_in(&dir, &["add", "--force", "late.log"]);
    let head = repo.commit_all(&dir, "work");
    repo.git(&["worktree", "remove", &dir.display().to_string()]);
    let scm = make(&repo, None);
    let candidate = scm.build_candidate(&candidate_plan(&repo, Squash, &[&head])).await.expect("it fits");
    Bench { old: candidate.old, new: candidate.tip, repo, scm }
}

impl Bench {
    async fn land(&self) -> Landing {
        self.scm.land(&self.repo.path, "main", &self.old, &self.new).await.expect("an answer")
    }

    fn target(&self) -> CommitId {
        self.repo.commit_of("refs/heads/main").expect("the target stays")
    }

    /// Lands and expects to be stopped, with these words, and nothing moved.
    async fn blocked(&self, words: &[&str]) {
        let before = self.repo.state_of(&self.repo.path);
        let landing = self.land().await;
        let Landing::Blocked { why } = &landing else { panic!("{landing:?} instead of a block about {words:?}") };
        for word in words {
            assert!(why.contains(word), "{word:?} is missing in: {why}");
        }
        assert!(why.contains(&self.repo.path.display().to_string()), "the checkout is not named: {why}");
        assert_eq!(self.target(), self.old);
        assert_eq!(self.repo.state_of(&self.repo.path), before, "something moved");
    }
}

/// A target that nobody has checked out gets the new value.
pub async fn a_target_that_is_not_checked_out_is_swapped(make: Make<'_>) {
    let bench = bench(make).await;
    bench.repo.git(&["switch", "--quiet", "--create", "elsewhere"]);
    bench.repo.write(&bench.repo.path, "src/a.txt", "dirty, but not the target\n");
    let before = bench.repo.state_of(&bench.repo.path);
    assert_eq!(bench.land().await, Landing::Landed);
    assert_eq!(bench.target(), bench.new);
    assert_eq!(bench.repo.state_of(&bench.repo.path), before);
}

/// A clean checkout of the target goes along, whatever the user's own merges do.
pub async fn a_clean_checkout_goes_along(make: Make<'_>) {
    let bench = bench(make).await;
    for (key, value) in [("merge.ff", "false"), ("branch.main.mergeoptions", "--squash"), ("merge.autoStash", "true")] {
        bench.repo.git(&["config", key, value]);
    }
    bench.repo.write(&bench.repo.path, "untracked.txt", "the user's\n");
    assert_eq!(bench.land().await, Landing::Landed);
    assert_eq!(bench.repo.head(&bench.repo.path), bench.new);
    assert_eq!(fs::read_to_string(bench.repo.path.join("new.txt")).expect("it is there"), "landed\n");
    assert_eq!(bench.repo.git(&["status", "--porcelain"]), "?? untracked.txt");
    assert_eq!(bench.repo.git(&["symbolic-ref", "--short", "HEAD"]), "main");
}

/// A linked worktree that has the target checked out is treated the same.
pub async fn a_checkout_in_a_linked_worktree_counts(make: Make<'_>) {
    let bench = bench(make).await;
    bench.repo.git(&["switch", "--quiet", "--create", "elsewhere"]);
    let linked = bench.repo.place("linked place");
    bench.repo.git(&["worktree", "add", "--quiet", &linked.display().to_string(), "main"]);
    bench.repo.write(&linked, "src/a.txt", "dirty\n");
    match bench.land().await {
        Landing::Blocked { why } => assert!(why.contains("linked place") && why.contains("src/a.txt"), "{why}"),
        other => panic!("{other:?}"),
    }
    bench.repo.git_in(&linked, &["checkout", "--quiet", "src/a.txt"]);
    assert_eq!(bench.land().await, Landing::Landed);
    assert_eq!(bench.repo.head(&linked), bench.new);
    assert_eq!(bench.repo.git_in(&linked, &["status", "--porcelain"]), "");
}

/// A worktree whose directory is gone holds nothing up.
pub async fn a_worktree_that_is_gone_holds_nothing_up(make: Make<'_>) {
    let bench = bench(make).await;
    bench.repo.git(&["switch", "--quiet", "--create", "elsewhere"]);
    let linked = bench.repo.place("linked");
    bench.repo.git(&["worktree", "add", "--quiet", &linked.display().to_string(), "main"]);
    fs::remove_dir_all(&linked).expect("it is ours");
    assert_eq!(bench.land().await, Landing::Landed);
    assert_eq!(bench.target(), bench.new);
}

/// A dirty checkout of the target stops it, and is named with its files.
pub async fn a_dirty_checkout_stops_it(make: Make<'_>) {
    let bench = bench(make).await;
    bench.repo.write(&bench.repo.path, "src/b.txt", "the user's\n");
    bench.blocked(&["dirty", "src/b.txt"]).await;
    bench.repo.git(&["add", "--all"]);
    bench.blocked(&["dirty", "src/b.txt"]).await;
}

/// Files that are not git's, ignored ones too, are never overwritten.
pub async fn a_file_in_the_way_stops_it(make: Make<'_>) {
    let bench = bench(make).await;
    bench.repo.write(&bench.repo.path, "new.txt", "the user's\n");
    bench.blocked(&["new.txt"]).await;
    fs::remove_file(bench.repo.path.join("new.txt")).expect("it stayed");
    bench.repo.write(&bench.repo.path, "late.log", "ignored, and the user's\n");
    bench.blocked(&["late.log"]).await;
    fs::remove_file(bench.repo.path.join("late.log")).expect("it stayed");
    assert_eq!(bench.land().await, Landing::Landed);
}

/// A merge that is going on stops it.
pub async fn a_merge_that_is_going_on_stops_it(make: Make<'_>) {
    let bench = bench(make).await;
    bench.repo.branch("side", "main", &[("side.txt", Some("x\n"))]);
    bench.repo.git(&["merge", "--quiet", "--no-commit", "--no-ff", "side"]);
    bench.blocked(&["merge"]).await;
}

/// A rebase of the target that is going on stops it, though HEAD is on no branch then.
pub async fn a_rebase_that_is_going_on_stops_it(make: Make<'_>) {
    let mut bench = bench(make).await;
    bench.repo.branch("side", "main", &[("src/b.txt", Some("side\n"))]);
    let mine = bench.repo.commit(&bench.repo.path, "src/b.txt", "mine\n");
    assert!(!bench.repo.try_git(&bench.repo.path, &["rebase", "side"]).status.success());
    let head = bench.repo.branch("later", mine.as_str(), &[("later.txt", Some("x\n"))]);
    (bench.old, bench.new) = (mine, head);
    bench.blocked(&["rebase"]).await;
}

/// Another git at work there stops it.
pub async fn another_git_at_work_stops_it(make: Make<'_>) {
    let bench = bench(make).await;
    bench.repo.write(&bench.repo.path, ".git/index.lock", "");
    let Landing::Blocked { why } = bench.land().await else { panic!("it moved") };
    assert!(why.contains("index.lock"), "{why}");
    assert_eq!(bench.target(), bench.old);
}

/// A target that moved is lost, with its value; one that has it already has landed.
pub async fn a_target_that_moved_is_lost_and_one_that_has_it_has_landed(make: Make<'_>) {
    let bench = bench(make).await;
    let actual = bench.repo.commit(&bench.repo.path, "theirs.txt", "somebody was first\n");
    assert_eq!(bench.land().await, Landing::Lost { actual: actual.clone() });
    assert_eq!(bench.target(), actual);
    bench.repo.git(&["reset", "--quiet", "--hard", bench.old.as_str()]);
    assert_eq!(bench.land().await, Landing::Landed);
    assert_eq!(bench.land().await, Landing::Landed, "again");
    let later = bench.repo.commit(&bench.repo.path, "later.txt", "on top\n");
    assert_eq!(bench.land().await, Landing::Landed, "contained");
    assert_eq!(bench.target(), later);
}

/// Of two landings from the same value exactly one wins.
pub async fn of_two_landings_exactly_one_wins(make: Make<'_>) {
    for checked_out in [false, true] {
        let bench = bench(make).await;
        if !checked_out {
            bench.repo.git(&["switch", "--quiet", "--create", "elsewhere"]);
        }
        let other = bench.repo.branch("other", "main", &[("other.txt", Some("x\n"))]);
        let path = &bench.repo.path;
        let (one, two) = tokio::join!(
            bench.scm.land(path, "main", &bench.old, &bench.new),
            bench.scm.land(path, "main", &bench.old, &other)
        );
        let landed = [&one, &two].iter().filter(|landing| **landing == &Ok(Landing::Landed)).count();
        assert_eq!(landed, 1, "{one:?} {two:?}");
        assert!([&bench.new, &other].contains(&&bench.target()));
        if checked_out {
            assert_eq!(bench.repo.git(&["status", "--porcelain"]), "", "the checkout does not fit its branch");
        }
    }
}

/// A landing that was cut short is finished by the next, and moves the target once.
pub async fn a_landing_that_was_cut_short_is_finished(make: Make<'_>) {
    for checked_out in [false, true] {
        for steps in 0..3 {
            let bench = bench(make).await;
            if !checked_out {
                bench.repo.git(&["switch", "--quiet", "--create", "elsewhere"]);
            }
            let first = make(&bench.repo, Some(steps)).land(&bench.repo.path, "main", &bench.old, &bench.new).await;
            assert_eq!(first.is_ok(), steps > 0, "{first:?}");
            assert_eq!(bench.land().await, Landing::Landed);
            assert_eq!(bench.target(), bench.new);
        }
    }
}

/// A kill between files and ref leaves everything as in the new commit but HEAD: that is finished, not called dirty.
pub async fn files_without_their_ref_are_a_landing_cut_short(make: Make<'_>) {
    let bench = bench(make).await;
    bench.repo.git(&["read-tree", "-m", "-u", bench.old.as_str(), bench.new.as_str()]);
    assert_ne!(bench.repo.git(&["status", "--porcelain"]), "");
    assert_eq!(bench.land().await, Landing::Landed);
    assert_eq!(bench.target(), bench.new);
    assert_eq!(bench.repo.git(&["status", "--porcelain"]), "");
}

/// A repository without a checkout lands by the swap alone.
pub async fn a_bare_repository_lands(make: Make<'_>) {
    let bench = bench(make).await;
    let bare = bench.repo.place("bare.git");
    bench.repo.git(&["clone", "--quiet", "--mirror", ".", &bare.display().to_string()]);
    let landing = bench.scm.land(&bare, "main", &bench.old, &bench.new).await;
    assert_eq!(landing, Ok(Landing::Landed));
    assert_eq!(bench.repo.git_in(&bare, &["rev-parse", "main"]), bench.new.as_str());
}
