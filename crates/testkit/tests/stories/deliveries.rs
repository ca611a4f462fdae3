//! Prompts on their way: typed once, held when they must be, never claimed to have arrived when nobody knows.

use ao_core::activity::{Activity, Observation, Source};
use ao_core::delivery::{DeliveryState, MAX_TYPED};
use ao_core::event::{Answer, Event};
use ao_core::id::{DeliveryId, LaunchId, SessionId};
use ao_core::prompt;
use ao_core::status::Status;
use ao_core::time::Millis;
use ao_testkit::world::World;
use ao_testkit::world::agent::{Reply, Shows};

const HELLO: [(&str, &str); 1] = [("a", "broken:one")];

fn idle(world: &mut World) -> SessionId {
    let id = world.spawn("work", None);
    world.perform_all();
    id
}

fn say(world: &mut World, session: &SessionId, text: &str) -> DeliveryId {
    let event = Event::MessageSent { session: session.clone(), text: text.into(), from: "me".into() };
    match world.happen(event) {
        Answer::Delivery(id) => id,
        other => panic!("{other:?}"),
    }
}

fn state(world: &World, delivery: &DeliveryId) -> DeliveryState {
    world.facts.deliveries[delivery].state.clone()
}

fn uncertain(world: &World, delivery: &DeliveryId) -> bool {
    matches!(state(world, delivery), DeliveryState::Uncertain { .. })
}

#[test]
fn a_busy_composer_holds_a_prompt_until_it_is_free() {
    let mut world = World::new(&HELLO);
    let id = idle(&mut world);
    world.host(&id).composer = "a person's half sentence".into();
    let delivery = say(&mut world, &id, "Do it.");
    world.pass(Millis::mins(5));
    assert_eq!(world.facts.deliveries[&delivery].held.as_deref(), Some("composer_busy"));
    assert_eq!(world.told_to(&id).len(), 0);
    world.host(&id).composer.clear();
    world.pass(Millis::secs(5));
    assert_eq!(world.told_to(&id), ["Do it."]);
    assert!(matches!(state(&world, &delivery), DeliveryState::Delivered { .. }));
}

#[test]
fn a_person_who_types_between_paste_and_enter_wins_and_nothing_is_typed_twice() {
    let mut world = World::new(&HELLO);
    let id = idle(&mut world);
    let delivery = say(&mut world, &id, "Do it.");
    world.until("it is in the composer", |w| matches!(state(w, &delivery), DeliveryState::Submitting { .. }));
    world.host(&id).person = true;
    world.pass(Millis::secs(20));
    assert_eq!(world.host(&id).composer, "Do it.");
    assert_eq!(world.told_to(&id).len(), 0);
    world.host(&id).person = false;
    world.pass(Millis::secs(5));
    assert_eq!(world.told_to(&id), ["Do it."]);
}

#[test]
fn a_paste_that_is_not_to_be_seen_is_uncertain_once_somebody_may_have_sent_it() {
    for sent_by_a_person in [true, false] {
        let mut world = World::new(&HELLO);
        let id = idle(&mut world);
        world.host(&id).hides = true;
        let delivery = say(&mut world, &id, "Do it.");
        world.pass(Millis::secs(20));
        assert!(!state(&world, &delivery).settled(), "it may still appear");
        if sent_by_a_person {
            world.observe(&id, Source::Screen, Activity::Working { on: None });
            world.observe(&id, Source::Screen, Activity::Idle);
            world.pass(Millis::secs(20));
        } else {
            world.pass(Millis::mins(11));
        }
        assert!(uncertain(&world, &delivery), "{:?}", state(&world, &delivery));
        // Those behind it wait for nobody any more.
        world.host(&id).hides = false;
        say(&mut world, &id, "And this.");
        world.pass(Millis::secs(20));
        assert_eq!(world.told_to(&id), ["And this."]);
    }
}

#[test]
fn a_paste_that_appears_late_goes_out_once() {
    let mut world = World::new(&HELLO);
    let id = idle(&mut world);
    world.host(&id).hides = true;
    let delivery = say(&mut world, &id, "Do it.");
    world.pass(Millis::secs(20));
    world.host(&id).composer = "Do it.".into();
    world.pass(Millis::secs(20));
    assert_eq!(world.told_to(&id), ["Do it."]);
    assert!(matches!(state(&world, &delivery), DeliveryState::Delivered { .. }));
}

#[test]
fn a_prompt_held_for_long_calls_a_person_once_and_still_goes_out() {
    let mut world = World::new(&HELLO);
    let id = idle(&mut world);
    world.host(&id).composer = "a person's half sentence".into();
    say(&mut world, &id, "Do it.");
    world.pass(Millis::mins(9));
    assert_eq!(world.notes, []);
    world.pass(Millis::mins(51));
    assert_eq!(world.notes.len(), 1, "{:?}", world.notes);
    assert_eq!(world.status(&id), Status::Stuck);
    world.host(&id).composer.clear();
    world.pass(Millis::secs(5));
    assert_eq!(world.told_to(&id), ["Do it."]);
    assert_eq!(world.status(&id), Status::Idle);
}

#[test]
fn a_prompt_that_a_person_took_out_of_the_composer_is_not_waited_for_without_end() {
    let mut world = World::new(&HELLO);
    let id = idle(&mut world);
    let delivery = say(&mut world, &id, "Do it.");
    world.until("it is in the composer", |w| matches!(state(w, &delivery), DeliveryState::Submitting { .. }));
    world.host(&id).composer.clear();
    world.pass(Millis::mins(9));
    assert!(!uncertain(&world, &delivery), "a person may be looking at it");
    world.pass(Millis::mins(2));
    assert!(uncertain(&world, &delivery), "{}", world.report());
    assert_eq!(world.notes.len(), 1, "{:?}", world.notes);
}

#[test]
fn a_held_prompt_of_an_agent_that_went_to_work_costs_no_time() {
    let mut world = World::new(&HELLO);
    let id = idle(&mut world);
    world.host(&id).person = true;
    say(&mut world, &id, "Do it.");
    world.perform_all();
    world.shows(&id, Shows::Working);
    world.perform_all();
    world.must_rest();
    world.host(&id).person = false;
    world.shows(&id, Shows::Idle);
    world.pass(Millis::secs(5));
    assert_eq!(world.told_to(&id), ["Do it."]);
}

#[test]
fn enter_is_pressed_again_only_when_no_turn_began() {
    let mut world = World::new(&HELLO);
    let id = idle(&mut world);
    world.host(&id).swallows = 1;
    let delivery = say(&mut world, &id, "Do it.");
    world.pass(Millis::secs(5));
    assert!(matches!(state(&world, &delivery), DeliveryState::Submitted { n: 1, .. }));
    world.pass(Millis::secs(1));
    assert_eq!(world.told_to(&id), ["Do it."]);
    assert_eq!(world.host(&id).typed.len(), 3, "paste, Enter, Enter");
    world.pass(Millis::mins(5));
    assert_eq!(world.host(&id).typed.len(), 3);
}

#[test]
fn a_prompt_that_no_turn_answers_becomes_uncertain_and_a_person_is_asked() {
    let mut world = World::new(&HELLO);
    let id = idle(&mut world);
    world.host(&id).swallows = 99;
    let delivery = say(&mut world, &id, "Do it.");
    world.pass(Millis::mins(2));
    assert!(uncertain(&world, &delivery), "{}", world.report());
    assert_eq!(world.host(&id).typed.len(), 4, "paste and three times Enter");
    assert_eq!(world.notes.len(), 1);
    assert_eq!(world.status(&id), Status::Stuck, "it is shown, not only told");
}

#[test]
fn a_further_enter_that_is_held_neither_spins_nor_waits_for_ever() {
    let mut world = World::new(&HELLO);
    let id = idle(&mut world);
    world.host(&id).swallows = 1;
    let delivery = say(&mut world, &id, "Do it.");
    world.perform_all();
    let DeliveryState::Submitted { offset, .. } = state(&world, &delivery) else { panic!("{}", world.report()) };
    world.host(&id).composer = "changed by a person".into();
    world.pass(Millis::secs(7));
    let DeliveryState::Submitted { n: 1, offset: still, .. } = state(&world, &delivery) else {
        panic!("{}", world.report())
    };
    assert_eq!(still, offset, "the first press is remembered as it was");
    world.pass(Millis::secs(60));
    assert!(uncertain(&world, &delivery), "{}", world.report());
    assert_eq!(world.told_to(&id).len(), 0);
}

#[test]
fn a_turn_that_was_over_before_enter_was_answered_counts() {
    let mut world = World::new(&HELLO);
    world.fast_agents = true;
    let id = idle(&mut world);
    let delivery = say(&mut world, &id, "Do it.");
    world.perform_all();
    assert!(matches!(state(&world, &delivery), DeliveryState::Delivered { .. }), "{}", world.report());
    assert_eq!(world.status(&id), Status::Idle);
}

#[test]
fn a_mark_from_before_enter_is_no_sign_that_the_prompt_arrived() {
    let mut world = World::new(&HELLO);
    let id = idle(&mut world);
    world.host(&id).swallows = 99;
    world.host(&id).offset = 500;
    let delivery = say(&mut world, &id, "Do it.");
    world.perform_all();
    world.host(&id).offset = 100;
    world.shows(&id, Shows::Working);
    world.perform_all();
    assert!(matches!(state(&world, &delivery), DeliveryState::Submitted { .. }), "{}", world.report());
    world.host(&id).offset = 600;
    world.shows(&id, Shows::Working);
    world.perform_all();
    assert!(matches!(state(&world, &delivery), DeliveryState::Delivered { .. }), "{}", world.report());
}

#[test]
fn a_hook_that_is_told_late_still_says_that_the_prompt_arrived() {
    for (shown, status) in [(Activity::Idle, Status::Idle), (Activity::Unknown, Status::Working)] {
        let mut world = World::new(&HELLO);
        let id = idle(&mut world);
        world.host(&id).swallows = 99;
        let delivery = say(&mut world, &id, "Do it.");
        world.perform_all();
        let taken = world.now.after(Millis::secs(1));
        world.now = world.now.after(Millis::secs(5));
        world.observe(&id, Source::Screen, shown);
        let launch = LaunchId::of(&id, 1);
        let hook = Observation {
            activity: Activity::Working { on: None },
            source: Source::Hook,
            at: taken,
            offset: None,
            why: "hook UserPromptSubmit".into(),
        };
        world.happen(Event::Observed { session: id.clone(), launch, observation: hook });
        assert!(matches!(state(&world, &delivery), DeliveryState::Delivered { .. }), "{}", world.report());
        assert_eq!(world.status(&id), status);
    }
}

#[test]
fn prompts_go_out_one_at_a_time_and_in_order() {
    let mut world = World::new(&HELLO);
    let id = idle(&mut world);
    for text in ["one", "two", "three"] {
        say(&mut world, &id, text);
    }
    world.perform_all();
    assert_eq!(world.told_to(&id), ["one", "two", "three"]);
}

#[test]
fn a_dropped_prompt_lets_the_next_one_go() {
    let mut world = World::new(&HELLO);
    let id = idle(&mut world);
    world.host(&id).person = true;
    let first = say(&mut world, &id, "one");
    say(&mut world, &id, "two");
    world.perform_all();
    assert_eq!(world.happen(Event::DeliveryDropped { delivery: first.clone() }), Answer::Delivery(first.clone()));
    world.host(&id).person = false;
    world.perform_all();
    assert_eq!(world.told_to(&id), ["two"]);
    assert!(matches!(world.happen(Event::DeliveryDropped { delivery: first }), Answer::Refused(_)));
}

#[test]
fn a_long_prompt_goes_into_a_file_that_a_short_one_names() {
    let mut world = World::new(&HELLO);
    let id = idle(&mut world);
    let long = "word ".repeat(MAX_TYPED);
    let delivery = say(&mut world, &id, &long);
    let queued = world.facts.deliveries[&delivery].clone();
    let file = queued.file.expect("a file");
    assert_eq!(file.text, long.trim_end());
    assert_eq!(queued.text, Some(prompt::read_file(&file.path)));
    world.perform_all();
    assert_eq!(world.told_to(&id), [prompt::read_file(&file.path)]);
}

#[test]
fn a_prompt_cannot_end_the_paste_it_is_in() {
    let mut world = World::new(&HELLO);
    let id = idle(&mut world);
    say(&mut world, &id, "a\u{1b}[201~\u{3}b");
    world.perform_all();
    assert_eq!(world.told_to(&id), ["a[201~b"]);
}

#[test]
fn a_host_that_dies_before_enter_gives_the_prompt_back() {
    let mut world = World::new(&[("a", "broken:one")]);
    world.ignore("paste:");
    let run = world.fix(|_| {});
    let id = {
        world.until("it is being pasted", |w| {
            w.facts.deliveries.values().any(|d| matches!(d.state, DeliveryState::Pasting { .. }))
        });
        world.mender("one")
    };
    world.step();
    world.host_dies(&id);
    let _ = world.finish(&run);
    assert_eq!(world.told_to(&id).len(), 1, "{:#?}", world.told);
}

#[test]
fn a_host_that_dies_after_enter_leaves_the_prompt_uncertain() {
    let mut world = World::new(&HELLO);
    let id = idle(&mut world);
    world.host(&id).swallows = 9;
    let delivery = say(&mut world, &id, "Do it.");
    world.perform_all();
    world.host_dies(&id);
    assert!(uncertain(&world, &delivery));
    assert_eq!(world.facts.deliveries[&delivery].text.as_deref(), Some("Do it."), "it can be sent again");
}

#[test]
fn an_interrupt_hands_the_session_to_its_person() {
    let mut world = World::new(&[("a", "broken:one")]);
    world.behave("", |_| Reply::Interrupted);
    world.fix(|_| {});
    world.perform_all();
    let id = world.mender("one");
    assert_eq!(world.status(&id), Status::Idle);
    assert_eq!(world.session(&id).reviews, 0, "nothing is judged until the next turn ends");
}
