//! What a daemon makes of the hosts that it does not find: reboots, crashes of hosts, and disks that are not there.

use super::runs::EIGHT;
use ao_core::delivery::DeliveryState;
use ao_core::effect::Effect;
use ao_core::event::{Answer, Event, Probe};
use ao_core::id::{LaunchId, SessionId};
use ao_core::kind::Fault;
use ao_core::session::{Phase, Process, Remains};
use ao_core::status::{Status, status};
use ao_core::time::Millis;
use ao_testkit::world::World;
use ao_testkit::world::agent::Reply;

const HELLO: [(&str, &str); 1] = [("hello", "ok:one")];

/// So many sessions that had a turn and wait.
fn idle(world: &mut World, count: usize) -> Vec<SessionId> {
    world.behave("", |_| Reply::Done);
    let ids: Vec<SessionId> = (0..count).map(|n| world.spawn(&format!("work {n}"), Some("Work."))).collect();
    world.perform_all();
    ids.iter().for_each(|id| assert_eq!(world.status(id), Status::Idle));
    ids
}

fn starts(world: &World, id: &SessionId) -> (u32, Vec<bool>) {
    let asked = world.facts.pending.values().filter_map(|p| match &p.effect {
        Effect::EnsureHost { session, resume, .. } if session == id => Some(*resume),
        _ => None,
    });
    (world.session(id).launches, asked.collect())
}

#[test]
fn after_a_reboot_sessions_are_resumed_idle_and_nothing_is_typed() {
    let mut world = World::new(&HELLO);
    let ids = idle(&mut world, 3);
    let told = world.told.len();
    world.reboot();
    for id in &ids {
        assert_eq!(starts(&world, id), (2, vec![true]), "it continues its own conversation");
    }
    world.perform_all();
    for id in &ids {
        assert_eq!(world.status(id), Status::Idle, "{}", world.report());
    }
    assert_eq!(world.told.len(), told, "not a word was typed");
    assert_eq!(world.notes.len(), 1, "a person is told once: {:?}", world.notes);
}

#[test]
fn resumed_sessions_wait_for_places_like_any_other() {
    let mut world = World::new(&HELLO);
    let ids = idle(&mut world, 4);
    world.project("app", |s| s.parallel = 2);
    world.reboot();
    world.perform_all();
    let live = ids.iter().filter(|id| matches!(world.session(id).phase, Phase::Live)).count();
    let waiting = ids.iter().filter(|id| matches!(world.session(id).phase, Phase::Queued { .. })).count();
    assert_eq!((live, waiting), (2, 2), "{}", world.report());
}

#[test]
fn prompts_on_their_way_are_neither_lost_nor_typed_twice_over_a_reboot() {
    let mut world = World::new(&HELLO);
    let id = idle(&mut world, 1).remove(0);
    world.behave("", |_| Reply::Hangs);
    for text in ["First.", "Second."] {
        world.happen(Event::MessageSent { session: id.clone(), text: text.into(), from: "me".into() });
    }
    world.until("the first was typed", |w| w.told.iter().any(|t| t.text.contains("First.")));
    world.reboot();
    world.behave("", |_| Reply::Done);
    world.perform_all();
    let times = |text: &str| world.told.iter().filter(|t| t.text.contains(text)).count();
    assert_eq!(times("First."), 1, "nobody knows whether it arrived: {}", world.report());
    assert_eq!(times("Second."), 1, "it still waited: {}", world.report());
    assert!(world.session(&id).outbox.is_empty());
    let states: Vec<&DeliveryState> = world.facts.deliveries.values().map(|d| &d.state).collect();
    assert!(matches!(states[1], DeliveryState::Uncertain { .. } | DeliveryState::Delivered { .. }), "{states:?}");
    assert!(matches!(states[2], DeliveryState::Delivered { .. }), "{states:?}");
}

#[test]
fn an_agent_that_cannot_go_on_says_that_it_begins_anew() {
    for forgetful in [true, false] {
        let mut world = World::new(&HELLO);
        let id = idle(&mut world, 1).remove(0);
        world.forgetful = forgetful;
        world.reboot();
        world.perform_all();
        assert_eq!(world.status(&id), Status::Idle, "{}", world.report());
        let why = status(&world.facts, world.session(&id), world.now).why;
        assert_eq!(why.contains("it begins a new conversation"), forgetful, "{why}");
    }
}

#[test]
fn a_launch_that_the_reboot_cut_off_is_made_anew() {
    let mut world = World::new(&HELLO);
    let id = world.spawn("work", Some("Work."));
    world.until("its host is asked for", |w| matches!(w.session(&id).phase, Phase::Launching));
    world.reboot();
    assert_eq!(starts(&world, &id), (2, vec![false]), "there is no conversation to continue yet");
    world.perform_all();
    assert_eq!(world.told_to(&id), ["Work."], "its first prompt still waits for it");
}

#[test]
fn one_lost_host_is_believed_after_a_moment() {
    let mut world = World::new(&HELLO);
    let ids = idle(&mut world, 4);
    world.host_is_lost(&ids[0], Remains::Unknown);
    assert_eq!(world.status(&ids[0]), Status::Detecting);
    world.pass(Millis::secs(10));
    assert_eq!(world.status(&ids[0]), Status::Terminated);
    assert_eq!(world.status(&ids[1]), Status::Idle);
    assert_eq!(world.happen(Event::RestoreRequested { session: ids[0].clone() }), Answer::Session(ids[0].clone()));
}

#[test]
fn many_hosts_lost_at_once_are_doubted_and_none_is_ended() {
    let mut world = World::new(&HELLO);
    let ids = idle(&mut world, 5);
    ids[..3].iter().for_each(|id| world.host_is_lost(id, Remains::Unknown));
    world.pass(Millis::mins(60));
    for id in &ids[..3] {
        assert_eq!(world.status(id), Status::Detecting, "{}", world.report());
    }
    assert_eq!(world.notes.len(), 1, "a person is told once: {:?}", world.notes);
    // The disk is there again.
    for id in &ids[..3] {
        let launch = LaunchId::of(id, 1);
        world.happen(Event::HostProbed { session: id.clone(), launch, probe: Probe::Alive });
        assert_eq!(world.status(id), Status::Idle);
    }
    assert_eq!(world.facts.machine.doubted, None, "the next loss is judged anew");
}

#[test]
fn a_person_may_end_what_is_doubted() {
    let mut world = World::new(&HELLO);
    let ids = idle(&mut world, 3);
    ids.iter().for_each(|id| world.host_is_lost(id, Remains::Unknown));
    for id in &ids {
        world.happen(Event::StopRequested { session: id.clone(), why: "by me".into(), cleanup: false });
    }
    world.perform_all();
    for id in &ids {
        assert_eq!(world.status(id), Status::Killed, "{}", world.report());
    }
}

#[test]
fn a_daemon_that_comes_later_looks_for_what_is_lost_anew() {
    let mut world = World::new(&HELLO);
    let ids = idle(&mut world, 4);
    world.host_is_lost(&ids[0], Remains::Unknown);
    world.now = world.now.after(Millis::mins(60));
    world.restart_daemon();
    assert_eq!(world.status(&ids[0]), Status::Detecting, "an hour that nobody watched proves nothing");
}

#[test]
fn while_the_old_agent_may_live_nobody_starts_a_second_one() {
    let mut world = World::new(&HELLO);
    let id = idle(&mut world, 1).remove(0);
    world.host_is_lost(&id, Remains::Left { pids: vec![4711] });
    world.pass(Millis::secs(10));
    assert_eq!(world.status(&id), Status::Terminated);
    let Answer::Refused(fault) = world.happen(Event::RestoreRequested { session: id.clone() }) else {
        panic!("it may not")
    };
    assert!(fault.message.contains("4711"), "{fault:?}");
    world.happen(Event::StopRequested { session: id.clone(), why: "by me".into(), cleanup: false });
    // It is on its way, and nobody starts in between.
    let Answer::Refused(fault) = world.happen(Event::RestoreRequested { session: id.clone() }) else {
        panic!("it may not yet")
    };
    assert!(fault.message.contains("4711"), "{fault:?}");
    world.perform_all();
    assert_eq!(world.happen(Event::RestoreRequested { session: id.clone() }), Answer::Session(id.clone()));
    world.perform_all();
    assert_eq!(starts(&world, &id).0, 2);
}

#[test]
fn what_a_refused_start_left_is_ended_before_a_restore() {
    let mut world = World::new(&HELLO);
    let id = idle(&mut world, 1).remove(0);
    let refused = Fault::conflict("an earlier launch still runs");
    world.fail_with(&format!("host:{}", LaunchId::of(&id, 2)), refused);
    world.reboot();
    world.perform_all();
    assert_eq!(world.status(&id), Status::SpawnFailed);
    world.happen(Event::StopRequested { session: id.clone(), why: "by me".into(), cleanup: false });
    let Answer::Refused(fault) = world.happen(Event::RestoreRequested { session: id.clone() }) else {
        panic!("what runs may still run")
    };
    assert!(fault.message.contains("are being ended"), "{fault:?}");
    world.perform_all();
    assert_eq!(world.happen(Event::RestoreRequested { session: id.clone() }), Answer::Session(id.clone()));
}

#[test]
fn a_rule_restarts_a_lost_agent_only_when_its_tree_is_proven_gone() {
    for (left, launches) in [(Remains::None, 2), (Remains::Unknown, 1), (Remains::Left { pids: vec![7] }, 1)] {
        let mut world = World::new(&EIGHT);
        world.behave("", |_| Reply::Hangs);
        world.fix(|_| {});
        world.perform_all();
        let id = world.mender("one");
        world.host_is_lost(&id, left.clone());
        world.pass(Millis::secs(10));
        assert_eq!(world.session(&id).launches, launches, "{left:?}: {}", world.report());
        assert!(launches == 2 || matches!(world.session(&id).process, Process::Missing | Process::Exited { .. }));
    }
}
