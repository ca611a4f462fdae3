//! Git as the plugins call it: what it says about a repository, and what becomes of a git that is old, absent or hangs.

use ao_core::kind::Kind;
use ao_plugins::exec::Environment;
use ao_plugins::git::{Git, Head, Unfinished, facts};
use ao_testkit::contract::repo::{HANGS, Repo, is_running, program};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

fn env(repo: &Repo) -> Environment {
    Environment::exactly(repo.env())
}

/// An environment whose git is this script.
fn with_git(repo: &Repo, script: &str) -> Environment {
    let bin = repo.place("bin");
    program(&bin.join("git"), &format!("#!/bin/sh\n{script}\n"));
    let path = format!("{}:{}", bin.display(), repo.env()["PATH"]);
    env(repo).with("PATH", path)
}

#[tokio::test]
async fn a_plain_repository_is_described() {
    let repo = Repo::new();
    let seen = facts(&repo.path.join("src"), &env(&repo)).await.unwrap();
    assert_eq!(seen.root, repo.path);
    assert_eq!(seen.toplevel.as_deref(), Some(repo.path.as_path()));
    assert_eq!(seen.head, Head::Branch("main".to_owned()));
    assert_eq!(seen.commit, Some(repo.head(&repo.path)));
    assert_eq!(seen.default_branch, "main");
    assert!(seen.has_commits && !seen.bare && !seen.linked && seen.dirty.is_empty() && seen.unfinished.is_none());
    assert!(seen.git.starts_with(|c: char| c.is_ascii_digit()), "{}", seen.git);
}

#[tokio::test]
async fn a_repository_without_commits_is_on_a_branch_that_is_not_born() {
    let repo = Repo::empty();
    repo.write(&repo.path, "new.txt", "x\n");
    let seen = facts(&repo.path, &env(&repo)).await.unwrap();
    assert_eq!(seen.head, Head::Unborn("main".to_owned()));
    assert!(!seen.has_commits && seen.commit.is_none());
    assert_eq!(seen.dirty, [Path::new("new.txt")]);
}

#[tokio::test]
async fn a_detached_head_with_a_merge_going_on_is_seen() {
    let repo = Repo::new();
    repo.branch("side", "main", &[("side.txt", Some("x\n"))]);
    repo.git(&["checkout", "--quiet", "--detach"]);
    repo.git(&["merge", "--quiet", "--no-commit", "--no-ff", "side"]);
    let seen = facts(&repo.path, &env(&repo)).await.unwrap();
    assert_eq!(seen.head, Head::Detached(repo.head(&repo.path)));
    assert_eq!(seen.unfinished, Some(Unfinished::Merge));
    assert_eq!(seen.dirty, [Path::new("side.txt")]);
}

#[tokio::test]
async fn a_linked_worktree_knows_its_main_checkout() {
    let repo = Repo::new();
    let linked = repo.place("linked");
    repo.git(&["worktree", "add", "--quiet", "-b", "side", &linked.display().to_string()]);
    repo.write(&repo.path, "dirty.txt", "in the main checkout\n");
    let seen = facts(&linked, &env(&repo)).await.unwrap();
    assert!(seen.linked);
    assert_eq!((seen.root, seen.toplevel), (repo.path.clone(), Some(linked)));
    assert_eq!(seen.head, Head::Branch("main".to_owned()));
    assert_eq!(seen.dirty, [Path::new("dirty.txt")]);
}

#[tokio::test]
async fn a_bare_repository_is_described() {
    let repo = Repo::new();
    let bare = repo.place("bare.git");
    repo.git(&["clone", "--quiet", "--bare", ".", &bare.display().to_string()]);
    let seen = facts(&bare, &env(&repo)).await.unwrap();
    assert!(seen.bare && seen.toplevel.is_none() && seen.dirty.is_empty());
    assert_eq!((seen.root, seen.head), (bare, Head::Branch("main".to_owned())));
}

#[tokio::test]
async fn the_default_branch_is_the_remotes_then_a_known_name_then_the_current_one() {
    let repo = Repo::new();
    repo.git(&["branch", "trunk"]);
    repo.git(&["update-ref", "refs/remotes/origin/trunk", "main"]);
    repo.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk"]);
    assert_eq!(facts(&repo.path, &env(&repo)).await.unwrap().default_branch, "trunk");
    repo.git(&["symbolic-ref", "--delete", "refs/remotes/origin/HEAD"]);
    repo.git(&["switch", "--quiet", "--create", "feature"]);
    assert_eq!(facts(&repo.path, &env(&repo)).await.unwrap().default_branch, "main");
    repo.git(&["branch", "--delete", "--force", "main"]);
    assert_eq!(facts(&repo.path, &env(&repo)).await.unwrap().default_branch, "feature");
}

#[tokio::test]
async fn a_place_without_a_repository_is_named_with_what_to_do() {
    let repo = Repo::new();
    let fault = facts(&repo.home(), &env(&repo)).await.unwrap_err();
    assert_eq!(fault.kind, Kind::NotFound);
    assert!(fault.message.contains("home") && fault.hint.unwrap().contains("git init"), "{}", fault.message);
    let fault = facts(&repo.place("nowhere"), &env(&repo)).await.unwrap_err();
    assert!(fault.kind == Kind::NotFound && fault.message.contains("nowhere"), "{fault:?}");
}

#[tokio::test]
async fn a_repository_of_somebody_else_is_denied_with_what_to_do() {
    let repo = Repo::new();
    let env = env(&repo).with("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1");
    let fault = facts(&repo.path, &env).await.unwrap_err();
    assert_eq!(fault.kind, Kind::Denied, "{fault:?}");
    assert!(fault.hint.unwrap().contains("safe.directory"));
}

#[tokio::test]
async fn a_missing_git_is_named_with_what_to_do() {
    let repo = Repo::new();
    let env = env(&repo).with("PATH", repo.place("nothing"));
    let fault = facts(&repo.path, &env).await.unwrap_err();
    assert_eq!(fault.kind, Kind::Unsupported, "{fault:?}");
    assert!(fault.message.contains("git") && fault.hint.is_some());
}

#[tokio::test]
async fn a_git_that_is_too_old_says_so() {
    use ao_core::effect::CandidateHead;
    use ao_core::id::PrId;
    use ao_slots::scm::{CandidatePlan, Scm};
    let repo = Repo::new();
    let head = repo.branch("work", "main", &[("new.txt", Some("x\n"))]);
    // What git 2.37 answers.
    let old = "case \"$*\" in *merge-tree*) echo 'usage: git merge-tree <base-tree> <branch1> <branch2>' >&2; exit 129;; esac";
    let path = std::env::var_os("PATH").unwrap();
    let git = std::env::split_paths(&path).map(|dir| dir.join("git")).find(|git| git.is_file()).unwrap();
    let env = with_git(&repo, &format!("{old}\nexec '{}' \"$@\"", git.display()));
    let plan = CandidatePlan {
        repository: repo.path.clone(),
        target: "main".to_owned(),
        heads: vec![CandidateHead { pr: PrId::new("app#1"), head, message: "x".to_owned() }],
        strategy: ao_core::project::MergeStrategy::Squash,
        keep: "refs/ao/candidate/1".to_owned(),
    };
    let fault = ao_plugins::scm::Local::new(env).build_candidate(&plan).await.unwrap_err();
    assert_eq!(fault.kind, Kind::Unsupported, "{fault:?}");
    assert!(fault.hint.unwrap().contains("2.38"));
}

#[tokio::test]
async fn a_git_that_hangs_ends_at_its_limit_with_what_it_started() {
    let repo = Repo::new();
    let pids = repo.place("pids");
    let script = format!("setsid sleep 1000 & echo $! > {0}.new; mv {0}.new {0}; sleep 1000", pids.display());
    let git = Git::at(&repo.path, &with_git(&repo, &script));
    for limit in HANGS {
        let began = Instant::now();
        let fault = git.call(["status"]).limit(limit).run().await.unwrap_err();
        assert_eq!(fault.kind, Kind::Unavailable, "{fault:?}");
        assert!(fault.message.contains("git status"), "{fault:?}");
        assert!(began.elapsed() < Duration::from_secs(500));
        if let Ok(pid) = fs::read_to_string(&pids) {
            return assert!(!is_running(&pid), "its child still runs");
        }
    }
    panic!("it does not begin");
}

#[tokio::test]
async fn a_git_that_leaves_a_child_behind_with_its_output_is_not_waited_for() {
    let repo = Repo::new();
    let pids = repo.place("pids");
    let script = format!("sleep 1000 & echo $! > {}; echo done", pids.display());
    let git = Git::at(&repo.path, &with_git(&repo, &script));
    let began = Instant::now();
    assert_eq!(git.call(["version"]).text().await.unwrap(), "done");
    assert!(began.elapsed() < Duration::from_secs(500));
    assert!(!is_running(&fs::read_to_string(&pids).unwrap()), "its child still runs");
}

#[tokio::test]
async fn a_worktree_that_another_git_is_making_is_waited_for() {
    let repo = Repo::new();
    let seen = repo.place("seen");
    // What git says when it reads the files of a worktree before they are written.
    let script = format!(
        "if test -e {0}; then echo done; else touch {0}; echo 'fatal: failed to read .git/worktrees/x/commondir: Success' >&2; exit 128; fi",
        seen.display()
    );
    let git = Git::at(&repo.path, &with_git(&repo, &script));
    assert_eq!(git.call(["worktree", "list"]).text().await.unwrap(), "done");
}

#[tokio::test]
async fn questions_are_never_asked_and_settings_of_the_daemon_do_not_leak() {
    let repo = Repo::new();
    let git = Git::at(&repo.path, &with_git(&repo, "env"));
    let said = git.call(["version"]).text().await.unwrap();
    for line in ["GIT_TERMINAL_PROMPT=0", "LC_ALL=C"] {
        assert!(said.lines().any(|l| l == line), "{line} is missing in {said}");
    }
    assert!(!said.contains("CARGO_MANIFEST_DIR"), "{said}");
}
