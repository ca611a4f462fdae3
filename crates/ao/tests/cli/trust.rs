//! Commands that come with a repository wait for a person's word, and what `ao start` writes needs none.

use crate::world::World;

const CONFIG: &str = "projects:\n  app:\n    path: .\n    check: make test\n    postCreate: [touch made]\n";

#[test]
fn commands_of_a_repository_run_only_after_trust_and_a_change_asks_again() {
    let world = World::new();
    world.write("agent-orchestrator.yaml", CONFIG);
    for verb in [&["start"][..], &["fix"], &["new", "x", "--agent", "shell"]] {
        world.ao(verb).fails(5, &["make test", "touch made", "ao trust"]);
    }
    world.ao(&["trust"]).fails(5, &["make test", "touch made", "ao trust --yes"]);
    world.ao(&["start"]).fails(5, &[]);
    world.ao(&["trust", "--yes"]).ok();
    world.ao(&["start"]).ok();
    world.write("agent-orchestrator.yaml", &CONFIG.replace("make test", "make other"));
    world.ao(&["start"]).fails(5, &["make other"]);
}

#[test]
fn a_configuration_without_commands_needs_no_trust() {
    let world = World::new();
    world.write("agent-orchestrator.yaml", "projects:\n  app:\n    path: .\n");
    assert!(world.ao(&["trust"]).ok().err.contains("nothing to trust"));
    world.ao(&["start"]).ok();
}

#[test]
fn start_writes_a_configuration_only_when_it_is_told_to() {
    let world = World::new();
    let said = world.ao(&["start"]).ok();
    let file = world.repo.join("agent-orchestrator.yaml");
    assert!(said.err.contains("ao start --yes") && !file.exists(), "{said:?}");
    world.ao(&["start", "--yes"]).ok();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("defaultBranch: main"), "{text}");
    std::fs::write(&file, format!("{text}# mine\n")).unwrap();
    world.ao(&["start", "--yes"]).ok();
    assert!(std::fs::read_to_string(&file).unwrap().ends_with("# mine\n"), "what lies there stays");
}

#[test]
fn start_from_anywhere_inside_a_repository_finds_it() {
    let world = World::new();
    let deep = world.repo.join("a/b");
    std::fs::create_dir_all(&deep).unwrap();
    let said = world.ao_in(&deep, &["--json", "start"]).ok();
    let started: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(started["projects"][0]["path"].as_str(), world.repo.to_str(), "{started}");
    assert!(started["url"].as_str().is_some_and(|u| u.starts_with("http://127.0.0.1:")));
}

#[test]
fn a_repository_from_elsewhere_is_cloned_and_its_commands_still_need_trust() {
    let world = World::new();
    world.write("agent-orchestrator.yaml", "projects:\n  app:\n    path: .\n    check: make test\n");
    world.git(&["add", "--all"]);
    world.git(&["commit", "--quiet", "--message=Configure"]);
    let (outside, address) = (world.beside("outside"), format!("file://{}", world.repo.display()));
    world.ao_in(&outside, &["start", "--yes", &address]).fails(5, &["make test", "ao trust"]);
    assert!(outside.join("app/README.md").exists());
    world.ao_in(&outside, &["start", "--yes", &address]).fails(4, &["is there already", "ao start app"]);
    world.ao_in(&outside.join("app"), &["trust", "--yes"]).ok();
    world.ao_in(&outside, &["start", "app"]).ok();
    world.ao_in(&outside, &["start", "--yes", "file:///nowhere/x"]).fails(7, &["could not be cloned"]);
}
