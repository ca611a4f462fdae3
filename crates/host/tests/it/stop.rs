//! After a stop there is nothing left, whatever the program did.

use std::time::Instant;

use ao_host::record::{Ending, Tree};
use ao_host::spec::CgroupParent;
use ao_host::wire::{Reply, Request, Signal, SignalTarget, Stop};

use crate::world::{LIMIT, World, attach, is_over, lives, output_until, script, until};

/// Starts a child in a session of its own and a double-forked one that ignores polite signals.
const ESCAPERS: &str = "
    setsid sh -c 'echo $$ >a; exec sleep 600' &
    (setsid sh -c 'trap \"\" HUP TERM; (trap \"\" HUP TERM; sh -c \"echo \\$\\$ >b; while :; do sleep 600; done\" &) ; exit 0' &)
    trap '' HUP TERM
    echo ready; while :; do sleep 600; done";

fn leaves_nothing(world: World) {
    let world = world.start();
    let escaped: Vec<u32> = ["a", "b"].map(|name| world.file(name).parse().expect("a pid")).into();
    assert!(escaped.iter().all(|pid| lives(*pid)));
    let stopped = world.stop(100);
    assert_eq!(stopped.tree, Tree::Empty);
    assert_eq!(stopped.exit.expect("ended").ending, Ending::Signaled { signal: 9 });
    escaped.into_iter().for_each(is_over);
}

#[test]
fn a_stop_reaches_children_in_other_sessions_by_control_group() {
    let world = script(ESCAPERS);
    leaves_nothing(world);
}

#[test]
fn a_stop_reaches_children_in_other_sessions_without_control_groups() {
    let mut world = script(ESCAPERS);
    world.spec.cgroup = CgroupParent::Off;
    leaves_nothing(world);
}

#[test]
fn a_program_that_leaves_when_asked_is_not_killed() {
    let world = script("trap 'exit 5' TERM HUP; echo ready; while :; do sleep 1; done").start();
    let mut client = world.client();
    if !crate::world::contains(&attach(&mut client, None).screen, "ready") {
        output_until(&mut client, "ready");
    }
    let begin = Instant::now();
    let stopped = world.stop(LIMIT.as_millis().try_into().expect("seconds"));
    assert!(begin.elapsed() < LIMIT / 2, "the grace is not waited out");
    assert_eq!(stopped.tree, Tree::Empty);
    assert_eq!(stopped.exit.expect("ended").ending, Ending::Exited { code: 5 });
}

#[test]
fn keys_that_make_a_program_quit_come_before_signals() {
    let world = script("trap '' HUP TERM; : >ready; read line; [ \"$line\" = /quit ] && exit 6; exit 9").start();
    world.file_there("ready");
    let stop = Request::Stop(Stop { grace_ms: 40_000, keys: Some("/quit\r".into()) });
    let reply = world.client().request_within(&stop, LIMIT).expect("answered");
    let Reply::Stopped(stopped) = reply else { panic!("{reply:?}") };
    assert_eq!(stopped.exit.expect("ended").ending, Ending::Exited { code: 6 });
}

#[test]
fn a_fork_bomb_of_short_lived_children_is_stopped_too() {
    let mut world = script("trap '' HUP TERM; while :; do (setsid sleep 1 &); : >ready; /bin/true; done");
    world.spec.cgroup = CgroupParent::Off;
    let world = world.start();
    world.file_there("ready");
    assert_eq!(world.stop(50).tree, Tree::Empty);
}

#[test]
fn a_frozen_session_is_stopped_as_well() {
    for cgroup in [CgroupParent::Own, CgroupParent::Off] {
        let mut world = script("trap 'exit 4' TERM HUP; echo ready; while :; do sleep 1; done");
        world.spec.cgroup = cgroup;
        let world = world.start();
        let mut client = world.client();
        if !crate::world::contains(&attach(&mut client, None).screen, "ready") {
            output_until(&mut client, "ready");
        }
        assert_eq!(client.request(&Request::Freeze).expect("answered"), Reply::Done);
        let stopped = world.stop(40_000);
        assert_eq!(stopped.exit.expect("ended").ending, Ending::Exited { code: 4 });
    }
}

#[test]
fn a_signal_reaches_the_foreground_program() {
    let world = script("trap 'exit 8' INT; echo ready; while :; do sleep 1; done").start();
    let mut client = world.client();
    if !crate::world::contains(&attach(&mut client, None).screen, "ready") {
        output_until(&mut client, "ready");
    }
    let signal = Signal { signal: 2, target: SignalTarget::Foreground };
    assert_eq!(client.request(&Request::Signal(signal)).expect("answered"), Reply::Done);
    assert_eq!(world.exit().ending, Ending::Exited { code: 8 });
    let none = Signal { signal: 99, target: SignalTarget::Child };
    assert!(client.request(&Request::Signal(none)).is_err());
}

#[test]
fn a_host_told_to_end_takes_its_session_with_it() {
    let world = script("trap '' HUP TERM; : >ready; while :; do sleep 600; done").start();
    world.file_there("ready");
    let record = world.record();
    crate::world::kill(record.pid, rustix::process::Signal::TERM);
    until(|| (record.is_running() == Some(false)).then_some(()));
    is_over(record.child_pid);
    assert!(!world.spec.socket.exists());
    assert!(record.cgroup.is_none_or(|group| !group.exists()));
}

#[test]
fn a_stop_is_heard_while_keys_pile_up_before_a_program_that_reads_nothing() {
    let world = script("stty raw -echo; : >raw; while :; do sleep 600; done").start_raw();
    let mut viewer = world.client();
    attach(&mut viewer, None);
    for _ in 0..5 {
        viewer.send(&Request::Input(vec![b'x'; 64 << 10])).expect("sent");
    }
    assert_eq!(world.stop(0).tree, Tree::Empty);
}

#[test]
fn a_read_only_viewer_stops_nothing() {
    let world = script("read line").start();
    let mut reader = world.client();
    reader.request(&Request::Attach(Default::default())).expect("answered");
    for request in [Request::Stop(Stop { grace_ms: 0, keys: None }), Request::Freeze, Request::AckExit] {
        assert!(reader.request(&request).is_err(), "{request:?}");
    }
    assert!(crate::world::alive(&world.probe()));
}
