//! Keys from outside the terminal, interrupted turns, and files that come with a prompt.

use crate::world::{World, until};

/// A session of the scripted agent at its prompt, and where it logs its prompts.
fn session(world: &World) -> (String, String) {
    let (script, log) = (world.beside("script.json"), world.beside("prompts.log"));
    let steps = r#"{"steps": [{"when": {"all": ["hang"]}, "then": "hang"}], "default": {"say": "I have read it"}}"#;
    std::fs::write(&script, steps).unwrap();
    let (script, log) = (script.to_str().unwrap(), log.to_str().unwrap().to_owned());
    let new = ["new", "a stand-in", "--agent", "scripted", "--no-prompt", "--", "--script", script, "--log", &log];
    let id = world.json(&new)["id"].as_str().unwrap().to_owned();
    world.ao(&["wait", &id, "--for", "idle", "--timeout", "60s"]).ok();
    (id, log)
}

#[test]
fn a_turn_is_interrupted_and_what_is_at_rest_is_not() {
    let world = World::new();
    let (id, _) = session(&world);
    world.ao(&["interrupt", &id]).fails(4, &["is in no turn"]);
    world.ao(&["send", &id, "--wait", "--timeout", "60s", "please hang"]).ok();
    let said = world.ao(&["interrupt", &id]).ok();
    assert!(said.out.contains("its turn ended (interrupted)"), "{said:?}");
    let session = world.json(&["status", &id]).clone();
    assert_eq!(session["turnEnd"].as_str(), Some("interrupted"), "{session}");
    let events = world.ao(&["events", "--session", &id]).ok();
    assert!(events.out.contains("interrupts its turn"), "{events:?}");
}

#[test]
fn keys_are_pressed_by_name_and_noted_without_what_was_typed() {
    let world = World::new();
    let id = world.shell("read line; echo \"got <$line>\"; exec cat");
    world.ao(&["send-keys", &id, "Entr"]).fails(2, &["there is no key", "Entr"]);
    world.ao(&["send-keys", &id, "--text", "s3cret", "Enter"]).ok();
    until("the line arrived", || world.ao(&["logs", &id]).ok().out.contains("got <s3cret>"));
    let events = world.ao(&["events", "--session", &id]).ok();
    assert!(events.out.contains("pressed 6 characters, Enter"), "{events:?}");
    let journal = std::fs::read_to_string(world.home.join("events.jsonl")).unwrap();
    assert!(!journal.contains("s3cret"), "what was typed may be a password");
    world.ao(&["send-keys", &id, "C-d"]).ok();
}

#[test]
fn files_of_a_prompt_lie_in_the_workspace_where_git_does_not_see_them() {
    let world = World::new();
    let (id, log) = session(&world);
    world.write("notes.txt", "the notes\n");
    world.ao(&["send", &id, "--attach", "missing.txt", "look"]).fails(2, &["missing.txt cannot be attached"]);
    world.ao(&["send", &id, "--wait", "--timeout", "60s", "--attach", "notes.txt", "look at this"]).ok();
    let told = std::fs::read_to_string(&log).unwrap();
    let line = told.lines().next().unwrap();
    let prompt: serde_json::Value = serde_json::from_str(line).unwrap();
    let text = prompt["text"].as_str().unwrap();
    let path = text.lines().find_map(|l| l.strip_prefix("- ")).unwrap_or_else(|| panic!("no file in {text:?}"));
    assert!(path.starts_with(".ao/attachments/") && path.ends_with("-notes.txt"), "{path}");
    let workspace = world.json(&["status", &id])["workspacePath"].as_str().unwrap().to_owned();
    let workspace = std::path::Path::new(&workspace);
    assert_eq!(std::fs::read_to_string(workspace.join(path)).unwrap(), "the notes\n");
    let status = world.git(&["-C", workspace.to_str().unwrap(), "status", "--porcelain"]);
    assert_eq!(status, "", "git does not see it");
}
