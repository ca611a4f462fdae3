//! The scripted agent on a real terminal: what it shows, what it takes for a prompt, what it does in its worktree.

#[path = "scripted/stage.rs"]
mod stage;

use ao_core::screen::sha256_hex;
use stage::Stage;
use std::process::Command;

const EDIT: &str = r#"{"steps":[
    {"when":{"all":["Merge conflict"]},"say":"resolving","git":["merge main"],
     "resolve":[{"file":"f","hunks":["mine and theirs\n"]}]},
    {"when":{"all":["mend"]},"say":"mended","edits":[{"file":"f","find":"two","replace":"TWO"},{"file":"new/g","write":"g"}],
     "commit":"Mend two"}]}"#;

#[test]
fn it_says_plainly_what_it_is_and_shows_an_empty_composer() {
    let mut stage = Stage::open(EDIT);
    stage.wait("the composer", |s| s.composer().is_some());
    assert!(stage.shows("A stand-in, not a model"));
    assert_eq!(stage.composer().as_deref(), Some(""));
    assert!(stage.screen().bracketed_paste);
    stage.wait_activity("idle");
}

#[test]
fn a_prompt_is_logged_exactly_and_answered_by_its_step() {
    let mut stage = Stage::open(EDIT);
    stage.wait_activity("idle");
    let text = "please mend it\n\twith \u{e9}\u{4e16} and \"quotes\"";
    stage.prompt(text);
    stage.wait_turns(1);
    assert_eq!(stage.activities(), ["idle", "working", "idle"]);
    assert!(stage.shows("● mended") && stage.shows("edited f") && stage.shows("wrote new/g"));
    assert_eq!(stage.file("f"), "one\nTWO\nthree\n");
    assert_eq!(stage.git(&["log", "--format=%s|%an", "-1"]).trim(), "Mend two|ao scripted agent");
    assert_eq!(stage.git(&["status", "--porcelain"]), "");
    let log = stage.log();
    assert_eq!(log.len(), 1);
    assert_eq!((log[0]["text"].as_str(), log[0]["n"].as_u64()), (Some(text), Some(1)));
    assert_eq!(log[0]["sha256"].as_str(), Some(sha256_hex(text.as_bytes()).as_str()));
}

#[test]
fn a_long_paste_is_shown_by_a_sign_and_logged_whole() {
    let mut stage = Stage::open(r#"{"default":{"say":"read"}}"#);
    stage.wait_activity("idle");
    let text = (0..400).map(|n| format!("line {n}")).collect::<Vec<_>>().join("\n");
    stage.type_keys(&format!("\u{1b}[200~{text}\u{1b}[201~"));
    stage.wait("the sign of a paste", |s| s.composer().as_deref() == Some("[Pasted text #1 +399 lines]"));
    stage.type_keys("\r");
    stage.wait_turns(1);
    assert_eq!(stage.log()[0]["text"].as_str(), Some(text.as_str()));
}

#[test]
fn a_prompt_that_names_a_file_is_matched_with_the_files_text() {
    let script = r#"{"steps":[{"when":{"all":["the hidden word"]},"say":"found it"}],"default":{"say":"no"}}"#;
    let mut stage = Stage::open(script);
    std::fs::write(stage.tree().join("long.md"), "…the hidden word…").unwrap();
    stage.wait_activity("idle");
    stage.prompt(&ao_core::prompt::read_file("long.md"));
    stage.wait_turns(1);
    assert!(stage.shows("● found it"));
}

#[test]
fn a_conflict_is_resolved_when_a_prompt_asks_for_it_and_not_before() {
    let mut stage = Stage::open(EDIT);
    stage.git(&["checkout", "-q", "main"]);
    std::fs::write(stage.tree().join("f"), "one\n2\nthree\n").unwrap();
    stage.git(&["commit", "-q", "-am", "other"]);
    stage.git(&["checkout", "-q", "work"]);
    stage.wait_activity("idle");
    stage.prompt("mend it");
    stage.wait_turns(1);
    assert_eq!(stage.git(&["rev-list", "--count", "work..main"]).trim(), "1", "main was not merged");
    stage.prompt("Merge conflict: merge main");
    stage.wait_turns(2);
    assert!(stage.shows("CONFLICT"), "git's words are shown");
    assert_eq!(stage.file("f"), "one\nmine and theirs\nthree\n");
    assert_eq!(stage.git(&["rev-list", "--count", "work..main"]).trim(), "0");
    assert_eq!(stage.git(&["log", "--format=%P", "-1"]).split_whitespace().count(), 2, "a merge has two parents");
    assert_eq!(stage.git(&["status", "--porcelain"]), "");
}

#[test]
fn esc_interrupts_a_turn_and_nothing_of_it_is_done() {
    let mut stage = Stage::open(r#"{"default":{"think_ms":600000,"edits":[{"file":"f","write":"x"}]}}"#);
    stage.wait_activity("idle");
    stage.prompt("think long");
    stage.wait("a spinner", |s| s.shows("Working… (") && s.shows("s · Esc to interrupt)"));
    stage.wait_activity("working");
    stage.type_keys("\u{1b}");
    stage.wait_activity("interrupted");
    assert_eq!(stage.file("f"), "one\ntwo\nthree\n");
    stage.wait("an empty composer", |s| s.composer().as_deref() == Some(""));
}

#[test]
fn a_prompt_sent_during_a_turn_waits_for_its_end() {
    let script =
        r#"{"steps":[{"when":{"all":["first"]},"think_ms":10000,"say":"one done"}],"default":{"say":"two done"}}"#;
    let mut stage = Stage::open(script);
    stage.wait_activity("idle");
    stage.prompt("first");
    stage.prompt("second");
    stage.wait("both answers", |s| s.shows("● one done") && s.shows("● two done"));
    stage.wait_turns(2);
    assert_eq!(stage.log().len(), 2);
    assert_eq!(stage.activities(), ["idle", "working", "working", "idle"]);
}

#[test]
fn it_asks_for_leave_and_a_refusal_interrupts() {
    let ask = r#"{"default":{"then":"ask","edits":[{"file":"f","write":"x"}]}}"#;
    let mut stage = Stage::open(ask);
    stage.wait_activity("idle");
    stage.prompt("one");
    stage.wait_activity("needs_input");
    assert_eq!(stage.composer(), None, "a dialog is no composer");
    stage.type_keys("\u{1b}");
    stage.wait_activity("interrupted");
    assert_eq!(stage.file("f"), "one\ntwo\nthree\n");
    stage.prompt("two");
    stage.wait_activity("needs_input");
    stage.type_keys("\r");
    stage.wait_activity("idle");
    assert_eq!(stage.file("f"), "x");
}

#[test]
fn a_failed_request_is_said_to_be_an_error() {
    let mut stage = Stage::open(r#"{"default":{"then":"error"}}"#);
    stage.wait_activity("idle");
    stage.prompt("one");
    stage.wait_activity("error");
}

#[test]
fn it_leaves_dies_and_crashes_as_the_script_says() {
    use std::os::unix::process::ExitStatusExt as _;
    for (then, code, signal) in [("exit", Some(0), None), ("die", Some(7), None), ("crash", None, Some(6))] {
        let mut stage = Stage::open(&format!(r#"{{"default":{{"then":"{then}"}}}}"#));
        stage.wait_activity("idle");
        stage.prompt("go");
        let status = stage.ended();
        assert_eq!((status.code(), status.signal()), (code, signal), "{then}");
    }
}

#[test]
fn a_hung_agent_looks_busy_until_it_is_interrupted() {
    let mut stage = Stage::open(r#"{"default":{"then":"hang"}}"#);
    stage.wait_activity("idle");
    stage.prompt("go");
    stage.wait("the last line", |s| s.shows("· Working… (Esc to interrupt)"));
    assert_eq!(stage.seen.last().unwrap().activity.name(), "working");
    stage.type_keys("\u{1b}");
    stage.wait_activity("interrupted");
}

#[test]
fn it_leaves_on_ctrl_d_and_on_exit() {
    for keys in ["\u{4}", "/exit\r", "\u{3}\u{3}"] {
        let mut stage = Stage::open(EDIT);
        stage.wait_activity("idle");
        stage.type_keys(keys);
        assert_eq!(stage.ended().code(), Some(0), "{keys:?}");
        assert!(stage.log().is_empty(), "{keys:?} is no prompt");
    }
}

#[test]
fn a_restarted_agent_knows_which_steps_it_used() {
    let script = r#"{"steps":[{"when":{"all":["go"]},"times":1,"say":"first time"}],"default":{"say":"again"}}"#;
    let mut stage = Stage::open(script);
    stage.wait_activity("idle");
    stage.prompt("go");
    stage.wait_turns(1);
    stage.type_keys("\u{4}");
    assert!(stage.ended().success());
    stage.start();
    stage.wait("a new composer", |s| s.composer().is_some());
    stage.prompt("go");
    stage.wait("the other answer", |s| s.shows("● again"));
}

#[test]
fn after_a_change_of_size_everything_is_drawn_for_the_new_one() {
    let mut stage = Stage::open(EDIT);
    stage.wait_activity("idle");
    stage.prompt("mend it");
    stage.wait_turns(1);
    stage.resize(40, 16);
    stage.wait("a narrow box", |s| {
        let rows = s.screen().rows;
        rows.iter().filter(|row| **row == "─".repeat(39)).count() == 2 && s.shows("● mended")
    });
    assert_eq!(stage.composer().as_deref(), Some(""));
}

#[test]
fn what_it_cannot_use_is_refused_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("s.json");
    let refused = |text: Option<&str>, args: &[&str]| {
        let _ = std::fs::remove_file(&script);
        if let Some(text) = text {
            std::fs::write(&script, text).unwrap();
        }
        let out = Command::new(env!("CARGO_BIN_EXE_ao")).arg("scripted-agent").args(args).current_dir(&dir).output();
        let out = out.unwrap();
        assert_eq!(out.status.code(), Some(2));
        String::from_utf8(out.stderr).unwrap()
    };
    let usual = ["--script", "s.json", "--log", "log"];
    assert!(refused(None, &usual).contains("the script s.json cannot be read"));
    assert!(refused(Some("{\"steps\": 3}"), &usual).contains("the script s.json is wrong: invalid type"));
    assert!(refused(Some("{\"default\":{}}"), &usual).contains("it needs a terminal"));
    assert!(refused(None, &["--script", "s.json"]).contains("usage: --script FILE --log FILE"));
    assert!(refused(None, &["--model"]).contains("\"--model\" is not one of its arguments"));
}
