//! The archive: sessions that are over leave the lists, nothing of them is lost, and they come back.

use ao_core::effect::Effect;
use ao_core::event::{Answer, Event};
use ao_core::id::SessionId;
use ao_core::kind::{Fault, Kind};
use ao_core::session::{Phase, Remains};
use ao_core::time::Millis;
use ao_testkit::world::World;
use ao_testkit::world::agent::Start;

const HELLO: [(&str, &str); 1] = [("a", "broken:one")];

fn world(after: Option<Millis>) -> World {
    let mut world = World::new(&HELLO);
    world.project("app", |s| s.archive_after = after);
    world
}

fn stop(world: &mut World, id: &SessionId) {
    world.happen(Event::StopRequested { session: id.clone(), why: "ao stop".into(), cleanup: false });
    world.perform_all();
}

fn ended(world: &mut World, title: &str) -> SessionId {
    let id = world.spawn(title, None);
    world.perform_all();
    stop(world, &id);
    id
}

fn archived(world: &World, id: &SessionId) -> bool {
    world.session(id).belongings.archived.is_some()
}

fn archive(world: &mut World, id: &SessionId, stop: Option<&str>) -> Answer {
    world.happen(Event::ArchiveRequested { session: id.clone(), stop: stop.map(str::to_owned) })
}

#[test]
fn a_session_that_ended_is_archived_when_its_time_has_come_and_its_work_is_kept() {
    let mut world = world(Some(Millis::mins(60)));
    let id = ended(&mut world, "work");
    world.pass(Millis::mins(59));
    assert!(!archived(&world, &id) && world.session(&id).workspace_path.is_some());
    world.pass(Millis::mins(2));
    let session = world.session(&id);
    assert!(archived(&world, &id) && session.workspace_path.is_none());
    assert_eq!(session.rescue.as_deref(), Some("refs/ao/rescue/app-1"));
    assert_eq!(world.notes, [], "nobody is called because of it");
}

#[test]
fn nothing_is_archived_that_nobody_configured_to_be() {
    let mut world = world(None);
    let id = ended(&mut world, "work");
    world.pass(Millis::mins(60_000));
    assert!(!archived(&world, &id) && world.session(&id).workspace_path.is_some());
}

#[test]
fn what_lives_or_failed_or_may_still_run_is_not_archived_by_itself() {
    let mut world = world(Some(Millis::mins(60)));
    let live = world.spawn("live", None);
    world.starts("broken", Start::Ready, 1);
    world.fail_with("host:app-2", Fault::new(Kind::Invalid, "no such program"));
    let failed = world.spawn("broken", None);
    let lost = world.spawn("lost", None);
    world.perform_all();
    assert!(matches!(world.session(&failed).phase, Phase::Ended { .. }));
    world.host_is_lost(&lost, Remains::Left { pids: vec![4711] });
    world.pass(Millis::mins(6000));
    for id in [&live, &failed, &lost] {
        assert!(!archived(&world, id), "{id}");
    }
    // A person may say so of one that failed.
    archive(&mut world, &failed, None);
    world.perform_all();
    assert!(archived(&world, &failed));
}

#[test]
fn one_whose_work_cannot_be_saved_stays_and_is_not_tried_again_by_itself() {
    let mut world = world(Some(Millis::mins(60)));
    let id = ended(&mut world, "work");
    let why = "nothing was removed: it is locked";
    world.fail_with("remove:app-1", Fault::conflict(why));
    world.pass(Millis::mins(6000));
    let session = world.session(&id);
    assert!(!archived(&world, &id) && session.workspace_path.is_some());
    assert_eq!(session.belongings.not_archived.as_deref(), Some(why));
    assert_eq!(world.notes.len(), 1, "a person is told, once: {:?}", world.notes);
    archive(&mut world, &id, None);
    world.perform_all();
    assert!(archived(&world, &id), "asked for, it is tried again");
    assert_eq!(world.session(&id).belongings.not_archived, None);
}

#[test]
fn few_are_archived_at_a_time_and_all_in_the_end() {
    let mut world = world(None);
    let ids: Vec<SessionId> = (0..11).map(|n| ended(&mut world, &format!("work {n}"))).collect();
    world.pass(Millis::mins(600));
    world.project("app", |s| s.archive_after = Some(Millis::mins(60)));
    let most = |world: &World| {
        let under_way = world.facts.pending.values().map(|p| &p.effect);
        let step = |e: &&Effect| matches!(e, Effect::RemoveWorkspace { .. } | Effect::ArchiveSession { .. });
        under_way.filter(step).count()
    };
    let mut seen = most(&world);
    while world.step() {
        seen = seen.max(most(&world));
    }
    assert_eq!(seen, 4);
    assert!(ids.iter().all(|id| archived(&world, id)));
}

#[test]
fn one_that_lives_is_stopped_first_when_that_is_asked_for() {
    let mut world = world(None);
    let id = world.spawn("work", None);
    world.perform_all();
    let refused = archive(&mut world, &id, None);
    assert!(matches!(refused, Answer::Refused(Fault { kind: Kind::Conflict, .. })), "{refused:?}");
    assert_eq!(archive(&mut world, &id, Some("ao stop")), Answer::Session(id.clone()));
    world.perform_all();
    assert!(archived(&world, &id) && world.session(&id).workspace_path.is_none());
    assert_eq!(archive(&mut world, &id, None), Answer::Session(id.clone()), "twice is once");
}

#[test]
fn a_restore_brings_it_back_and_its_time_begins_anew() {
    let mut world = world(Some(Millis::mins(60)));
    let id = ended(&mut world, "work");
    world.pass(Millis::mins(61));
    assert!(archived(&world, &id));
    world.happen(Event::RestoreRequested { session: id.clone() });
    world.perform_all();
    let session = world.session(&id);
    assert!(matches!(session.phase, Phase::Live) && session.workspace_path.is_some());
    assert!(!archived(&world, &id));
    stop(&mut world, &id);
    world.pass(Millis::mins(59));
    assert!(!archived(&world, &id));
    world.pass(Millis::mins(2));
    assert!(archived(&world, &id));
}

#[test]
fn it_is_not_restored_in_the_middle() {
    let mut world = world(None);
    let id = ended(&mut world, "work");
    world.ignore("archive:app-1");
    archive(&mut world, &id, None);
    world.perform_all();
    let refused = world.happen(Event::RestoreRequested { session: id.clone() });
    assert!(matches!(refused, Answer::Refused(Fault { kind: Kind::Conflict, .. })), "{refused:?}");
    world.restart_daemon();
    world.perform_all();
    assert!(archived(&world, &id));
    assert_eq!(world.happen(Event::RestoreRequested { session: id.clone() }), Answer::Session(id));
}

#[test]
fn a_daemon_that_is_killed_at_any_step_goes_on_where_it_was() {
    let mut kills = 0;
    // Before the stop, in it, between it and the removal, before packing, after.
    for steps in 0..12 {
        let mut world = world(None);
        world.reload = true;
        let id = world.spawn("work", None);
        world.perform_all();
        archive(&mut world, &id, Some("ao stop"));
        kills += usize::from((0..steps).all(|_| world.step()));
        world.restart_daemon();
        world.perform_all();
        assert!(archived(&world, &id), "killed after {steps} steps");
        assert_eq!(world.session(&id).rescue.as_deref(), Some("refs/ao/rescue/app-1"), "after {steps} steps");
        assert!(world.facts.pending.is_empty(), "{:?}", world.facts.pending);
    }
    assert!(kills >= 4, "only {kills} kills came in the middle");
}

#[test]
fn logs_that_cannot_be_packed_keep_nobody_in_the_lists() {
    let mut world = world(None);
    let id = ended(&mut world, "work");
    world.fail_with("archive:app-1", Fault::new(Kind::Denied, "read-only file system"));
    archive(&mut world, &id, None);
    world.perform_all();
    assert!(archived(&world, &id));
}
