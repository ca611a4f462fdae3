//! Making a workspace, once or twice, in all kinds of places.

use super::{Make, bench, bench_in, inspection, place, plan};
use crate::contract::repo::{HANGS, Repo, is_running};
use ao_core::effect::Inspection;
use ao_core::id::CommitId;
use ao_core::kind::Kind;
use std::fs;
use std::time::{Duration, Instant};

/// A new workspace is on its branch, at the target's tip, with its files.
pub async fn a_workspace_starts_on_its_branch_at_the_target(make: Make<'_>) {
    let bench = bench(make).await;
    assert_eq!(bench.ready.base, bench.repo.head(&bench.repo.path));
    assert_eq!(bench.ready.branch, "feat/x");
    assert_eq!(bench.repo.git_in(&bench.dir, &["symbolic-ref", "--short", "HEAD"]), "feat/x");
    assert_eq!(bench.repo.head(&bench.dir), bench.ready.base);
    assert!(bench.dir.join("src/a.txt").exists());
    assert_eq!(bench.repo.git_in(&bench.dir, &["status", "--porcelain"]), "");
    assert_eq!(bench.repo.git(&["status", "--porcelain"]), "", "the main checkout was touched");
}

/// A second call finds the first one's work, and remembers where it started.
pub async fn a_second_call_finds_the_work_of_the_first(make: Make<'_>) {
    let bench = bench(make).await;
    bench.repo.commit(&bench.dir, "src/new.txt", "committed\n");
    bench.repo.write(&bench.dir, "src/a.txt", "changed\n");
    bench.repo.commit(&bench.repo.path, "later.txt", "the target moves on\n");
    let before = bench.repo.state_of(&bench.dir);
    let again = bench.workspace.ensure(&plan(&bench.repo)).await.expect("it is there");
    assert_eq!(again, bench.ready);
    assert_eq!(bench.repo.state_of(&bench.dir), before);
}

/// A named commit is where it starts.
pub async fn a_workspace_starts_from_the_commit_that_is_named(make: Make<'_>) {
    let repo = Repo::new();
    let first = repo.head(&repo.path);
    repo.commit(&repo.path, "later.txt", "x\n");
    let mut plan = plan(&repo);
    plan.base = Some(first.clone());
    let ready = make(&repo, None).ensure(&plan).await.expect("the commit exists");
    assert_eq!(ready.base, first);
    assert!(!plan.path.join("later.txt").exists());
    plan.base = Some(CommitId::new("1234567890123456789012345678901234567890"));
    plan.path = repo.place("data/worktrees/app-2");
    plan.branch = "feat/y".to_owned();
    let fault = make(&repo, None).ensure(&plan).await.expect_err("no such commit");
    assert_eq!(fault.kind, Kind::NotFound, "{fault}");
    assert!(!plan.path.exists());
}

/// A branch that exists is continued, and the start is where it left the target.
pub async fn a_branch_that_exists_is_continued(make: Make<'_>) {
    let repo = Repo::new();
    let first = repo.head(&repo.path);
    let work = repo.branch("feat/x", "main", &[("src/new.txt", Some("work\n"))]);
    repo.commit(&repo.path, "later.txt", "x\n");
    let bench = bench_in(repo, make).await;
    assert_eq!(bench.repo.head(&bench.dir), work);
    assert_eq!(bench.ready.base, first);
    assert!(bench.dir.join("src/new.txt").exists());
}

/// A directory with something else in it is refused and left alone; an empty one is used.
pub async fn a_directory_with_something_else_is_refused(make: Make<'_>) {
    let repo = Repo::new();
    repo.write(&place(&repo), "mine.txt", "precious\n");
    let fault = make(&repo, None).ensure(&plan(&repo)).await.expect_err("it is taken");
    assert_eq!(fault.kind, Kind::Conflict, "{fault}");
    assert!(fault.message.contains("app-1"), "{fault}");
    assert!(repo.commit_of("refs/heads/feat/x").is_none(), "a branch was left behind");
    fs::remove_file(place(&repo).join("mine.txt")).expect("it was left alone");
    make(&repo, None).ensure(&plan(&repo)).await.expect("an empty directory is used");
}

/// What is missing is named: commits, the target, the repository.
pub async fn bad_repositories_are_named(make: Make<'_>) {
    let empty = Repo::empty();
    let fault = make(&empty, None).ensure(&plan(&empty)).await.expect_err("nothing to start from");
    assert!(fault.kind == Kind::Conflict && fault.message.contains("no commits"), "{fault:?}");
    let repo = Repo::new();
    let mut elsewhere = plan(&repo);
    elsewhere.target = "trunk".to_owned();
    let fault = make(&repo, None).ensure(&elsewhere).await.expect_err("no such branch");
    assert!(fault.kind == Kind::NotFound && fault.message.contains("trunk"), "{fault:?}");
    elsewhere.repository = repo.home();
    let fault = make(&repo, None).ensure(&elsewhere).await.expect_err("no repository");
    assert_eq!(fault.kind, Kind::NotFound, "{fault}");
    assert!(!place(&repo).exists());
}

/// Branch names that git would read as options, or that leave their place, are refused before anything is made.
pub async fn names_that_look_like_options_are_refused(make: Make<'_>) {
    let repo = Repo::new();
    for branch in ["-rf", "--help", "a b", "../x", "a..b", "x\u{1b}[2J", ""] {
        let mut plan = plan(&repo);
        plan.branch = branch.to_owned();
        let fault = make(&repo, None).ensure(&plan).await.expect_err("refused");
        assert_eq!(fault.kind, Kind::Invalid, "{branch:?}: {fault}");
    }
    assert!(!place(&repo).exists());
}

/// Our own directory is invisible to git without a line in any file of the user's.
pub async fn our_directory_is_excluded_without_touching_the_users_files(make: Make<'_>) {
    let bench = bench(make).await;
    bench.repo.write(&bench.dir, ".ao/prompt.md", "text\n");
    assert_eq!(bench.repo.git_in(&bench.dir, &["status", "--porcelain"]), "");
    assert_eq!(fs::read_to_string(bench.dir.join(".gitignore")).expect("it is tracked"), "build/\n*.log\n.env\n");
    bench.workspace.ensure(&plan(&bench.repo)).await.expect("it is there");
    let found = bench.workspace.inspect(&inspection(&bench.repo, &bench.ready)).await.expect("it can be looked at");
    assert_eq!(found, Inspection::Unchanged);
}

/// A workspace inside the repository does not show in the main checkout.
pub async fn a_workspace_inside_the_repository_does_not_show(make: Make<'_>) {
    let repo = Repo::new();
    let mut plan = plan(&repo);
    plan.path = repo.path.join(".worktrees/app-1");
    make(&repo, None).ensure(&plan).await.expect("it may lie there");
    if repo.path.join(".git/worktrees").exists() {
        assert_eq!(repo.git(&["status", "--porcelain"]), "");
    }
}

/// Ignored files that the list names are copied; tracked, unlisted and unignored ones are not, and nothing is overwritten.
pub async fn ignored_files_on_the_list_are_copied(make: Make<'_>) {
    let repo = Repo::new();
    repo.write(&repo.path, ".worktreeinclude", "# secrets for tests\n.env\nconfig/*.log\nnotes.txt\n");
    repo.write(&repo.path, ".env", "KEY=1\n");
    repo.write(&repo.path, "config/deep.log", "log\n");
    repo.write(&repo.path, "config/ü \n.log", "odd name\n");
    repo.write(&repo.path, "other.log", "not listed\n");
    repo.write(&repo.path, "notes.txt", "listed, not ignored\n");
    let bench = bench_in(repo, make).await;
    let read = |name: &str| fs::read_to_string(bench.dir.join(name)).ok();
    assert_eq!(read(".env").as_deref(), Some("KEY=1\n"));
    assert_eq!(read("config/deep.log").as_deref(), Some("log\n"));
    assert_eq!(read("config/ü \n.log").as_deref(), Some("odd name\n"));
    assert_eq!(read("other.log"), None);
    assert_eq!(read("notes.txt"), None);
    assert_eq!(bench.repo.git_in(&bench.dir, &["status", "--porcelain"]), "");
}

/// Links lead to the main checkout, stay out of what is committed, and never replace anything.
pub async fn links_lead_to_the_main_checkout_and_replace_nothing(make: Make<'_>) {
    let repo = Repo::new();
    repo.write(&repo.path, "node_modules/x/index.js", "x\n");
    repo.write(&repo.path, ".git/info/exclude", "/node_modules/\n");
    let mut wanted = plan(&repo);
    wanted.symlinks = vec!["node_modules".to_owned(), "not/there".to_owned()];
    let workspace = make(&repo, None);
    let ready = workspace.ensure(&wanted).await.expect("it can be linked");
    workspace.ensure(&wanted).await.expect("and found again");
    let link = place(&repo).join("node_modules");
    assert_eq!(fs::read_link(&link).expect("a link"), repo.path.join("node_modules"));
    let found = workspace.inspect(&inspection(&repo, &ready)).await.expect("it can be looked at");
    assert_eq!(found, Inspection::Unchanged, "the link became part of the work");

    for bad in ["/etc", "../home", "a/../../home", ""] {
        let mut wanted = plan(&repo);
        wanted.path = repo.place("data/worktrees/app-2");
        wanted.branch = "feat/y".to_owned();
        wanted.symlinks = vec![bad.to_owned()];
        let fault = workspace.ensure(&wanted).await.expect_err("refused");
        assert_eq!(fault.kind, Kind::Invalid, "{bad:?}: {fault}");
        assert!(!wanted.path.exists());
    }

    let mut wanted = plan(&repo);
    wanted.path = repo.place("data/worktrees/app-3");
    wanted.branch = "feat/z".to_owned();
    wanted.session = ao_core::id::SessionId::new("app-3");
    wanted.symlinks = vec!["src".to_owned()];
    let fault = workspace.ensure(&wanted).await.expect_err("there is a directory already");
    assert!(fault.kind == Kind::Conflict && fault.message.contains("src"), "{fault:?}");
    assert!(wanted.path.join("src/a.txt").exists() && !wanted.path.join("src").is_symlink());
}

/// Commands run in the new workspace; one that fails says so in its own words, and runs again next time.
pub async fn commands_run_in_the_new_workspace(make: Make<'_>) {
    let repo = Repo::new();
    let mut wanted = plan(&repo);
    wanted.post_create = vec![
        "echo made > build.log && pwd >> build.log".to_owned(),
        "test -e ../go || { echo nope; exit 3; }".to_owned(),
    ];
    let workspace = make(&repo, None);
    let fault = workspace.ensure(&wanted).await.expect_err("the second one fails");
    assert!(fault.message.contains("nope") && fault.message.contains('3'), "{fault}");
    repo.write(place(&repo).parent().expect("it has one"), "go", "");
    workspace.ensure(&wanted).await.expect("now both pass");
    let text = fs::read_to_string(place(&repo).join("build.log")).expect("the first one ran");
    assert_eq!(text, format!("made\n{}\n", place(&repo).display()));
    fs::remove_file(place(&repo).join("build.log")).expect("it is there");
    workspace.ensure(&wanted).await.expect("it is ready");
    assert!(!place(&repo).join("build.log").exists(), "commands ran twice");
}

/// A command that hangs ends at its limit with everything that it started.
pub async fn a_command_that_hangs_ends_at_its_limit(make: Make<'_>) {
    for limit in HANGS {
        let repo = Repo::new();
        let mut wanted = plan(&repo);
        wanted.post_create = vec!["setsid sleep 1000 & echo $! > pid.log; sleep 1000".to_owned()];
        wanted.post_create_limit = limit;
        let began = Instant::now();
        let fault = make(&repo, None).ensure(&wanted).await.expect_err("it hangs");
        assert!(began.elapsed() < Duration::from_secs(500), "it was waited for");
        assert!(fault.message.contains("did not end"), "{fault}");
        if let Ok(pid) = fs::read_to_string(place(&repo).join("pid.log")) {
            return assert!(!is_running(&pid), "its child still runs");
        }
    }
    panic!("it does not begin");
}

/// Hooks that fail and keys that hang are the user's, not ours.
pub async fn hooks_and_signing_of_the_user_do_not_matter(make: Make<'_>) {
    let repo = Repo::new();
    repo.signing_that_hangs();
    let trace = repo.failing_hooks();
    let bench = bench_in(repo, make).await;
    bench.repo.write(&bench.dir, "src/a.txt", "work\n");
    let found = bench.workspace.inspect(&inspection(&bench.repo, &bench.ready)).await.expect("it is kept");
    assert!(matches!(found, Inspection::Changed { .. }), "{found:?}");
    bench.workspace.remove(&super::removal(&bench.repo)).await.expect("it is rescued").rescue.expect("there was work");
    assert!(!trace.exists(), "ran: {}", fs::read_to_string(&trace).unwrap_or_default());
}
