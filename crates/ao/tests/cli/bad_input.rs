//! Bad input: a clear message, the right exit code, nothing started and nothing left.

use crate::world::{Said, World, free_port};
use std::net::TcpListener;

#[test]
fn outside_a_repository_nothing_is_started() {
    let world = World::new();
    let outside = world.beside("outside");
    for verb in ["start", "fix"] {
        world.ao_in(&outside, &[verb]).fails(2, &["error: ", "is not in a git repository", "hint: ", "git init"]);
    }
    assert!(!world.home.join("daemon.json").exists(), "a daemon was started for nothing");
    world.ao(&["start", "/nowhere/at/all"]).fails(3, &["/nowhere/at/all"]);
    world.ao(&["start", "https://example.org/x.git"]).fails(5, &["ao start --yes https://example.org/x.git"]);
    world.ao(&["start", "--yes", "https://me:secret@example.org/x.git"]).fails(2, &["holds a password or token"]);
}

#[test]
fn a_repository_without_commits_is_told_to_commit() {
    let world = World::without_commits();
    let new = ["new", "x", "--agent", "shell", "--", "cat"];
    world.ao(&new).fails(4, &["app has no commits yet"]);
    world
        .ao(&["fix", "--check", "false", "--agent", "shell"])
        .fails(4, &["has no commits yet", "commit something first"]);
    let listed = world.json(&["list"]);
    assert_eq!(listed["sessions"].as_array().map(Vec::len), Some(0), "{listed}");
}

#[test]
fn a_detached_head_has_no_branch_to_land_on() {
    let world = World::new();
    world.git(&["checkout", "--quiet", "--detach"]);
    world.ao(&["fix", "--check", "false", "--agent", "shell"]).fails(4, &["detached HEAD", "git switch"]);
}

#[test]
fn a_dirty_checkout_is_told_of_and_the_run_starts_all_the_same() {
    let world = World::new();
    world.write("README.md", "changed\n");
    let said = world.ao(&["fix", "--check", "true", "--agent", "shell"]).ok();
    assert!(said.err.contains("note: 1 paths") || said.err.contains("note: 1 path"), "{said:?}");
    assert_eq!(world.git(&["status", "--porcelain"]), " M README.md\n", "nothing of the checkout was touched");
}

#[test]
fn a_misspelt_key_is_shown_with_its_line_and_a_suggestion() {
    let world = World::new();
    world.write("agent-orchestrator.yaml", "projects:\n  app:\n    path: .\n    defaultBranhc: main\n");
    for verb in [&["start"][..], &["fix"], &["new", "x"], &["daemon", "start"]] {
        world
            .ao(verb)
            .fails(2, &["agent-orchestrator.yaml", "defaultBranhc", "line 4", "Did you mean `defaultBranch`?"]);
    }
}

#[test]
fn what_a_configuration_names_must_be_there() {
    let world = World::new();
    for (text, words) in [
        ("projects:\n  app: {path: ., runtime: kubernetes}\n", ["runtime", "kubernetes", "process"]),
        ("projects:\n  app: {path: ., workspace: cloud}\n", ["workspace", "cloud", "known: clone, worktree"]),
        ("defaults: {notifiers: [pigeon]}\nprojects:\n  app: {path: .}\n", ["notifiers", "pigeon", "known: desktop"]),
        ("projects:\n  app: {path: ., agent: nobody}\n", ["agent", "nobody", "claude-code"]),
        ("projects:\n  app: {path: ., defaultBranch: gone}\n", ["defaultBranch", "gone", "hint: "]),
    ] {
        world.write("agent-orchestrator.yaml", text);
        world.ao(&["fix", "--check", "true", "--agent", "shell"]).fails(2, &words);
    }
    world.write("agent-orchestrator.yaml", "projects:\n  app: {path: ., runtime: kubernetes}\n");
    let said = world.ao(&["doctor"]);
    assert!(said.out.contains("projects.app: runtime is \"kubernetes\""), "{said:?}");
}

#[test]
fn a_configuration_that_is_named_and_not_there_is_told() {
    let world = World::new();
    for name in ["AO_CONFIG", "AO_CONFIG_PATH"] {
        let output = world.command(&["start"]).env(name, "/nowhere.yaml").output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(3) && err.contains("/nowhere.yaml") && err.contains(name), "{err}");
    }
}

#[test]
fn an_unknown_session_is_exit_code_3_for_every_verb_that_takes_one() {
    let world = World::new();
    let verbs: [&[&str]; 9] = [
        &["status", "nope"],
        &["attach", "nope"],
        &["send", "nope", "x"],
        &["logs", "nope"],
        &["explain", "nope"],
        &["stop", "nope"],
        &["restore", "nope"],
        &["cleanup", "nope"],
        &["wait", "nope", "--for", "idle"],
    ];
    for verb in verbs {
        world.ao(verb).fails(3, &["there is no session \"nope\"", "ao list --all"]);
    }
}

#[test]
fn an_unknown_agent_is_answered_with_those_there_are() {
    let world = World::new();
    world.ao(&["new", "x", "--agent", "claud"]).fails(3, &["claud", "claude-code", "codex"]);
    world.ao(&["fix", "--check", "false", "--agent", "claud"]).fails(3, &["claude-code", "codex"]);
}

#[test]
fn an_agent_that_is_not_installed_is_told_with_how_to_install_it() {
    let world = World::new();
    std::fs::create_dir_all(world.home.join("agents")).unwrap();
    let missing = "extends = \"codex\"\nname = \"rare\"\naliases = []\nprogram = \"rare-agent-of-a-test\"\ninstall = \"npm install -g rare\"\n";
    std::fs::write(world.home.join("agents/rare.toml"), missing).unwrap();
    world
        .ao(&["fix", "--check", "false", "--agent", "rare"])
        .fails(3, &["rare is not installed", "npm install -g rare"]);
    world.ao(&["new", "x", "--agent", "rare"]).fails(4, &["rare is not installed", "npm install -g rare"]);
}

#[test]
fn an_agent_file_with_a_mistake_costs_that_agent_alone_and_is_named_with_its_line() {
    let world = World::new();
    std::fs::create_dir_all(world.home.join("agents")).unwrap();
    let file = world.home.join("agents/mine.toml");
    let good = "extends = \"shell\"\nname = \"mine\"\naliases = [\"own\"]\n";
    std::fs::write(&file, good).unwrap();
    let start = |agent: &str| world.ao(&["--json", "new", "x", "--agent", agent, "--no-prompt", "--", "exec cat"]);
    let session = |said: Said| {
        let view: serde_json::Value = serde_json::from_str(&said.ok().out).unwrap();
        view["id"].as_str().unwrap().to_owned()
    };
    let before = session(start("mine"));

    std::fs::write(&file, format!("{good}about = 3\n")).unwrap();
    world.ao(&["daemon", "restart"]).ok();
    let place = format!("{}:4: ", file.display());
    start("mine").fails(2, &[&place, "invalid type", "ao daemon restart"]);
    world.ao(&["fix", "--check", "false", "--agent", "mine"]).fails(2, &[&place]);
    for verb in [&["doctor"][..], &["agent", "list"], &["agent", "doctor", "mine"], &["agent", "check", "mine"]] {
        let said = world.ao(verb);
        assert!(said.out.contains(&place), "{verb:?}: {said:?}");
    }
    // The others start, and its session that lives is still shown and can be ended.
    session(start("shell"));
    let view = world.json(&["status", &before]);
    assert_eq!((view["runtimeState"].as_str(), view["ended"].as_bool()), (Some("alive"), Some(false)), "{view}");
    world.ao(&["stop", &before]).ok();
    assert_eq!(world.json(&["status", &before])["ended"].as_bool(), Some(true));

    std::fs::write(&file, good).unwrap();
    world.ao(&["daemon", "restart"]).ok();
    session(start("mine"));
}

#[test]
fn a_broken_file_in_the_place_of_a_built_in_agent_does_not_bring_that_one_back() {
    let world = World::new();
    std::fs::create_dir_all(world.home.join("agents")).unwrap();
    std::fs::write(world.home.join("agents/x.toml"), "extends = \"shell\"\nmemory_mb =\n").unwrap();
    for name in ["shell", "sh"] {
        world.ao(&["new", "x", "--agent", name, "--no-prompt", "--", "cat"]).fails(2, &["x.toml:2: ", "mend"]);
    }
}

#[test]
fn names_that_leave_their_place_look_like_options_or_steer_the_terminal_are_refused() {
    let world = World::new();
    for name in ["../x", "-rf", "a\u{1b}[2Jb", "a\nb", "", ".."] {
        let given = format!("--name={name}");
        world.ao(&["new", "x", "--agent", "shell", &given, "--", "cat"]).fails(2, &["error: "]);
    }
    for branch in ["../x", "-x", "a..b", "a\u{7}"] {
        let given = format!("--branch={branch}");
        world.ao(&["new", "x", "--agent", "shell", &given, "--", "cat"]).fails(2, &["branch"]);
    }
    for id in ["../x", "a/b", "..", "a\u{1b}[2J", "%2e%2e"] {
        world.ao(&["status", id]).fails(3, &["there is no session"]);
    }
    let all = world.json(&["list", "--all"]);
    assert_eq!(all["sessions"].as_array().map(Vec::len), Some(0), "{all}");
}

#[test]
fn a_port_that_is_configured_and_taken_is_an_error_that_names_it() {
    let world = World::new();
    let port = free_port();
    let taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
    world.write("agent-orchestrator.yaml", &format!("port: {port}\nprojects:\n  app:\n    path: .\n"));
    world.ao(&["start"]).fails(4, &[&format!("port {port} is taken"), "hint: "]);
    assert!(!world.home.join("daemon.json").exists());
    drop(taken);
    let said = world.ao(&["start"]).ok();
    assert!(said.out.contains(&format!("http://127.0.0.1:{port}")), "{said:?}");
}

#[test]
fn a_data_root_that_is_too_long_for_sockets_is_told() {
    let world = World::new();
    let long = format!("/tmp/{}", "x".repeat(120));
    let output = world.command(&["list"]).env("AO_HOME", &long).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.code() == Some(2) && err.contains("too long for sockets") && err.contains("AO_HOME"),
        "{err}"
    );
}

#[test]
fn a_terminal_is_needed_to_attach() {
    let world = World::new();
    let id = world.shell("exec cat");
    world.ao(&["attach", &id]).fails(2, &["needs a terminal", "ao logs"]);
}

#[test]
fn an_empty_prompt_is_refused() {
    let world = World::new();
    world.ao(&["new", " "]).fails(2, &["the task is empty"]);
    world.ao(&["send", "x", "  "]).fails(2, &["the prompt is empty"]);
    world.ao(&["send", "x", "-f", "/nowhere"]).fails(2, &["/nowhere"]);
}
