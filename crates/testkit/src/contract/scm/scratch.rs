//! Scratch checkouts: exactly a commit, with build caches, mended when broken, and never somebody else's directory.

use super::Make;
use crate::contract::repo::Repo;
use ao_core::id::CommitId;
use ao_core::kind::Kind;
use std::fs;
use std::path::{Path, PathBuf};

fn setup() -> (Repo, PathBuf, CommitId, CommitId) {
    let repo = Repo::new();
    let one = repo.head(&repo.path);
    let two = repo.branch("two", "main", &[("two.txt", Some("2\n")), ("src/a.txt", None)]);
    let dir = repo.place("data/scratch/gate");
    (repo, dir, one, two)
}

fn assert_is(repo: &Repo, dir: &Path, commit: &CommitId) {
    assert_eq!(&repo.head(dir), commit);
    assert_eq!(repo.git_in(dir, &["status", "--porcelain"]), "");
    assert_eq!(repo.git_in(dir, &["rev-parse", "--abbrev-ref", "HEAD"]), "HEAD", "it is on a branch");
}

/// It goes from commit to commit; what git ignores stays, everything else goes.
pub async fn it_goes_from_commit_to_commit_and_keeps_what_is_ignored(make: Make<'_>) {
    let (repo, dir, one, two) = setup();
    let scm = make(&repo, None);
    for commit in [&one, &two, &two, &one] {
        scm.scratch(&repo.path, &dir, commit).await.expect("it can be checked out");
        assert_is(&repo, &dir, commit);
        if commit != &one || dir.join("build/cache").exists() {
            assert_eq!(fs::read_to_string(dir.join("build/cache")).expect("the cache stays"), "kept\n");
        }
        repo.write(&dir, "build/cache", "kept\n");
        repo.write(&dir, "leftover/x.txt", "of a check\n");
        repo.write(&dir, "src/b.txt", "changed by a check\n");
        repo.write(&dir, "inner/y.txt", "x\n");
        repo.git_in(&dir.join("inner"), &["init", "--quiet"]);
    }
    scm.remove_scratch(&repo.path, &dir).await.expect("it can be removed");
    assert!(!dir.exists());
    assert!(!repo.git(&["worktree", "list", "--porcelain"]).contains("scratch"));
    scm.remove_scratch(&repo.path, &dir).await.expect("again");
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
}

/// Whatever a check or a kill did to it, the next call mends it.
pub async fn a_broken_one_is_mended(make: Make<'_>) {
    let (repo, dir, one, two) = setup();
    let scm = make(&repo, None);
    let admin = repo.path.join(".git/worktrees/gate");
    type Break<'a> = Box<dyn Fn() + 'a>;
    let breaks: Vec<(&str, Break<'_>)> = vec![
        ("a lock is left", Box::new(|| fs::write(admin.join("index.lock"), "").expect("it is ours"))),
        ("the index is garbage", Box::new(|| fs::write(admin.join("index"), "garbage").expect("it is ours"))),
        ("the link is gone", Box::new(|| fs::remove_file(dir.join(".git")).expect("it is there"))),
        ("the directory is gone", Box::new(|| fs::remove_dir_all(&dir).expect("it is there"))),
        ("HEAD is garbage", Box::new(|| fs::write(admin.join("HEAD"), "garbage").expect("it is ours"))),
        (
            "a merge is going on",
            Box::new(|| {
                repo.git_in(&dir, &["merge", "--quiet", "--no-commit", "--no-ff", "two"]);
            }),
        ),
    ];
    for (what, break_it) in breaks {
        scm.scratch(&repo.path, &dir, &one).await.expect("it can be checked out");
        break_it();
        scm.scratch(&repo.path, &dir, &two).await.unwrap_or_else(|fault| panic!("{what}: {fault}"));
        assert_is(&repo, &dir, &two);
    }
}

/// A directory or worktree that is not ours is refused and left alone; so is a commit that does not exist.
pub async fn somebody_elses_directory_is_left_alone(make: Make<'_>) {
    let (repo, dir, one, _) = setup();
    let scm = make(&repo, None);
    repo.write(&dir, "mine.txt", "precious\n");
    for fault in [scm.scratch(&repo.path, &dir, &one).await, scm.remove_scratch(&repo.path, &dir).await] {
        assert_eq!(fault.expect_err("it is not ours").kind, Kind::Conflict);
        assert!(dir.join("mine.txt").exists());
    }
    let linked = repo.place("linked");
    repo.git(&["worktree", "add", "--quiet", "-b", "mine", &linked.display().to_string()]);
    repo.write(&linked, "mine.txt", "precious\n");
    for fault in [scm.scratch(&repo.path, &linked, &one).await, scm.remove_scratch(&repo.path, &linked).await] {
        assert_eq!(fault.expect_err("it is not ours").kind, Kind::Conflict);
        assert!(linked.join("mine.txt").exists());
    }
    let none = CommitId::new("1234567890123456789012345678901234567890");
    let fault = scm.scratch(&repo.path, &repo.place("other"), &none).await.expect_err("there is none");
    assert_eq!(fault.kind, Kind::NotFound);
}
