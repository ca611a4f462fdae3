//! Looking at what a workspace holds, without changing any of it.

use super::{Bench, Make, bench, bench_in, inspection};
use crate::contract::repo::Repo;
use ao_core::effect::Inspection;
use ao_core::id::CommitId;
use std::fs::{self, File, FileTimes};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Looks, and makes sure that looking changed nothing.
async fn look(bench: &Bench) -> Inspection {
    let before = bench.repo.state_of(&bench.dir);
    let found = bench.workspace.inspect(&inspection(&bench.repo, &bench.ready)).await.expect("it can be looked at");
    assert_eq!(bench.repo.state_of(&bench.dir), before, "looking changed index, HEAD or files");
    found
}

async fn changed(bench: &Bench) -> (CommitId, Option<String>) {
    match look(bench).await {
        Inspection::Changed { head, other_branch } => {
            assert_eq!(bench.repo.commit_of("refs/ao/work/app-1").as_ref(), Some(&head), "it is not kept");
            (head, other_branch)
        }
        other => panic!("{other:?} instead of work"),
    }
}

/// Nothing was done: nothing is there to land.
pub async fn a_new_workspace_is_unchanged(make: Make<'_>) {
    let bench = bench(make).await;
    assert_eq!(look(&bench).await, Inspection::Unchanged);
    bench.repo.commit(&bench.repo.path, "later.txt", "the target moves on\n");
    assert_eq!(look(&bench).await, Inspection::Unchanged);
    bench.repo.write(&bench.dir, "build/out.o", "ignored\n");
    assert_eq!(look(&bench).await, Inspection::Unchanged);
}

/// A directory that is gone, or emptied, is missing.
pub async fn a_deleted_workspace_is_missing(make: Make<'_>) {
    let bench = bench(make).await;
    fs::remove_dir_all(&bench.dir).expect("an agent may do that");
    let look = || async { bench.workspace.inspect(&inspection(&bench.repo, &bench.ready)).await };
    assert_eq!(look().await, Ok(Inspection::Missing));
    fs::create_dir(&bench.dir).expect("it is gone");
    assert_eq!(look().await, Ok(Inspection::Missing));
}

/// Work that was committed is the branch's own commit.
pub async fn committed_work_is_the_branchs_own_commit(make: Make<'_>) {
    let bench = bench(make).await;
    let commit = bench.repo.commit(&bench.dir, "src/new.txt", "work\n");
    assert_eq!(changed(&bench).await, (commit.clone(), None));
    assert_eq!(bench.repo.commit_of("refs/heads/feat/x"), Some(commit), "the main repository does not have the branch");
}

/// Work that was not committed is kept whole: changed, new, deleted, renamed, staged; what is ignored is not in it.
pub async fn uncommitted_work_is_kept_whole(make: Make<'_>) {
    let bench = bench(make).await;
    bench.repo.write(&bench.dir, "src/a.txt", "changed\n");
    bench.repo.write(&bench.dir, "new/file.txt", "new\n");
    bench.repo.write(&bench.dir, "staged.txt", "staged\n");
    bench.repo.git_in(&bench.dir, &["add", "staged.txt"]);
    bench.repo.write(&bench.dir, "staged.txt", "staged, then changed\n");
    bench.repo.write(&bench.dir, "build/out.o", "ignored\n");
    fs::remove_file(bench.dir.join("src/b.txt")).expect("it is there");
    let (head, other) = changed(&bench).await;
    assert_eq!(other, None);
    assert_eq!(bench.repo.parents_of(&head), std::slice::from_ref(&bench.ready.base));
    assert_eq!(bench.repo.files_of(&head), [".gitignore", "new/file.txt", "src/a.txt", "staged.txt"]);
    assert_eq!(bench.repo.file_of(&head, "staged.txt").as_deref(), Some("staged, then changed\n"));
    assert_eq!(changed(&bench).await.0, head, "the same content gave another commit");
    bench.repo.write(&bench.dir, "src/a.txt", "changed again\n");
    assert_ne!(changed(&bench).await.0, head);
}

/// A change in the very moment of the last look, of the same length, is seen: git tells such files by the index's own time.
pub async fn a_change_in_the_moment_of_the_last_look_is_seen(make: Make<'_>) {
    let bench = bench(make).await;
    let git_dir = bench.repo.git_in(&bench.dir, &["rev-parse", "--absolute-git-dir"]);
    let (file, index) = (bench.dir.join("src/a.txt"), Path::new(&git_dir).join("index"));
    let moment = SystemTime::now() - Duration::from_secs(100);
    let set = |path: &Path| {
        let times = FileTimes::new().set_modified(moment);
        File::options().write(true).open(path).and_then(|file| file.set_times(times)).expect("it is ours");
    };
    // The kernel's own change time cannot be set: file systems without it behave so by themselves.
    bench.repo.git_in(&bench.dir, &["config", "core.trustctime", "false"]);
    bench.repo.write(&bench.dir, "src/a.txt", "0000\n");
    set(&file);
    bench.repo.git_in(&bench.dir, &["add", "--all"]);
    set(&index);
    bench.repo.write(&bench.dir, "src/a.txt", "1111\n");
    set(&file);
    let (head, _) = changed(&bench).await;
    assert_eq!(bench.repo.file_of(&head, "src/a.txt").as_deref(), Some("1111\n"));
}

/// Names that look like options, with spaces, line ends and letters from anywhere, are names.
pub async fn any_file_name_is_only_a_name(make: Make<'_>) {
    let bench = bench(make).await;
    let names = ["-rf", "--", "a b", "line\nend", "ünï", "日本", "quote\"'", "back\\slash", ":(top)x", "*", "tab\t"];
    for name in names {
        bench.repo.write(&bench.dir, name, "text\n");
    }
    let (head, _) = changed(&bench).await;
    let files = bench.repo.files_of(&head);
    for name in names {
        assert!(files.iter().any(|file| file == name), "{name:?} is missing in {files:?}");
    }
}

/// Line ends stay as git's settings say, and warnings about them stop nothing.
pub async fn line_ends_stop_nothing(make: Make<'_>) {
    let repo = Repo::new();
    repo.git(&["config", "core.autocrlf", "input"]);
    repo.git(&["config", "core.safecrlf", "true"]);
    fs::write(repo.home().join(".gitconfig"), "[core]\n\tautocrlf = input\n\tsafecrlf = true\n")
        .expect("the home is ours");
    let bench = bench_in(repo, make).await;
    bench.repo.write(&bench.dir, "src/a.txt", "one\r\ntwo\r\n");
    let (head, _) = changed(&bench).await;
    assert_eq!(bench.repo.file_of(&head, "src/a.txt").as_deref(), Some("one\ntwo\n"));
}

/// Work on another branch, or on none, is kept, and said to be elsewhere.
pub async fn work_on_another_branch_is_kept_and_named(make: Make<'_>) {
    let bench = bench(make).await;
    bench.repo.git_in(&bench.dir, &["switch", "--quiet", "--create", "mine"]);
    let commit = bench.repo.commit(&bench.dir, "src/new.txt", "elsewhere\n");
    assert_eq!(changed(&bench).await, (commit, Some("mine".to_owned())));
    bench.repo.git_in(&bench.dir, &["switch", "--quiet", "--detach"]);
    let commit = bench.repo.commit(&bench.dir, "src/more.txt", "nowhere\n");
    bench.repo.write(&bench.dir, "src/even-more.txt", "not committed\n");
    let (head, other) = changed(&bench).await;
    assert_eq!(other.as_deref(), Some("(detached)"));
    assert_eq!(bench.repo.parents_of(&head), [commit]);
}

/// A branch without history is still work.
pub async fn a_branch_without_history_is_work(make: Make<'_>) {
    let bench = bench(make).await;
    bench.repo.git_in(&bench.dir, &["checkout", "--quiet", "--orphan", "fresh"]);
    bench.repo.write(&bench.dir, "src/new.txt", "work\n");
    let (head, other) = changed(&bench).await;
    assert_eq!(other.as_deref(), Some("fresh"));
    assert_eq!(bench.repo.file_of(&head, "src/new.txt").as_deref(), Some("work\n"));
}

/// Makes a conflict between the workspace and the target in `src/a.txt`.
fn collide(bench: &Bench) {
    bench.repo.commit(&bench.dir, "src/a.txt", "ours\n");
    bench.repo.commit(&bench.repo.path, "src/a.txt", "theirs\n");
    bench.repo.commit(&bench.repo.path, "src/b.txt", "theirs too\n");
}

/// Merges the target, which conflicts.
async fn merge_target(bench: &Bench) {
    // A clone learns of the target's new commits when it is looked at.
    look(bench).await;
    let ran = bench.repo.try_git(&bench.dir, &["merge", "main"]);
    assert!(!ran.status.success(), "there was no conflict: {}", String::from_utf8_lossy(&ran.stdout));
}

/// A merge is followed from its conflict to its commit.
pub async fn a_merge_is_followed_to_its_end(make: Make<'_>) {
    let bench = bench(make).await;
    collide(&bench);
    merge_target(&bench).await;
    let left = Inspection::Unmerged { files: vec!["src/a.txt".to_owned()] };
    assert_eq!(look(&bench).await, left, "in conflict");
    bench.repo.git_in(&bench.dir, &["add", "--all"]);
    assert_eq!(look(&bench).await, left, "added with its markers");

    bench.repo.write(&bench.dir, "src/a.txt", "ours and theirs\n");
    let target = bench.repo.head(&bench.repo.path);
    let (head, _) = changed(&bench).await;
    assert_eq!(bench.repo.parents_of(&head), [bench.repo.head(&bench.dir), target.clone()], "solved, not committed");
    assert_eq!(bench.repo.file_of(&head, "src/a.txt").as_deref(), Some("ours and theirs\n"));
    assert_eq!(bench.repo.file_of(&head, "src/b.txt").as_deref(), Some("theirs too\n"));

    let commit = bench.repo.commit_all(&bench.dir, "merge");
    assert_eq!(changed(&bench).await, (commit, None), "committed");
}

/// Markers that were committed are conflicts all the same.
pub async fn markers_that_were_committed_are_conflicts(make: Make<'_>) {
    let bench = bench(make).await;
    collide(&bench);
    merge_target(&bench).await;
    bench.repo.commit_all(&bench.dir, "merge, or so it says");
    assert_eq!(look(&bench).await, Inspection::Unmerged { files: vec!["src/a.txt".to_owned()] });
}

/// A text about conflicts is none: not without a merge, and not when the target has it already.
pub async fn a_text_about_conflicts_is_none(make: Make<'_>) {
    const PAGE: &str = "How to merge\n<<<<<<< HEAD\na\n=======\nb\n>>>>>>> main\n";
    let bench = bench(make).await;
    bench.repo.write(&bench.dir, "docs/mine.md", PAGE);
    changed(&bench).await;
    bench.repo.commit_all(&bench.dir, "a page");
    collide(&bench);
    bench.repo.commit(&bench.repo.path, "docs/theirs.md", PAGE);
    merge_target(&bench).await;
    bench.repo.write(&bench.dir, "src/a.txt", "both\n");
    bench.repo.git_in(&bench.dir, &["add", "--all"]);
    changed(&bench).await;
    bench.repo.commit_all(&bench.dir, "merge");
    changed(&bench).await;
    bench.repo.commit(&bench.dir, "src/b.txt", "work after the merge\n");
    changed(&bench).await;
}

/// Only the target was merged: nothing of its own is left to land.
pub async fn a_merge_of_the_target_alone_is_no_work(make: Make<'_>) {
    let bench = bench(make).await;
    bench.repo.commit(&bench.repo.path, "later.txt", "x\n");
    assert_eq!(look(&bench).await, Inspection::Unchanged);
    bench.repo.git_in(&bench.dir, &["merge", "--quiet", "--no-ff", "--no-edit", "main"]);
    assert_eq!(look(&bench).await, Inspection::Unchanged);
}

/// What the target has by now, as after a squash, is no work any more.
pub async fn work_that_the_target_has_is_no_work(make: Make<'_>) {
    let bench = bench(make).await;
    bench.repo.commit(&bench.dir, "src/new.txt", "work\n");
    changed(&bench).await;
    bench.repo.commit(&bench.repo.path, "src/new.txt", "work\n");
    assert_eq!(look(&bench).await, Inspection::Unchanged);
}

/// A rebase that stopped is not finished: its later commits are in no file.
pub async fn a_rebase_that_stopped_is_not_finished(make: Make<'_>) {
    let bench = bench(make).await;
    collide(&bench);
    bench.repo.commit(&bench.dir, "src/second.txt", "work\n");
    look(&bench).await;
    let ran = bench.repo.try_git(&bench.dir, &["rebase", "main"]);
    assert!(!ran.status.success(), "there was no conflict");
    assert!(matches!(look(&bench).await, Inspection::Unmerged { .. }));
    bench.repo.write(&bench.dir, "src/a.txt", "both\n");
    bench.repo.git_in(&bench.dir, &["add", "--all"]);
    match look(&bench).await {
        Inspection::Unmerged { files } => assert!(files.concat().contains("rebase"), "{files:?}"),
        other => panic!("{other:?}"),
    }
    bench.repo.git_in(&bench.dir, &["-c", "core.editor=:", "rebase", "--continue"]);
    let (head, _) = changed(&bench).await;
    assert!(bench.repo.file_of(&head, "src/second.txt").is_some());
}

/// A repository that an agent cloned into its workspace is not part of its work.
pub async fn a_repository_inside_is_not_part_of_the_work(make: Make<'_>) {
    let bench = bench(make).await;
    let inner = bench.dir.join("vendor/lib");
    bench.repo.write(&inner, "lib.txt", "somebody else's\n");
    bench.repo.git_in(&inner, &["init", "--quiet"]);
    bench.repo.write(&bench.dir, "vendor/mine.txt", "work\n");
    let (head, _) = changed(&bench).await;
    assert_eq!(bench.repo.files_of(&head), [".gitignore", "src/a.txt", "src/b.txt", "vendor/mine.txt"]);
}

/// An agent that deletes git's own link, or makes a repository of the workspace, hides nothing.
pub async fn a_deleted_index_hides_nothing(make: Make<'_>) {
    let repo = Repo::new();
    repo.write(&repo.path, "tracked.log", "tracked, though ignored\n");
    repo.git(&["add", "--force", "tracked.log"]);
    repo.commit_all(&repo.path, "a tracked file that is ignored");
    let bench = bench_in(repo, make).await;
    bench.repo.write(&bench.dir, "src/new.txt", "work\n");
    let git_dir = bench.repo.git_in(&bench.dir, &["rev-parse", "--absolute-git-dir"]);
    fs::remove_file(Path::new(&git_dir).join("index")).expect("it is there");
    let found = bench.workspace.inspect(&inspection(&bench.repo, &bench.ready)).await.expect("it can be looked at");
    let Inspection::Changed { head, .. } = found else { panic!("{found:?}") };
    assert_eq!(bench.repo.files_of(&head), [".gitignore", "src/a.txt", "src/b.txt", "src/new.txt", "tracked.log"]);
}
