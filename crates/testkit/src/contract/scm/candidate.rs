//! Building candidates: on top of each other, told apart when they do not fit, without touching a checkout.

use super::{Make, candidate_plan, pr};
use crate::contract::repo::Repo;
use ao_core::project::MergeStrategy::{self, Merge, Rebase, Squash};

const ALL: [MergeStrategy; 3] = [Squash, Merge, Rebase];

/// Heads that fit are stacked in order, and everything else stays as it is.
pub async fn heads_that_fit_are_stacked(make: Make<'_>) {
    for strategy in ALL {
        let repo = Repo::new();
        let one = repo.branch("one", "main", &[("one.txt", Some("1\n")), ("src/a.txt", None)]);
        let two = repo.branch("two", "main", &[("ünï\n-rf", Some("2\n"))]);
        repo.commit(&repo.path, "later.txt", "the target moved on\n");
        repo.write(&repo.path, "dirty.txt", "the user's\n");
        let (old, before) = (repo.head(&repo.path), repo.state_of(&repo.path));
        let plan = candidate_plan(&repo, strategy, &[&one, &two]);
        let candidate = make(&repo, None).build_candidate(&plan).await.expect("they fit");
        assert_eq!(candidate.old, old);
        assert_eq!(candidate.built.len(), 2, "{candidate:?}");
        assert_eq!((&candidate.built[0].0, &candidate.built[1].0), (&pr(1), &pr(2)));
        assert_eq!(candidate.tip, candidate.built[1].1);
        let first = &candidate.built[0].1;
        let files = repo.files_of(&candidate.tip);
        assert_eq!(files, [".gitignore", "later.txt", "one.txt", "src/b.txt", "ünï\n-rf"], "{strategy:?}");
        let (on_old, on_first) = (repo.parents_of(first), repo.parents_of(&candidate.tip));
        match strategy {
            Squash | Rebase => assert_eq!((on_old, on_first), (vec![old], vec![first.clone()])),
            Merge => assert_eq!((on_old, on_first), (vec![old, one], vec![first.clone(), two])),
        }
        assert_eq!(repo.state_of(&repo.path), before, "the checkout was touched");
        assert_eq!(repo.commit_of(&plan.keep), Some(candidate.tip), "the candidate is not kept");
    }
}

/// Who committed is `ao`; a squash carries the given message, a rebase the authors' own.
pub async fn commits_say_who_made_them(make: Make<'_>) {
    let repo = Repo::new();
    repo.branch("one", "main", &[("one.txt", Some("1\n"))]);
    let one = repo.branch("one", "one", &[("two.txt", Some("2\n"))]);
    let message = |commit: &ao_core::id::CommitId| repo.git(&["log", "-1", "--format=%B", commit.as_str()]);
    let squash = make(&repo, None).build_candidate(&candidate_plan(&repo, Squash, &[&one])).await.expect("it fits");
    assert_eq!(repo.people_of(&squash.tip), ("ao".to_owned(), "ao".to_owned()));
    assert_eq!(message(&squash.tip).trim(), "Title 1 (app#1)\n\nSession: app-1");
    let rebase = make(&repo, None).build_candidate(&candidate_plan(&repo, Rebase, &[&one])).await.expect("it fits");
    let log = repo.git(&["log", "--format=%an %cn %s", &format!("main..{}", rebase.tip)]);
    assert_eq!(log, "Ann ao work of one\nAnn ao work of one");
    assert_eq!(rebase.built.len(), 1);
}

/// A head that conflicts with the target says where; one that conflicts only with what is ahead of it waits.
pub async fn conflicts_are_told_apart(make: Make<'_>) {
    for strategy in ALL {
        let repo = Repo::new();
        let ahead = repo.branch("ahead", "main", &[("src/a.txt", Some("ahead\n"))]);
        let behind = repo.branch("behind", "main", &[("src/a.txt", Some("behind\n"))]);
        let stale = repo.branch("stale", "main", &[("src/b.txt", Some("stale\n")), ("x\n.txt", Some("stale\n"))]);
        let fits = repo.branch("fits", "main", &[("fits.txt", Some("fits\n"))]);
        repo.write(&repo.path, "x\n.txt", "the target's\n");
        repo.commit(&repo.path, "src/b.txt", "the target's\n");
        let plan = candidate_plan(&repo, strategy, &[&ahead, &behind, &stale, &fits]);
        let candidate = make(&repo, None).build_candidate(&plan).await.expect("an answer");
        let built: Vec<_> = candidate.built.iter().map(|(pr, _)| pr.clone()).collect();
        assert_eq!(built, [pr(1), pr(4)], "{strategy:?}");
        assert_eq!(candidate.later, [pr(2)], "{strategy:?}");
        let [(who, files)] = candidate.conflicts.as_slice() else { panic!("{:?}", candidate.conflicts) };
        assert_eq!(who, &pr(3));
        assert!(files.contains(&"src/b.txt".to_owned()) && files.len() == 2, "{files:?}");
        assert_eq!(repo.file_of(&candidate.tip, "src/a.txt").as_deref(), Some("ahead\n"));
    }
}

/// What the target has already is said to be there, by history or by content.
pub async fn what_the_target_has_is_contained(make: Make<'_>) {
    for strategy in ALL {
        let repo = Repo::new();
        let same = repo.branch("same", "main", &[("src/a.txt", Some("same\n"))]);
        let merged = repo.branch("merged", "main", &[("merged.txt", Some("x\n"))]);
        let twin = repo.branch("twin", "main", &[("new.txt", Some("twin\n"))]);
        let other = repo.branch("other", "main", &[("new.txt", Some("twin\n"))]);
        repo.git(&["merge", "--quiet", "--no-edit", merged.as_str()]);
        repo.commit(&repo.path, "src/a.txt", "same\n");
        let plan = candidate_plan(&repo, strategy, &[&same, &merged, &twin, &other]);
        let candidate = make(&repo, None).build_candidate(&plan).await.expect("an answer");
        assert_eq!(candidate.contained, [pr(1), pr(2)], "{strategy:?}");
        assert_eq!(candidate.built.len(), 1, "{strategy:?}: {candidate:?}");
        assert_eq!(candidate.later, [pr(4)], "only what is ahead has it: {strategy:?}");
        let alone = make(&repo, None).build_candidate(&candidate_plan(&repo, strategy, &[&same])).await.expect("same");
        assert_eq!((alone.tip, alone.built), (alone.old, vec![]));
    }
}

/// A branch that solved a conflict in a merge keeps its solution, however it lands.
pub async fn a_solved_conflict_stays_solved(make: Make<'_>) {
    for strategy in ALL {
        let repo = Repo::new();
        repo.branch("solved", "main", &[("src/a.txt", Some("ours\n"))]);
        repo.commit(&repo.path, "src/a.txt", "theirs\n");
        let dir = repo.place("solving");
        repo.git(&["worktree", "add", "--quiet", &dir.display().to_string(), "solved"]);
        assert!(!repo.try_git(&dir, &["merge", "main"]).status.success());
        let solved = repo.commit(&dir, "src/a.txt", "both\n");
        let plan = candidate_plan(&repo, strategy, &[&solved]);
        let candidate = make(&repo, None).build_candidate(&plan).await.expect("it fits");
        assert_eq!(candidate.conflicts, [], "{strategy:?}");
        assert_eq!(repo.file_of(&candidate.tip, "src/a.txt").as_deref(), Some("both\n"), "{strategy:?}");
    }
}

/// A history that has nothing to do with the target's conflicts with it, and stops nobody else.
pub async fn a_foreign_history_stops_nobody_else(make: Make<'_>) {
    for strategy in ALL {
        let repo = Repo::new();
        let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
        let foreign = ao_core::id::CommitId::new(repo.git(&["commit-tree", &tree, "-m", "foreign"]));
        let fits = repo.branch("fits", "main", &[("fits.txt", Some("fits\n"))]);
        let plan = candidate_plan(&repo, strategy, &[&foreign, &fits]);
        let candidate = make(&repo, None).build_candidate(&plan).await.expect("an answer");
        assert_eq!(candidate.conflicts.len(), 1, "{candidate:?}");
        assert!(!candidate.conflicts[0].1.is_empty());
        assert_eq!(candidate.built.len(), 1);
    }
}

/// Hooks that fail and keys that hang are the user's, not ours; no identity is needed.
pub async fn hooks_signing_and_identity_of_the_user_do_not_matter(make: Make<'_>) {
    for strategy in ALL {
        let repo = Repo::new();
        let one = repo.branch("one", "main", &[("one.txt", Some("1\n"))]);
        repo.signing_that_hangs();
        let trace = repo.failing_hooks();
        let scm = make(&repo, None);
        let candidate = scm.build_candidate(&candidate_plan(&repo, strategy, &[&one])).await.expect("it fits");
        let landing = scm.land(&repo.path, "main", &candidate.old, &candidate.tip).await;
        assert_eq!(landing, Ok(ao_slots::scm::Landing::Landed));
        scm.scratch(&repo.path, &repo.place("scratch"), &candidate.tip).await.expect("it can be checked out");
        let ran = std::fs::read_to_string(&trace).unwrap_or_default();
        assert_eq!(ran, "", "hooks ran");
    }
}
