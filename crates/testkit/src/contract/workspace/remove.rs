//! Removing a workspace, and getting back what was in it.

use super::{Bench, Make, assert_nothing_beside, bench, bench_in, inspection, plan, removal};
use crate::contract::repo::Repo;
use ao_core::id::CommitId;
use ao_core::kind::Kind;
use ao_slots::workspace::Removed;
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

const NAME: &str = "refs/ao/rescue/app-1";

async fn remove(bench: &Bench) -> Option<String> {
    remove_all(bench).await.rescue
}

async fn remove_all(bench: &Bench) -> Removed {
    let removed = bench.workspace.remove(&removal(&bench.repo)).await.expect("it can be removed");
    assert!(!bench.dir.exists());
    assert_nothing_beside(&bench.dir);
    let listed = bench.repo.git(&["worktree", "list", "--porcelain"]);
    assert!(!listed.contains("app-1"), "git still lists it: {listed}");
    removed
}

fn rescue(repo: &Repo) -> CommitId {
    repo.commit_of(NAME).expect("there is a rescue ref")
}

/// A workspace without work goes without a trace, its branch as well.
pub async fn a_workspace_without_work_leaves_nothing(make: Make<'_>) {
    let bench = bench(make).await;
    bench.repo.write(&bench.dir, "build/out.o", "ignored\n");
    assert_eq!(remove(&bench).await, None);
    assert_eq!(bench.repo.git(&["for-each-ref", "--format=%(refname)"]), "refs/heads/main");
    assert_eq!(remove(&bench).await, None, "again");
    assert_eq!(bench.workspace.rescued(&bench.repo.path).await.expect("it can be listed"), []);
}

/// Commits that the target does not have keep their branch.
pub async fn a_branch_with_work_is_kept(make: Make<'_>) {
    let bench = bench(make).await;
    let commit = bench.repo.commit(&bench.dir, "src/new.txt", "work\n");
    bench.workspace.inspect(&inspection(&bench.repo, &bench.ready)).await.expect("it can be looked at");
    remove(&bench).await;
    assert_eq!(bench.repo.commit_of("refs/heads/feat/x"), Some(commit));
}

/// Work that landed takes its branch along, merged or squashed.
pub async fn a_branch_that_landed_goes(make: Make<'_>) {
    for squash in [false, true] {
        let bench = bench(make).await;
        let commit = bench.repo.commit(&bench.dir, "src/new.txt", "work\n");
        bench.workspace.inspect(&inspection(&bench.repo, &bench.ready)).await.expect("it can be looked at");
        if squash {
            bench.repo.git(&["update-ref", "refs/ao/pull/1/head", commit.as_str()]);
            bench.repo.commit(&bench.repo.path, "src/new.txt", "work\n");
        } else {
            bench.repo.git(&["merge", "--quiet", "--ff-only", commit.as_str()]);
        }
        remove(&bench).await;
        assert_eq!(bench.repo.commit_of("refs/heads/feat/x"), None, "squash: {squash}");
    }
}

/// A branch that was there before the session is not the session's to delete.
pub async fn a_branch_of_the_users_is_kept(make: Make<'_>) {
    let repo = Repo::new();
    repo.git(&["branch", "feat/x", "main"]);
    let bench = bench_in(repo, make).await;
    remove(&bench).await;
    assert!(bench.repo.commit_of("refs/heads/feat/x").is_some());
}

/// What was staged, changed, new and deleted comes back as it was, staged and unstaged apart; ignored files are listed.
pub async fn everything_comes_back_as_it_was(make: Make<'_>) {
    let bench = bench(make).await;
    bench.repo.commit(&bench.dir, "src/committed.txt", "committed\n");
    bench.repo.write(&bench.dir, "src/a.txt", "staged\n");
    bench.repo.write(&bench.dir, "ünï\n-rf", "odd name\n");
    bench.repo.git_in(&bench.dir, &["add", "--all"]);
    bench.repo.write(&bench.dir, "src/a.txt", "staged, then changed\n");
    bench.repo.write(&bench.dir, "untracked/deep/file", "untracked\n");
    fs::remove_file(bench.dir.join("src/b.txt")).expect("it is there");
    bench.repo.write(&bench.dir, "build/out.o", "12345");
    let status = bench.repo.git_in(&bench.dir, &["status", "--porcelain=v2"]);

    assert_eq!(remove(&bench).await.as_deref(), Some(NAME));
    let message = bench.repo.git(&["log", "-1", "--format=%B", NAME]);
    assert!(message.contains("build/") && message.contains("5 bytes"), "{message}");
    let listed = bench.workspace.rescued(&bench.repo.path).await.expect("it can be listed");
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].name.as_str(), &listed[0].commit), (NAME, &rescue(&bench.repo)));
    assert!(listed[0].subject.contains("app-1") && listed[0].at > 1_600_000_000, "{listed:?}");

    let to = bench.repo.place("back");
    let back = bench.workspace.restore_rescued(&bench.repo.path, NAME, &to).await.expect("it can be put back");
    assert!(back.complete && back.left_out.is_empty(), "{back:?}");
    let branch = back.branch;
    assert_eq!(bench.repo.git_in(&to, &["symbolic-ref", "--short", "HEAD"]), branch);
    assert_eq!(bench.repo.git_in(&to, &["status", "--porcelain=v2"]), status);
    assert_eq!(fs::read_to_string(to.join("src/a.txt")).expect("it is back"), "staged, then changed\n");
    assert_eq!(fs::read_to_string(to.join("untracked/deep/file")).expect("it is back"), "untracked\n");
    let again = bench.repo.place("back-again");
    let other = bench.workspace.restore_rescued(&bench.repo.path, "app-1", &again).await.expect("as often as wanted");
    assert_ne!(other.branch, branch);
    let fault = bench.workspace.restore_rescued(&bench.repo.path, NAME, &to).await.expect_err("it is taken");
    assert_eq!(fault.kind, Kind::Conflict);
    let fault = bench.workspace.restore_rescued(&bench.repo.path, "app-9", &bench.repo.place("x")).await;
    assert_eq!(fault.expect_err("there is none").kind, Kind::NotFound);
}

/// A second rescue does not replace the first.
pub async fn a_second_rescue_does_not_replace_the_first(make: Make<'_>) {
    let bench = bench(make).await;
    bench.repo.write(&bench.dir, "src/a.txt", "first\n");
    assert_eq!(remove(&bench).await.as_deref(), Some(NAME));
    let first = rescue(&bench.repo);
    bench.workspace.ensure(&plan(&bench.repo)).await.expect("it is made again");
    bench.repo.write(&bench.dir, "src/a.txt", "second\n");
    let name = remove(&bench).await.expect("there was work");
    assert_eq!(name, format!("{NAME}-2"));
    assert_eq!(rescue(&bench.repo), first);
    let second = bench.repo.commit_of(&name).expect("it is there");
    assert_eq!(bench.repo.file_of(&second, "src/a.txt").as_deref(), Some("second\n"));
    assert_eq!(bench.workspace.rescued(&bench.repo.path).await.expect("a list").len(), 2);
}

/// Stashes survive, wherever they are kept.
pub async fn stashes_survive(make: Make<'_>) {
    let bench = bench(make).await;
    for n in ["one", "two"] {
        bench.repo.write(&bench.dir, "src/a.txt", &format!("{n}\n"));
        bench.repo.git_in(&bench.dir, &["stash", "push", "--quiet", "--message", n]);
    }
    let stashes = bench.repo.git_in(&bench.dir, &["rev-list", "--walk-reflogs", "refs/stash"]);
    assert_eq!(stashes.lines().count(), 2);
    let name = remove(&bench).await;
    let in_place = bench.repo.try_git(&bench.repo.path, &["rev-list", "--walk-reflogs", "refs/stash"]);
    let mut held = String::from_utf8_lossy(&in_place.stdout).into_owned();
    if let Some(name) = name {
        held.push_str(&bench.repo.git(&["rev-list", &name]));
    }
    for stash in stashes.lines() {
        assert!(held.contains(stash), "{stash} is lost");
    }
}

/// A commit that no branch holds is rescued.
pub async fn a_commit_without_a_branch_is_rescued(make: Make<'_>) {
    let bench = bench(make).await;
    bench.repo.git_in(&bench.dir, &["switch", "--quiet", "--detach"]);
    let commit = bench.repo.commit(&bench.dir, "src/new.txt", "work\n");
    assert_eq!(remove(&bench).await.as_deref(), Some(NAME));
    assert_eq!(bench.repo.parents_of(&rescue(&bench.repo))[0], commit);
}

/// A merge that was being made is rescued with both sides.
pub async fn a_merge_in_the_making_is_rescued(make: Make<'_>) {
    let bench = bench(make).await;
    bench.repo.commit(&bench.dir, "src/a.txt", "ours\n");
    bench.repo.git_in(&bench.dir, &["branch", "other", bench.ready.base.as_str()]);
    bench.repo.git_in(&bench.dir, &["switch", "--quiet", "other"]);
    let other = bench.repo.commit(&bench.dir, "src/a.txt", "theirs\n");
    bench.repo.git_in(&bench.dir, &["switch", "--quiet", "feat/x"]);
    assert!(!bench.repo.try_git(&bench.dir, &["merge", "other"]).status.success());
    assert_eq!(remove(&bench).await.as_deref(), Some(NAME));
    let rescued = rescue(&bench.repo);
    assert!(bench.repo.parents_of(&rescued).contains(&other));
    assert!(bench.repo.file_of(&rescued, "src/a.txt").expect("it is there").contains("<<<<<<<"));
}

/// A repository inside is rescued with its own history and what is not committed in it.
pub async fn a_repository_inside_is_rescued(make: Make<'_>) {
    let bench = bench(make).await;
    let inner = bench.dir.join("vendor/lib");
    bench.repo.write(&inner, "lib.txt", "one\n");
    bench.repo.git_in(&inner, &["init", "--quiet", "--initial-branch=main"]);
    let first = bench.repo.commit_all(&inner, "inner");
    bench.repo.write(&inner, "lib.txt", "two\n");
    let name = remove(&bench).await.expect("there was work");
    let rescued = bench.repo.commit_of(&name).expect("it is there");
    let parents = bench.repo.parents_of(&rescued);
    let inside = parents.last().expect("the inner one is a parent");
    assert_eq!(bench.repo.file_of(inside, "lib.txt").as_deref(), Some("two\n"));
    assert!(bench.repo.parents_of(inside).contains(&first));
    let message = bench.repo.git(&["log", "-1", "--format=%B", &name]);
    assert!(message.contains("vendor/lib"), "{message}");
}

/// A submodule is neither lost nor in the way.
pub async fn a_submodule_is_neither_lost_nor_in_the_way(make: Make<'_>) {
    let repo = Repo::new();
    let library = Repo::new();
    let url = library.path.display().to_string();
    repo.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &url, "lib"]);
    repo.commit_all(&repo.path, "with a submodule");
    let bench = bench_in(repo, make).await;
    bench.repo.git_in(&bench.dir, &["-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init"]);
    let inner = bench.dir.join("lib");
    bench.repo.git_in(&inner, &["switch", "--quiet", "--create", "patch"]);
    let commit = bench.repo.commit(&inner, "src/a.txt", "patched\n");
    bench.repo.write(&inner, "src/b.txt", "not committed\n");
    let name = remove(&bench).await.expect("there was work");
    let held = bench.repo.git(&["rev-list", &name]);
    assert!(held.contains(commit.as_str()), "the submodule's commit is lost");
}

/// While a process works there it stays; afterwards it goes.
pub async fn it_is_refused_while_a_process_works_there(make: Make<'_>) {
    let bench = bench(make).await;
    let mut child = Command::new("sh")
        .args(["-c", "read line"])
        .current_dir(bench.dir.join("src"))
        .stdin(Stdio::piped())
        .spawn()
        .expect("a shell can be run");
    let fault = bench.workspace.remove(&removal(&bench.repo)).await.expect_err("it is in use");
    let named = fault.message.contains(&child.id().to_string());
    let intact = bench.dir.join("src/a.txt").exists();
    child.stdin.take().expect("it is piped").write_all(b"\n").expect("it reads");
    child.wait().expect("it ends");
    assert!(fault.kind == Kind::Conflict && named && intact, "{fault:?}");
    assert_eq!(remove(&bench).await, None);
}

/// What cannot be saved is not removed.
pub async fn what_cannot_be_saved_is_not_removed(make: Make<'_>) {
    let bench = bench(make).await;
    bench.repo.write(&bench.dir, "src/a.txt", "work\n");
    let git_dir = bench.repo.git_in(&bench.dir, &["rev-parse", "--absolute-git-dir"]);
    let index = std::path::Path::new(&git_dir).join("index");
    let whole = fs::read(&index).expect("it is there");
    fs::write(&index, "garbage").expect("an agent may do that");
    let fault = bench.workspace.remove(&removal(&bench.repo)).await.expect_err("it cannot be read");
    assert!(fault.message.contains("nothing was removed"), "{fault}");
    assert_eq!(fs::read_to_string(bench.dir.join("src/a.txt")).expect("it stayed"), "work\n");
    assert_nothing_beside(&bench.dir);
    fs::write(&index, whole).expect("the directory is ours");
    assert_eq!(remove(&bench).await.as_deref(), Some(NAME));
}

/// A workspace that an agent deleted is forgotten; its commits stay.
pub async fn a_deleted_workspace_is_forgotten(make: Make<'_>) {
    let bench = bench(make).await;
    let commit = bench.repo.commit(&bench.dir, "src/new.txt", "work\n");
    bench.workspace.inspect(&inspection(&bench.repo, &bench.ready)).await.expect("it can be looked at");
    fs::remove_dir_all(&bench.dir).expect("an agent may do that");
    assert_eq!(remove(&bench).await, None);
    assert_eq!(bench.repo.commit_of("refs/heads/feat/x"), Some(commit));
}

/// A directory that is something else is left alone.
pub async fn a_directory_that_is_something_else_is_left_alone(make: Make<'_>) {
    let repo = Repo::new();
    let dir = super::place(&repo);
    repo.write(&dir, "mine.txt", "precious\n");
    let fault = make(&repo, None).remove(&removal(&repo)).await.expect_err("it is not ours");
    assert_eq!(fault.kind, Kind::Conflict, "{fault}");
    assert!(dir.join("mine.txt").exists());
}
