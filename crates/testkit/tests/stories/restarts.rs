//! The daemon dies, is upgraded, the machine reboots: the same end as without.

use super::runs::EIGHT;
use ao_core::delivery::DeliveryState;
use ao_core::effect::Recovery;
use ao_core::event::{Answer, Event};
use ao_core::run::RunOutcome;
use ao_core::status::Status;
use ao_core::time::Millis;
use ao_testkit::world::World;
use ao_testkit::world::agent::Reply;
use std::collections::BTreeSet;

/// Everything that a user would compare, times apart.
fn end(world: &World) -> (Vec<String>, Vec<String>, String) {
    let told = world.told.iter().map(|t| format!("{} {}", t.session, t.text)).collect();
    let tasks = world.facts.runs.values().flat_map(|r| &r.tasks);
    let tasks = tasks.map(|t| format!("{} {:?} {}", t.group.title, t.session, t.attempts)).collect();
    (told, tasks, world.repo.tip().to_string())
}

#[test]
fn facts_that_are_written_and_read_before_every_event_lead_to_the_same_end() {
    let mut plain = World::new(&EIGHT);
    let run = plain.fix(|_| {});
    plain.finish(&run);
    let mut reloaded = World::new(&EIGHT);
    reloaded.reload = true;
    let run = reloaded.fix(|_| {});
    reloaded.finish(&run);
    assert_eq!(end(&plain), end(&reloaded));
    assert_eq!(plain.replayed(), plain.facts, "and so do the journal's deltas alone");
}

#[test]
fn a_daemon_killed_at_any_event_changes_nothing_that_matters() {
    let mut steps = 0;
    loop {
        let mut world = World::new(&[("a", "broken:one"), ("shared", "broken:seven\nbroken:eight")]);
        let run = world.fix(|_| {});
        let reached = (0..steps).all(|_| world.step());
        world.restart_daemon();
        let outcome = world.finish(&run);
        assert!(matches!(outcome, RunOutcome::Green { .. }), "killed after {steps} steps: {outcome:?}");
        let texts: BTreeSet<_> = world.told.iter().map(|t| &t.text).collect();
        assert_eq!((texts.len(), world.told.len()), (4, 4), "killed after {steps} steps");
        let arrived = world.facts.deliveries.values();
        for delivery in arrived {
            assert!(
                matches!(delivery.state, DeliveryState::Delivered { .. }),
                "killed after {steps} steps: {delivery:?}\n{}",
                world.report()
            );
        }
        assert!(world.settled_sessions(), "killed after {steps} steps: {}", world.report());
        if !reached {
            return;
        }
        steps += 1;
    }
}

#[test]
fn time_while_the_daemon_was_away_does_not_count_against_a_prompt() {
    let mut world = World::new(&[("a", "ok:one")]);
    world.behave("", |_| Reply::Hangs);
    let id = world.spawn("work", Some("Work."));
    world.until("Enter was pressed", |w| {
        w.facts.deliveries.values().any(|d| matches!(d.state, DeliveryState::Submitted { .. }))
    });
    world.now = world.now.after(Millis::mins(60));
    world.restart_daemon();
    world.perform_all();
    assert!(world.session(&id).outbox.is_empty());
    assert_eq!(world.notes, [], "{}", world.report());
    assert_eq!(world.status(&id), Status::Working, "it is not called stuck for an hour that nobody watched");
}

#[test]
fn after_a_reboot_runs_go_on_and_plain_sessions_wait_for_a_restore_when_they_are_not_to_be_resumed() {
    let mut world = World::new(&EIGHT);
    world.project("app", |s| s.resume_on_boot = false);
    world.behave("chat", |_| Reply::Done);
    let chat = world.spawn("chat", Some("Chat."));
    let run = world.fix(|_| {});
    world.until("they work", |w| w.told.len() > 4);
    world.reboot();
    let outcome = world.finish(&run);
    assert!(matches!(outcome, RunOutcome::Green { .. }), "{}", world.report());
    assert_eq!(world.status(&chat), Status::Terminated);
    world.happen(Event::RestoreRequested { session: chat.clone() });
    world.perform_all();
    assert_eq!(world.status(&chat), Status::Idle);
}

#[test]
fn a_note_that_may_have_been_sent_is_not_sent_again() {
    let mut world = World::new(&[("a", "broken:one")]);
    world.repo.dirty = true;
    world.ignore("notify:");
    world.fix(|_| {});
    world.perform_all();
    assert_eq!(world.notes, []);
    world.restart_daemon();
    world.pass(Millis::mins(5));
    assert_eq!(world.notes, []);
    let uncertain: Vec<_> = world.facts.pending.values().filter(|p| p.uncertain).collect();
    assert_eq!(uncertain.len(), 1, "it is shown");
    assert_eq!(uncertain[0].effect.recovery(), Recovery::Once);
}

#[test]
fn a_note_that_failed_is_tried_again_also_after_a_restart() {
    let mut world = World::new(&[("a", "broken:one")]);
    world.repo.dirty = true;
    world.fail_with("notify:", ao_core::kind::Fault::unavailable("no network"));
    world.fix(|_| {});
    world.perform_all();
    world.restart_daemon();
    world.pass(Millis::mins(5));
    assert_eq!(world.notes.len(), 1);
}

#[test]
fn a_swallowed_enter_is_pressed_again_by_daemons_that_do_not_live_long() {
    let mut world = World::new(&[("a", "broken:one")]);
    let id = world.spawn("work", None);
    world.perform_all();
    world.host(&id).swallows = 1;
    let event = Event::MessageSent { session: id.clone(), text: "Do it.".into(), from: "me".into() };
    let Answer::Delivery(delivery) = world.happen(event) else { panic!("no delivery") };
    world.perform_all();
    // None of them lives for the six seconds after which Enter is pressed again.
    for _ in 0..4 {
        world.pass(Millis::secs(3));
        world.restart_daemon();
    }
    assert_eq!(world.told_to(&id), ["Do it."]);
    assert!(matches!(world.facts.deliveries[&delivery].state, DeliveryState::Delivered { .. }));
}
