//! Transcripts of real agents, made with the stand-in for the model, read by their adapters' own rules.
//!
//! Each run told the agent to write a file, to run a command (refused), to stream (interrupted) and to meet an error.

use ao_core::adapter::Adapter;
use ao_core::transcript::rule::Format;
use ao_core::transcript::{Reading, lean, read};
use ao_slots::agent::Agent as _;
use serde_json::Value;
use std::path::{Path, PathBuf};

fn adapter(name: &str) -> Adapter {
    let agents = ao_plugins::agent::built_in(Path::new("/ao")).unwrap();
    agents.iter().map(|agent| agent.adapter()).find(|adapter| adapter.name == name).unwrap().clone()
}

fn records(name: &str, adapter: &Adapter) -> Vec<Value> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/transcripts");
    match adapter.records.format {
        Format::Lines => {
            let text = std::fs::read(dir.join(format!("{name}.jsonl"))).unwrap();
            text.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(|line| lean::read(line).unwrap()).collect()
        }
        Format::Document => {
            let whole = lean::read(&std::fs::read(dir.join(format!("{name}.json"))).unwrap()).unwrap();
            let list = adapter.records.list.as_ref().unwrap().one(&whole, &whole).unwrap();
            list.as_array().unwrap().clone()
        }
    }
}

/// What was said, one word each, and what is known at the end.
fn told(name: &str) -> (Vec<String>, Reading) {
    let adapter = adapter(name);
    let mut reading = Reading::default();
    reading.cursor("transcript");
    let mut said = Vec::new();
    for record in records(name, &adapter) {
        if let Some(one) = read::record(&adapter.records, &mut reading, 0, &record) {
            assert!(one.at_unix_ms.is_some_and(|at| at > 1_700_000_000_000), "{one:?} says when");
            let tool = reading.tool().map(|tool| format!("({tool})")).unwrap_or_default();
            said.push(format!("{}{tool}", one.what.activity().name()));
        }
    }
    (said, reading)
}

/// `model: input output`, and what it cost as the agent says.
fn used(reading: &Reading) -> String {
    let one = |(model, t): (&String, &ao_core::usage::Tokens)| format!("{model}: {} {}", t.input, t.output);
    reading.used.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[test]
fn claude_code_tells_interruptions_and_failures_that_no_hook_tells() {
    let (said, reading) = told("claude-code");
    assert_eq!(said.join(" "), "working idle working interrupted working error");
    assert_eq!(used(&reading), "claude-sonnet-4-5-20250929: 3600 14");
    assert_eq!(reading.native.as_deref(), Some("11111111-1111-4111-8111-111111111111"));
    assert!(reading.message.as_deref().is_some_and(|m| m.contains("API Error: 403")), "{:?}", reading.message);
    assert!(!reading.open && reading.tools.is_empty());
}

#[test]
fn codex_names_every_turn_and_counts_the_whole_conversation_once() {
    let (said, reading) = told("codex");
    assert_eq!(said.join(" "), "working idle working idle working interrupted working interrupted working error");
    assert_eq!(used(&reading), "gpt-5.1-codex: 6000 210");
    assert_eq!(reading.turns, 5);
    assert!(reading.turn.is_some() && reading.native.is_some());
}

#[test]
fn gemini_writes_a_message_twice_and_it_is_counted_once() {
    let (said, reading) = told("gemini");
    assert_eq!(said.join(" "), "working working interrupted working interrupted working error");
    assert_eq!(used(&reading), "gemini-2.5-pro: 2400 84");
    assert!(reading.native.is_some());
}

#[test]
fn pi_says_what_it_cost() {
    let (said, reading) = told("pi");
    assert_eq!(said.join(" "), "working idle working idle working interrupted working");
    assert_eq!(used(&reading), "standin-1: 6000 210");
    assert!(reading.said_cost["standin-1"].0 > 0);
    assert!(reading.native.is_some());
}

#[test]
fn kimi_code_tells_what_waits_for_leave() {
    let (said, reading) = told("kimicode");
    assert_eq!(
        said.join(" "),
        "working needs_input working idle working needs_input working idle working interrupted working error"
    );
    assert_eq!(used(&reading), "standin-1: 4800 168");
}

#[test]
fn copilot_tells_turns_and_tokens() {
    let (said, reading) = told("copilot");
    assert_eq!(said.join(" "), "working idle working idle working idle working idle");
    assert_eq!(used(&reading), "standin-1: 4800 168");
}

#[test]
fn cline_rewrites_its_whole_document() {
    let (said, reading) = told("cline");
    assert_eq!(said.join(" "), "working working working working error");
    assert_eq!(used(&reading), "standin-1: 4800 168");
}

#[test]
fn opencode_is_read_from_what_our_plugin_keeps() {
    let (said, reading) = told("opencode");
    assert!(said.is_empty(), "its hooks tell what it does: {said:?}");
    assert_eq!(used(&reading), "standin-1: 3600 126");
    assert!(
        reading.said_cost["standin-1"].0 > 0 && reading.native.is_some() && reading.tools.is_empty(),
        "{reading:?}"
    );
    assert_eq!(reading.message.as_deref(), Some("one two thre"));
}

#[test]
fn a_record_read_twice_changes_no_sum_where_answers_have_names() {
    for name in ["claude-code", "codex", "gemini", "pi", "cline", "opencode"] {
        let adapter = adapter(name);
        let mut reading = Reading::default();
        reading.cursor("transcript");
        for record in records(name, &adapter) {
            let _ = read::record(&adapter.records, &mut reading, 0, &record);
            let once = reading.used.clone();
            let _ = read::record(&adapter.records, &mut reading, 0, &record);
            assert_eq!(reading.used, once, "{name}: {record}");
        }
    }
}
