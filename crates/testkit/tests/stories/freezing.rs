//! Sessions at rest: halted after a while, awake before anybody needs them, and never the cause of an alarm.

use ao_core::effect::Outcome;
use ao_core::event::{Answer, Event};
use ao_core::freeze::Frozen;
use ao_core::id::SessionId;
use ao_core::kind::{Fault, Kind};
use ao_core::status::{Status, status};
use ao_core::time::Millis;
use ao_testkit::world::World;
use ao_testkit::world::agent::{Reply, Shows};

const HELLO: [(&str, &str); 1] = [("a", "broken:one")];

fn resting(after: u64) -> (World, SessionId) {
    let mut world = World::new(&HELLO);
    world.project("app", |s| s.freeze_idle_after = Some(Millis::mins(after)));
    let id = world.spawn("work", None);
    world.perform_all();
    (world, id)
}

fn halted(world: &World, id: &SessionId) -> bool {
    matches!(world.session(id).freeze.frozen, Frozen::Since { .. })
}

fn say(world: &mut World, id: &SessionId, text: &str) {
    world.happen(Event::MessageSent { session: id.clone(), text: text.into(), from: "me".into() });
}

#[test]
fn an_idle_session_is_halted_when_its_time_has_come_and_stays_idle_in_every_list() {
    let (mut world, id) = resting(30);
    world.pass(Millis::mins(29));
    assert!(!world.host(&id).frozen);
    world.pass(Millis::mins(2));
    assert!(world.host(&id).frozen && halted(&world, &id));
    let verdict = status(&world.facts, world.session(&id), world.now);
    assert_eq!(verdict.status, Status::Idle);
    assert!(verdict.why.contains("halted to save power"), "{}", verdict.why);
    world.pass(Millis::mins(600));
    assert_eq!(world.notes, [], "nobody is called because of it");
    assert_eq!(world.status(&id), Status::Idle);
}

#[test]
fn nothing_is_halted_that_nobody_configured_to_be() {
    let mut world = World::new(&HELLO);
    let id = world.spawn("work", None);
    world.pass(Millis::mins(6000));
    assert!(!world.host(&id).frozen);
}

#[test]
fn a_prompt_wakes_it_first_and_arrives() {
    let (mut world, id) = resting(30);
    world.pass(Millis::mins(31));
    say(&mut world, &id, "Do it.");
    assert_eq!(world.session(&id).freeze.frozen, Frozen::Waking);
    // The world refuses what is typed into a halted agent.
    world.perform_all();
    assert_eq!(world.told_to(&id), ["Do it."]);
    assert!(!world.host(&id).frozen);
    world.pass(Millis::mins(31));
    assert!(halted(&world, &id), "it rests again after its turn");
}

#[test]
fn an_agent_at_work_is_not_halted_however_long_it_takes() {
    let (mut world, id) = resting(1);
    world.behave("work", |_| Reply::Hangs);
    say(&mut world, &id, "Do it.");
    world.pass(Millis::mins(5));
    assert_eq!(world.status(&id), Status::Working);
    assert!(!world.host(&id).frozen);
    let refused = world.happen(Event::FreezeRequested { session: id.clone() });
    assert!(matches!(refused, Answer::Refused(Fault { kind: Kind::Conflict, .. })), "{refused:?}");
}

#[test]
fn whoever_looks_keeps_it_awake_and_its_time_begins_anew() {
    let (mut world, id) = resting(30);
    world.look_at(&id, true);
    world.pass(Millis::mins(100));
    assert!(!world.host(&id).frozen);
    world.look_at(&id, false);
    world.pass(Millis::mins(31));
    assert!(halted(&world, &id));
    world.look_at(&id, true);
    world.perform_all();
    assert!(!halted(&world, &id), "its host woke it and said so");
    world.look_at(&id, false);
    world.pass(Millis::mins(29));
    assert!(!halted(&world, &id));
}

#[test]
fn a_person_halts_and_wakes_it_by_hand() {
    let mut world = World::new(&HELLO);
    let id = world.spawn("work", None);
    world.perform_all();
    assert_eq!(world.happen(Event::FreezeRequested { session: id.clone() }), Answer::Session(id.clone()));
    world.perform_all();
    assert!(world.host(&id).frozen);
    assert_eq!(world.happen(Event::FreezeRequested { session: id.clone() }), Answer::Session(id.clone()));
    assert_eq!(world.happen(Event::ThawRequested { session: id.clone() }), Answer::Session(id.clone()));
    world.perform_all();
    assert!(!world.host(&id).frozen && !world.session(&id).freeze.holds());
    world.pass(Millis::mins(6000));
    assert!(!world.host(&id).frozen);
}

#[test]
fn a_turn_that_begins_while_it_is_being_halted_goes_on() {
    let (mut world, id) = resting(30);
    world.pass(Millis::mins(29));
    world.tick_to_deadline();
    assert_eq!(world.session(&id).freeze.frozen, Frozen::Asked);
    // The mark was on its way when the halt was decided.
    world.shows(&id, Shows::Working);
    world.perform_all();
    assert!(!world.host(&id).frozen, "{}", world.report());
    assert_eq!(world.status(&id), Status::Working);
}

#[test]
fn a_stop_ends_a_halted_session_and_a_restored_one_is_awake() {
    let (mut world, id) = resting(30);
    world.pass(Millis::mins(31));
    world.happen(Event::StopRequested { session: id.clone(), why: "enough".into(), cleanup: false });
    world.perform_all();
    assert_eq!(world.status(&id), Status::Killed);
    world.happen(Event::RestoreRequested { session: id.clone() });
    world.perform_all();
    assert_eq!(world.status(&id), Status::Idle);
    assert!(!world.session(&id).freeze.holds());
}

#[test]
fn a_restart_of_the_daemon_wakes_nobody() {
    let (mut world, id) = resting(30);
    world.pass(Millis::mins(31));
    world.restart_daemon();
    world.pass(Millis::mins(60));
    assert!(world.host(&id).frozen && halted(&world, &id));
}

#[test]
fn a_runtime_that_cannot_is_asked_once_and_one_that_failed_again_later() {
    let (mut world, id) = resting(30);
    world.fail_with("freeze:", Fault::new(Kind::Unsupported, "this runtime cannot halt a session"));
    world.pass(Millis::mins(300));
    assert!(!world.host(&id).frozen);
    assert!(world.session(&id).freeze.refused.is_some());

    let (mut world, id) = resting(30);
    world.fail_with("freeze:", Fault::unavailable("the host does not answer"));
    world.pass(Millis::mins(31));
    assert!(!world.host(&id).frozen);
    world.pass(Millis::mins(31));
    assert!(world.host(&id).frozen);
}

#[test]
fn waking_is_not_given_up() {
    let (mut world, id) = resting(30);
    world.pass(Millis::mins(31));
    for _ in 0..20 {
        world.fail_with("thaw:", Fault::unavailable("the host does not answer"));
    }
    say(&mut world, &id, "Do it.");
    world.pass(Millis::mins(20));
    assert_eq!(world.told_to(&id), ["Do it."]);
}

#[test]
fn a_halt_that_comes_late_is_taken_back() {
    let (mut world, id) = resting(30);
    world.answer_with("thaw:", Outcome::Thawed);
    world.pass(Millis::mins(31));
    // The host hears of the halt after the wake-up, and says so.
    say(&mut world, &id, "Do it.");
    let launch = world.session(&id).launch.clone().expect("a launch");
    world.host(&id).frozen = false;
    world.perform_all();
    world.happen(Event::HostFrozen { session: id.clone(), launch, frozen: true });
    say(&mut world, &id, "And this.");
    world.perform_all();
    assert_eq!(world.told_to(&id), ["Do it.", "And this."]);
    assert!(!world.session(&id).freeze.holds());
}
