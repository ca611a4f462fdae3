//! What hosts and those who look for them survive: deleted sockets, replaced binaries, cut-off records, missing disks.

use std::fs;
use std::process::Command;

use ao_host::discover::{Standing, clear_behind, left_behind};
use ao_host::record::{Ending, Tree};
use ao_host::wire::Request;
use rustix::process::Signal;

use crate::world::{World, alive, attach, host_command, kill, lives, output_until, script, until};

/// Kills the host and waits until it is gone.
fn crash(world: &World) {
    let record = world.record();
    kill(record.pid, Signal::KILL);
    until(|| (!lives(record.pid)).then_some(()));
}

#[test]
fn a_socket_path_that_is_too_long_is_said_and_nothing_is_started() {
    let mut world = script("echo ran >ran; read line");
    world.spec.socket = world.root().join("x".repeat(120)).join("s.sock");
    world.spec.write(&world.dir).expect("launch.json");
    let said = world.run_host();
    assert!(!said.status.success() && said.stdout.starts_with(b"failed "), "{said:?}");
    assert!(String::from_utf8_lossy(&said.stdout).contains("s.sock"), "it names the path: {said:?}");
    assert!(!world.root().join("ran").exists());
    assert_eq!(world.probe().standing, Standing::NotStarted);
}

#[test]
fn a_deleted_socket_is_made_anew_by_the_look_that_misses_it() {
    let world = script("echo ready; read line; echo bye; read line").start();
    fs::remove_file(&world.spec.socket).expect("deleted");
    assert!(matches!(world.probe().standing, Standing::Unknown { .. }), "missed, and never called dead");
    until(|| alive(&world.probe()).then_some(()));
    let mut client = world.client();
    attach(&mut client, None);
    client.send(&Request::Input(b"go\n".to_vec())).expect("sent");
    output_until(&mut client, "bye");
}

#[test]
fn a_hangup_leaves_a_host_that_is_heard_alone() {
    let world = script("read line").start();
    let mut client = world.client();
    kill(world.record().pid, Signal::HUP);
    assert!(client.request(&Request::Deliveries).is_ok(), "its connections stay");
    assert!(alive(&world.probe()));
}

#[test]
fn a_binary_that_is_replaced_or_deleted_while_it_runs_changes_nothing_for_its_sessions() {
    for replaced in [true, false] {
        let world = script("read line; exit 4");
        world.spec.write(&world.dir).expect("launch.json");
        let binary = world.root().join("ao");
        // By another process: a file that this one has open for writing, if only in a child that another test starts just
        // now, cannot be run.
        let copied = Command::new("cp").arg(host_command()).arg(&binary).status().expect("it runs");
        assert!(copied.success());
        let said = Command::new(&binary).arg(&world.dir).output().expect("it runs");
        assert!(said.status.success(), "{said:?}");
        fs::remove_file(&binary).expect("deleted");
        if replaced {
            fs::write(&binary, "another version").expect("replaced");
        }
        assert!(alive(&world.probe()));
        let mut client = world.client();
        attach(&mut client, None);
        client.send(&Request::Input(b"go\n".to_vec())).expect("sent");
        assert_eq!(world.exit().ending, Ending::Exited { code: 4 });
    }
}

#[test]
fn half_a_record_of_a_living_host_never_makes_it_dead() {
    let world = script("read line").start();
    let path = world.dir.join("host.json");
    let whole = fs::read(&path).expect("host.json");
    for length in [0, 1, whole.len() / 2, whole.len() - 3] {
        fs::write(&path, &whole[..length]).expect("cut");
        assert!(matches!(world.probe().standing, Standing::Unknown { .. }), "{length} bytes");
    }
    fs::write(&path, &whole).expect("whole again");
    assert!(alive(&world.probe()));
}

#[test]
fn half_a_record_of_an_end_is_a_lost_end_once_the_host_is_proven_dead() {
    let world = script("exit 3").start();
    world.exit();
    let path = world.dir.join("exit.json");
    let whole = fs::read(&path).expect("exit.json");
    crash(&world);
    for length in [0, whole.len() / 2] {
        fs::write(&path, &whole[..length]).expect("cut");
        until(|| (world.probe().standing == Standing::Dead { exit: None }).then_some(()));
    }
    fs::write(&path, &whole).expect("whole again");
    assert!(matches!(world.probe().standing, Standing::Dead { exit: Some(_) }));
}

#[test]
fn files_that_are_gone_are_no_death() {
    let world = script("read line").start();
    let (away, sessions) = (world.root().join("away"), world.dir.ancestors().nth(2).expect("above").to_owned());
    fs::rename(&sessions, &away).expect("unmounted, as it were");
    let standing = world.probe().standing;
    fs::rename(&away, &sessions).expect("mounted again");
    assert!(matches!(&standing, Standing::Unknown { .. }), "{standing:?}");
    assert!(alive(&world.probe()));
}

#[test]
fn what_a_crashed_host_left_is_found_by_its_marks_where_there_is_no_control_group() {
    let mut world = script("setsid sh -c 'trap \"\" HUP; echo $$ >left; while :; do sleep 600; done' & read line");
    world.spec.cgroup = ao_host::spec::CgroupParent::Off;
    let home = world.root().display().to_string();
    world.spec.env.extend([("AO_HOME".to_owned(), home), ("AO_LAUNCH".to_owned(), world.spec.launch.clone())]);
    let world = world.start();
    let left: u32 = world.file("left").parse().expect("a pid");
    crash(&world);
    let found = left_behind(&world.dir);
    assert!(matches!(&found, Tree::Left { pids } if pids.contains(&left)), "{found:?} has {left}");
    until(|| (clear_behind(&world.dir) == Tree::Unknown).then_some(()));
    until(|| (!lives(left)).then_some(()));
}

#[test]
fn a_host_of_another_boot_left_nothing() {
    let world = script("read line").start();
    crash(&world);
    let path = world.dir.join("host.json");
    let boot = world.record().boot_id;
    let text = fs::read_to_string(&path).expect("host.json");
    fs::write(&path, text.replace(&boot, "00000000-0000-4000-8000-000000000001")).expect("rebooted, as it were");
    assert_eq!(left_behind(&world.dir), Tree::Empty);
    fs::write(&path, text).expect("as it was");
}
