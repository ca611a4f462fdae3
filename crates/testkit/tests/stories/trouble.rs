//! Things that go wrong in combination: stops, losses and second thoughts in the middle of something else.

use ao_core::effect::Outcome;
use ao_core::event::Event;
use ao_core::kind::{Fault, Kind};
use ao_core::run::{RunOutcome, TaskState};
use ao_core::session::{Conversation, Ending, Phase};
use ao_core::status::Status;
use ao_core::time::Millis;
use ao_testkit::world::World;
use ao_testkit::world::agent::Reply;

#[test]
fn a_person_who_stops_a_session_of_a_run_is_not_told_what_they_did() {
    let mut world = World::new(&[("a", "broken:one"), ("b", "broken:two")]);
    world.behave("one", |_| Reply::Asks(ao_core::activity::InputKind::Permission));
    let run = world.fix(|_| {});
    world.perform_all();
    let id = world.mender("one");
    assert_eq!(world.notes.len(), 1, "it waits for a person");
    world.happen(Event::StopRequested { session: id.clone(), why: "ao stop".into(), cleanup: false });
    assert_eq!(world.finish(&run), RunOutcome::Red { left: 1 });
    assert_eq!(world.status(&id), Status::Killed);
    assert_eq!(world.notes.len(), 1, "{:?}", world.notes);
    let task = world.run(&run).tasks.iter().find(|t| t.session.as_ref() == Some(&id)).expect("its task");
    assert!(matches!(&task.state, TaskState::GivenUp { why, .. } if why == "ao stop"), "{task:?}");
}

#[test]
fn a_stop_is_never_given_up() {
    let mut world = World::new(&[("a", "ok:one")]);
    let id = world.spawn("work", None);
    world.perform_all();
    for _ in 0..12 {
        world.fail_with("stop:", Fault::new(Kind::Bug, "the host does not answer"));
    }
    world.answer_with("stop:", Outcome::HostStarted { conversation: Conversation::First });
    world.happen(Event::StopRequested { session: id.clone(), why: "ao stop".into(), cleanup: false });
    world.pass(Millis::mins(10));
    assert_eq!(world.status(&id), Status::Killed);
}

#[test]
fn a_workspace_that_fails_while_its_session_is_stopped_ends_the_stop() {
    let mut world = World::new(&[("a", "ok:one")]);
    world.fail_with("workspace:", Fault::unavailable("git is busy"));
    let id = world.spawn("work", None);
    world.happen(Event::StopRequested { session: id.clone(), why: "ao stop".into(), cleanup: true });
    world.pass(Millis::mins(1));
    assert_eq!(world.status(&id), Status::Killed);
    assert_eq!(world.workspaces().count(), 0);
}

#[test]
fn a_prompt_that_never_arrived_does_not_stop_a_run() {
    let mut world = World::new(&[("a", "broken:one")]);
    let run = world.fix(|_| {});
    world.until("its host is there", |w| w.agents() == 1);
    let id = world.mender("one");
    // The agent swallows three Enters and loses what it was told.
    world.host(&id).swallows = 3;
    world.until("it is uncertain", |w| w.notes.iter().any(|n| n.title.contains("may not have arrived")));
    world.host(&id).composer.clear();
    assert!(matches!(world.finish(&run), RunOutcome::Green { .. }), "{}", world.report());
}

#[test]
fn a_message_to_a_session_in_review_waits_and_then_counts() {
    let mut world = World::new(&[("a", "broken:one")]);
    world.ignore("inspect:");
    let run = world.fix(|_| {});
    world.perform_all();
    let id = world.mender("one");
    assert_eq!(world.status(&id), Status::CiPending);
    let event = Event::MessageSent { session: id.clone(), text: "And be nice.".into(), from: "me".into() };
    world.happen(event);
    world.perform_all();
    assert_eq!(world.told_to(&id).len(), 1, "its workspace is being looked at");
    world.restart_daemon();
    assert!(matches!(world.finish(&run), RunOutcome::Green { .. }), "{}", world.report());
}

#[test]
fn a_dropped_prompt_does_not_leave_a_finished_turn_unjudged() {
    let mut world = World::new(&[("a", "broken:one")]);
    world.behave("", |job| {
        job.mend_what_is_named();
        Reply::Asks(ao_core::activity::InputKind::Permission)
    });
    let run = world.fix(|_| {});
    world.perform_all();
    let id = world.mender("one");
    let event = Event::MessageSent { session: id.clone(), text: "Hm.".into(), from: "me".into() };
    let ao_core::event::Answer::Delivery(delivery) = world.happen(event) else { panic!() };
    world.host(&id).person = true;
    world.answer(&id);
    world.perform_all();
    world.happen(Event::DeliveryDropped { delivery });
    assert!(matches!(world.finish(&run), RunOutcome::Green { .. }), "{}", world.report());
}

#[test]
fn a_session_that_is_stopped_while_its_work_lands_has_landed() {
    let mut world = World::new(&[("a", "broken:one")]);
    world.ignore("land:");
    let run = world.fix(|_| {});
    world.perform_all();
    let id = world.mender("one");
    world.happen(Event::StopRequested { session: id.clone(), why: "ao stop".into(), cleanup: false });
    world.perform_all();
    world.restart_daemon();
    world.finish(&run);
    let Phase::Ended { how, .. } = &world.session(&id).phase else { panic!("{}", world.report()) };
    assert_eq!(*how, Ending::Merged, "what happened to its work is what counts");
    assert!(matches!(world.run(&run).tasks[0].state, TaskState::Landed { contained: false, .. }));
}

#[test]
fn a_turn_whose_signals_came_while_the_daemon_was_away_is_judged() {
    let mut world = World::new(&[("a", "broken:one")]);
    let run = world.fix(|_| {});
    world.until("Enter was pressed", |w| !w.told.is_empty());
    world.restart_daemon();
    assert!(matches!(world.finish(&run), RunOutcome::Green { .. }), "{}", world.report());
    assert_eq!(world.told.len(), 1);
    assert_eq!(world.notes, []);
}

#[test]
fn a_session_restored_after_its_work_landed_starts_with_a_clean_slate() {
    let mut world = World::new(&[("a", "broken:one")]);
    let run = world.fix(|_| {});
    world.finish(&run);
    let id = world.mender("one");
    assert_eq!(world.status(&id), Status::Merged);
    world.happen(Event::RestoreRequested { session: id.clone() });
    world.perform_all();
    assert_eq!(world.status(&id), Status::Idle);
}

#[test]
fn a_lost_agent_that_landed_nothing_on_request_is_over() {
    let mut world = World::new(&[("a", "ok:one")]);
    world.behave("", |job| {
        job.workspace.tree.put("page", "broken:page");
        Reply::Done
    });
    let id = world.spawn("add a page", Some("Add a page."));
    world.perform_all();
    world.ignore("inspect:");
    world.happen(Event::MergeRequested { session: id.clone() });
    world.perform_all();
    world.exits(&id, 1);
    world.perform_all();
    world.restart_daemon();
    world.pass(Millis::mins(5));
    assert!(world.session(&id).ended() || world.agents() == 1, "{}", world.report());
}

#[test]
fn nothing_is_merged_where_there_is_no_gate() {
    let mut world = World::new(&[("a", "ok:one")]);
    world.project("app", |s| s.check = None);
    let id = world.spawn("work", None);
    world.perform_all();
    let answer = world.happen(Event::MergeRequested { session: id });
    let ao_core::event::Answer::Refused(fault) = answer else { panic!("{answer:?}") };
    assert!(fault.hint.is_some_and(|hint| hint.contains("check:")), "{}", fault.message);
}

#[test]
fn the_projects_rules_stand_behind_the_first_prompt_alone() {
    let mut world = World::new(&[("a", "ok:one")]);
    world.project("app", |s| s.agent_rules = Some("Be brief.\n".into()));
    let id = world.spawn("work", Some("do this"));
    world.happen(Event::MessageSent { session: id.clone(), text: "and that".into(), from: "you".into() });
    world.perform_all();
    assert_eq!(world.told_to(&id), ["do this\n\nBe brief.", "and that"]);
}
