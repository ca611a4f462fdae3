//! Sessions that are put away: out of the lists, readable, and back again; what they take; what was kept of their work.

use crate::world::{World, until};
use std::path::PathBuf;

/// A session that printed much and then waits.
fn chatty(world: &World) -> (String, PathBuf) {
    let id = world.shell("seq -f 'row %g of many that fill the files of a terminal' 1 3000; exec cat");
    until("it has written", || world.ao(&["logs", &id]).ok().out.contains("row 3000"));
    let tree = world.json(&["status", &id])["workspacePath"].as_str().unwrap().into();
    (id, tree)
}

fn launch_files(world: &World, id: &str) -> Vec<String> {
    let projects = std::fs::read_dir(&world.home).unwrap().flatten();
    let dir = projects.map(|e| e.path().join(format!("sessions/{id}.d/1"))).find(|dir| dir.is_dir()).unwrap();
    std::fs::read_dir(dir).unwrap().flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect()
}

fn listed(world: &World, args: &[&str]) -> Vec<String> {
    let found = world.json(&[&["list"], args].concat());
    found["sessions"].as_array().unwrap().iter().map(|s| s["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_archived_session_leaves_the_lists_stays_readable_and_comes_back() {
    let world = World::new();
    let (id, tree) = chatty(&world);
    std::fs::write(tree.join("work.txt"), "not committed\n").unwrap();
    let logs = world.ao(&["logs", &id]).ok().out;
    world.ao(&["cleanup", "--archive", &id]).fails(4, &["is not over", "ao stop"]);
    let said = world.ao(&["stop", "--archive", &id]).ok().out;
    assert!(said.contains("archived") && said.contains("refs/ao/rescue/"), "{said}");
    assert!(!tree.exists());

    assert_eq!((listed(&world, &[]), listed(&world, &["--archived"]), listed(&world, &["--all"])), {
        (Vec::new(), vec![id.clone()], vec![id.clone()])
    });
    let files = launch_files(&world, &id);
    assert!(files.iter().any(|f| f.starts_with("out-") && f.ends_with(".log.gz")), "{files:?}");
    assert!(!files.iter().any(|f| f.starts_with("out-") && f.ends_with(".log")), "{files:?}");
    let status = world.ao(&["status", &id]).ok().out;
    assert!(status.contains("archived") && status.contains("kept work"), "{status}");
    assert!(world.ao(&["events", "--since", "0"]).ok().out.contains("archived"), "the journal tells of it");

    for away in [false, true] {
        if away {
            world.ao(&["daemon", "stop"]).ok();
        }
        assert_eq!(world.ao(&["logs", &id]).ok().out, logs, "daemon away: {away}");
        let raw = world.ao(&["logs", &id, "--raw"]).ok().out;
        assert!(raw.starts_with("row 1 of") && raw.contains("row 2999"), "{away}");
        assert_eq!(world.ao(&["logs", &id, "--rows", "1..2"]).ok().out.lines().count(), 1);
        let file = world.beside(&format!("{away}.cast"));
        world.ao(&["export", "--cast", &id, "-o", file.to_str().unwrap()]).ok();
        assert!(std::fs::read_to_string(file).unwrap().contains("row 3000"));
    }

    let said = world.ao(&["restore", &id]).ok().out;
    assert!(said.contains("is back in the workspace"), "{said}");
    assert_eq!(std::fs::read_to_string(tree.join("work.txt")).unwrap(), "not committed\n");
    assert_eq!((listed(&world, &[]), listed(&world, &["--archived"])), (vec![id.clone()], Vec::new()));
    until("its terminal is there", || world.json(&["logs", &id, "-n", "1"])["live"] == true);
}

#[test]
fn what_is_locked_is_not_archived_and_says_why() {
    let world = World::new();
    let (id, tree) = chatty(&world);
    world.git(&["worktree", "lock", "--reason", "on my stick", tree.to_str().unwrap()]);
    world.ao(&["stop", &id]).ok();
    world.ao(&["cleanup", "--archive", &id]).fails(4, &["on my stick"]);
    assert!(tree.exists() && listed(&world, &["--archived"]).is_empty());
    let status = world.ao(&["status", &id]).ok().out;
    assert!(status.contains("not archived") && status.contains("on my stick"), "{status}");
    world.git(&["worktree", "unlock", tree.to_str().unwrap()]);
    world.ao(&["cleanup", "--archive", "--ended"]).ok();
    assert_eq!(listed(&world, &["--archived"]), [id]);
}

#[test]
fn what_sessions_take_is_shown_and_what_a_clean_up_frees() {
    let world = World::new();
    let (id, tree) = chatty(&world);
    std::fs::write(tree.join("large.bin"), vec![7; 3_000_000]).unwrap();
    world.ao(&["stop", &id]).ok();
    let disk = world.json(&["list", "--all", "--disk"]);
    let own = disk["disk"]["sessions"][0]["workspace"]["own"].as_u64().unwrap();
    assert!((3_000_000..4_000_000).contains(&own), "{disk}");
    assert_eq!(disk["disk"]["cleanupFrees"].as_u64(), Some(own));
    assert!(world.ao(&["status", &id]).ok().out.contains("disk       workspace 3."));
    let said = world.ao(&["doctor"]).out;
    assert!(said.contains("cleaning up 1 ended session would free 3."), "{said}");
    world.ao(&["cleanup", &id]).ok();
    let disk = world.json(&["list", "--all", "--disk"]);
    let one = &disk["disk"]["sessions"][0];
    assert!(one["workspace"].is_null() && one["rescued"].as_u64().unwrap() > 1000, "{disk}");
    assert_eq!(disk["disk"]["cleanupFrees"].as_u64(), Some(0));
}

#[test]
fn rescued_work_is_listed_shown_put_elsewhere_and_forgotten() {
    let world = World::new();
    let (id, tree) = chatty(&world);
    std::fs::write(tree.join("work.txt"), "not committed\n").unwrap();
    std::fs::create_dir(tree.join("odd\nname")).unwrap();
    std::fs::write(tree.join("odd\nname/-rf"), "odd\n").unwrap();
    world.ao(&["stop", "--cleanup", &id]).ok();
    let name = format!("refs/ao/rescue/{id}");
    let list = world.json(&["rescue", "list"]);
    assert_eq!(list["rescues"][0]["name"].as_str(), Some(name.as_str()), "{list}");
    let shown = world.ao(&["rescue", "show", &id]).ok().out;
    assert!(shown.contains(&name) && shown.contains("work.txt"), "{shown}");
    let to = world.beside("back");
    let said = world.ao(&["rescue", "restore", &id, to.to_str().unwrap()]).ok().out;
    assert!(said.contains("on branch rescue/"), "{said}");
    assert_eq!(std::fs::read_to_string(to.join("work.txt")).unwrap(), "not committed\n");
    assert_eq!(std::fs::read_to_string(to.join("odd\nname/-rf")).unwrap(), "odd\n");
    world.ao(&["rescue", "restore", &id, to.to_str().unwrap()]).fails(4, &["is there already"]);
    world.ao(&["rescue", "drop", "nothing", "--yes"]).fails(3, &["there is no rescued work"]);
    let said = world.ao(&["rescue", "drop", &id, "--yes"]).ok().out;
    assert!(said.contains("git update-ref"), "how to have it back: {said}");
    assert!(world.json(&["rescue", "list"])["rescues"].as_array().unwrap().is_empty());
    let back = said.rsplit("brings it back: git ").next().unwrap().trim();
    world.git(&back.split(' ').collect::<Vec<_>>());
    assert_eq!(world.json(&["rescue", "list"])["rescues"][0]["name"].as_str(), Some(name.as_str()));
}

#[test]
fn sessions_have_ports_and_env_files_and_get_their_folders_back() {
    let world = World::new();
    world.write(".gitignore", ".env\ndeps/\n");
    world.write(".env", "KEY=from the main checkout\n");
    std::fs::create_dir(world.repo.join("deps")).unwrap();
    world.write("deps/library.txt", "a library\n");
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let taken = listener.local_addr().unwrap().port();
    // The first ten of the range are somebody else's, whatever comes after them.
    let first = taken.clamp(1024, 60_000);
    world.write(
        "agent-orchestrator.yaml",
        &format!(
            "projects:\n  app:\n    path: .\n    envFiles: [.env]\n    dependencies: {{deps: copy}}\n    portRange: {first}-{}\n",
            first + 999
        ),
    );
    world.git(&["add", "--all"]);
    world.git(&["commit", "--quiet", "--message=Configured"]);
    world.ao(&["start"]).ok();
    let id = world.shell("echo base $AO_PORT_BASE of $AO_PORT_COUNT; cat .env deps/library.txt; exec cat");
    until("it has written", || world.ao(&["logs", &id]).ok().out.contains("a library"));
    let logs = world.ao(&["logs", &id]).ok().out;
    let base = world.json(&["status", &id])["portBase"].as_u64().unwrap();
    assert!(logs.contains(&format!("base {base} of 10")) && logs.contains("KEY=from"), "{logs}");
    assert!(base >= u64::from(first) + 10 || taken != first, "somebody listens on {taken}, and it was given {base}");
    let tree: PathBuf = world.json(&["status", &id])["workspacePath"].as_str().unwrap().into();
    std::fs::write(tree.join("deps/own.txt"), "ignored work\n").unwrap();
    let said = world.ao(&["stop", "--cleanup", &id]).ok();
    assert!(world.json(&["status", &id])["portBase"].is_null(), "{said:?}");
    assert!(world.ao(&["status", &id]).ok().out.contains("not kept"));
    world.ao(&["restore", &id]).ok();
    until("it is back", || tree.join("deps/library.txt").exists() && tree.join(".env").exists());
    assert!(!tree.join("deps/own.txt").exists(), "what git ignores is said, not kept");
    drop(listener);
}
