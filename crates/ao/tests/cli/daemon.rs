//! The daemon: it starts by itself, once; it goes and comes without sessions noticing; it leaves nothing behind.

use crate::world::{World, finish, free_port, until};
use rustix::process::Signal;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn verbs_that_come_at_once_start_one_daemon() {
    let world = World::new();
    let spawn = |_| world.command(&["list"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let children: Vec<_> = (0..4).map(spawn).collect();
    for child in children {
        finish(child).ok();
    }
    let log = std::fs::read_to_string(world.home.join("daemon.log")).unwrap();
    assert_eq!(log.matches("the daemon serves").count(), 1, "{log}");
}

#[test]
fn a_second_daemon_is_refused_and_told_what_to_do() {
    let world = World::new();
    world.ao(&["daemon", "start"]).ok();
    world.ao(&["daemon", "run"]).fails(4, &["another daemon has the data root", "ao daemon restart"]);
    world.ao(&["list"]).ok();
}

#[test]
fn a_daemon_of_another_version_is_named_and_a_restart_mends_it() {
    let world = World::new();
    world.ao(&["daemon", "start"]).ok();
    let path = world.home.join("daemon.json");
    let mut file: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    file["version"] = Value::from("0.0.1");
    std::fs::write(&path, file.to_string()).unwrap();
    world.ao(&["list"]).fails(4, &["the daemon is ao 0.0.1, and this is ao ", "ao daemon restart"]);
    world.ao(&["daemon", "restart"]).ok();
    world.ao(&["list"]).ok();
}

#[test]
fn sessions_live_on_while_the_daemon_is_stopped() {
    let world = World::new();
    let id = world.shell("echo ready; exec cat");
    world.ao(&["daemon", "stop"]).ok();
    world.ao(&["daemon", "status"]).fails(7, &[]);
    let session = world.json(&["status", &id]);
    assert_eq!(
        (session["runtimeState"].as_str(), session["ended"].as_bool()),
        (Some("alive"), Some(false)),
        "{session}"
    );
    until("its terminal shows what it printed before", || world.ao(&["logs", &id]).ok().out.contains("ready"));
}

#[test]
fn a_killed_daemon_is_started_again_by_the_next_verb() {
    let world = World::new();
    let id = world.shell("exec cat");
    let killed = world.daemon();
    World::signal(killed, Signal::KILL);
    until("it is dead", || !runs(killed));
    let listed = world.json(&["list"]);
    assert_eq!(listed["sessions"][0]["id"].as_str(), Some(id.as_str()), "{listed}");
    assert_ne!(world.daemon(), killed);
}

#[test]
fn a_stopped_daemon_leaves_no_socket_no_address_and_no_lock() {
    let world = World::new();
    world.ao(&["daemon", "start"]).ok();
    let pid = world.daemon();
    world.ao(&["daemon", "stop"]).ok();
    assert!(!world.home.join("daemon.json").exists());
    let left: Vec<_> = std::fs::read_dir(world.home.join("run")).unwrap().flatten().map(|e| e.path()).collect();
    assert!(left.is_empty(), "{left:?}");
    until("its process is gone", || !runs(pid));
    assert!(world.ao(&["daemon", "stop"]).ok().out.contains("no daemon runs"));
}

/// A process that ended and that nobody has asked for yet is gone too.
pub fn runs(pid: u32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let zombie = state.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'));
    // Until the last thread of a process that was killed is gone, its sockets take calls.
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
    !state.is_empty() && (!zombie || threads > 1)
}

#[test]
fn a_caller_that_waits_for_the_end_of_its_pipes_does_not_wait_for_the_daemon() {
    let world = World::new();
    // The shell's descriptor 9 is the pipe that this test reads to its end.
    let line = format!("exec 9>&1; {} list >/dev/null 2>&1", env!("CARGO_BIN_EXE_ao"));
    let mut command = world.command(&[]);
    let env: Vec<_> = command.get_envs().map(|(n, v)| (n.to_owned(), v.unwrap_or_default().to_owned())).collect();
    command = std::process::Command::new("sh");
    command.args(["-c", &line]).env_clear().envs(env).current_dir(&world.repo).stdin(Stdio::null());
    let said = finish(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()).ok();
    assert_eq!(said.out, "");
    assert!(runs(world.daemon()));
}

#[test]
fn the_daemon_stands_in_nobodys_way() {
    let world = World::new();
    world.ao(&["list"]).ok();
    let pid = world.daemon();
    let cwd = std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap();
    assert_eq!(cwd, world.home, "a directory that is somebody's workspace must be removable");
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let session = stat.rsplit(')').next().unwrap().split_whitespace().nth(3).unwrap();
    assert_eq!(session, pid.to_string(), "it leads a session of its own");
}

#[test]
fn what_the_data_root_holds_is_for_its_owner_alone() {
    let world = World::new();
    world.ao(&["list"]).ok();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&world.home), 0o700);
    for file in ["daemon.json", "daemon.log", "events.jsonl", "run/daemon.sock"] {
        assert_eq!(mode(&world.home.join(file)), 0o600, "{file}");
    }
}

#[test]
fn doctor_says_what_is_wrong_and_what_to_do_and_starts_nothing() {
    let world = World::new();
    let found = world.json(&["doctor"]);
    assert_eq!(found["ok"].as_bool(), Some(true), "{found}");
    assert!(!world.home.exists());
    world.write("agent-orchestrator.yaml", "ports: 3000\n");
    let said = world.ao(&["doctor"]);
    assert!(said.code == 1 && said.out.contains("`ports`") && said.out.contains("→ mend"), "{said:?}");
    assert!(said.out.contains("Did you mean `port`?"), "{said:?}");
}

#[test]
fn a_restarted_daemon_is_where_the_last_one_was() {
    let world = World::new();
    let started = world.json(&["daemon", "start", "--port", &free_port().to_string()]);
    let restarted = world.json(&["daemon", "restart"]);
    assert_ne!(started["daemon"]["pid"], restarted["daemon"]["pid"]);
    assert_eq!(started["daemon"]["url"], restarted["daemon"]["url"]);
}

#[test]
fn a_restart_onto_a_port_that_is_taken_leaves_the_daemon_as_it_was() {
    let world = World::new();
    world.json(&["daemon", "start", "--port", &free_port().to_string()]);
    let before = world.daemon();
    let id = world.shell("exec cat");
    let port = free_port();
    let taken = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let words = [&format!("port {port} is taken")[..], "the daemon goes on as it was", "hint: "];
    world.ao(&["daemon", "restart", "--port", &port.to_string()]).fails(4, &words);
    world.write("agent-orchestrator.yaml", &format!("port: {port}\nprojects:\n  app:\n    path: .\n"));
    world.ao(&["daemon", "restart"]).fails(4, &words);
    // Nor for a configuration that nobody understands.
    world.write("agent-orchestrator.yaml", "ports: 1\n");
    world.ao(&["daemon", "restart"]).fails(2, &["`ports`"]);
    assert_eq!(world.daemon(), before);
    std::fs::remove_file(world.repo.join("agent-orchestrator.yaml")).unwrap();
    assert_eq!(world.json(&["status", &id])["runtimeState"].as_str(), Some("alive"));
    drop(taken);
    world.ao(&["daemon", "restart", "--port", &port.to_string()]).ok();
    assert_ne!(world.daemon(), before);
}

#[test]
fn a_request_whose_connection_ends_before_the_answer_is_made_again_although_the_daemon_seems_to_live() {
    let world = World::new();
    // A process that only has to be there, as one that was killed is for a moment longer than its connections.
    let mut dying = Command::new("sleep").arg("1000").spawn().unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", dying.id())).unwrap();
    let started: u64 = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().parse().unwrap();
    let socket = world.beside("fake.sock");
    let file = serde_json::json!({
        "pid": dying.id(), "started": started, "version": env!("CARGO_PKG_VERSION"), "url": "http://127.0.0.1:1",
        "socket": socket,
    });
    std::fs::create_dir_all(&world.home).unwrap();
    std::fs::write(world.home.join("daemon.json"), file.to_string()).unwrap();
    let listener = UnixListener::bind(&socket).unwrap();
    std::thread::spawn(move || {
        let mut requests = 0;
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // Whoever only looks whether somebody listens says nothing.
            if !matches!(stream.read(&mut [0; 4096]), Ok(1..)) {
                continue;
            }
            requests += 1;
            if requests == 2 {
                let body = r#"{"error": {"code": "not_found", "message": "the second answer"}}"#;
                let head = format!("HTTP/1.1 404 Not Found\r\ncontent-length: {}\r\n\r\n", body.len());
                stream.write_all((head + body).as_bytes()).unwrap();
            }
        }
    });
    let said = world.ao(&["send", "a", "words"]);
    dying.kill().unwrap();
    dying.wait().unwrap();
    std::fs::remove_file(world.home.join("daemon.json")).unwrap();
    assert!(said.code != 0 && said.err.contains("the second answer"), "{said:?}");
}
