//! What agents ask: which question waits, who answers it, and that no answer goes into another one.

use ao_core::activity::{Activity, InputKind, Observation, Source};
use ao_core::effect::Outcome;
use ao_core::event::{Answer, Event};
use ao_core::id::SessionId;
use ao_core::kind::Kind;
use ao_core::question::{AnswerState, Choice, Dialog, Reply};
use ao_core::supervision::{AnswerRule, MOST_LATELY, Supervision};
use ao_core::time::{Millis, Time};
use ao_testkit::world::World;

fn dialog(text: &str, labels: &[&str]) -> Dialog {
    let choice = |(n, label): (usize, &&str)| Choice {
        label: (*label).to_owned(),
        key: Some((n + 1).to_string()),
        selected: n == 0,
    };
    Dialog {
        kind: InputKind::Permission,
        text: text.to_owned(),
        options: labels.iter().enumerate().map(choice).collect(),
        takes_text: false,
        safe: None,
        url: None,
        code: None,
    }
}

fn knows(world: &mut World, id: &SessionId, activity: Activity) {
    let launch = world.session(id).launch.clone().expect("it was launched");
    world.now = Time(world.now.0 + 1);
    let observation = Observation { activity, source: Source::Hook, at: world.now, offset: None, why: "hook".into() };
    world.happen(Event::Observed { session: id.clone(), launch, observation });
    world.perform_all();
}

fn asks(world: &mut World, id: &SessionId) {
    knows(world, id, Activity::NeedsInput { what: InputKind::Permission });
}

fn shows(world: &mut World, id: &SessionId, dialog: Option<Dialog>) {
    let launch = world.session(id).launch.clone().expect("it was launched");
    world.happen(Event::DialogShown { session: id.clone(), launch, dialog: dialog.map(Box::new) });
    world.perform_all();
}

fn answers(world: &mut World, id: &SessionId, n: u32, label: &str) -> Answer {
    let reply = Reply::Option(label.to_owned());
    let answer = world.happen(Event::AnswerRequested { session: id.clone(), n, reply, by: "a person".into() });
    world.perform_all();
    answer
}

fn refused(answer: Answer) -> (Kind, String) {
    let Answer::Refused(fault) = answer else { panic!("it was taken: {answer:?}") };
    (fault.kind, format!("{} {}", fault.message, fault.hint.unwrap_or_default()))
}

fn waits(world: &World, id: &SessionId) -> Option<u32> {
    world.session(id).asking.waiting().map(|question| question.n)
}

fn working() -> Activity {
    Activity::Working { on: None }
}

fn started(level: Supervision, rules: &[AnswerRule]) -> (World, SessionId) {
    let mut world = World::new(&[("a", "ok:one")]);
    let rules = rules.to_vec();
    world.project("app", |s| {
        s.supervision = level;
        s.answers = rules;
    });
    let id = world.spawn("work", None);
    world.perform_all();
    (world, id)
}

fn rule(label: &str) -> AnswerRule {
    AnswerRule {
        name: "tests".to_owned(),
        kind: Some(InputKind::Permission),
        pattern: Some("^make".to_owned()),
        reply: Reply::Option(label.to_owned()),
        safe: false,
        once: false,
    }
}

#[test]
fn a_question_is_answered_once_and_its_answer_given_twice_is_the_same() {
    let (mut world, id) = started(Supervision::Notify, &[]);
    asks(&mut world, &id);
    assert_eq!(waits(&world, &id), Some(1), "a hook is enough to know of it");
    assert_eq!(refused(answers(&mut world, &id, 1, "Yes")).0, Kind::Conflict, "but not to press anything");
    shows(&mut world, &id, Some(dialog("make all\nMay I?", &["Yes", "Yes, always", "No"])));
    assert_eq!(waits(&world, &id), Some(1), "the screen shows the same one");
    let (kind, words) = refused(answers(&mut world, &id, 1, "Perhaps"));
    assert!(kind == Kind::Invalid && words.contains("Yes, always"), "{words}");
    world.ignore("answer:");
    assert_eq!(answers(&mut world, &id, 1, "Yes"), Answer::Session(id.clone()));
    assert!(world.session(&id).asking.is_being_answered());
    let (kind, words) = refused(answers(&mut world, &id, 1, "No"));
    assert!(kind == Kind::Conflict && words.contains("Yes"), "{words}");
    let key = ao_core::id::EffectKey::new(format!("answer:{id}.1:1:1"));
    world.happen(Event::EffectDone { key, outcome: Outcome::Answered });
    assert_eq!(waits(&world, &id), None);
    assert!(world.session(&id).attention.is_none(), "nobody is needed any more");
    assert_eq!(answers(&mut world, &id, 1, "Yes"), Answer::Session(id.clone()), "a repeat of what was done");
    knows(&mut world, &id, working());
    shows(&mut world, &id, None);
    assert_eq!(world.session(&id).asking.count, 1);
}

#[test]
fn an_answer_that_comes_too_late_goes_nowhere() {
    let (mut world, id) = started(Supervision::Notify, &[]);
    asks(&mut world, &id);
    shows(&mut world, &id, Some(dialog("make all\nMay I?", &["Yes", "No"])));
    shows(&mut world, &id, Some(dialog("rm -rf build\nMay I?", &["Yes", "No"])));
    assert_eq!(waits(&world, &id), Some(2));
    let (kind, words) = refused(answers(&mut world, &id, 1, "Yes"));
    assert!(kind == Kind::Conflict && words.contains("question 2") && words.contains("May I? (Yes / No)"), "{words}");
    knows(&mut world, &id, working());
    assert_eq!(refused(answers(&mut world, &id, 2, "Yes")).0, Kind::Conflict);
    assert!(world.session(&id).asking.answer.is_none(), "nothing was pressed");
}

#[test]
fn an_answer_that_was_not_taken_can_be_given_again() {
    let (mut world, id) = started(Supervision::Notify, &[]);
    asks(&mut world, &id);
    shows(&mut world, &id, Some(dialog("make all\nMay I?", &["Yes", "No"])));
    world.answer_with("answer:", Outcome::Held { why: "a person typed".into() });
    answers(&mut world, &id, 1, "Yes");
    assert_eq!(waits(&world, &id), Some(1));
    answers(&mut world, &id, 1, "No");
    let answer = world.session(&id).asking.answer.clone().expect("an answer");
    assert_eq!((answer.attempt, answer.state), (2, AnswerState::Given));
}

#[test]
fn the_same_words_once_more_are_another_question() {
    let (mut world, id) = started(Supervision::Notify, &[]);
    let asked = dialog("make all\nMay I?", &["Yes", "No"]);
    asks(&mut world, &id);
    shows(&mut world, &id, Some(asked.clone()));
    answers(&mut world, &id, 1, "Yes");
    assert_eq!(waits(&world, &id), None);
    // Nothing was seen between the two, and the agent goes on asking.
    world.pass(Millis::secs(4));
    assert_eq!(waits(&world, &id), Some(2));
    assert_eq!(answers(&mut world, &id, 2, "No"), Answer::Session(id.clone()));
}

#[test]
fn who_is_asked_follows_the_level() {
    for (level, safe, answered, proposed) in [
        (Supervision::Notify, true, false, false),
        (Supervision::Confirm, false, false, true),
        (Supervision::Confirm, true, true, true),
        (Supervision::Autonomous, false, true, true),
    ] {
        let (mut world, id) = started(level, &[AnswerRule { safe, ..rule("Yes") }]);
        asks(&mut world, &id);
        shows(&mut world, &id, Some(dialog("make all\nMay I?", &["Yes", "No"])));
        let asking = &world.session(&id).asking;
        assert_eq!(asking.waiting().is_none(), answered, "{level:?}");
        assert_eq!(asking.question.as_ref().is_some_and(|q| q.proposal.is_some()), proposed, "{level:?}");
        assert_eq!(world.notes.is_empty(), answered, "{level:?}: {:?}", world.notes);
    }
}

#[test]
fn what_no_rule_names_is_a_persons_also_in_an_autonomous_session() {
    let (mut world, id) = started(Supervision::Autonomous, &[rule("Yes")]);
    asks(&mut world, &id);
    assert!(world.notes.is_empty(), "its words may yet be read");
    shows(&mut world, &id, Some(dialog("rm -rf /\nMay I?", &["Yes", "No"])));
    assert_eq!(waits(&world, &id), Some(1));
    assert_eq!(world.notes.len(), 1);
    assert!(world.notes[0].body.contains("ao answer app-1"), "{}", world.notes[0].body);
}

#[test]
fn a_screen_that_says_nothing_calls_a_person_after_a_moment() {
    let (mut world, id) = started(Supervision::Autonomous, &[rule("Yes")]);
    asks(&mut world, &id);
    world.pass(Millis::secs(3));
    assert_eq!(world.notes.len(), 1);
    assert!(world.notes[0].body.contains("ao attach app-1"), "{}", world.notes[0].body);
}

#[test]
fn a_session_that_is_answered_too_often_calls_a_person() {
    let (mut world, id) = started(Supervision::Autonomous, &[rule("Yes")]);
    for n in 0..=MOST_LATELY {
        asks(&mut world, &id);
        shows(&mut world, &id, Some(dialog(&format!("make {n}\nMay I?"), &["Yes", "No"])));
        if n < MOST_LATELY {
            assert_eq!(waits(&world, &id), None, "{n}");
            knows(&mut world, &id, working());
            shows(&mut world, &id, None);
        }
    }
    assert!(waits(&world, &id).is_some());
    assert!(world.notes.iter().any(|note| note.body.contains("too often")), "{:?}", world.notes);
    assert!(world.session(&id).attention.is_some());
}

#[test]
fn a_rule_that_answers_once_does_not_answer_again() {
    let (mut world, id) = started(Supervision::Autonomous, &[AnswerRule { once: true, ..rule("Yes") }]);
    for n in 0..2 {
        asks(&mut world, &id);
        shows(&mut world, &id, Some(dialog(&format!("make {n}\nMay I?"), &["Yes", "No"])));
        assert_eq!(waits(&world, &id).is_none(), n == 0);
        knows(&mut world, &id, working());
        shows(&mut world, &id, None);
    }
}

#[test]
fn a_new_launch_has_no_old_questions() {
    let (mut world, id) = started(Supervision::Notify, &[]);
    asks(&mut world, &id);
    shows(&mut world, &id, Some(dialog("make all\nMay I?", &["Yes", "No"])));
    world.exits(&id, 1);
    world.perform_all();
    assert_eq!(waits(&world, &id), None);
    assert_eq!(refused(answers(&mut world, &id, 1, "Yes")).0, Kind::Conflict);
}
