//! `ao replay`: recordings of agents, read without a daemon.

use crate::world::World;
use serde_json::Value;
use std::path::PathBuf;

fn recording(name: &str) -> String {
    let casts = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../testkit/fixtures/casts");
    casts.join(name).to_str().unwrap().to_owned()
}

#[test]
fn a_recording_tells_what_would_have_been_believed_when() {
    let world = World::new();
    let said = world.ao(&["--json", "replay", &recording("claude-permission.cast"), "--agent", "claude"]).ok();
    let believed: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let activities: Vec<&str> = believed.iter().map(|b| b["activity"].as_str().unwrap()).collect();
    // The prompt came before the first screen had stood still: nothing was believed of the start-up.
    assert_eq!(activities.first(), Some(&"working"));
    assert_eq!(activities.last(), Some(&"exited"));
    let asked = activities.iter().position(|a| *a == "needs_input:permission").unwrap();
    assert_eq!(activities[asked - 1], "working", "{activities:?}");
    let times: Vec<f64> = believed.iter().map(|b| b["t"].as_f64().unwrap()).collect();
    assert!(times.is_sorted());
    assert!(!world.home.join("daemon.json").exists(), "no daemon is needed for this");

    let said =
        world.ao(&["replay", &recording("claude-permission.cast"), "--agent", "claude", "--signals", "all"]).ok();
    assert!(said.out.contains("hook Stop"), "{}", said.out);
}

#[test]
fn what_is_no_recording_or_no_agent_is_named() {
    let world = World::new();
    let said = world.ao(&["replay", "/nowhere.cast", "--agent", "claude"]);
    assert!(said.code != 0 && said.err.contains("/nowhere.cast cannot be read"), "{said:?}");
    let file = world.beside("not.cast");
    std::fs::write(&file, "hello\n").unwrap();
    let said = world.ao(&["replay", file.to_str().unwrap(), "--agent", "claude"]);
    assert!(said.code != 0 && said.err.contains("is no recording: line 1"), "{said:?}");
    let said = world.ao(&["replay", &recording("claude-permission.cast"), "--agent", "nobody"]);
    assert!(said.code != 0 && said.err.contains("nobody"), "{said:?}");
}
