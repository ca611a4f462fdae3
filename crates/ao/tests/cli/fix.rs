//! `ao fix` from red to green, and the ways in which it does not get there.

use crate::world::{Said, World, finish, until};
use rustix::process::Signal;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

/// A script for the scripted agent that answers every prompt the same way.
fn script(world: &World, name: &str, answer: &str) -> Vec<String> {
    let file = world.beside(name);
    std::fs::write(&file, format!("{{\"default\": {answer}}}")).unwrap();
    let log = world.beside(&format!("{name}.log"));
    ["--", "--script", file.to_str().unwrap(), "--log", log.to_str().unwrap()].map(str::to_owned).to_vec()
}

const MENDS: &str = r#"{"say": "mended", "edits": [{"file": "done", "write": "x"}], "commit": "Do it"}"#;
const IDLES: &str = r#"{"say": "I looked at it"}"#;

fn fix(world: &World, args: &[&str], script: &[String]) -> Said {
    let script: Vec<&str> = script.iter().map(String::as_str).collect();
    world.ao(&[&["fix", "--check", "test -f done", "--agent", "scripted"], args, &script].concat())
}

fn begin(world: &World, args: &[&str]) -> Child {
    world
        .command(&[&["fix", "--agent", "shell"], args].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until it says this on standard error; what it says later is thrown away.
fn heard(child: &mut Child, words: &str) {
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains(words) {
        line.clear();
        assert_ne!(err.read_line(&mut line).unwrap(), 0, "it ended without saying {words:?}");
    }
    std::thread::spawn(move || std::io::copy(&mut err, &mut std::io::sink()));
}

#[test]
fn a_check_that_passes_needs_nobody() {
    let world = World::new();
    let said = world.ao(&["fix", "--check", "true", "--agent", "shell"]).ok();
    assert!(said.out.contains("main is green already"), "{said:?}");
}

#[test]
fn a_red_check_becomes_green_and_the_checkout_follows() {
    let world = World::new();
    let said = fix(&world, &[], &script(&world, "mends", MENDS)).ok();
    assert!(said.out.contains("main is green at ") && said.out.contains("1 fix landed"), "{said:?}");
    assert!(said.err.contains("landed"), "progress is told line by line: {said:?}");
    assert!(world.repo.join("done").exists(), "the checkout of main has the fix");
    assert_eq!(world.git(&["status", "--porcelain"]), "");
}

#[test]
fn the_json_of_a_run_is_the_last_word_on_standard_output() {
    let world = World::new();
    let said = fix(&world, &["--json"], &script(&world, "mends", MENDS)).ok();
    let run: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((run["outcome"].as_str(), run["tasks"][0]["state"].as_str()), (Some("green"), Some("landed")), "{run}");
    assert_eq!(run["tasks"][0]["attempts"].as_u64(), Some(1));
    assert_eq!(said.err, "", "a program that reads no terminal is told nothing else");
}

#[test]
fn what_nobody_could_mend_is_exit_code_1_with_what_is_left_and_what_to_do() {
    let world = World::new();
    let said = fix(&world, &["--max-attempts", "1"], &script(&world, "idles", IDLES));
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.out.contains("main is still red: 1 failure left"), "{said:?}");
    assert!(said.err.contains("left: ") && said.err.contains("ao logs app-1"), "{said:?}");
    // The run is over before its last session has been stopped.
    world.ao(&["wait", "app-1", "--for", "ended", "--timeout", "60s"]).ok();
    assert_eq!(world.json(&["next"])["needs"][0]["session"], "app-1", "its task was given up");
    assert!(world.ao(&["issues"]).ok().out.contains("app-fix-1/1"), "what is left is an issue");
}

#[test]
fn a_dry_run_says_what_would_be_done_and_does_none_of_it() {
    let world = World::new();
    let said = fix(&world, &["--dry-run"], &script(&world, "mends", MENDS)).ok();
    assert!(said.out.contains("1 session would be started; nothing was changed"), "{said:?}");
    assert_eq!(world.json(&["list", "--all"])["sessions"].as_array().map(Vec::len), Some(0));
    assert!(!world.repo.join("done").exists());
}

#[test]
fn the_failures_of_a_report_that_the_check_wrote_are_each_a_failure() {
    let world = World::new();
    let cases = ["one", "two"].map(|name| {
        format!(
            r#"<testcase classname="{name}" name="{name}"><failure message="{name} is wrong">no</failure></testcase>"#
        )
    });
    world.write("report.in", &format!(r#"<testsuite name="s">{}</testsuite>"#, cases.concat()));
    world.git(&["add", "--all"]);
    world.git(&["commit", "--quiet", "--message=a suite"]);
    let check = "mkdir -p out && cat report.in >out/junit.xml && exit 1";
    let run = world.json(&["fix", "--check", check, "--agent", "shell", "--dry-run"]);
    let failures = run["tasks"].as_array().unwrap().iter().map(|t| t["failures"].as_array().map_or(0, Vec::len));
    assert_eq!(failures.sum::<usize>(), 2, "{run}");
}

#[test]
fn a_check_is_needed() {
    let world = World::new();
    world.ao(&["fix", "--agent", "shell"]).fails(2, &["check"]);
}

#[test]
fn the_first_ctrl_c_leaves_the_run_and_it_can_be_joined_and_cancelled() {
    let world = World::new();
    let child = begin(&world, &["--check", "false", "--", "cat"]);
    until("a session works", || world.json(&["list"])["sessions"][0]["runtimeState"] == "alive");
    World::signal(child.id(), Signal::INT);
    let said = finish(child);
    assert_eq!(said.code, 130, "{said:?}");
    assert!(said.err.contains("ao fix --cancel app-fix-1") && said.err.contains("come back:"), "{said:?}");
    assert_eq!(world.json(&["list"])["sessions"][0]["runtimeState"], "alive", "it goes on");

    let mut joined = begin(&world, &["--check", "false", "--max-attempts", "9", "--", "cat"]);
    heard(&mut joined, "app-fix-1 keeps its own settings: max-attempts 3");
    let said = world.ao(&["fix", "--cancel", "app-fix-1"]);
    assert!(said.code == 0 && said.out.contains("cancelled"), "{said:?}");
    let said = finish(joined);
    assert!(said.code == 1 && said.out.contains("cancelled"), "{said:?}");
    assert_eq!(world.json(&["list"])["sessions"].as_array().map(Vec::len), Some(0));
}

#[test]
fn the_second_ctrl_c_stops_what_was_begun() {
    let world = World::new();
    let mut child = begin(&world, &["--check", "false", "--", "cat"]);
    until("a session works", || world.json(&["list"])["sessions"][0]["runtimeState"] == "alive");
    World::signal(child.id(), Signal::INT);
    // The second one counts after the first was heard.
    heard(&mut child, "stop it:");
    World::signal(child.id(), Signal::INT);
    let said = finish(child);
    assert!(said.code == 130 && said.out.contains("cancelled"), "{said:?}");
    assert_eq!(world.json(&["list"])["sessions"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_run_is_followed_through_the_death_of_the_daemon() {
    let world = World::new();
    let script = script(&world, "mends", MENDS);
    let script: Vec<&str> = script.iter().map(String::as_str).collect();
    let args = [&["fix", "--check", "test -f done", "--agent", "scripted"], script.as_slice()].concat();
    let child = world.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("a session is there", || {
        world.json(&["list", "--all"])["sessions"].as_array().is_some_and(|s| !s.is_empty())
    });
    World::signal(world.daemon(), Signal::KILL);
    let said = finish(child).ok();
    assert!(said.out.contains("main is green at "), "{said:?}");
}
