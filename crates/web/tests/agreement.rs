//! What the page believes about the daemon, held against the daemon's own types: names, statuses, frames, fixtures.

use ao_api::access::WhoAmI;
use ao_api::event::{EventView, Events};
use ao_api::explanation::{EvidenceView, Explanation, PendingView};
use ao_api::fault::ErrorView;
use ao_api::project::{ProjectView, Projects};
use ao_api::question::{OptionView, QuestionView};
use ao_api::run::{QueueEntry, QueueView, Queues, RunView, Runs, TaskView};
use ao_api::session::{
    ActivityView, CommandView, DeliveryView, IgnoredPath, IgnoredView, NotificationView, PullRequestView, SessionView,
    Sessions, TerminalView,
};
use ao_api::terminal::{EXITED, KEYS, Logs, OUTPUT, RESIZE, RESIZED, SCREEN, SEEN};
use ao_api::usage::ConversationView;
use ao_core::status::Status;
use schemars::{JsonSchema, schema_for};
use serde_json::Value;
use std::collections::BTreeMap;

const TYPES: &str = include_str!("../ui/api.d.ts");

/// Property names and whether each may be left out, as the daemon says.
fn said<T: JsonSchema>() -> BTreeMap<String, bool> {
    let schema = schema_for!(T).to_value();
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema["properties"].as_object().expect("a view is an object");
    properties.keys().map(|name| (name.clone(), !required.contains(&name.as_str()))).collect()
}

/// The same as `api.d.ts` says.
fn believed(interface: &str) -> BTreeMap<String, bool> {
    let head = format!("export interface {interface} {{\n");
    let (_, body) = TYPES.split_once(&head).unwrap_or_else(|| panic!("api.d.ts has no {interface}"));
    let (body, _) = body.split_once("\n}").expect("an interface ends");
    let line = |line: &str| {
        let (name, _) = line.trim().split_once(':').unwrap_or_else(|| panic!("{interface}: {line}"));
        (name.trim_end_matches('?').to_owned(), name.ends_with('?'))
    };
    body.lines().map(line).collect()
}

#[test]
fn the_page_knows_the_names_of_every_view() {
    let views = [
        ("SessionView", said::<SessionView>()),
        ("QuestionView", said::<QuestionView>()),
        ("OptionView", said::<OptionView>()),
        ("TerminalView", said::<TerminalView>()),
        ("NotificationView", said::<NotificationView>()),
        ("CommandView", said::<CommandView>()),
        ("ConversationView", said::<ConversationView>()),
        ("IgnoredView", said::<IgnoredView>()),
        ("IgnoredPath", said::<IgnoredPath>()),
        ("ActivityView", said::<ActivityView>()),
        ("PullRequestView", said::<PullRequestView>()),
        ("DeliveryView", said::<DeliveryView>()),
        ("Explanation", said::<Explanation>()),
        ("EvidenceView", said::<EvidenceView>()),
        ("PendingView", said::<PendingView>()),
        ("RunView", said::<RunView>()),
        ("TaskView", said::<TaskView>()),
        ("QueueView", said::<QueueView>()),
        ("QueueEntry", said::<QueueEntry>()),
        ("ProjectView", said::<ProjectView>()),
        ("EventView", said::<EventView>()),
        ("ErrorView", said::<ErrorView>()),
        ("WhoAmI", said::<WhoAmI>()),
        ("Logs", said::<Logs>()),
    ];
    for (interface, mut said) in views {
        if interface == "RunView" {
            // It has a default for callers that read older daemons, and is always sent.
            said.insert("joined".to_owned(), false);
        }
        assert_eq!(believed(interface), said, "ui/api.d.ts: {interface}");
    }
    assert_eq!(TYPES.matches("export interface ").count(), 24, "each interface is compared");
}

#[test]
fn the_page_has_a_word_for_every_status_and_none_of_its_own() {
    let table = include_str!("../ui/statuses.js").split("const LOOKS = {").nth(1).expect("the table is there");
    let (table, _) = table.split_once("\n};").expect("the table ends");
    let mut shown: Vec<&str> =
        table.lines().filter_map(|line| line.trim().split_once(": {")).map(|(name, _)| name).collect();
    let mut known: Vec<&str> = Status::ALL.iter().map(|status| status.name()).collect();
    shown.sort_unstable();
    known.sort_unstable();
    assert_eq!(shown, known);
}

#[test]
fn the_page_numbers_frames_as_the_daemon_does() {
    let line = format!(
        "export const FRAME = {{ screen: {SCREEN}, output: {OUTPUT}, resized: {RESIZED}, exited: {EXITED}, keys: {KEYS}, \
         resize: {RESIZE}, seen: {SEEN} }};"
    );
    assert!(include_str!("../ui/frames.js").contains(&line), "ui/frames.js lacks: {line}");
}

#[test]
fn the_recorded_answers_of_the_browser_test_are_what_the_daemon_says() {
    let mut board: Value = serde_json::from_str(include_str!("../test/fixtures/board.json")).expect("JSON");
    let sessions: Sessions = serde_json::from_value(board["sessions"].take()).expect("sessions");
    let runs: Runs = serde_json::from_value(board["runs"].take()).expect("runs");
    let queues: Queues = serde_json::from_value(board["queues"].take()).expect("queues");
    let projects: Projects = serde_json::from_value(board["projects"].take()).expect("projects");
    let events: Events = serde_json::from_value(board["events"].take()).expect("events");
    let explained: Explanation =
        serde_json::from_str(include_str!("../test/fixtures/explain.json")).expect("an explanation");
    assert_eq!((sessions.sessions.len(), runs.runs.len(), queues.queues.len(), projects.projects.len()), (12, 2, 1, 1));
    assert!(events.events.last().is_some_and(|event| event.seq == sessions.seq));
    assert!(sessions.sessions.contains(&explained.session));
    let known: Vec<&str> = Status::ALL.iter().map(|status| status.name()).collect();
    for session in &sessions.sessions {
        assert!(known.contains(&session.status.as_str()), "{} has the status {}", session.id, session.status);
    }
}
