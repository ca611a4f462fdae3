//! Sessions from the first verb to the last.

use crate::world::{World, finish, until};
use serde_json::Value;
use std::process::Stdio;

#[test]
fn a_session_is_found_by_id_name_and_unique_prefix() {
    let world = World::new();
    let id = world.shell("exec cat");
    assert_eq!(id, "app-1");
    let name = world.json(&["status", &id])["name"].as_str().unwrap().to_owned();
    assert_eq!(name, "app-a-task");
    for given in [id.as_str(), &name, "app-a"] {
        assert_eq!(world.json(&["status", given])["id"].as_str(), Some("app-1"), "{given}");
    }
    world.shell("exec cat");
    world.ao(&["status", "app"]).fails(2, &["fits 2 sessions: app-1, app-2"]);
}

#[test]
fn the_json_of_a_list_has_the_documented_shape() {
    let world = World::new();
    world.shell("exec cat");
    let listed = world.json(&["list"]);
    assert!(listed["seq"].as_u64().is_some_and(|s| s > 0));
    let session = listed["sessions"][0].as_object().unwrap();
    let expected = [
        "activity",
        "agent",
        "branch",
        "changedAt",
        "createdAt",
        "ended",
        "id",
        "name",
        "projectId",
        "promptsWaiting",
        "runtime",
        "runtimeState",
        "state",
        "status",
        "title",
        "turns",
        "why",
        "workspace",
        "workspacePath",
    ];
    for key in expected {
        assert!(session.contains_key(key), "{key} is missing: {session:?}");
    }
    assert_eq!(session["projectId"], Value::from("app"));
    assert_eq!(session["agent"], Value::from("shell"));
}

#[test]
fn stop_keeps_the_worktree_and_cleanup_keeps_what_was_in_it() {
    let world = World::new();
    let id = world.shell("echo work > made.txt; echo written; exec cat");
    until("it has written", || world.ao(&["logs", &id]).ok().out.contains("written"));
    let tree = world.json(&["status", &id])["workspacePath"].as_str().unwrap().to_owned();
    let said = world.ao(&["stop", &id]).ok();
    assert!(
        said.out.contains("its worktree stays") && std::path::Path::new(&tree).join("made.txt").exists(),
        "{said:?}"
    );
    assert_eq!(world.json(&["list"])["sessions"].as_array().map(Vec::len), Some(0));
    let said = world.ao(&["cleanup", "--ended"]).ok();
    assert!(said.out.contains("kept as refs/ao/rescue/app-1") && !std::path::Path::new(&tree).exists(), "{said:?}");
    let kept = world.json(&["rescue", "list"]);
    assert_eq!(kept["rescues"][0]["name"].as_str(), Some("refs/ao/rescue/app-1"), "{kept}");
    let to = world.beside("back");
    world.ao(&["rescue", "restore", &id, to.to_str().unwrap()]).ok();
    assert_eq!(std::fs::read_to_string(to.join("made.txt")).unwrap(), "work\n");
    assert!(world.ao(&["cleanup", "--ended"]).ok().err.contains("nothing to clean up"));
}

#[test]
fn a_stopped_session_can_be_restored() {
    let world = World::new();
    let id = world.shell("echo again; exec cat");
    world.ao(&["stop", &id]).ok();
    world.ao(&["restore", &id]).ok();
    world.ao(&["wait", &id, "--for", "working", "--timeout", "60s"]).ok();
    assert_eq!(world.json(&["status", &id])["runtimeState"].as_str(), Some("alive"));
}

#[test]
fn a_prompt_arrives_and_wait_sees_the_session_go_idle() {
    let world = World::new();
    let (script, log) = (world.beside("script.json"), world.beside("prompts.log"));
    std::fs::write(&script, r#"{"default": {"say": "I have read it"}}"#).unwrap();
    let (script, log) = (script.to_str().unwrap(), log.to_str().unwrap());
    let new = ["new", "a stand-in", "--agent", "scripted", "--no-prompt", "--", "--script", script, "--log", log];
    let id = world.json(&new)["id"].as_str().unwrap().to_owned();
    world.ao(&["wait", &id, "--for", "idle", "--timeout", "60s"]).ok();
    let sent = world.json(&["send", &id, "--wait", "--timeout", "60s", "do", "this"]);
    assert_eq!(sent["delivery"]["state"].as_str(), Some("delivered"), "{sent}");
    assert!(std::fs::read_to_string(log).unwrap().contains("\"do this\""), "typed as it was given");
    world.ao(&["wait", &id, "--for", "idle", "--timeout", "60s"]).ok();
    until("the answer is there", || world.ao(&["logs", &id]).ok().out.contains("I have read it"));
}

#[test]
fn a_prompt_waits_until_a_person_who_types_has_rested() {
    let world = World::new();
    let new = ["new", "a shell", "--agent", "shell", "--no-prompt", "--", "env", "PS1=$ ", "sh"];
    let id = world.json(&new)["id"].as_str().unwrap().to_owned();
    world.ao(&["wait", &id, "--for", "idle", "--timeout", "60s"]).ok();
    let keys = format!("/sessions/{id}/keys");
    // On a busy machine a person may have rested before the prompt comes: then they type again.
    until("the prompt waits for a person", || {
        world.ao(&["api", "POST", &keys, "-d", r#"{"text": "echo person", "keys": ["Enter"]}"#]).ok();
        let said = world.ao(&["send", &id, "--wait", "--timeout", "60s", "echo it", "is $((40 + 2))"]).ok();
        said.err.contains("a person typed")
    });
    until("the keys arrived", || world.ao(&["logs", &id]).ok().out.contains("\nperson"));
    until("the answer is there", || world.ao(&["logs", &id]).ok().out.contains("it is 42"));
}

#[test]
fn wait_gives_up_in_time_and_says_when_it_can_never_be() {
    let world = World::new();
    let id = world.shell("exec cat");
    world.ao(&["wait", &id, "--for", "merged", "--timeout", "200ms"]).fails(7, &["was not merged within", "ao status"]);
    let waiting =
        world.command(&["wait", &id, "--for", "merged"]).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    world.ao(&["stop", &id]).ok();
    finish(waiting).fails(4, &["ended and was never merged"]);
    world.ao(&["wait", &id, "--for", "ended"]).ok();
}

#[test]
fn logs_follow_a_session_to_its_end() {
    let world = World::new();
    let id = world.shell("for n in 1 2 3; do echo line $n; done; until [ -e go ]; do sleep 0.05; done; echo got it");
    let following = world.command(&["logs", "-f", &id]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("it waits", || world.ao(&["logs", &id]).ok().out.contains("line 3"));
    let tree = world.json(&["status", &id])["workspacePath"].as_str().unwrap().to_owned();
    std::fs::write(std::path::Path::new(&tree).join("go"), "").unwrap();
    let said = finish(following).ok();
    let lines: Vec<&str> = said.out.lines().collect();
    for wanted in ["line 1", "line 2", "line 3", "got it"] {
        assert_eq!(lines.iter().filter(|l| **l == wanted).count(), 1, "{wanted}: {lines:#?}");
    }
}

#[test]
fn events_are_told_from_a_number_on_and_as_they_happen() {
    let world = World::new();
    let id = world.shell("exec cat");
    let all = world.json(&["events", "--session", &id]);
    let first = all["events"][0]["seq"].as_u64().unwrap();
    assert_eq!(all["events"][0]["type"].as_str(), Some("session_requested"), "{all}");
    let later = world.json(&["events", "--session", &id, "--since", &first.to_string()]);
    assert!(later["events"].as_array().unwrap().iter().all(|e| e["seq"].as_u64() > Some(first)), "{later}");
}

#[test]
fn the_verb_api_reaches_every_route_of_the_documents() {
    let world = World::new();
    let id = world.shell("exec cat");
    let status: Value =
        serde_json::from_str(&world.ao(&["api", "GET", &format!("/sessions/{id}/status")]).ok().out).unwrap();
    assert_eq!(status["projectId"].as_str(), Some("app"));
    let message = format!("/sessions/{id}/message");
    world.ao(&["api", "POST", &message, "-d", r#"{"content": "Check the auth flow"}"#]).ok();
    world.ao(&["api", "POST", &message, "-d", "{"]).fails(2, &["the body is no JSON"]);
    world.ao(&["api", "PATCH", "/sessions"]).fails(2, &["GET, POST or DELETE"]);
    world.ao(&["api", "GET", "/nothing"]).fails(3, &[]);
}

#[test]
fn tokens_are_shown_once_and_can_be_revoked() {
    let world = World::new();
    let made = world.ao(&["token", "create", "ci", "--role", "operator"]).ok();
    assert!(made.out.starts_with("ao_") && made.out.lines().count() == 1, "{made:?}");
    let listed = world.ao(&["token", "list"]).ok();
    assert!(listed.out.contains("ci") && !listed.out.contains(made.out.trim()), "{listed:?}");
    world.ao(&["token", "revoke", "ci"]).ok();
    world.ao(&["token", "revoke", "ci"]).fails(3, &["ao token list"]);
}

#[test]
fn open_prints_a_link_that_signs_in_once() {
    let world = World::new();
    let said = world.ao(&["open"]).ok();
    assert!(said.out.starts_with("http://127.0.0.1:") && said.out.contains("/#sign-in="), "{said:?}");
    assert!(said.err.contains("within 60 s") && said.err.contains("`ao open` makes a new one"), "{said:?}");
}
