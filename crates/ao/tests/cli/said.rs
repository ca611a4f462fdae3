//! What a program says to the person before its terminal: in the status, in the events, and told once whatever becomes of the
//! daemon.

use crate::world::{World, until};
use rustix::process::Signal;
use serde_json::Value;
use std::path::PathBuf;

/// Three rounds, each when its file is there; the last is a flood.
const PROGRAM: &str = r#"
round() { while ! [ -e "$1" ]; do sleep 0.05; done; }
printf '\033]0;\342\240\202 Fix \001it\007\033]9;Build failed\033\\\007\033]133;C\007\033]133;D;3\007'; echo round one
round two
printf '\033]2;second\007\033]777;notify;Done;all of it\007\007\007\033]133;C\007\033]133;D;0\007'; echo round two
round three
printf '\033]9;4;1;50\007'; i=0; while [ $i -lt 600 ]; do i=$((i+1)); printf '\033]0;title %d\007' $i; done
printf '%10000s' '' | tr ' ' '\007'; echo round three
exec cat"#;

/// The session; null while the daemon that was killed is being followed by the next one.
fn status(world: &World, id: &str) -> Value {
    let said = world.ao(&["--json", "status", id]);
    serde_json::from_str(&said.out).unwrap_or(Value::Null)
}

fn terminal(world: &World, id: &str) -> Value {
    status(world, id)["terminal"].clone()
}

/// How many events of each kind there are.
fn told(world: &World, id: &str) -> [usize; 4] {
    let path = format!("/api/events?session={id}&follow=false&limit=10000");
    let all = world.json(&["api", "GET", &path])["events"].as_array().unwrap().clone();
    ["terminal_title", "terminal_notification", "terminal_bell", "terminal_command"]
        .map(|kind| all.iter().filter(|event| event["type"] == kind).count())
}

fn kill_daemon(world: &World) {
    let pid = world.daemon();
    World::signal(pid, Signal::KILL);
    until("the daemon is gone", || !crate::daemon::runs(pid));
}

#[test]
fn what_a_program_says_is_told_once_whatever_becomes_of_the_daemon() {
    let world = World::new();
    let id = world.shell(PROGRAM);
    let known = |commands: u64, bells: u64| {
        let said = terminal(&world, &id);
        said["commands"] == commands && said["bells"] == bells
    };
    until("the first round is known", || known(1, 1));
    let first = terminal(&world, &id);
    assert_eq!((first["title"].as_str(), first["bells"].as_u64()), (Some("Fix it"), Some(1)), "{first}");
    assert_eq!(first["notification"]["text"].as_str(), Some("Build failed"));
    assert_eq!(first["command"]["code"].as_i64(), Some(3));
    assert_eq!(told(&world, &id), [1, 1, 1, 1]);
    let shown = world.ao(&["status", &id]).ok().out;
    for words in ["window", "Fix it", "Build failed", "exit code 3", "1, the last"] {
        assert!(shown.contains(words), "{words:?} is missing: {shown}");
    }
    assert!(world.ao(&["explain", &id]).ok().out.contains("Build failed"));

    // What it says while no daemon is there is told by the next one, and the rest not again.
    let workspace = PathBuf::from(world.json(&["status", &id])["workspacePath"].as_str().unwrap());
    kill_daemon(&world);
    std::fs::write(workspace.join("two"), "").unwrap();
    until("the second round is printed", || world.ao(&["logs", &id]).ok().out.contains("round two"));
    until("the second round is known", || known(2, 3));
    let second = terminal(&world, &id);
    assert_eq!((second["title"].as_str(), second["bells"].as_u64()), (Some("second"), Some(3)), "{second}");
    assert_eq!(second["notification"]["text"].as_str(), Some("Done: all of it"));
    assert_eq!((second["command"]["code"].as_i64(), second["notifications"].as_u64()), (Some(0), Some(2)));
    assert_eq!(told(&world, &id), [2, 2, 2, 2]);

    // Ten thousand bells and six hundred titles are a few events, and nothing of them is lost.
    kill_daemon(&world);
    until("the daemon is back", || status(&world, &id)["runtimeState"] == "alive");
    std::fs::write(workspace.join("three"), "").unwrap();
    until("the flood is known", || {
        let said = terminal(&world, &id);
        said["bells"] == 10_003 && said["title"] == "title 600"
    });
    let [titles, notes, bells, commands] = told(&world, &id);
    assert_eq!((notes, commands), (2, 2), "a progress bar is no notification");
    assert!((3..=20).contains(&titles) && (3..=20).contains(&bells), "{titles} titles, {bells} bells");
}
