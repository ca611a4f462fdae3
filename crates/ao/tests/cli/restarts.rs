//! Reboots and lost hosts with the real binary: who comes back with which conversation, and who waits for a person.

use crate::world::{World, until};
use rustix::process::Signal;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

/// An agent that keeps its conversation in a file: it notes there how it was started, and whether another one still writes.
const KEEPER: &str = r#"#!/bin/sh
how=$1 file=$2
shift 2
if ! ln -s $$ "$file.writer" 2>/dev/null; then
    # One that is dead and not yet collected writes nothing.
    if grep -qsv ') Z ' "/proc/$(readlink "$file.writer")/stat"; then echo "two writers" >>"$file"; fi
    rm "$file.writer"
    ln -s $$ "$file.writer"
fi
echo "$how" >>"$file"
exec ao "$@"
"#;

/// The boots of a test's machine.
const BOOTS: [&str; 2] = ["boot-a", "boot-b"];

/// A world whose daemon runs in the first boot and knows the agent `keeper`, with the arguments of its agents.
fn world() -> (World, Vec<String>) {
    let world = World::new();
    let program = world.beside("keeper.sh");
    fs::write(&program, KEEPER).unwrap();
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let adapter = format!(
        "extends = \"scripted\"\nname = \"keeper\"\naliases = []\nprogram = \"{}\"\n\
         start_args = [\"begin\", \"{{private}}/{{native}}.log\"]\n\
         resume_args = [\"resume\", \"{{private}}/{{native}}.log\"]\n\
         transcript = [\"{{private}}/{{native}}.log\"]\n",
        program.display()
    );
    fs::create_dir_all(world.home.join("agents")).unwrap();
    fs::write(world.home.join("agents/keeper.toml"), adapter).unwrap();
    let script = world.beside("script.json");
    let steps = r#"{"steps": [{"when": {"all": ["hang"]}, "then": "hang"}], "default": {"say": "I have read it"}}"#;
    fs::write(&script, steps).unwrap();
    boot(&world, BOOTS[0]);
    let log = world.beside("prompts.log");
    let args = ["--script", script.to_str().unwrap(), "--log", log.to_str().unwrap()].map(str::to_owned).to_vec();
    (world, args)
}

/// Starts the daemon in this boot.
fn boot(world: &World, id: &str) {
    let output = world.command(&["daemon", "start"]).env("AO_TEST_BOOT_ID", id).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// A session at its prompt.
fn session(world: &World, agent: &str, args: &[String]) -> String {
    let new = ["new", "a task", "--agent", agent, "--no-prompt", "--"];
    let args: Vec<&str> = new.into_iter().chain(args.iter().map(String::as_str)).collect();
    let id = world.json(&args)["id"].as_str().unwrap().to_owned();
    world.ao(&["wait", &id, "--for", "idle", "--timeout", "60s"]).ok();
    id
}

/// Directory of a session's files.
fn files(world: &World, id: &str) -> PathBuf {
    let projects = fs::read_dir(&world.home).unwrap().flatten();
    projects.map(|p| p.path().join("sessions").join(format!("{id}.d"))).find(|dir| dir.is_dir()).unwrap()
}

/// What `keeper` noted of its conversation.
fn conversation(world: &World, id: &str) -> String {
    let kept = fs::read_dir(files(world, id).join("agent")).unwrap().flatten().map(|file| file.path());
    let log = kept.into_iter().find(|path| path.extension().is_some_and(|e| e == "log")).unwrap();
    fs::read_to_string(log).unwrap()
}

/// Prompts that were read by agents.
fn prompts(world: &World) -> Vec<String> {
    let log = fs::read_to_string(world.beside("prompts.log")).unwrap_or_default();
    let text = |line: &str| serde_json::from_str::<Value>(line).unwrap()["text"].as_str().unwrap().to_owned();
    log.lines().map(text).collect()
}

fn kill(pid: u64) {
    let pid = u32::try_from(pid).unwrap();
    World::signal(pid, Signal::KILL);
    until("it is gone", || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z ")
    });
}

/// Ends agent and host at once, as a power cut would.
fn cut(world: &World, id: &str, launch: &str) {
    let record = fs::read(files(world, id).join(launch).join("host.json")).unwrap();
    let record: Value = serde_json::from_slice(&record).unwrap();
    kill(record["child_pid"].as_u64().unwrap());
    // A host that saw the end first has written it down; a power cut comes before that.
    kill(record["pid"].as_u64().unwrap());
    let _ = fs::remove_file(files(world, id).join(launch).join("exit.json"));
}

#[test]
fn after_a_reboot_sessions_go_on_with_their_own_conversation_or_say_that_they_begin_anew() {
    let (world, args) = world();
    let keeps = session(&world, "keeper", &args);
    let forgets = session(&world, "scripted", &args);
    world.ao(&["send", &keeps, "--wait", "--timeout", "60s", "read this"]).ok();
    world.ao(&["wait", &keeps, "--for", "idle", "--timeout", "60s"]).ok();
    world.ao(&["send", &keeps, "--wait", "--timeout", "60s", "please hang"]).ok();
    world.ao(&["send", &keeps, "it still waits"]).ok();
    assert_eq!(world.json(&["status", &keeps])["promptsWaiting"], Value::from(1));

    kill(u64::from(world.daemon()));
    for id in [&keeps, &forgets] {
        cut(&world, id, "1");
    }
    boot(&world, BOOTS[1]);

    let stands = |id: &str| world.json(&["status", id]);
    until("the waiting prompt is typed", || prompts(&world).len() == 3);
    world.ao(&["wait", &keeps, "--for", "idle", "--timeout", "60s"]).ok();
    world.ao(&["wait", &forgets, "--for", "idle", "--timeout", "60s"]).ok();
    assert_eq!(prompts(&world), ["read this", "please hang", "it still waits"], "none is lost and none comes twice");
    assert_eq!(conversation(&world, &keeps), "begin\nresume\n");
    assert_eq!(stands(&keeps)["beginsAnew"], Value::from(false));

    let words = "it begins a new conversation";
    assert_eq!(stands(&forgets)["beginsAnew"], Value::from(true));
    assert!(stands(&forgets)["why"].as_str().unwrap().contains(words), "{}", stands(&forgets));
    let one = world.ao(&["status", &forgets]).ok().out;
    assert!(one.lines().any(|line| line.trim_start().starts_with("conversation") && line.contains(words)), "{one}");
    let board = world.ao(&["status"]).ok().out;
    let told: Vec<&str> = board.lines().filter(|line| line.contains(words)).collect();
    assert!(matches!(told[..], [row] if row.contains(&forgets)), "{board}");
    let events = world.ao(&["events", "--session", &forgets]).ok().out;
    assert!(events.contains("agent started, it begins a new conversation"), "{events}");
    let events = world.ao(&["events", "--session", &keeps]).ok().out;
    assert!(events.contains("agent started, it continues its conversation"), "{events}");
}

#[test]
fn sessions_that_are_not_to_be_resumed_are_offered_for_restore() {
    let (world, args) = world();
    world.write("agent-orchestrator.yaml", "lifecycle: {resumeOnBoot: false}\nprojects: {app: {path: .}}\n");
    world.ao(&["start", "--yes"]).ok();
    let id = session(&world, "keeper", &args);
    kill(u64::from(world.daemon()));
    cut(&world, &id, "1");
    boot(&world, BOOTS[1]);
    let needs = world.json(&["next"])["needs"].clone();
    assert_eq!(needs[0]["verb"], Value::from(format!("ao restore {id}")), "{needs}");
    assert!(needs[0]["why"].as_str().unwrap().contains("the machine was restarted"), "{needs}");
    assert_eq!(conversation(&world, &id), "begin\n", "nothing was started");
}

#[test]
fn a_lost_host_is_offered_for_restore_which_goes_on_with_the_conversation() {
    let (world, args) = world();
    let id = session(&world, "keeper", &args);
    let tree = world.json(&["status", &id])["workspacePath"].as_str().unwrap().to_owned();
    fs::write(PathBuf::from(&tree).join("work.txt"), "half of it").unwrap();
    let host = fs::read(files(&world, &id).join("1/host.json")).unwrap();
    let host: Value = serde_json::from_slice(&host).unwrap();
    kill(host["pid"].as_u64().unwrap());
    until("it is believed", || world.json(&["status", &id])["status"] == "terminated");
    let needs = world.json(&["next"])["needs"].clone();
    let verb = needs[0]["verb"].as_str().unwrap().to_owned();
    assert!(verb == format!("ao restore {id}") || verb == format!("ao stop {id} && ao restore {id}"), "{needs}");
    assert!(needs[0]["why"].as_str().unwrap().contains("its host is gone and left no record of an end"), "{needs}");
    for one in verb.split(" && ") {
        // What its host left is stopped first where there was something.
        let words: Vec<&str> = one.split(' ').skip(1).collect();
        until("it is done as it was said", || world.ao(&words).code == 0);
    }
    world.ao(&["wait", &id, "--for", "idle", "--timeout", "60s"]).ok();
    assert_eq!(conversation(&world, &id), "begin\nresume\n");
    assert_eq!(fs::read_to_string(PathBuf::from(&tree).join("work.txt")).unwrap(), "half of it");
    assert!(world.ao(&["next"]).ok().err.contains("nobody needs you"));
}
