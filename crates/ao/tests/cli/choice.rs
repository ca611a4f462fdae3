//! Which agent a task gets when nobody names one: from what is installed, logged in and said, with its reason.

use crate::world::{Said, World, finish, until};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

/// Two agents that are measured, of programs that are installed in this world or not.
const AGENTS: [(&str, &str); 2] =
    [("first", "fit = { docs = 8 }"), ("second", "aliases = [\"zweiter\"]\nfit = { tests = 9 }")];

/// A world with both agents described and the programs of some installed.
fn world(installed: &[&str], config: &str) -> World {
    let world = World::new();
    let dir = world.home.join("agents");
    std::fs::create_dir_all(&dir).unwrap();
    for (name, more) in AGENTS {
        let text = format!(
            "name = '{name}'\n{more}\nabout = 'x'\nprogram = 'ao-test-{name}'\nmeasured = ['1.0']\nmemory_mb = 1\n\
             model_args = ['--model', '{{model}}']\n\
             [permissions]\npermissive = []\n[login]\nkeys = ['{}_KEY']\nprovider = '{name}-house'\n\
             files = [{{ path = '{{env:HOME}}/{name}.login', kind = 'subscription' }}]\n\
             [door]\ncomposer = {{ kind = 'cursor-row' }}\n",
            name.to_uppercase()
        );
        std::fs::write(dir.join(format!("{name}.toml")), text).unwrap();
    }
    let bin = world.beside("bin");
    std::fs::create_dir_all(&bin).unwrap();
    for name in installed {
        let program = bin.join(format!("ao-test-{name}"));
        std::fs::write(&program, "#!/bin/sh\necho \"called with: $*\"\nexec cat\n").unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    if !config.is_empty() {
        world.write("agent-orchestrator.yaml", config);
    }
    world
}

fn ao(world: &World, env: &[(&str, &str)], args: &[&str]) -> Said {
    let path = std::env::var("PATH").unwrap();
    let mut command = world.command(args);
    command.env("PATH", format!("{}:{path}", world.beside("bin").display()));
    finish(command.envs(env.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

fn json(world: &World, env: &[(&str, &str)], args: &[&str]) -> Value {
    let said = ao(world, env, &[&["--json"], args].concat()).ok();
    serde_json::from_str(&said.out).unwrap()
}

const RANKED: &str = "defaults:\n  agentSelection: {strategy: ranked, among: [first, second]}\nprojects: {app: {}}\n";
const HEURISTIC: &str =
    "defaults:\n  agentSelection: {strategy: heuristic, among: [first, zweiter]}\nprojects: {app: {}}\n";

#[test]
fn a_ranking_is_shown_with_its_reasons_and_starts_nothing() {
    let world = world(&["first", "second"], HEURISTIC);
    std::fs::write(world.beside("user").join("first.login"), "").unwrap();
    let said = ao(&world, &[("SECOND_KEY", "k")], &["agent", "choose", "Raise the coverage of the parser"]).ok();
    assert!(said.out.contains("second would get it: second: 34 points (logged in +18, suits tests +16)"), "{said:?}");
    let row = said.out.lines().find(|l| l.starts_with("first ")).unwrap();
    assert!(row.contains("26") && row.contains("by a subscription +8"), "{row:?}");
    let choice = json(&world, &[("SECOND_KEY", "k")], &["agent", "choose", "Write a tutorial"]);
    assert_eq!((&choice["agent"], &choice["strategy"]), (&"first".into(), &"heuristic".into()), "{choice}");
    assert_eq!(world.json(&["list", "--all"])["sessions"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_session_without_an_agent_gets_the_one_that_is_chosen_and_says_why() {
    let world = world(&["second"], RANKED);
    let new = ["new", "Look at the parser", "--no-prompt"];
    let session = json(&world, &[("FIRST_KEY", "k")], &new);
    assert_eq!(session["agent"], "second", "the other one is not installed: {session}");
    let status = ao(&world, &[], &["status", session["id"].as_str().unwrap()]).ok();
    assert!(status.out.contains("second: -60 points (not logged in -60)"), "{status:?}");
    let events = ao(&world, &[], &["explain", session["id"].as_str().unwrap()]).ok();
    assert!(events.out.contains("not logged in -60"), "{events:?}");
    let named = json(&world, &[], &["new", "--agent", "shell", "--no-prompt", "By hand", "--", "cat"]);
    assert_eq!((&named["agent"], &named["chosen"]), (&"shell".into(), &Value::Null), "who names one gets it");
}

#[test]
fn an_agent_in_the_configuration_stays_the_agent() {
    let world = world(&["first", "second"], "defaults: {agent: zweiter}\nprojects: {app: {}}\n");
    let env = [("FIRST_KEY", "k"), ("PARALLAX_AGENT_SELECTION_STRATEGY", "ranked")];
    let choice = json(&world, &env, &["agent", "choose", "Write a tutorial"]);
    assert_eq!((&choice["agent"], &choice["strategy"]), (&"second".into(), &"fixed".into()), "{choice}");
    assert_eq!(choice["why"], "second is the project's agent");
}

#[test]
fn the_words_of_the_elizaos_plugin_are_understood() {
    let world = world(&["first", "second"], "");
    let choose = |env: &[(&str, &str)]| json(&world, env, &["agent", "choose", "Write a tutorial"]);
    let named = choose(&[("PARALLAX_DEFAULT_AGENT_TYPE", "zweiter")]);
    assert_eq!(named["why"], "second is what PARALLAX_DEFAULT_AGENT_TYPE names", "{named}");
    let by_task = [("PARALLAX_AGENT_SELECTION_STRATEGY", "heuristic"), ("FIRST_KEY", "k")];
    let ranked = choose(&by_task);
    assert!(
        ranked["ranking"].as_array().unwrap().iter().any(|r| r["agent"] == "first" && r["points"] == 30),
        "{ranked}"
    );
    let wrong = ao(&world, &[("PARALLAX_AGENT_SELECTION_STRATEGY", "best")], &["agent", "choose"]);
    wrong.fails(2, &["PARALLAX_AGENT_SELECTION_STRATEGY is \"best\"", "fixed, ranked or heuristic"]);
    let nobody = ao(&world, &[("PARALLAX_DEFAULT_AGENT_TYPE", "nobody")], &["agent", "choose"]);
    assert!(nobody.code != 0 && nobody.err.contains("PARALLAX_DEFAULT_AGENT_TYPE"), "{nobody:?}");
    let model = [("PARALLAX_DEFAULT_AGENT_TYPE", "second"), ("PARALLAX_ZWEITER_MODEL_POWERFUL", "big-1")];
    let session = json(&world, &model, &["new", "Look around", "--no-prompt"]);
    assert_eq!(session["agent"], "second");
    let id = session["id"].as_str().unwrap();
    until("its program says how it was called", || {
        ao(&world, &[], &["logs", id]).out.contains("called with: --model big-1")
    });
}
