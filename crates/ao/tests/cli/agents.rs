//! `ao agent`: agents as files, looked at without a daemon.

use crate::world::World;
use serde_json::Value;
use std::path::PathBuf;

fn recordings() -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../testkit/fixtures/casts").display().to_string()
}

fn write(world: &World, name: &str, text: &str) {
    let dir = world.home.join("agents");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join(name), text).unwrap();
}

const OWN: &str = r#"
name = "own"
about = "x"
program = "no-such-program"
install = "make it yourself"
memory_mb = 1
[door]
composer = { kind = "cursor-row" }
"#;

const RULE: &str = r#"
[[rules]]
name = "at the prompt"
proof = ["claude-permission"]
region = "cursor-row"
all = ['no such row']
activity = "idle"
"#;

#[test]
fn every_rule_of_the_agents_that_ship_holds_in_the_recordings_that_it_names() {
    let world = World::new();
    let said = world.ao(&["--json", "agent", "check", "--recordings", &recordings()]).ok();
    let checked: Vec<Value> = serde_json::from_str(&said.out).unwrap();
    let names: Vec<&str> = checked.iter().map(|c| c["name"].as_str().unwrap()).collect();
    for name in
        ["aider", "claude-code", "cline", "codex", "copilot", "gemini", "kimi", "kimicode", "opencode", "pi", "qwen"]
    {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(!world.home.join("daemon.json").exists(), "no daemon is needed for this");
}

#[test]
fn a_rule_without_proof_and_a_key_that_means_nothing_are_errors() {
    let world = World::new();
    write(&world, "own.toml", &format!("{OWN}{RULE}"));
    let said = world.ao(&["agent", "check", "own", "--recordings", &recordings()]);
    assert!(said.code == 1 && said.out.contains("never holds in claude-permission"), "{said:?}");
    write(&world, "own.toml", &format!("{OWN}{}", RULE.replace("claude-permission", "nowhere")));
    let said = world.ao(&["agent", "check", "own", "--recordings", &recordings()]);
    assert!(said.code == 1 && said.out.contains("is no recording"), "{said:?}");
    let bare = RULE.replace("proof = [\"claude-permission\"]\n", "");
    write(&world, "own.toml", &format!("{OWN}{bare}"));
    let said = world.ao(&["agent", "check", "own"]);
    assert!(said.code == 1 && said.out.contains("names no recording that proves it"), "{said:?}");
    write(&world, "own.toml", &format!("untested = true\n{OWN}{bare}"));
    world.ao(&["agent", "check", "own"]).ok();
    write(&world, "own.toml", &format!("colour = 1\n{OWN}"));
    let said = world.ao(&["agent", "check", "own"]);
    assert!(said.code == 1 && said.out.contains("own.toml:1: ") && said.out.contains("colour"), "{said:?}");
}

#[test]
fn an_agent_is_named_as_users_write_it_and_told_how_to_get() {
    let world = World::new();
    write(&world, "own.toml", OWN);
    let said = world.ao(&["agent", "doctor", "own"]);
    assert!(said.code == 1 && said.out.contains("not installed") && said.out.contains("make it yourself"), "{said:?}");
    // Who is not there is told in one line, however many they are.
    let said = world.ao(&["doctor"]);
    let lines: Vec<&str> = said.out.lines().filter(|line| line.contains("not installed:")).collect();
    assert!(matches!(lines[..], [line] if line.contains("own")), "{said:?}");
    assert!(said.out.contains("→ `ao agent doctor NAME`"), "{said:?}");
    let said = world.ao(&["agent", "login", "own"]);
    assert!(said.code != 0 && said.err.contains("make it yourself"), "{said:?}");
    let said = world.ao(&["--json", "agent", "doctor", "sh"]).ok();
    let found: Vec<Value> = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&found[0]["name"], &found[0]["login"]), (&"shell".into(), &"not_needed".into()));
    world.ao(&["agent", "login", "shell"]).ok();
    let said = world.ao(&["agent", "list"]).ok();
    assert!(said.out.contains("own") && said.out.contains("claude-code"), "{}", said.out);
}
