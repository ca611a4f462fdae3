//! What every forge plugin must keep.
//!
//! `make` gives an implementation for a repository; with a number it stops before that step, as if the daemon were killed.

pub mod candidate;
pub mod check;
pub mod land;
pub mod scratch;

use super::repo::Repo;
use ao_core::effect::CandidateHead;
use ao_core::id::{CommitId, PrId};
use ao_core::kind::Kind;
use ao_core::project::MergeStrategy;
use ao_slots::scm::{CandidatePlan, PullRequestPlan, Scm};
use std::sync::Arc;

/// Makes an implementation; with a number it stops before that step.
pub type Make<'a> = &'a (dyn Fn(&Repo, Option<usize>) -> Arc<dyn Scm> + Sync);

fn candidate_plan(repo: &Repo, strategy: MergeStrategy, heads: &[&CommitId]) -> CandidatePlan {
    CandidatePlan {
        repository: repo.path.clone(),
        target: "main".to_owned(),
        heads: heads
            .iter()
            .enumerate()
            .map(|(n, head)| CandidateHead {
                pr: pr(n + 1),
                head: (*head).clone(),
                message: format!("Title {} (app#{})\n\nSession: app-{}", n + 1, n + 1, n + 1),
            })
            .collect(),
        strategy,
        keep: "refs/ao/candidate/app-batch-1".to_owned(),
    }
}

fn pr(n: usize) -> PrId {
    PrId::new(format!("app#{n}"))
}

/// The target is its branch's commit; what is missing is named.
pub async fn the_target_is_its_branchs_commit(make: Make<'_>) {
    let repo = Repo::new();
    let scm = make(&repo, None);
    assert_eq!(scm.target(&repo.path, "main").await, Ok(repo.head(&repo.path)));
    assert_eq!(scm.target(&repo.path, "").await, Ok(repo.head(&repo.path)), "the branch that is checked out");
    let fault = scm.target(&repo.path, "trunk").await.expect_err("there is none");
    assert!(fault.kind == Kind::NotFound && fault.message.contains("trunk"), "{fault:?}");
    repo.git(&["checkout", "--quiet", "--detach"]);
    let fault = scm.target(&repo.path, "").await.expect_err("no branch is checked out");
    assert!(fault.kind == Kind::Conflict && fault.hint.is_some(), "{fault:?}");
    let empty = Repo::empty();
    let fault = make(&empty, None).target(&empty.path, "main").await.expect_err("nothing there");
    assert!(fault.kind == Kind::Conflict && fault.message.contains("no commits"), "{fault:?}");
    let fault = scm.target(&repo.home(), "main").await.expect_err("no repository");
    assert_eq!(fault.kind, Kind::NotFound, "{fault}");
}

/// A repository is described as it is, from anywhere inside it.
pub async fn a_repository_is_described_as_it_is(make: Make<'_>) {
    let repo = Repo::new();
    let scm = make(&repo, None);
    let seen = scm.look(&repo.path.join("src")).await.expect("it is one");
    assert_eq!((seen.root.as_path(), seen.branch.as_deref()), (repo.path.as_path(), Some("main")));
    assert_eq!((seen.head, seen.default_branch.as_str(), seen.dirty), (Some(repo.head(&repo.path)), "main", 0));

    let linked = repo.place("linked");
    repo.git(&["worktree", "add", "--quiet", "-b", "side", &linked.display().to_string()]);
    repo.write(&repo.path, "new.txt", "x\n");
    repo.write(&repo.path, "src/a.txt", "x\n");
    repo.git(&["checkout", "--quiet", "--detach"]);
    let seen = scm.look(&linked).await.expect("it is one");
    assert_eq!((seen.root.as_path(), seen.branch, seen.dirty), (repo.path.as_path(), None, 2));

    let empty = Repo::empty();
    let seen = make(&empty, None).look(&empty.path).await.expect("it is one");
    assert_eq!((seen.branch.as_deref(), seen.head, seen.default_branch.as_str()), (Some("main"), None, "main"));
    let fault = scm.look(&repo.home()).await.expect_err("it is none");
    assert!(fault.kind == Kind::NotFound && fault.hint.is_some(), "{fault:?}");
}

/// An open pull request keeps its head, and takes a new one.
pub async fn a_pull_request_keeps_its_head(make: Make<'_>) {
    let repo = Repo::new();
    let scm = make(&repo, None);
    let mut plan = PullRequestPlan {
        repository: repo.path.clone(),
        number: 7,
        head: repo.branch("feat/x", "main", &[("x.txt", Some("x\n"))]),
        title: "A title".to_owned(),
        branch: "feat/x".to_owned(),
        target: "main".to_owned(),
    };
    for _ in 0..2 {
        scm.ensure_pull_request(&plan).await.expect("it can be opened, and opened again");
        assert_eq!(repo.commit_of("refs/ao/pull/7/head").as_ref(), Some(&plan.head));
    }
    plan.head = repo.branch("feat/x", "feat/x", &[("x.txt", Some("y\n"))]);
    scm.ensure_pull_request(&plan).await.expect("it takes a new head");
    assert_eq!(repo.commit_of("refs/ao/pull/7/head").as_ref(), Some(&plan.head));
    plan.head = CommitId::new("1234567890123456789012345678901234567890");
    let fault = scm.ensure_pull_request(&plan).await.expect_err("no such commit");
    assert_eq!(fault.kind, Kind::NotFound, "{fault}");
}
