//! Commands that come twice make one thing, also after what was written is read again.

use ao_core::event::{Answer, Event};
use ao_core::facts::Facts;
use ao_core::id::{ProjectId, RequestKey};
use ao_core::machine::{decide, decide_once};
use ao_core::once::{KEPT_FOR, MOST, Once};
use ao_core::project::Settings;
use ao_core::time::Time;

fn once(key: &str, request: &str) -> Once {
    Once { key: RequestKey::new(key), request: request.to_owned() }
}

fn send(facts: &mut Facts, event: &Event, once: &Once, now: u64) -> Answer {
    let decision = decide_once(facts, event, once, Time(now));
    // What is replayed after a restart is what was written.
    let written = serde_json::to_string(&decision.delta).expect("a delta is JSON");
    facts.apply_all(serde_json::from_str(&written).expect("and is read again"));
    decision.answer
}

fn configured() -> (Facts, Event) {
    let mut facts = Facts::default();
    let project = ProjectId::new("app");
    let event = Event::ProjectConfigured {
        project: project.clone(),
        path: "/app".to_owned(),
        data: "/data".to_owned(),
        prefix: "app".to_owned(),
        settings: Box::new(Settings::default()),
    };
    facts.apply_all(decide(&facts, &event, Time(0)).delta);
    let new = serde_json::json!({"project": project, "title": "mend it", "role": "worker"});
    (facts, Event::SessionRequested { new: serde_json::from_value(new).expect("a wanted session") })
}

#[test]
fn a_repeat_makes_nothing_and_gets_the_first_answer() {
    let (mut facts, event) = configured();
    let first = send(&mut facts, &event, &once("k", "r"), 1);
    assert_eq!(send(&mut facts, &event, &once("k", "r"), 2), first);
    assert_eq!(facts.sessions.len(), 1);
    let other = send(&mut facts, &event, &once("l", "r"), 3);
    assert!(other != first && facts.sessions.len() == 2, "another key is another request");
}

#[test]
fn a_key_stands_for_one_request_and_what_was_refused_is_decided_anew() {
    let (mut facts, event) = configured();
    send(&mut facts, &event, &once("k", "r"), 1);
    assert!(matches!(send(&mut facts, &event, &once("k", "another"), 2), Answer::Refused(_)));
    let mut empty = Facts::default();
    assert!(matches!(send(&mut empty, &event, &once("k", "r"), 1), Answer::Refused(_)));
    assert!(empty.answered.is_empty());
}

#[test]
fn answers_are_given_up_with_time_and_by_number() {
    let (mut facts, event) = configured();
    send(&mut facts, &event, &once("old", "r"), 0);
    let later = KEPT_FOR.0 + 1;
    send(&mut facts, &event, &once("new", "r"), later);
    assert_eq!(facts.answered.keys().map(RequestKey::as_str).collect::<Vec<_>>(), ["new"]);
    let noted = Event::Ticked;
    for n in 0..MOST + 5 {
        send(&mut facts, &noted, &once(&format!("n{n}"), "r"), later + 1 + n as u64);
    }
    assert_eq!(facts.answered.len(), MOST);
    assert!(!facts.answered.contains_key(&RequestKey::new("new")), "the oldest went first");
}
