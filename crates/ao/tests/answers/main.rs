//! A real agent's permission dialog, imitated: seen with its choices, answered from the command line by moving to the row,
//! once, and never by a key that falls anywhere else.

use ao_testkit::sends::Place;
use ao_testkit::tui::{self, Manners, Note, notes};
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};

/// Longer than anything here takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What runs in the sessions: this same test binary. Without the word that says where to note, it does nothing.
#[test]
fn play() {
    if let Some(notes) = std::env::var_os(tui::NOTES) {
        // The terminal ends when the session is stopped.
        let _ = tui::play(Path::new(&notes));
    }
}

/// It draws late and several times.
const MANNERS: Manners = Manners {
    seed: 7,
    start: (50, 100),
    turn: (100, 300),
    draw: (5, 120),
    question: (0, 0),
    questions: 0,
    swallowed: 0,
    storms: 30,
    permission: true,
};

struct World {
    place: Place,
}

impl World {
    fn new(manners: &Manners) -> Self {
        let this = std::env::current_exe().expect("this program").display().to_string();
        let agent = [this.as_str(), "--exact", "play", "--nocapture", "--test-threads=1"].map(str::to_owned);
        Self { place: Place::new(Path::new(env!("CARGO_BIN_EXE_ao")), &agent, manners).expect("a place") }
    }

    fn json(&self, args: &[&str]) -> Value {
        let ran = self.place.ao(&[&["--json"], args].concat()).expect("ao");
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        let text = if said.trim().is_empty() { String::from_utf8_lossy(&ran.stderr).into_owned() } else { said };
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{args:?}: {e}: {text}"))
    }

    /// A session that was told something, and so asks for leave.
    fn asking(&self, supervision: &str) -> String {
        let new = self.json(&["new", "make it", "--agent", "claude-code", "--supervision", supervision]);
        new["id"].as_str().unwrap_or_else(|| panic!("{new}")).to_owned()
    }

    /// The session once this holds for it.
    fn until(&self, id: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let session = self.json(&["status", id]);
            if holds(&session) {
                return session;
            }
            let look = || self.place.look(id).unwrap_or_default();
            assert!(begun.elapsed() < LIMIT, "{what} within {LIMIT:?}: {session}\n{}", look());
            std::thread::sleep(LOOK_EVERY);
        }
    }

    fn question(&self, id: &str) -> Value {
        let answerable = |s: &Value| s["question"]["answerable"] == true;
        self.until(id, "it asks", answerable)["question"].clone()
    }

    fn noted(&self, id: &str) -> Vec<Note> {
        notes(self.place.notes(), id).expect("notes")
    }

    /// What was chosen, in order. Nothing may have gone anywhere else.
    fn chosen(&self, id: &str) -> Vec<String> {
        let all = self.noted(id);
        assert!(!all.iter().any(|note| matches!(note, Note::Astray { .. })), "{all:?}");
        all.into_iter()
            .filter_map(|note| if let Note::Answered { label } = note { Some(label) } else { None })
            .collect()
    }
}

#[test]
fn a_permission_dialog_is_answered_by_the_row_that_is_named() {
    let world = World::new(&MANNERS);
    let id = world.asking("notify");
    let asked = world.question(&id);
    assert_eq!(asked["kind"], "permission");
    let text = asked["text"].as_str().unwrap_or_default();
    assert_eq!(text, "Bash command\n\nmake everything\n\nDo you want to proceed?");
    let labels: Vec<&str> =
        asked["options"].as_array().into_iter().flatten().filter_map(|o| o["label"].as_str()).collect();
    assert_eq!(labels, ["Yes", "Yes, and don't ask again for make commands in this project", "No"]);
    assert_eq!(asked["options"][1]["selected"], true, "a blind Enter would give leave for ever: {asked}");
    let needs = world.json(&["next"]);
    assert_eq!(needs["needs"][0]["question"]["id"], asked["id"], "{needs}");

    let given = world.json(&["answer", &id, "--label", "no"]);
    assert_eq!(given["state"], "given", "{given}");
    assert_eq!(world.chosen(&id), ["No"]);
    // The same answer once more is the one that was given; another one comes too late.
    let first = asked["id"].as_str().unwrap_or_default();
    let again = world.json(&["answer", &id, "--question", first, "--label", "no"]);
    assert_eq!(again["state"], "given", "{again}");
    let late = world.json(&["answer", &id, "--question", first, "1"]);
    assert_eq!(late["error"]["code"], "conflict", "{late}");
    assert_eq!(world.chosen(&id), ["No"]);

    world.until(&id, "its turn ends", |s| s["status"] == "idle");
    world.json(&["send", &id, "once more", "--wait"]);
    let second = world.question(&id);
    assert_ne!(second["id"], asked["id"]);
    let late = world.json(&["answer", &id, "--question", first, "1"]);
    assert_eq!(late["error"]["code"], "conflict", "{late}");
    assert_eq!(world.json(&["answer", &id, "1"])["state"], "given");
    assert_eq!(world.chosen(&id), ["No", "Yes"]);
}

#[test]
fn a_swallowed_enter_is_told_and_the_answer_can_be_given_again() {
    // Every press of Enter is swallowed at the dialog now and then: which ones is decided by the seed.
    let world = World::new(&Manners { swallowed: 40, seed: 3, ..MANNERS });
    let id = world.json(&["new", "--agent", "claude-code", "--no-prompt"])["id"].as_str().expect("an id").to_owned();
    world.json(&["send", &id, "make it", "--wait"]);
    world.question(&id);
    let begun = Instant::now();
    loop {
        let became = world.json(&["answer", &id, "1"]);
        if became["state"] == "given" {
            break;
        }
        assert_eq!(became["error"]["code"], "conflict", "{became}");
        assert!(begun.elapsed() < LIMIT, "{became}");
    }
    assert_eq!(world.chosen(&id), ["Yes"]);
}

#[test]
fn a_killed_daemon_presses_nothing_twice() {
    let world = World::new(&MANNERS);
    let id = world.asking("notify");
    let asked = world.question(&id);
    let question = asked["id"].as_str().expect("an id").to_owned();
    std::thread::scope(|scope| {
        let answering = scope.spawn(|| world.place.ao(&["answer", &id, "--question", &question, "1"]));
        // Once the daemon has the answer in its journal it may die at any moment.
        let journal = world.place.data().join("events.jsonl");
        let begun = Instant::now();
        while !std::fs::read_to_string(&journal).is_ok_and(|text| text.contains("answer_requested")) {
            assert!(begun.elapsed() < LIMIT, "the answer is not in the journal");
            std::thread::sleep(LOOK_EVERY);
        }
        assert!(world.place.kill_daemon().expect("a daemon"));
        // Whether it was told is its own affair.
        let _ = answering.join();
    });
    let begun = Instant::now();
    while world.chosen(&id).is_empty() {
        // What was not decided before the kill is decided now; what was, is the same answer.
        let became = world.json(&["answer", &id, "--question", &question, "1"]);
        assert!(begun.elapsed() < LIMIT, "{became}\n{}", world.place.look(&id).unwrap_or_default());
        std::thread::sleep(LOOK_EVERY);
    }
    world.until(&id, "its turn ends", |s| s["status"] == "idle");
    assert_eq!(world.chosen(&id), ["Yes"]);
}

/// A hook as the agent of a session calls it.
fn hook(world: &World, id: &str, launch: &str, secret: &str, tool: &str) -> String {
    use std::io::Write as _;
    let payload = serde_json::json!({ "hook_event_name": "PermissionRequest", "tool_name": tool }).to_string();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_ao"))
        .args(["hook", "--decide", "claude-code", "PermissionRequest"])
        .env_clear()
        .env("AO_HOME", world.place.data())
        .env("AO_SESSION", id)
        .env("AO_LAUNCH", launch)
        .env("AO_HOOK_SECRET", secret)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("ao hook");
    child.stdin.take().expect("its input").write_all(payload.as_bytes()).expect("a payload");
    let ran = child.wait_with_output().expect("its end");
    assert!(ran.status.success(), "{ran:?}");
    String::from_utf8(ran.stdout).expect("text")
}

fn behaviour(decision: &str) -> String {
    let said: Value = serde_json::from_str(decision).unwrap_or_else(|e| panic!("{e}: {decision:?}"));
    said["hookSpecificOutput"]["decision"]["behavior"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn leave_by_hook_follows_preset_and_level_and_fails_closed() {
    let world = World::new(&MANNERS);
    let yaml = "projects:\n  app:\n    path: .\n    agentConfig:\n      permissions: readonly\n";
    std::fs::write(world.place.repo().join("agent-orchestrator.yaml"), yaml).expect("a configuration");
    let new = world.json(&["new", "--agent", "claude-code", "--no-prompt", "--supervision", "autonomous"]);
    let id = new["id"].as_str().unwrap_or_else(|| panic!("{new}")).to_owned();
    world.until(&id, "it is ready", |s| s["status"] == "idle");
    let root = std::fs::read_to_string(world.place.data().join("secret")).expect("the secret");
    let secret = ao_core::screen::sha256_hex(format!("{root}\0{id}").as_bytes());
    let launch = format!("{id}.1");
    assert_eq!(behaviour(&hook(&world, &id, &launch, &secret, "Bash")), "deny", "its preset only looks");
    assert_eq!(behaviour(&hook(&world, &id, &launch, &secret, "WebFetch")), "deny");
    let silent = |session: &str, launch: &str, secret: &str, tool: &str, why: &str| {
        assert_eq!(hook(&world, session, launch, secret, tool), "", "{why}");
    };
    silent(&id, &launch, &"0".repeat(64), "Bash", "a wrong secret");
    silent(&id, &format!("{id}.0"), &secret, "Bash", "an earlier launch");
    silent("app-99", "app-99.1", &secret, "Bash", "nobody");
    silent(&id, &launch, &secret, "AskUserQuestion", "a question is a person's");
    silent(&id, &launch, &secret, "mcp__x__delete", "a tool that nobody knows");
    // What the preset allows is allowed only in an autonomous session.
    std::fs::write(world.place.repo().join("agent-orchestrator.yaml"), yaml.replace("readonly", "standard"))
        .expect("a configuration");
    let told = world.json(&["new", "--agent", "claude-code", "--no-prompt"]);
    let other = told["id"].as_str().unwrap_or_else(|| panic!("{told}")).to_owned();
    let others = ao_core::screen::sha256_hex(format!("{root}\0{other}").as_bytes());
    assert_eq!(behaviour(&hook(&world, &id, &launch, &secret, "WebFetch")), "allow");
    silent(&id, &launch, &secret, "Bash", "the preset asks about commands");
    silent(&other, &format!("{other}.1"), &others, "WebFetch", "its level is to tell a person");
    assert!(world.place.kill_daemon().expect("a daemon"));
    silent(&id, &launch, &secret, "WebFetch", "no daemon");
}

#[test]
fn rules_answer_what_they_name_and_propose_the_rest() {
    let world = World::new(&MANNERS);
    let yaml = "projects:\n  app:\n    path: .\n    agentConfig:\n      answers:\n        \
                - { name: make, type: permission, pattern: '^make everything$', label: 'Yes' }\n";
    std::fs::write(world.place.repo().join("agent-orchestrator.yaml"), yaml).expect("a configuration");
    let refused = world.json(&["new", "make it", "--agent", "claude-code", "--supervision", "confirm"]);
    assert_eq!(refused["error"]["code"], "denied", "answers do not come with a repository: {refused}");
    world.place.ao(&["trust", "agent-orchestrator.yaml", "--yes"]).expect("ao trust");
    let confirm = world.asking("confirm");
    let asked = world.question(&confirm);
    assert_eq!((asked["proposal"].as_str(), asked["rule"].as_str()), (Some("Yes"), Some("make")), "{asked}");
    assert!(world.chosen(&confirm).is_empty());
    assert_eq!(world.json(&["answer", &confirm, "--proposed"])["state"], "given");
    let autonomous = world.asking("autonomous");
    world.until(&autonomous, "a rule answers", |s| s["status"] == "idle" && s["turns"] == 1);
    for id in [confirm, autonomous] {
        assert_eq!(world.chosen(&id), ["Yes"]);
    }
}
