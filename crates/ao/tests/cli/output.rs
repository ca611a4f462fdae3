//! What goes where: results, notes and errors, with colour or as JSON.

use crate::world::{World, finish};
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

#[test]
fn a_pipe_gets_no_colour_unless_it_is_asked_for() {
    let world = World::new();
    world.shell("exec cat");
    assert!(!world.ao(&["list"]).ok().out.contains('\u{1b}'));
    assert!(world.ao(&["list", "--color", "always"]).ok().out.contains("\u{1b}["));
    let forced = world.command(&["list"]).env("CLICOLOR_FORCE", "1").output().unwrap();
    assert!(String::from_utf8_lossy(&forced.stdout).contains("\u{1b}["));
    let both = world.command(&["list"]).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").output().unwrap();
    assert!(!String::from_utf8_lossy(&both.stdout).contains('\u{1b}'));
}

#[test]
fn an_error_is_words_for_people_and_an_object_for_programs() {
    let world = World::new();
    // A daemon that takes long to start is told of.
    world.ao(&["list"]).ok();
    let said = world.ao(&["status", "nope"]);
    assert_eq!(said.err, "error: there is no session \"nope\"\nhint: `ao list --all` shows every session\n");
    assert_eq!(said.out, "");
    let said = world.ao(&["status", "nope", "--json"]);
    let body: serde_json::Value = serde_json::from_str(&said.err).unwrap();
    assert_eq!(body["error"]["code"].as_str(), Some("not_found"));
    assert!(body["error"]["hint"].is_string() && said.out.is_empty() && said.code == 3, "{said:?}");
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let world = World::new();
    world.shell("exec cat");
    let mut child = world.command(&["events"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let said = finish(child);
    assert!(said.code == 0 && said.err.is_empty(), "{said:?}");
}

#[test]
fn following_goes_on_after_the_last_event_that_was_shown() {
    let world = World::new();
    world.shell("exec cat");
    let all = world.json(&["events", "--since", "0", "-n", "1000"]);
    let wanted: Vec<u64> = all["events"].as_array().unwrap().iter().filter_map(|e| e["seq"].as_u64()).collect();
    assert!(wanted.len() > 4, "{all}");
    let mut child = world
        .command(&["events", "--json", "--since", "0", "-n", "2", "--follow"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().take(wanted.len());
    let shown: Vec<u64> = lines
        .map(|line| serde_json::from_str::<serde_json::Value>(&line.unwrap()).unwrap()["seq"].as_u64().unwrap())
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(shown, wanted);
}

#[test]
fn a_mistake_on_the_command_line_is_an_object_for_programs() {
    let world = World::new();
    for args in [&["--json", "list", "--nonsense"][..], &["nonsense", "--json"], &["wait", "x", "--json"], &["--json"]]
    {
        let said = world.ao(args);
        let body: serde_json::Value = serde_json::from_str(&said.err).unwrap_or_else(|e| panic!("{e}: {said:?}"));
        assert_eq!(body["error"]["code"].as_str(), Some("invalid"), "{said:?}");
        assert!(said.code == 2 && said.out.is_empty() && body["error"]["hint"].is_string(), "{said:?}");
    }
    assert!(world.ao(&["list", "--nonsense"]).err.starts_with("error: "), "words for people");
    assert!(world.ao(&["list", "--help", "--json"]).ok().out.contains("Usage: ao list"), "help is no mistake");
}

#[test]
fn a_limit_below_a_second_is_told_as_it_was_given() {
    let world = World::new();
    let id = world.shell("exec cat");
    world.ao(&["wait", &id, "--for", "merged", "--timeout", "100ms"]).fails(7, &["within 100 ms"]);
}

#[test]
fn an_empty_world_is_told_on_standard_error_and_as_empty_json() {
    let world = World::new();
    for (verb, words) in [("list", "no live sessions"), ("status", "no live sessions"), ("next", "nobody needs you")] {
        let said = world.ao(&[verb]).ok();
        assert!(said.out.is_empty() && said.err.contains(words), "{said:?}");
    }
    assert_eq!(world.json(&["next"])["needs"].as_array().map(Vec::len), Some(0));
    assert_eq!(world.json(&["list"])["sessions"].as_array().map(Vec::len), Some(0));
}

#[test]
fn versions_are_told_without_starting_a_daemon() {
    let world = World::new();
    let versions = world.json(&["version"]);
    assert_eq!(versions["ao"].as_str(), Some(env!("CARGO_PKG_VERSION")));
    assert!(versions.get("daemon").is_none() && !world.home.exists(), "{versions}");
}

#[test]
fn credentials_are_not_made_up() {
    let world = World::new();
    let said = world.ao(&["credential", "get"]);
    assert!(said.code == 1 && said.out.is_empty() && said.err.contains("no credentials"), "{said:?}");
}
