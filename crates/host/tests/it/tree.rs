//! Whatever an agent's tools did to get away, after a stop nothing of the session is left: with control groups and without.
//!
//! Every process of a session carries a mark in its environment; what is left is looked for by that mark, not by the host's
//! own bookkeeping.

use std::fs;

use ao_host::discover::{clear, remains};
use ao_host::record::{HostRecord, Tree};
use ao_host::spec::{CgroupParent, Limits};
use ao_host::wire::{Reply, Request};
use rustix::process::Signal;

use crate::world::{World, kill, lives, script, until};

const MARK: &str = "AO_TREE_TEST";

/// Everything gets away in its own way, ignores what is polite, and says with a file that it is there.
const WAYS: [(&str, &str); 9] = [
    ("setsid", "setsid sh -c \"trap '' HUP TERM; : >ready; while :; do sleep 600; done\" & wait"),
    (
        "double fork",
        "(setsid sh -c \"(trap '' HUP TERM; : >ready; while :; do sleep 600; done) & exit 0\" &); while :; do sleep 600; done",
    ),
    ("an orphan in the agent's own group", "(sh -c \"trap '' HUP TERM; : >ready; while :; do sleep 600; done\" &); wait; sleep 600"),
    ("ignores everything", "trap '' HUP TERM INT QUIT; : >ready; while :; do sleep 600; done"),
    (
        "halted by itself",
        "setsid sh -c 'sh -c \": >ready; kill -STOP \\$\\$; sleep 600\" & wait' & trap '' HUP TERM; while :; do sleep 600; done",
    ),
    (
        "starts others all the time",
        "trap '' HUP TERM; bomb() { trap '' HUP TERM; while :; do (setsid sleep 5 &); (sleep 5 &); : >ready; sleep 0.01; done; }
         bomb & bomb & bomb & setsid sh -c \"trap '' HUP TERM; while :; do (setsid sleep 5 &); sleep 0.01; done\" & bomb",
    ),
    (
        // Each lives only until it has started the next, which has a session and a parent of its own.
        "runs away",
        "trap '' HUP TERM; printf '%s\\n' \"trap '' HUP TERM\" ': >ready' 'setsid sh chain &' >chain; setsid sh chain & while :; do sleep 600; done",
    ),
    (
        // As Codex does it: a server in a session of its own, and a second one that starts it again when it dies.
        "a daemon of its own",
        "printf '%s\\n' \"trap '' HUP TERM\" 'while :; do sleep 600; done' >server
         printf '%s\\n' \"trap '' HUP TERM\" 'while :; do setsid sh server & echo $! >pid; : >ready; wait; done' >updater
         (setsid sh updater </dev/null >/dev/null 2>&1 &); while :; do sleep 600; done",
    ),
    (
        "its own subreaper's child",
        // A host inside the session adopts the orphans below it; they are ours all the same.
        "trap '' HUP TERM; (setsid setsid sh -c \"(setsid sh -c 'trap \\\"\\\" HUP TERM; : >ready; while :; do sleep 600; done' &)\" &); while :; do sleep 600; done",
    ),
];

fn world(text: &str, cgroup: &CgroupParent) -> World {
    let mut world = script(text);
    world.spec.cgroup = cgroup.clone();
    world.spec.env.insert(MARK.into(), world.spec.launch.clone());
    let world = world.start();
    world.file_there("ready");
    world
}

/// Living processes that carry the session's mark.
fn marked(launch: &str) -> Vec<u32> {
    let mark = format!("{MARK}={launch}");
    let all = fs::read_dir("/proc").expect("there is /proc").flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let carries = |pid: &u32| {
        let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environ.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    };
    pids.filter(|pid| carries(pid) && lives(*pid)).collect()
}

fn groups(record: &HostRecord) -> Vec<&std::path::PathBuf> {
    record.cgroup.iter().chain(&record.bounds).collect()
}

/// The host has gone, and its groups and socket with it.
fn assert_gone(record: &HostRecord, what: &str) {
    until(|| (record.is_running() == Some(false)).then_some(()));
    for group in groups(record) {
        assert!(!group.exists(), "{what}: {} is left", group.display());
    }
    assert!(!record.socket.exists(), "{what}: the socket is left");
}

fn both() -> [CgroupParent; 2] {
    [CgroupParent::Own, CgroupParent::Off]
}

#[test]
fn after_a_stop_nothing_is_left_whatever_the_tools_did() {
    for (way, text) in WAYS {
        for cgroup in both() {
            let world = world(text, &cgroup);
            let (launch, what) = (world.spec.launch.clone(), format!("{way}, {cgroup:?}"));
            assert!(!marked(&launch).is_empty(), "{what}: nothing runs");
            let stopped = world.stop(50);
            assert_eq!(stopped.tree, Tree::Empty, "{what}");
            assert_eq!(marked(&launch), [] as [u32; 0], "{what}");
            let record = world.record();
            assert_eq!(world.client().request(&Request::AckExit).expect("answered"), Reply::Done);
            assert_gone(&record, &what);
        }
    }
}

#[test]
fn an_agent_that_leaves_by_itself_leaves_nothing_once_its_end_is_known() {
    for (way, text) in WAYS.into_iter().filter(|(_, text)| text.contains("setsid")) {
        for cgroup in both() {
            let agent =
                format!("sh -c '{}' & while ! [ -e ready ]; do sleep 0.01; done; exit 3", text.replace('\'', "'\\''"));
            let world = world(&agent, &cgroup);
            let (launch, what) = (world.spec.launch.clone(), format!("{way}, {cgroup:?}"));
            assert!(matches!(world.exit().tree, Tree::Left { .. }), "{what}: nothing outlived the agent");
            let record = world.record();
            assert_eq!(world.client().request(&Request::AckExit).expect("answered"), Reply::Done);
            assert_gone(&record, &what);
            assert_eq!(marked(&launch), [] as [u32; 0], "{what}");
        }
    }
}

#[test]
fn a_frozen_session_leaves_nothing_either() {
    for cgroup in both() {
        let world = world(WAYS[1].1, &cgroup);
        assert_eq!(world.client().request(&Request::Freeze).expect("answered"), Reply::Done);
        assert_eq!(world.stop(50).tree, Tree::Empty, "{cgroup:?}");
        assert_eq!(marked(&world.spec.launch), [] as [u32; 0], "{cgroup:?}");
    }
}

/// Its group proves what a dead host left; without one nobody knows, and nobody claims to.
#[test]
fn what_a_dead_host_left_is_known_by_its_group_and_unknown_without() {
    for cgroup in both() {
        let world = world(WAYS[0].1, &cgroup);
        let record = world.record();
        kill(record.pid, Signal::KILL);
        until(|| (record.is_running() == Some(false)).then_some(()));
        let left = marked(&world.spec.launch);
        assert!(!left.is_empty(), "its tools live on");
        if let Some(group) = &record.cgroup {
            assert!(matches!(remains(&record), Tree::Left { .. }));
            until(|| (clear(&record) == Tree::Empty).then_some(()));
            assert_eq!(marked(&world.spec.launch), [] as [u32; 0]);
            assert!(!group.exists());
        } else {
            assert_eq!(remains(&record), Tree::Unknown);
            assert_eq!(clear(&record), Tree::Unknown);
            left.iter().for_each(|pid| kill(*pid, Signal::KILL));
        }
    }
}

#[test]
fn groups_that_a_tool_made_inside_are_counted_killed_and_removed() {
    let world = world("trap '' HUP TERM; : >ready; while :; do sleep 600; done", &CgroupParent::Own);
    // A machine that has no groups to give has nothing to show here.
    let Some(group) = world.record().cgroup else { return };
    let below = group.join("tool/deeper");
    fs::create_dir_all(&below).expect("a group of the tool's own");
    fs::write(below.join("cgroup.procs"), world.record().child_pid.to_string()).expect("moved");
    assert_eq!(world.stop(50).tree, Tree::Empty);
    assert_eq!(marked(&world.spec.launch), [] as [u32; 0]);
    world.client().request(&Request::AckExit).expect("answered");
    assert_gone(&world.record(), "a group inside");
}

#[test]
fn a_limit_that_cannot_be_kept_refuses_the_launch_and_says_which() {
    let mut world = script("echo never");
    world.spec.cgroup = CgroupParent::Off;
    world.spec.limits = Limits { memory_bytes: Some(64 << 20), ..Limits::default() };
    world.spec.write(&world.dir).expect("launch.json");
    let said = String::from_utf8(world.run_host().stdout).expect("text");
    assert!(
        said.starts_with("not_started limits.memory cannot be kept here: control groups are switched off"),
        "{said}"
    );
}

/// The limits that this machine keeps, one by one: each is set before the agent runs, and holds.
#[test]
fn the_limits_that_can_be_kept_hold() {
    // scripts/test-cgroup2.sh knows what its machine can do; elsewhere either is right.
    let told = std::env::var("AO_TEST_LIMITS").ok();
    let memory = Limits { memory_bytes: Some(64 << 20), ..Limits::default() };
    let processes = Limits { processes: Some(20), ..Limits::default() };
    let cases = [
        // A variable of a hundred megabytes; whoever is killed for it, the line after it is never written.
        (memory, "x=aaaaaaaaaaaaaaaa; while [ ${#x} -lt 200000000 ]; do x=$x$x$x$x; done; echo grown >grown"),
        (processes, "i=0; while [ $i -lt 60 ]; do sleep 600 & i=$((i+1)); done; echo grown >grown"),
    ];
    for (limits, text) in cases {
        let mut world = script(&format!("sh -c '{text}'; echo over >over; sleep 600"));
        world.spec.limits = limits;
        world.spec.write(&world.dir).expect("launch.json");
        let said = world.run_host();
        if !said.status.success() {
            let said = String::from_utf8_lossy(&said.stdout).into_owned();
            assert!(said.contains("cannot be kept here"), "{said}");
            assert_ne!(told.as_deref(), Some("kept"), "{said}");
            continue;
        }
        assert_ne!(told.as_deref(), Some("refused"), "{limits:?} can be kept");
        let record = world.record();
        if limits.memory_bytes.is_some() {
            world.file("over");
        } else {
            until(|| {
                let Ok(Reply::UsageIs(usage)) = world.client().request(&Request::Usage) else { panic!("usage") };
                assert!(usage.processes <= Some(20), "{usage:?}");
                (usage.processes >= Some(18)).then_some(())
            });
        }
        assert!(!world.root().join("grown").exists(), "{limits:?} did not hold");
        assert_eq!(world.stop(0).tree, Tree::Empty);
        world.client().request(&Request::AckExit).expect("answered");
        assert_gone(&record, "a bounded session");
    }
}

#[test]
fn what_a_session_uses_is_said_with_and_without_groups() {
    for cgroup in both() {
        let world = world("sleep 600 & i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; : >ready; wait", &cgroup);
        let Ok(Reply::UsageIs(usage)) = world.client().request(&Request::Usage) else { panic!("usage") };
        assert_eq!(usage.processes, Some(2), "{cgroup:?}");
        assert!(usage.cpu_us.is_some_and(|us| us > 10_000), "{cgroup:?}: {usage:?}");
        assert!(usage.memory_bytes.is_some_and(|bytes| bytes > 50_000 && bytes < 100 << 20), "{cgroup:?}: {usage:?}");
        assert!(!usage.frozen);
    }
}

/// Processor time is a fact that needs no clock: halted, it stands still.
#[test]
fn a_frozen_session_computes_nothing_until_it_is_thawed_or_needed() {
    for cgroup in both() {
        let world = world(": >ready; while :; do :; done", &cgroup);
        let mut client = world.client();
        let cpu = |client: &mut ao_host::client::Client| match client.request(&Request::Usage) {
            Ok(Reply::UsageIs(usage)) => (usage.cpu_us.expect("counted"), usage.frozen),
            other => panic!("{other:?}"),
        };
        assert_eq!(client.request(&Request::Freeze).expect("answered"), Reply::Done);
        // The kernel halts it within a moment; then two looks agree for as long as anybody cares to look.
        let mut last = cpu(&mut client).0;
        let mut same = 0;
        until(|| {
            let (now, frozen) = cpu(&mut client);
            assert!(frozen);
            same = if now == last { same + 1 } else { 0 };
            last = now;
            (same > 200).then_some(())
        });
        assert_eq!(client.request(&Request::Thaw).expect("answered"), Reply::Done);
        until(|| (cpu(&mut client).0 > last).then_some(()));
        assert_eq!(client.request(&Request::Freeze).expect("answered"), Reply::Done);
        // Whoever attaches needs it awake, and while somebody looks it is not halted.
        let mut viewer = world.client();
        crate::world::attach(&mut viewer, None);
        assert!(!cpu(&mut client).1, "{cgroup:?}");
        assert!(client.request(&Request::Freeze).is_err(), "somebody looks at it");
    }
}

/// Only who speaks protocol 2 is told of it; older daemons are spared a message that they do not know.
#[test]
fn subscribers_of_protocol_2_hear_of_every_change_and_older_ones_nothing() {
    use ao_host::wire::{Decoder, FromHost, FrozenIs, Hello, MAX_MESSAGE, Push, WatchFrom};
    use std::io::{Read, Write};

    let world = world(": >ready; while :; do sleep 600; done", &CgroupParent::Own);
    let heard = |max: u16| {
        let mut stream = std::os::unix::net::UnixStream::connect(&world.spec.socket).expect("it listens");
        stream.set_read_timeout(Some(crate::world::LIMIT)).expect("set");
        let asked = [
            Request::Hello(Hello { min: 1, max, launch: None }),
            Request::Watch(WatchFrom {}),
            Request::Freeze,
            Request::Thaw,
        ];
        let mut bytes = Vec::new();
        asked.iter().zip(1..).for_each(|(request, id)| request.encode(Some(id), &mut bytes));
        stream.write_all(&bytes).expect("sent");
        let (mut decoder, mut said, mut done) = (Decoder::new(MAX_MESSAGE), Vec::new(), false);
        let mut buffer = [0; 4096];
        while !done {
            while let Some(frame) = decoder.next_frame().expect("well formed") {
                match FromHost::decode(&frame).expect("known") {
                    Some(FromHost::Push(Push::FrozenIs(FrozenIs { frozen }))) => said.push(frozen),
                    Some(FromHost::Reply(4, reply)) => done = reply == Reply::Done,
                    Some(FromHost::Reply(..) | FromHost::Push(_)) | None => {}
                }
            }
            if !done {
                let count = stream.read(&mut buffer).expect("it goes on");
                decoder.push(&buffer[..count]);
            }
        }
        said
    };
    assert_eq!(heard(2), [false, true, false]);
    assert_eq!(heard(1), [] as [bool; 0]);
}
