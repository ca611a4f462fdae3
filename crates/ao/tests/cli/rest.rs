//! What a session uses and may use, and its rest: seen and commanded from outside.

use crate::world::{World, until};
use serde_json::Value;

/// A plain shell at its prompt; its id.
fn idle(world: &World) -> String {
    let new = ["new", "a task", "--agent", "shell", "--no-prompt", "--", "sh"];
    let id = world.json(&new)["id"].as_str().unwrap().to_owned();
    world.ao(&["wait", &id, "--for", "idle", "--timeout", "60s"]).ok();
    id
}

fn frozen(world: &World, id: &str) -> bool {
    world.json(&["status", id])["resources"]["frozen"] == true
}

#[test]
fn status_says_what_one_session_uses_and_lists_ask_nobody() {
    let world = World::new();
    let id = idle(&world);
    let usage = world.json(&["status", &id])["resources"].clone();
    assert_eq!(usage["processes"], Value::from(1), "{usage}");
    assert!(usage["memoryBytes"].as_u64().is_some_and(|bytes| bytes > 10_000), "{usage}");
    assert!(usage["cpuMs"].is_u64(), "{usage}");
    let shown = world.ao(&["status", &id]).ok().out;
    let line = shown.lines().find(|line| line.trim_start().starts_with("uses ")).unwrap_or_else(|| panic!("{shown}"));
    assert!(line.contains("s of CPU") && line.contains("memory") && line.contains("1 process"), "{line}");
    assert!(world.json(&["list"])["sessions"][0].get("resources").is_none());
    world.ao(&["stop", &id]).ok();
    assert!(world.json(&["status", &id]).get("resources").is_none(), "what is over uses nothing");
}

#[test]
fn a_halted_session_is_idle_and_wakes_for_a_prompt() {
    let world = World::new();
    let id = idle(&world);
    world.ao(&["freeze", &id]).ok();
    until("it is halted", || frozen(&world, &id));
    until("everybody knows", || world.json(&["status", &id])["frozenSince"].is_u64());
    let session = world.json(&["status", &id]);
    assert_eq!(session["status"], Value::from("idle"));
    assert!(session["why"].as_str().is_some_and(|why| why.contains("halted to save power")), "{session}");
    world.ao(&["send", &id, "echo woken >woken.txt"]).ok();
    let workspace = session["workspacePath"].as_str().unwrap().to_owned();
    until("the prompt arrived", || std::path::Path::new(&workspace).join("woken.txt").exists());
    assert!(!frozen(&world, &id));
    // Until the prompt counts as delivered it is on its way, and nothing is halted over it.
    until("it may be halted again", || world.ao(&["freeze", &id]).code == 0);
    until("it is halted again", || frozen(&world, &id));
    world.ao(&["thaw", &id]).ok();
    until("it goes on", || !frozen(&world, &id));
}

#[test]
fn a_session_at_work_is_not_halted() {
    let world = World::new();
    let id = world.shell("echo busy; exec sleep 600");
    until("it works", || world.json(&["status", &id])["status"] == "working");
    world.ao(&["freeze", &id]).fails(4, &["cannot be halted now", "only an idle session"]);
    assert!(!frozen(&world, &id));
}

/// Whichever way this machine keeps limits: they hold, or the session is not started and says which does not.
#[test]
fn a_limit_holds_or_refuses_the_session() {
    let world = World::new();
    world.write("agent-orchestrator.yaml", "projects: {app: {path: ., limits: {processes: 64, memory: 2G}}}\n");
    world.ao(&["start", "--yes"]).ok();
    let new = ["new", "a task", "--agent", "shell", "--no-prompt", "--", "sh"];
    let id = world.json(&new)["id"].as_str().unwrap().to_owned();
    let mut session = Value::Null;
    until("it is there or refused", || {
        session = world.json(&["status", &id]);
        session["resources"].is_object() || session["status"] == "spawn_failed"
    });
    if session["resources"].is_object() {
        assert_eq!(session["resources"]["processesLimit"], Value::from(64));
        assert_eq!(session["resources"]["memoryLimitBytes"], Value::from(2_147_483_648_u64));
        assert!(world.ao(&["status", &id]).ok().out.contains("of 64 processes"));
    } else {
        let why = session["why"].as_str().unwrap_or_default();
        assert!(why.contains("limits.") && why.contains("cannot be kept here"), "{why}");
    }
}
