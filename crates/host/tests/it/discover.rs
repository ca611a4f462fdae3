//! Hosts are found again, and a launch is started once.

use std::os::unix::net::UnixListener;

use ao_host::discover::{Standing, clear, discover, remains};
use ao_host::record::Tree;
use rustix::process::Signal;

use crate::world::{alive, is_over, kill, lives, script, until};

#[test]
fn a_second_host_of_a_launch_finds_the_first() {
    let world = script("echo once >>ran; read line").start();
    world.file("ran");
    let said = world.run_host();
    assert!(said.status.success());
    assert_eq!(said.stdout, b"already_running\n");
    assert!(alive(&world.probe()), "the first one does not mind");
    assert_eq!(world.file("ran"), "once");
}

#[test]
fn a_launch_that_ended_is_not_started_again() {
    let world = script("echo once >>ran").start();
    world.exit();
    let record = world.record();
    world.client().request(&ao_host::wire::Request::AckExit).expect("answered");
    until(|| (record.is_running() == Some(false)).then_some(()));
    let said = world.run_host();
    assert_eq!((said.status.code(), said.stdout.as_slice()), (Some(i32::from(ao_host::CODE_ENDED)), &b"ended\n"[..]));
    assert_eq!(world.file("ran"), "once");
}

#[test]
fn discovery_tells_living_dead_lost_and_unstarted_apart() {
    let world = script("read line");
    world.spec.write(&world.dir).expect("launch.json");
    let standing = || {
        let found = discover(world.root()).expect("readable");
        assert_eq!(found.len(), 1);
        found.into_iter().next().expect("one").standing
    };
    assert_eq!(standing(), Standing::NotStarted);
    let world_started = world.run_host();
    assert!(world_started.status.success());
    let Standing::Alive { hello } = standing() else { panic!("alive") };
    assert_eq!(hello.launch, world.spec.launch);
    let record = world.record();
    assert_eq!(record.pid, hello.pid);
    kill(record.pid, Signal::KILL);
    until(|| (!lives(record.pid)).then_some(()));
    assert_eq!(standing(), Standing::Dead { exit: None });
    until(|| (!lives(record.child_pid)).then_some(()));
}

#[test]
fn what_a_killed_host_left_behind_can_be_cleared() {
    let world = script("setsid sh -c 'trap \"\" HUP; echo $$ >left; while :; do sleep 600; done' & read line").start();
    let left: u32 = world.file("left").parse().expect("a pid");
    let record = world.record();
    kill(record.pid, Signal::KILL);
    until(|| (!lives(record.pid)).then_some(()));
    if record.cgroup.is_none() {
        // Nobody can tell here; the process is ended by its number.
        assert_eq!(remains(&record), Tree::Unknown);
        return kill(left, Signal::KILL);
    }
    let Tree::Left { pids } = remains(&record) else { panic!("{:?}", remains(&record)) };
    assert!(pids.contains(&left), "{pids:?} has {left}");
    until(|| (clear(&record) == Tree::Empty).then_some(()));
    is_over(left);
    assert!(!world.spec.socket.exists());
    assert!(!record.cgroup.clone().expect("it had one").exists());
}

#[test]
fn a_host_that_does_not_answer_is_unknown_and_never_dead() {
    let world = script("read line").start();
    std::fs::rename(&world.spec.socket, world.root().join("moved")).expect("moved");
    // Somebody listens there and says nothing: a host that is not heard at all makes its socket anew.
    let mute = UnixListener::bind(&world.spec.socket).expect("bound");
    let hangs_up = std::thread::spawn(move || drop(mute.accept().expect("somebody asks")));
    assert!(matches!(world.probe().standing, Standing::Unknown { .. }));
    hangs_up.join().expect("no panic");
    std::fs::rename(world.root().join("moved"), &world.spec.socket).expect("moved back");
    assert!(alive(&world.probe()));
}

#[test]
fn a_recorded_process_is_not_trusted_without_its_start_and_boot() {
    let world = script("read line").start();
    let mut record = world.record();
    assert_eq!(record.is_running(), Some(true));
    record.start_ticks += 1;
    assert_eq!(record.is_running(), Some(false), "same id, other process");
    record.start_ticks -= 1;
    record.boot_id = "00000000-0000-0000-0000-000000000000".into();
    assert_eq!(record.is_running(), Some(false), "same id, other boot");
}

#[test]
fn the_host_outlives_a_hangup_and_keeps_no_directory_busy() {
    let world = script("read line; exit 3").start();
    let record = world.record();
    kill(record.pid, Signal::HUP);
    kill(record.pid, Signal::INT);
    assert!(alive(&world.probe()));
    assert_eq!(std::fs::read_link(format!("/proc/{}/cwd", record.pid)).expect("readable"), std::path::Path::new("/"));
}
