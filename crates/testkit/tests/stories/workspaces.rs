//! What a session has of the machine besides its files: ports that are its own while it lives.

use ao_core::event::Event;
use ao_core::id::SessionId;
use ao_core::workspace::PortRange;
use ao_testkit::world::World;
use std::collections::BTreeSet;

const HELLO: [(&str, &str); 1] = [("a", "broken:one")];

/// A world with so many ports for sessions.
fn world(ports: u16) -> World {
    let mut world = World::new(&HELLO);
    world.project("app", |s| s.workspaces.ports = PortRange { first: 20_000, last: 20_000 + ports - 1 });
    world
}

fn ports(world: &World, id: &SessionId) -> Option<u16> {
    world.session(id).belongings.ports
}

fn spawn(world: &mut World, title: &str) -> SessionId {
    let id = world.spawn(title, None);
    world.perform_all();
    id
}

fn stop(world: &mut World, id: &SessionId) {
    world.happen(Event::StopRequested { session: id.clone(), why: "ao stop".into(), cleanup: false });
    world.perform_all();
}

#[test]
fn two_live_sessions_never_share_a_port_and_an_end_gives_them_back() {
    let mut world = world(30);
    let all: Vec<SessionId> = (0..4).map(|n| spawn(&mut world, &format!("work {n}"))).collect();
    let given: Vec<Option<u16>> = all.iter().map(|id| ports(&world, id)).collect();
    assert_eq!(given, [Some(20_000), Some(20_010), Some(20_020), None], "the fourth does without");
    stop(&mut world, &all[1]);
    assert_eq!(ports(&world, &all[1]), None);
    let next = spawn(&mut world, "next");
    assert_eq!(ports(&world, &next), Some(20_010));
    world.happen(Event::RestoreRequested { session: all[1].clone() });
    world.perform_all();
    assert_eq!(ports(&world, &all[1]), None, "they belong to another one now");
}

#[test]
fn projects_whose_ranges_overlap_share_no_port_either() {
    let mut world = world(100);
    world.project("other", |s| s.workspaces.ports = PortRange { first: 20_005, last: 20_104 });
    let one = spawn(&mut world, "one");
    let new = ao_testkit::world::new_session("other", "two", None);
    world.happen(Event::SessionRequested { new: Box::new(new) });
    world.perform_all();
    assert_eq!((ports(&world, &one), ports(&world, &SessionId::new("other-1"))), (Some(20_000), Some(20_015)));
}

#[test]
fn ports_that_others_on_the_machine_have_are_passed_over_before_the_agent_starts() {
    let mut world = world(40);
    let first = spawn(&mut world, "first");
    let id = world.spawn("second", None);
    assert_eq!(ports(&world, &id), Some(20_010));
    let taken = |world: &mut World, bases: &[u16]| {
        let bases = bases.iter().copied().collect::<BTreeSet<_>>();
        world.happen(Event::PortsTaken { session: id.clone(), bases });
    };
    taken(&mut world, &[20_010]);
    assert_eq!(ports(&world, &id), Some(20_020));
    taken(&mut world, &[20_010, 20_020]);
    assert_eq!(ports(&world, &id), Some(20_030));
    taken(&mut world, &[20_010, 20_020, 20_030]);
    assert_eq!(ports(&world, &id), None, "the first session's are not given away");
    world.perform_all();
    // An agent that runs was told its ports: whoever listens there is its own server.
    taken(&mut world, &[20_000]);
    world.happen(Event::PortsTaken { session: first.clone(), bases: BTreeSet::from([20_000]) });
    assert_eq!(ports(&world, &first), Some(20_000));
}
