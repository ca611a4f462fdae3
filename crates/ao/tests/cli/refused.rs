//! A launch that fails: why, and what to do about it, reaches the person who asked for it and whoever asks the API.

use crate::world::World;
use serde_json::Value;
use std::os::unix::fs::symlink;

/// The only session, as the API shows it.
fn shown(world: &World) -> Value {
    world.json(&["list", "--all"])["sessions"][0].clone()
}

#[test]
fn an_agent_of_runtime_process_that_is_missing_says_how_to_get_it() {
    let world = World::new();
    std::fs::create_dir_all(world.home.join("agents")).unwrap();
    let rare =
        "extends = \"codex\"\nname = \"rare\"\naliases = []\nprogram = \"no-such-agent\"\ninstall = \"get rare\"\n";
    std::fs::write(world.home.join("agents/rare.toml"), rare).unwrap();
    world.ao(&["new", "x", "--agent", "rare"]).fails(4, &["rare is not installed", "install it with: get rare"]);
    let session = shown(&world);
    assert_eq!((&session["status"], &session["hint"]), (&"spawn_failed".into(), &"install it with: get rare".into()));
    assert!(world.ao(&["status", "app-1"]).ok().out.contains("install it with: get rare"));
}

#[test]
fn runtime_docker_without_an_engine_or_an_image_says_what_to_do() {
    let world = World::new();
    let new = ["new", "x", "--agent", "shell", "--runtime", "docker", "--", "cat"];
    let nowhere = format!("unix://{}", world.beside("no.sock").display());
    let daemon = world.command(&["daemon", "start"]).env("DOCKER_HOST", nowhere).output().unwrap();
    assert!(daemon.status.success(), "{daemon:?}");
    let said = world.ao(&new);
    assert!(said.err.contains("no Docker engine answers on"), "{said:?}");
    assert!(said.err.contains("start Docker, or set DOCKER_HOST"), "{said:?}");
    assert!(shown(&world)["hint"].as_str().is_some_and(|hint| hint.contains("start Docker")), "{}", shown(&world));
}

#[test]
fn runtime_tmux_without_tmux_says_how_to_install_it() {
    let world = World::new();
    let bin = world.beside("bin");
    std::fs::create_dir(&bin).unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    for name in ["git", "sh", "cat"] {
        let found = std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.exists()).unwrap();
        symlink(found, bin.join(name)).unwrap();
    }
    let daemon = world.command(&["daemon", "start"]).env("PATH", &bin).output().unwrap();
    assert!(daemon.status.success(), "{daemon:?}");
    let new = ["new", "x", "--agent", "shell", "--runtime", "tmux", "--", "cat"];
    let said = world.command(&new).env("PATH", &bin).output().unwrap();
    let err = String::from_utf8_lossy(&said.stderr);
    assert!(err.contains("tmux is not installed") && err.contains("install tmux 3.3 or newer"), "{err}");
    assert!(shown(&world)["hint"].as_str().is_some_and(|hint| hint.contains("install tmux")), "{}", shown(&world));
}
