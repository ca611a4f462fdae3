//! What is true of worktrees alone: how git's own list, links and locks are met in every state.

use ao_core::effect::Inspection;
use ao_core::kind::Kind;
use ao_plugins::exec::Environment;
use ao_plugins::workspace::Worktree;
use ao_slots::workspace::{InspectPlan, RemovePlan, Workspace, WorkspacePlan};
use ao_testkit::contract::repo::{Repo, program};
use ao_testkit::contract::workspace::{inspection, place, plan, removal};
use std::fs;
use std::path::PathBuf;

fn worktrees(repo: &Repo) -> Worktree {
    Worktree::new(Environment::exactly(repo.env()))
}

async fn made() -> (Repo, Worktree, WorkspacePlan, PathBuf) {
    let repo = Repo::new();
    let workspace = worktrees(&repo);
    let plan = plan(&repo);
    workspace.ensure(&plan).await.unwrap();
    let admin = repo.path.join(".git/worktrees/app-1");
    assert!(admin.is_dir());
    (repo, workspace, plan, admin)
}

#[tokio::test]
async fn making_one_takes_one_call_of_git_and_finding_it_none() {
    let repo = Repo::new();
    let bin = repo.place("bin");
    let path = std::env::var_os("PATH").unwrap();
    let git = std::env::split_paths(&path).map(|dir| dir.join("git")).find(|git| git.is_file()).unwrap();
    let log = repo.place("calls");
    let script = format!("#!/bin/sh\necho call >> '{}'\nexec '{}' \"$@\"\n", log.display(), git.display());
    program(&bin.join("git"), &script);
    let env = Environment::exactly(repo.env()).with("PATH", format!("{}:{}", bin.display(), repo.env()["PATH"]));
    let workspace = Worktree::new(env);
    workspace.ensure(&plan(&repo)).await.unwrap();
    let calls = || fs::read_to_string(&log).unwrap().lines().count();
    assert_eq!(calls(), 1);
    workspace.ensure(&plan(&repo)).await.unwrap();
    assert_eq!(calls(), 1, "finding it again");

    // A branch that has no file of its own is git's business.
    let packed =
        std::process::Command::new("git").args(["pack-refs", "--all"]).current_dir(&repo.path).output().unwrap();
    assert!(packed.status.success() && !repo.path.join(".git/refs/heads/main").exists(), "{packed:?}");
    let second = WorkspacePlan {
        session: ao_core::id::SessionId::new("app-2"),
        path: repo.place("data/worktrees/app-2"),
        branch: "feat/second".to_owned(),
        ..plan(&repo)
    };
    let ready = workspace.ensure(&second).await.unwrap();
    assert_eq!(calls(), 3, "one to find the commit");
    assert!(second.path.join(".git").exists() && !ready.base.as_str().is_empty());
}

#[tokio::test]
async fn many_are_made_looked_at_and_removed_at_once() {
    let repo = std::sync::Arc::new(Repo::new());
    let tasks: Vec<_> = (1..=12)
        .map(|n| {
            let (repo, workspace) = (repo.clone(), worktrees(&repo));
            tokio::spawn(async move {
                let session = ao_core::id::SessionId::new(format!("app-{n}"));
                let path = repo.place(&format!("data/worktrees/app-{n}"));
                let branch = format!("feat/x{n}");
                let wanted = WorkspacePlan {
                    session: session.clone(),
                    path: path.clone(),
                    branch: branch.clone(),
                    ..plan(&repo)
                };
                let ready = workspace.ensure(&wanted).await.unwrap();
                repo.write(&path, "src/a.txt", "work\n");
                let keep = format!("refs/ao/work/app-{n}");
                let look = InspectPlan { session, path, branch, keep, ..inspection(&repo, &ready) };
                let found = workspace.inspect(&look).await.unwrap();
                assert!(matches!(found, Inspection::Changed { .. }), "{found:?}");
                let plan = RemovePlan { session: look.session, path: look.path, branch: look.branch, ..removal(&repo) };
                assert!(workspace.remove(&plan).await.unwrap().rescue.is_some());
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(worktrees(&repo).rescued(&repo.path).await.unwrap().len(), 12);
    assert_eq!(repo.git(&["worktree", "list"]).lines().count(), 1);
}

#[tokio::test]
async fn a_branch_that_is_checked_out_elsewhere_is_a_conflict_that_names_the_place() {
    let repo = Repo::new();
    let other = repo.place("other place");
    repo.git(&["worktree", "add", "--quiet", "-b", "feat/x", &other.display().to_string()]);
    let fault = worktrees(&repo).ensure(&plan(&repo)).await.unwrap_err();
    assert_eq!(fault.kind, Kind::Conflict);
    assert!(fault.message.contains("feat/x") && fault.message.contains("other place"), "{fault}");
    assert!(!place(&repo).exists());
}

#[tokio::test]
async fn a_registration_without_its_directory_is_made_anew() {
    let (repo, workspace, plan, _) = made().await;
    let other = repo.place("elsewhere");
    repo.git(&["worktree", "add", "--quiet", "-b", "mine", &other.display().to_string()]);
    fs::remove_dir_all(&other).unwrap();
    let work = repo.commit(&plan.path, "src/new.txt", "work\n");
    fs::remove_dir_all(&plan.path).unwrap();
    workspace.ensure(&plan).await.unwrap();
    assert_eq!(repo.head(&plan.path), work);
    let listed = repo.git(&["worktree", "list", "--porcelain"]);
    assert!(listed.contains("elsewhere"), "somebody else's registration was pruned");
}

#[tokio::test]
async fn one_that_git_had_only_begun_is_made_anew() {
    let (repo, workspace, plan, admin) = made().await;
    // As after a kill of `git worktree add` in the middle of its work.
    fs::write(admin.join("locked"), "initializing\n").unwrap();
    fs::remove_file(admin.join("index")).unwrap();
    fs::remove_file(admin.join("ao-ready")).unwrap();
    fs::remove_file(plan.path.join("src/a.txt")).unwrap();
    workspace.ensure(&plan).await.unwrap();
    assert_eq!(repo.git_in(&plan.path, &["status", "--porcelain"]), "");
    assert!(plan.path.join("src/a.txt").exists());
    fs::write(admin.join("locked"), "initializing\n").unwrap();
    assert_eq!(workspace.remove(&removal(&repo)).await.unwrap().rescue, None);
    assert!(!plan.path.exists() && !admin.exists());
}

#[tokio::test]
async fn a_link_that_an_agent_deleted_is_put_back_with_everything_in_place() {
    let (repo, workspace, plan, _) = made().await;
    repo.write(&plan.path, "src/a.txt", "work\n");
    fs::remove_file(plan.path.join(".git")).unwrap();
    let ready = workspace.ensure(&plan).await.unwrap();
    assert_eq!(repo.git_in(&plan.path, &["status", "--porcelain"]), " M src/a.txt");
    assert_eq!(ready.branch, "feat/x");
}

#[tokio::test]
async fn a_repository_that_was_moved_has_its_worktrees_with_everything_in_place() {
    let (repo, workspace, mut plan, _) = made().await;
    repo.write(&plan.path, "src/a.txt", "work\n");
    let moved = repo.place("moved");
    fs::rename(&repo.path, &moved).unwrap();
    // What a removal would save does not depend on the link.
    let removal = RemovePlan { repository: moved.clone(), ..removal(&repo) };
    assert_eq!(workspace.measure(&removal).await.unwrap().changed, 1);
    plan.repository = moved.clone();
    workspace.ensure(&plan).await.unwrap();
    assert_eq!(repo.git_in(&plan.path, &["status", "--porcelain"]), " M src/a.txt");
    fs::rename(&moved, &repo.path).unwrap();
    let plan = WorkspacePlan { repository: repo.path.clone(), ..plan };
    fs::write(plan.path.join(".git"), format!("gitdir: {}\n", moved.join(".git/worktrees/app-1").display())).unwrap();
    let again = RemovePlan { repository: repo.path.clone(), ..removal };
    let name = workspace.remove(&again).await.unwrap().rescue.unwrap();
    assert_eq!(repo.file_of(&repo.commit_of(&name).unwrap(), "src/a.txt").as_deref(), Some("work\n"));
    assert!(!plan.path.exists());
}

#[tokio::test]
async fn a_worktree_that_was_deleted_by_hand_is_forgotten_and_nothing_else() {
    let (repo, workspace, plan, admin) = made().await;
    let other = repo.place("elsewhere");
    repo.git(&["worktree", "add", "--quiet", "-b", "mine", &other.display().to_string()]);
    fs::remove_dir_all(&other).unwrap();
    let work = repo.commit(&plan.path, "src/new.txt", "work\n");
    fs::remove_dir_all(&plan.path).unwrap();
    assert_eq!(workspace.measure(&removal(&repo)).await.unwrap(), Default::default());
    assert_eq!(workspace.remove(&removal(&repo)).await.unwrap().rescue, None);
    assert!(!admin.exists(), "its registration is gone");
    assert_eq!(repo.commit_of("refs/heads/feat/x"), Some(work), "its commits are not");
    assert!(repo.git(&["worktree", "list", "--porcelain"]).contains("elsewhere"), "a stranger's stale one stays");
}

#[tokio::test]
async fn an_agent_that_makes_a_repository_of_its_workspace_hides_nothing() {
    let (repo, workspace, plan, _) = made().await;
    let ready = workspace.ensure(&plan).await.unwrap();
    repo.write(&plan.path, "src/a.txt", "work\n");
    fs::remove_file(plan.path.join(".git")).unwrap();
    repo.git_in(&plan.path, &["init", "--quiet"]);
    repo.commit_all(&plan.path, "in a repository of its own");
    let found = workspace.inspect(&inspection(&repo, &ready)).await.unwrap();
    let Inspection::Changed { head, .. } = found else { panic!("{found:?}") };
    assert_eq!(repo.file_of(&head, "src/a.txt").as_deref(), Some("work\n"));
    let name = workspace.remove(&removal(&repo)).await.unwrap().rescue.unwrap();
    let rescued = repo.commit_of(&name).unwrap();
    assert_eq!(repo.file_of(&rescued, "src/a.txt").as_deref(), Some("work\n"));
}

#[tokio::test]
async fn one_that_a_person_locked_is_not_removed() {
    let (repo, workspace, plan, _) = made().await;
    repo.git(&["worktree", "lock", "--reason", "on my stick", &plan.path.display().to_string()]);
    let fault = workspace.remove(&removal(&repo)).await.unwrap_err();
    assert!(fault.kind == Kind::Conflict && fault.message.contains("on my stick"), "{fault:?}");
    assert!(plan.path.join("src/a.txt").exists());
}

#[tokio::test]
async fn the_directory_of_another_session_is_a_conflict() {
    let (_repo, workspace, mut plan, _) = made().await;
    plan.session = ao_core::id::SessionId::new("app-2");
    let fault = workspace.ensure(&plan).await.unwrap_err();
    assert!(fault.kind == Kind::Conflict && fault.message.contains("app-1"), "{fault:?}");
}

#[tokio::test]
async fn a_worktree_of_a_worktree_belongs_to_the_main_repository() {
    let repo = Repo::new();
    let linked = repo.place("linked");
    repo.git(&["worktree", "add", "--quiet", "-b", "side", &linked.display().to_string()]);
    let mut plan = plan(&repo);
    plan.repository = linked;
    let workspace = worktrees(&repo);
    workspace.ensure(&plan).await.unwrap();
    assert!(repo.path.join(".git/worktrees/app-1/ao-ready").exists());
    assert!(fs::read_to_string(repo.path.join(".git/info/exclude")).unwrap().contains("/.ao/"));
}

#[tokio::test]
async fn a_repository_that_keeps_refs_in_tables_works_as_well() {
    let repo = Repo::empty();
    fs::remove_dir_all(repo.path.join(".git")).unwrap();
    if !repo
        .try_git(&repo.path, &["init", "--quiet", "--initial-branch=main", "--ref-format=reftable"])
        .status
        .success()
    {
        // Only git 2.45 and newer can make one.
        return;
    }
    repo.commit(&repo.path, "src/a.txt", "a\n");
    let workspace = worktrees(&repo);
    let ready = workspace.ensure(&plan(&repo)).await.unwrap();
    assert_eq!(ready.branch, "feat/x");
    repo.write(&place(&repo), "src/a.txt", "work\n");
    let found = workspace.inspect(&inspection(&repo, &ready)).await.unwrap();
    assert!(matches!(found, Inspection::Changed { other_branch: None, .. }), "{found:?}");
    assert!(workspace.remove(&removal(&repo)).await.unwrap().rescue.is_some());
}
