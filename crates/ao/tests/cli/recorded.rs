//! What is left of a session on the disk: dead and lost sessions, logs and recordings, with the daemon away.

use crate::world::{World, until};
use rustix::process::Signal;
use serde_json::Value;

/// A session that has ended and whose daemon is gone.
fn ended(world: &World, command: &str) -> String {
    let id = world.shell(command);
    until("it has ended", || world.json(&["status", &id])["runtimeState"] == "exited");
    world.ao(&["daemon", "stop"]).ok();
    id
}

#[test]
fn attach_to_a_dead_session_shows_its_last_screen_its_end_and_how_to_go_on() {
    let world = World::new();
    let id = ended(&world, "echo the last words; exit 4");
    let said = world.ao(&["attach", &id]).fails(4, &["ended", "exit code 4", &format!("ao restore {id}")]);
    assert_eq!(said.out, "the last words\n");
    assert!(!world.home.join("daemon.json").exists(), "a daemon was started for nothing");
}

#[test]
fn attach_to_a_lost_session_says_so_and_shows_what_it_printed_last() {
    let world = World::new();
    let id = world.shell("echo the last words; exec cat");
    until("it has written", || world.ao(&["logs", &id]).ok().out.contains("last words"));
    world.ao(&["daemon", "stop"]).ok();
    let file = std::fs::read_dir(&world.home)
        .unwrap()
        .flatten()
        .map(|e| e.path().join(format!("sessions/{id}.d/1/host.json")))
        .find(|path| path.exists())
        .unwrap();
    let host: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let pid = |key: &str| u32::try_from(host[key].as_u64().unwrap()).unwrap();
    World::signal(pid("pid"), Signal::KILL);
    let mut said = None;
    until("the host is gone", || {
        let now = world.ao(&["attach", &id]);
        let gone = now.err.contains("is lost");
        said = Some(now);
        gone
    });
    let said = said.unwrap();
    assert_eq!((said.code, said.out.as_str()), (4, "the last words\n"), "{said:?}");
    assert!(said.err.contains(&format!("ao restore {id}")), "{said:?}");
    assert!(world.ao(&["logs", &id]).ok().out.contains("the last words"));
}

#[test]
fn logs_need_no_daemon_and_go_by_rows_and_by_bytes() {
    let world = World::new();
    let id = ended(&world, "seq -f 'row %g' 1 100; printf '\\033[31mred\\033[m end'");
    let all = world.ao(&["logs", &id]).ok().out;
    assert!(all.starts_with("row 1\nrow 2\n") && all.ends_with("row 100\nred end\n"), "{all}");
    assert_eq!(world.ao(&["logs", &id, "-n", "2"]).ok().out, "row 100\nred end\n");
    assert_eq!(world.ao(&["logs", &id, "--rows", "3..5"]).ok().out, "row 4\nrow 5\n");
    let raw = world.ao(&["logs", &id, "--raw"]).ok().out;
    assert!(raw.starts_with("row 1\r\n") && raw.ends_with("\u{1b}[31mred\u{1b}[m end"), "{raw:?}");
    let json = world.json(&["logs", &id, "-n", "1"]);
    assert_eq!((json["lines"][0].as_str(), json["live"].as_bool()), (Some("red end"), Some(false)));
    world.ao(&["logs", &id, "--rows", "5..3"]).fails(2, &["no range"]);
    assert!(!world.home.join("daemon.json").exists(), "a daemon was started for nothing");
}

#[test]
fn a_recording_has_times_and_sizes_and_masks_secrets() {
    let world = World::new();
    let secret = ["ghp", "_abcdefghijklmnopqrstuvwxyz0123456789"].concat();
    let id = ended(&world, &format!("echo token {secret}; printf 'é\\n'"));
    let file = world.beside("a.cast");
    let said = world.ao(&["export", "--cast", &id, "-o", file.to_str().unwrap()]).ok();
    assert!(said.err.contains("masked 1 secret of known shapes"), "{said:?}");
    let cast = std::fs::read_to_string(&file).unwrap();
    let mut lines = cast.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let header = lines.next().unwrap();
    assert_eq!((header["version"].as_u64(), header["title"].as_str()), (Some(2), Some(id.as_str())));
    assert!(header["width"].as_u64() > Some(0) && header["timestamp"].as_u64() > Some(1_700_000_000));
    let printed: String = lines.filter(|e| e[1] == "o").map(|e| e[2].as_str().unwrap().to_owned()).collect();
    assert_eq!(printed, format!("token ghp_{}\r\né\r\n", "*".repeat(36)));
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(world.ao(&["export", "--cast", &id]).ok().out, cast);
}

#[test]
fn open_goes_by_name_and_a_command_needs_trust() {
    let world = World::new();
    let id = world.shell("exec cat");
    world.ao(&["open", &id, "--with", "nothing"]).fails(3, &["no terminal plugin", "attach", "tmux", "web"]);
    world.ao(&["open", &id, "--with", "tmux"]).fails(6, &["inside tmux", "attach"]);
    let said = world.beside("said");
    world.write(
        "agent-orchestrator.yaml",
        &format!("terminal: {{command: \"sh -c 'echo $0 $* > {}' {{attach}}\"}}\n", said.display()),
    );
    world.ao(&["open", &id]).fails(5, &["is not trusted", "ao trust"]);
    assert!(!said.exists());
    world.ao(&["trust", "--yes"]).ok();
    world.ao(&["open", "--all"]).ok();
    until("it was opened", || std::fs::read_to_string(&said).is_ok_and(|text| text.ends_with('\n')));
    assert!(std::fs::read_to_string(&said).unwrap().ends_with(&format!("ao attach {id}\n")));
}
