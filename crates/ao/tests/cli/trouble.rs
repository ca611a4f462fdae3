//! Agents and checks that misbehave: a clear word, an end, nothing lost and nothing left running.

use crate::world::{Said, World, finish, until};
use std::process::Stdio;

/// A run whose agent is this shell command.
fn with_agent(world: &World, command: &str) -> Said {
    world.ao(&["fix", "--check", "test -f done", "--agent", "shell", "--", "sh", "-c", command])
}

fn dry_run(world: &World, check: &str) -> Said {
    world.ao(&["fix", "--dry-run", "--agent", "shell", "--check", check])
}

#[test]
fn an_agent_that_exits_at_once_is_given_up_with_its_exit_code() {
    let world = World::new();
    let said = with_agent(&world, "exit 3");
    assert!(said.code == 1 && said.err.contains("exit code 3"), "{said:?}");
    assert!(said.out.contains("main is still red"), "{said:?}");
}

#[test]
fn an_agent_that_deletes_its_worktree_is_given_up() {
    let world = World::new();
    let said = with_agent(&world, "rm -rf \"$PWD\"; exit 0");
    assert!(said.code == 1 && said.err.contains("its workspace is gone"), "{said:?}");
    assert_eq!(world.git(&["status", "--porcelain"]), "", "the repository is untouched");
}

#[test]
fn an_agent_that_commits_elsewhere_did_nothing_in_its_workspace() {
    let world = World::new();
    let elsewhere = world.beside("elsewhere");
    let command = format!(
        "git clone -q {} {} && cd {} && touch done && git add done && git -c user.name=a -c user.email=a@b commit -q -m x",
        world.repo.display(),
        elsewhere.display(),
        elsewhere.display()
    );
    let said = with_agent(&world, &command);
    assert!(said.code == 1 && said.err.contains("nothing in its workspace was changed"), "{said:?}");
    assert!(!world.repo.join("done").exists());
}

#[test]
fn a_check_that_floods_is_read_all_the_same() {
    let world = World::new();
    let said = dry_run(&world, "yes | head -c 20000000; false").ok();
    assert!(said.out.contains("1 session would be started"), "{said:?}");
    let log = world.home.join("events.jsonl");
    assert!(std::fs::metadata(log).unwrap().len() < 2_000_000, "the journal does not hold the flood");
}

#[test]
fn a_check_that_hangs_is_stopped_with_everything_it_started() {
    let world = World::new();
    world.write("agent-orchestrator.yaml", "projects:\n  app:\n    path: .\n    checkTimeout: 5s\n");
    let pid = world.beside("pid");
    let said = dry_run(&world, &format!("sleep 1000 & echo $! > {}; wait", pid.display())).ok();
    assert!(said.out.contains("did not end in its time"), "{said:?}");
    let pid: u32 = std::fs::read_to_string(pid).unwrap().trim().parse().unwrap();
    until("what the check started is gone", || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z ")
    });
}

#[test]
fn a_check_that_does_not_exist_is_named() {
    let world = World::new();
    let said = dry_run(&world, "no-such-command-anywhere");
    assert!(said.code == 1 && said.out.contains("no-such-command-anywhere: not found"), "{said:?}");
    assert!(said.err.contains("hint: name another check"), "{said:?}");
    assert_eq!(world.json(&["list", "--all"])["sessions"].as_array().map(Vec::len), Some(0), "nobody was set to it");
}

#[test]
fn a_target_with_changes_in_the_way_waits_for_a_person_and_loses_nothing() {
    let world = World::new();
    let script = world.beside("script.json");
    let edit =
        r#"{"default": {"say": "mended", "edits": [{"file": "README.md", "write": "mended\n"}], "commit": "Do it"}}"#;
    std::fs::write(&script, edit).unwrap();
    world.write("README.md", "mine\n");
    let log = world.beside("prompts.log");
    let mut command =
        world.command(&["fix", "--check", "grep -q mended README.md", "--agent", "scripted", "--", "--script"]);
    command.arg(&script).arg("--log").arg(&log).stdout(Stdio::piped()).stderr(Stdio::piped());
    let run = command.spawn().unwrap();
    until("somebody is asked for", || world.ao(&["next"]).ok().out.contains("ao merge-queue retry --project app"));
    assert!(world.ao(&["next"]).ok().out.contains("README.md"));
    assert_eq!(std::fs::read_to_string(world.repo.join("README.md")).unwrap(), "mine\n");
    world.git(&["checkout", "--quiet", "README.md"]);
    world.ao(&["merge-queue", "retry"]).ok();
    finish(run).ok();
    assert_eq!(std::fs::read_to_string(world.repo.join("README.md")).unwrap(), "mended\n");
}
