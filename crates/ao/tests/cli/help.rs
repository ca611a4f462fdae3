//! What the help says.

use crate::world::World;

const VERBS: [&str; 28] = [
    "start",
    "fix",
    "demo",
    "new",
    "list",
    "status",
    "next",
    "issues",
    "attach",
    "send",
    "logs",
    "wait",
    "explain",
    "agent",
    "replay",
    "stop",
    "restore",
    "cleanup",
    "rescue",
    "merge-queue",
    "events",
    "open",
    "trust",
    "doctor",
    "daemon",
    "token",
    "api",
    "version",
];

#[test]
fn the_help_names_every_verb_and_exit_code() {
    let world = World::new();
    let help = world.ao(&["--help"]).ok().out;
    for verb in VERBS {
        assert!(help.contains(&format!("\n  {verb} ")), "{verb} is missing in:\n{help}");
    }
    insta::assert_snapshot!(help);
}

#[test]
fn every_verb_explains_itself_without_a_daemon() {
    let world = World::new();
    for verb in VERBS {
        let help = world.ao(&[verb, "--help"]).ok().out;
        assert!(help.contains("Usage: ao ") && help.lines().next().is_some_and(|l| l.len() > 10), "{verb}:\n{help}");
        for line in help.lines() {
            assert!(line.chars().count() <= 120, "{verb}: a line is too long: {line}");
        }
    }
    assert!(!world.home.exists(), "help made a data root");
}

#[test]
fn the_other_names_of_verbs_work() {
    let world = World::new();
    assert!(world.ao(&["ls", "--help"]).ok().out.contains("Usage: ao list"));
    assert!(world.ao(&["spawn", "--help"]).ok().out.contains("Usage: ao new"));
}

#[test]
fn a_wrong_command_line_is_exit_code_2_with_what_was_meant() {
    let world = World::new();
    world.ao(&["lst"]).fails(2, &["unrecognized subcommand 'lst'", "list"]);
    world.ao(&["list", "--al"]).fails(2, &["--all"]);
    world.ao(&["wait", "x", "--for", "sleep"]).fails(2, &["needs_input"]);
    world.ao(&["wait", "x", "--for", "idle", "--timeout", "soon"]).fails(2, &["30m"]);
    world.ao(&["fix", "--parallel", "0"]).fails(2, &["--parallel"]);
    world.ao(&["new"]).fails(2, &["TASK"]);
    world.ao(&[]).fails(2, &["Usage: ao"]);
}
