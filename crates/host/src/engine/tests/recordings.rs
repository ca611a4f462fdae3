//! Replays the recordings of real agents.

use std::path::PathBuf;

use super::compare;
use crate::engine::terminal::Terminal;
use crate::engine::{Engine, Size, TermEvent};

enum Step {
    Output(Vec<u8>),
    Resize(Size),
}

fn recording(name: &str) -> Vec<Step> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../testkit/fixtures/casts").join(name);
    let text = std::fs::read_to_string(&path).expect("the fixture is in the repository");
    let mut steps = Vec::new();
    for line in text.lines().skip(1) {
        let (_, kind, data): (f64, String, String) = serde_json::from_str(line).expect("asciicast v2");
        match kind.as_str() {
            "o" => steps.push(Step::Output(data.into_bytes())),
            "r" => {
                let (cols, rows) = data.split_once('x').expect("COLSxROWS");
                let size = Size::clamped(cols.parse().expect("columns"), rows.parse().expect("rows"));
                steps.push(Step::Resize(size));
            }
            _ => {}
        }
    }
    steps
}

/// Outputs between two changes of size are joined, so that chunks need not follow the recorder's reads.
fn parts(name: &str) -> Vec<Step> {
    let mut parts: Vec<Step> = Vec::new();
    for step in recording(name) {
        match (parts.last_mut(), step) {
            (Some(Step::Output(all)), Step::Output(more)) => all.extend(more),
            (_, step) => parts.push(step),
        }
    }
    parts
}

fn replay(name: &str, chunk: usize) -> Terminal {
    let mut engine = Terminal::new(Size::clamped(120, 40));
    for part in parts(name) {
        match part {
            Step::Resize(size) => engine.resize(size),
            Step::Output(bytes) => {
                compare::follow(&mut engine, &bytes, chunk).unwrap_or_else(|why| panic!("{name}: {why}"));
            }
        }
    }
    engine
}

/// Every recording of an agent, in the order of their names.
fn all() -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../testkit/fixtures/casts");
    let entries = std::fs::read_dir(folder).expect("the fixtures are in the repository");
    let names = entries.map(|entry| entry.expect("a name").file_name().into_string().expect("UTF-8"));
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".cast")).collect();
    names.sort();
    assert!(names.len() > 20, "{names:?}");
    names
}

#[test]
fn a_snapshot_of_any_recording_rebuilds_the_same_terminal() {
    for name in all() {
        // A prime that cuts sequences at ever different bytes.
        replay(&name, 1021);
    }
}

#[test]
fn chunks_do_not_change_the_screen() {
    for name in &all() {
        let [mut whole, mut bytewise] = [Terminal::new(Size::clamped(120, 40)), Terminal::new(Size::clamped(120, 40))];
        for part in parts(name) {
            match part {
                Step::Resize(size) => {
                    whole.resize(size);
                    bytewise.resize(size);
                }
                Step::Output(bytes) => {
                    whole.feed(&bytes);
                    for byte in bytes {
                        bytewise.feed(&[byte]);
                    }
                }
            }
            assert_eq!(whole.take_scrolled(), bytewise.take_scrolled(), "{name}");
            assert_eq!(whole.take_events(), bytewise.take_events(), "{name}");
        }
        compare::screens(whole.screen(), bytewise.screen()).unwrap_or_else(|why| panic!("{name}: {why}"));
    }
}

fn whole(name: &str) -> (Terminal, Vec<String>, Vec<TermEvent>) {
    let mut engine = Terminal::new(Size::clamped(120, 40));
    let (mut scrolled, mut events) = (Vec::new(), Vec::new());
    for step in recording(name) {
        match step {
            Step::Resize(size) => engine.resize(size),
            Step::Output(bytes) => engine.feed(&bytes),
        }
        scrolled.extend(engine.take_scrolled().lines().map(str::to_owned));
        events.extend(engine.take_events());
    }
    (engine, scrolled, events)
}

#[test]
fn codex_tells_its_state_by_osc_7501() {
    let (_, _, events) = whole("codex-permission.cast");
    let states: Vec<&str> = events
        .iter()
        .filter_map(|event| match event {
            TermEvent::Osc(7501, text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert!(states.iter().any(|text| text.contains("blocked")), "{states:?}");
    assert!(states.iter().any(|text| text.contains("working")), "{states:?}");
}

#[test]
fn claude_tells_its_title() {
    let (_, _, events) = whole("claude-resize.cast");
    assert!(
        events.iter().any(|event| matches!(event, TermEvent::Title(title) if title.starts_with('✳'))),
        "{events:?}"
    );
}

#[test]
fn what_aider_printed_is_in_history_and_on_the_screen() {
    let (engine, scrolled, _) = whole("aider-task.cast");
    let screen: Vec<String> = (0..40).map(|row| engine.row_text(row)).collect();
    let all = scrolled.iter().chain(&screen).cloned().collect::<Vec<_>>().join("\n");
    for text in ["Aider v0.86.2", "hello.txt"] {
        assert!(all.contains(text), "{text} is missing in\n{all}");
    }
}
