//! Keys that somebody presses from outside the terminal, and turns that are interrupted with them.

use ao_core::activity::{Activity, InputKind, Source};
use ao_core::delivery::DeliveryState;
use ao_core::event::{Answer, Event};
use ao_core::id::SessionId;
use ao_core::kind::{Fault, Kind};
use ao_core::session::TurnHow;
use ao_testkit::world::World;
use ao_testkit::world::agent::Reply;

fn press(world: &mut World, id: &SessionId, interrupt: bool) -> Answer {
    let (from, keys) = ("me".to_owned(), "Esc".to_owned());
    world.happen(Event::KeysPressed { session: id.clone(), from, keys, interrupt })
}

fn refused(answer: Answer) -> Fault {
    match answer {
        Answer::Refused(fault) => fault,
        other => panic!("it was not refused: {other:?}"),
    }
}

/// A session of which a turn hangs.
fn hanging() -> (World, SessionId) {
    let mut world = World::new(&[("a", "broken:one")]);
    world.behave("look", |_| Reply::Hangs);
    let id = world.spawn("look", Some("Look around."));
    world.perform_all();
    assert!(world.session(&id).in_turn());
    (world, id)
}

fn end(world: &World, id: &SessionId) -> Option<TurnHow> {
    world.session(id).turn.as_ref().and_then(|t| t.end.as_ref()).map(|e| e.how)
}

#[test]
fn a_turn_that_was_interrupted_ends_as_that_when_its_agent_is_seen_to_rest() {
    let (mut world, id) = hanging();
    assert_eq!(press(&mut world, &id, true), Answer::Session(id.clone()));
    assert_eq!(end(&world, &id), None, "keys prove nothing");
    world.observe(&id, Source::Osc, Activity::Idle);
    assert_eq!(end(&world, &id), Some(TurnHow::Interrupted), "it did not finish, whatever its mark says");
    let pressed = world.session(&id).pressed.clone().expect("it is noted");
    assert_eq!((pressed.by.as_str(), pressed.interrupts), ("me", Some(1)));
}

#[test]
fn keys_that_interrupt_nothing_end_no_later_turn() {
    let (mut world, id) = hanging();
    press(&mut world, &id, true);
    world.observe(&id, Source::Osc, Activity::Idle);
    world.observe(&id, Source::Osc, Activity::Working { on: None });
    world.observe(&id, Source::Osc, Activity::Idle);
    assert_eq!((world.session(&id).turns, end(&world, &id)), (2, Some(TurnHow::Done)));
    let fault = refused(press(&mut world, &id, true));
    assert!(fault.kind == Kind::Conflict && fault.message.contains("in no turn"), "{fault:?}");
    assert_eq!(press(&mut world, &id, false), Answer::Session(id.clone()), "other keys are a person's affair");
}

#[test]
fn a_dialog_is_not_interrupted() {
    let (mut world, id) = hanging();
    world.observe(&id, Source::Osc, Activity::NeedsInput { what: InputKind::Permission });
    let fault = refused(press(&mut world, &id, true));
    assert!(fault.message.contains("asks something"), "{fault:?}");
}

#[test]
fn nothing_is_pressed_beside_a_prompt_that_is_being_typed() {
    let mut world = World::new(&[("a", "broken:one")]);
    let id = world.spawn("look", None);
    world.perform_all();
    world.happen(Event::MessageSent { session: id.clone(), text: "Do it.".into(), from: "me".into() });
    let typed = |w: &World| w.facts.deliveries.values().any(|d| matches!(d.state, DeliveryState::Pasting { .. }));
    assert!(typed(&world));
    assert!(refused(press(&mut world, &id, false)).message.contains("is being typed"));
    assert_eq!(world.session(&id).pressed, None);
    world.perform_all();
    assert_eq!(world.told_to(&id), ["Do it."]);
}

#[test]
fn nobody_presses_keys_where_no_agent_runs() {
    let mut world = World::new(&[("a", "broken:one")]);
    assert_eq!(refused(press(&mut world, &SessionId::new("app-9"), false)).kind, Kind::NotFound);
    let id = world.spawn("look", None);
    assert!(refused(press(&mut world, &id, false)).message.contains("no running agent"));
}
