//! What a new workspace gets from the main checkout: copies, folders of dependencies, submodules, sparseness.

use super::{Make, bench_in, inspection, place, plan, removal};
use crate::contract::repo::Repo;
use ao_core::effect::Inspection;
use ao_core::kind::Kind;
use ao_core::workspace::Dependency;
use std::collections::BTreeMap;
use std::fs;

/// Folders and env files are copied, stay out of what is committed, and are the workspace's own.
pub async fn folders_and_env_files_are_copied_and_never_committed(make: Make<'_>) {
    let repo = Repo::new();
    repo.write(&repo.path, "node_modules/x/index.js", "x\n");
    repo.write(&repo.path, "target/big.bin", "left\n");
    repo.write(&repo.path, "shared/file", "shared\n");
    repo.write(&repo.path, "local.env", "KEY=1\n");
    repo.write(&repo.path, "certs/dev.pem", "pem\n");
    repo.write(&repo.path, ".git/info/exclude", "*.pem\n/node_modules\n/target\n/shared\n/local.env\n");
    let mut wanted = plan(&repo);
    wanted.dependencies = BTreeMap::from([
        ("node_modules".to_owned(), Dependency::Copy),
        ("target".to_owned(), Dependency::Leave),
        ("shared".to_owned(), Dependency::Symlink),
        ("absent".to_owned(), Dependency::Copy),
    ]);
    wanted.env_files = vec!["local.env".to_owned(), "absent.env".to_owned()];
    wanted.include = vec!["*.pem".to_owned()];
    let workspace = make(&repo, None);
    let ready = workspace.ensure(&wanted).await.expect("it can be outfitted");
    let dir = place(&repo);
    let read = |name: &str| fs::read_to_string(dir.join(name)).ok();
    assert_eq!(read("node_modules/x/index.js").as_deref(), Some("x\n"));
    assert_eq!(read("local.env").as_deref(), Some("KEY=1\n"));
    assert_eq!(read("certs/dev.pem").as_deref(), Some("pem\n"));
    assert_eq!(read("target/big.bin"), None);
    assert!(dir.join("shared").is_symlink() && !dir.join("node_modules").is_symlink());
    repo.write(&dir, "node_modules/x/index.js", "changed\n");
    assert_eq!(fs::read_to_string(repo.path.join("node_modules/x/index.js")).expect("it is there"), "x\n");
    let found = workspace.inspect(&inspection(&repo, &ready)).await.expect("it can be looked at");
    assert_eq!(found, Inspection::Unchanged, "a copy became part of the work");
    let removed = workspace.remove(&removal(&repo)).await.expect("it can be removed");
    assert_eq!(removed.rescue, None);
    assert!(removed.ignored.iter().any(|(path, bytes)| path.starts_with("node_modules") && *bytes == 8), "{removed:?}");
    assert!(repo.path.join("shared/file").exists(), "a link was followed");

    for bad in ["../home", "/etc", ""] {
        let mut wanted = plan(&repo);
        wanted.dependencies = BTreeMap::from([(bad.to_owned(), Dependency::Copy)]);
        let fault = workspace.ensure(&wanted).await.expect_err("refused");
        assert_eq!(fault.kind, Kind::Invalid, "{bad:?}: {fault}");
    }
}

/// Commands know the session's ports, and all that they print is kept.
pub async fn commands_know_the_ports_and_their_output_is_kept(make: Make<'_>) {
    let repo = Repo::new();
    let mut wanted = plan(&repo);
    wanted.post_create = vec!["echo port $AO_PORT_BASE".to_owned(), "echo to no end; exit 7".to_owned()];
    wanted.post_create_env = BTreeMap::from([("AO_PORT_BASE".to_owned(), "20010".to_owned())]);
    wanted.log = Some(repo.place("logs/post-create.log"));
    let fault = make(&repo, None).ensure(&wanted).await.expect_err("the second one fails");
    for part in ["echo to no end", "code 7", "to no end"] {
        assert!(fault.message.contains(part), "{part} is missing in {fault}");
    }
    assert!(fault.hint.as_ref().is_some_and(|hint| hint.contains("post-create")), "{fault:?}");
    let log = fs::read_to_string(repo.place("logs/post-create.1.log")).expect("it is kept");
    assert_eq!(log, "port 20010\n");
}

/// A workspace inside the repository stays out of the main checkout's status, and of its own.
pub async fn a_directory_inside_the_repository_is_excluded(make: Make<'_>) {
    let repo = Repo::new();
    let mut wanted = plan(&repo);
    wanted.path = repo.path.join(".worktrees/app-1");
    make(&repo, None).ensure(&wanted).await.expect("it may lie there");
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    assert_eq!(repo.git_in(&wanted.path, &["status", "--porcelain"]), "");
}

/// Submodules that the main checkout has are there without asking their server.
pub async fn submodules_come_from_the_main_checkout(make: Make<'_>) {
    let repo = Repo::new();
    let library = Repo::new();
    let url = library.path.display().to_string();
    repo.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &url, "lib"]);
    repo.commit_all(&repo.path, "with a submodule");
    fs::rename(&library.path, library.place("unreachable")).expect("the library is ours");
    let bench = bench_in(repo, make).await;
    assert!(bench.dir.join("lib/src/a.txt").exists(), "it was not checked out");
    let inner = bench.dir.join("lib");
    assert_eq!(bench.repo.git_in(&inner, &["config", "remote.origin.url"]), url);
    assert_eq!(bench.repo.git_in(&bench.dir, &["status", "--porcelain"]), "");
    let removed = bench.workspace.remove(&removal(&bench.repo)).await.expect("it can be removed");
    assert_eq!(removed.rescue, None, "nothing was done in it");
}

/// A new workspace leaves out what the main checkout leaves out, and what is written there is kept all the same.
pub async fn a_workspace_is_as_sparse_as_the_main_checkout(make: Make<'_>) {
    let repo = Repo::new();
    repo.commit(&repo.path, "huge/file.bin", "not wanted\n");
    repo.git(&["sparse-checkout", "set", "--cone", "src"]);
    let bench = bench_in(repo, make).await;
    assert!(bench.dir.join("src/a.txt").exists() && !bench.dir.join("huge").exists());
    bench.repo.write(&bench.dir, "huge/new.txt", "outside\n");
    let removed = bench.workspace.remove(&removal(&bench.repo)).await.expect("it can be removed");
    let name = removed.rescue.expect("there was work");
    let commit = bench.repo.commit_of(&name).expect("it is there");
    assert_eq!(bench.repo.file_of(&commit, "huge/new.txt").as_deref(), Some("outside\n"));
    assert_eq!(bench.repo.file_of(&commit, "huge/file.bin").as_deref(), Some("not wanted\n"));
}

/// Pointers of large files stay pointers when nobody has their content: nothing is asked for on the way.
pub async fn large_files_stay_pointers_and_ask_nobody(make: Make<'_>) {
    let repo = Repo::new();
    let text = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 5\n";
    repo.write(&repo.path, ".gitattributes", "*.bin filter=lfs\n");
    repo.write(&repo.path, "large.bin", text);
    repo.commit_all(&repo.path, "with a pointer");
    repo.git(&["config", "filter.lfs.required", "true"]);
    repo.git(&["config", "filter.lfs.clean", "cat"]);
    // As git-lfs does it: without this variable it would go to the network.
    repo.git(&["config", "filter.lfs.smudge", "test -n \"$GIT_LFS_SKIP_SMUDGE\" && cat"]);
    let bench = bench_in(repo, make).await;
    assert_eq!(fs::read_to_string(bench.dir.join("large.bin")).expect("it is there"), text);
}

/// A session that is wanted again gets what was rescued from it: files, index, and its branch where that was.
pub async fn rescued_work_comes_back_into_a_new_workspace(make: Make<'_>) {
    let bench = bench_in(Repo::new(), make).await;
    bench.repo.commit(&bench.dir, "src/new.txt", "committed\n");
    bench.repo.write(&bench.dir, "src/a.txt", "staged\n");
    bench.repo.git_in(&bench.dir, &["add", "--all"]);
    bench.repo.write(&bench.dir, "src/a.txt", "changed\n");
    bench.repo.write(&bench.dir, "loose.txt", "untracked\n");
    let status = bench.repo.git_in(&bench.dir, &["status", "--porcelain"]);
    bench.workspace.inspect(&inspection(&bench.repo, &bench.ready)).await.expect("it can be looked at");
    let removed = bench.workspace.remove(&removal(&bench.repo)).await.expect("it can be removed");

    let wanted = super::WorkspacePlan { rescued: removed.rescue.clone(), ..plan(&bench.repo) };
    let ready = bench.workspace.ensure(&wanted).await.expect("it is made again");
    let back = ready.put_back.expect("there was something to put back");
    assert!(back.complete && back.left_out.is_empty(), "{back:?}");
    assert_eq!(ready.base, bench.ready.base);
    assert_eq!(bench.repo.git_in(&bench.dir, &["status", "--porcelain"]), status);
    assert_eq!(fs::read_to_string(bench.dir.join("src/a.txt")).expect("it is back"), "changed\n");
    assert_eq!(fs::read_to_string(bench.dir.join("loose.txt")).expect("it is back"), "untracked\n");
    let again = bench.workspace.ensure(&wanted).await.expect("it is there");
    assert_eq!(again.put_back, None, "once is enough");
}

/// Where the branch moved on nothing is put back, and that is said.
pub async fn rescued_work_is_not_forced_onto_a_branch_that_moved(make: Make<'_>) {
    let bench = bench_in(Repo::new(), make).await;
    bench.repo.commit(&bench.dir, "src/new.txt", "committed\n");
    bench.repo.write(&bench.dir, "loose.txt", "untracked\n");
    bench.workspace.inspect(&inspection(&bench.repo, &bench.ready)).await.expect("it can be looked at");
    let removed = bench.workspace.remove(&removal(&bench.repo)).await.expect("it can be removed");
    let moved = bench.repo.branch("feat/x", "feat/x", &[("src/later.txt", Some("moved on\n"))]);
    let wanted = super::WorkspacePlan { rescued: removed.rescue.clone(), ..plan(&bench.repo) };
    let back = bench.workspace.ensure(&wanted).await.expect("it is made again").put_back.expect("it is said");
    assert!(!back.complete && back.left_out[0].contains("another commit"), "{back:?}");
    assert_eq!(bench.repo.head(&bench.dir), moved);
    assert!(!bench.dir.join("loose.txt").exists());
}

/// What a removal would meet is measured without touching it; what was kept is shown and forgotten by its name.
pub async fn a_workspace_is_measured_and_a_rescue_shown_and_dropped(make: Make<'_>) {
    let bench = bench_in(Repo::new(), make).await;
    bench.repo.write(&bench.dir, "src/a.txt", "changed\n");
    bench.repo.write(&bench.dir, "build/out.o", "12345");
    let before = bench.repo.state_of(&bench.dir);
    let measured = bench.workspace.measure(&removal(&bench.repo)).await.expect("it can be measured");
    assert_eq!(bench.repo.state_of(&bench.dir), before, "measuring changed something");
    assert_eq!((measured.changed, measured.ignored.as_slice()), (1, [("build/".to_owned(), 5)].as_slice()));
    assert!(measured.bytes > 100, "{measured:?}");
    let name = bench.workspace.remove(&removal(&bench.repo)).await.expect("it goes").rescue.expect("there was work");
    let gone = bench.workspace.measure(&removal(&bench.repo)).await.expect("nothing holds nothing");
    assert_eq!(gone.bytes, 0);

    let shown = bench.workspace.show_rescued(&bench.repo.path, "app-1").await.expect("it can be shown");
    assert!(shown.contains("src/a.txt") && shown.contains("5 bytes  build/"), "{shown}");
    let commit = bench.repo.commit_of(&name).expect("it is there");
    let other = bench.ready.base.clone();
    bench.workspace.drop_rescued(&bench.repo.path, &name, &other).await.expect_err("it is another one by now");
    bench.workspace.drop_rescued(&bench.repo.path, &name, &commit).await.expect("it can be forgotten");
    assert_eq!(bench.workspace.rescued(&bench.repo.path).await.expect("a list"), []);
    let fault = bench.workspace.show_rescued(&bench.repo.path, &name).await.expect_err("it is gone");
    assert_eq!(fault.kind, Kind::NotFound);
}
