//! A flood of output never keeps a key waiting: counted in bytes, because time says nothing on a busy machine.

use std::fs;

use ao_host::wire::{Form, Reply, Request, Type, Typed};
use rustix::process::Signal;

use crate::world::{LIMIT, World, kill, launch, until};

/// Bytes of flood that may be taken before a key that has come (`docs/design/host.md`).
const MOST: u64 = 64 << 10;

/// Bytes of output that were logged.
fn logged(world: &World) -> u64 {
    let files = fs::read_dir(&world.dir).expect("the launch directory").flatten();
    let segments = files.filter_map(|file| {
        let name = file.file_name();
        let from: u64 = name.to_str()?.strip_prefix("out-")?.strip_suffix(".log")?.parse().ok()?;
        Some(from + file.metadata().ok()?.len())
    });
    segments.max().unwrap_or(0)
}

fn is_halted(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the host lives");
    stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with(['T', 't']))
}

#[test]
fn a_key_waits_for_at_most_64_kb_of_a_flood() {
    let world =
        launch(&["/bin/sh", "-c", "while :; do echo 0123456789012345678901234567890123456789; done | cat"]).start();
    let host = world.record().pid;
    let mut client = world.client();
    for round in 0..20u64 {
        let some = logged(&world);
        until(|| (logged(&world) > some + 4 * MOST).then_some(()));
        // While the host is halted the request arrives, and the program fills its terminal.
        kill(host, Signal::STOP);
        until(|| is_halted(host).then_some(()));
        let before = logged(&world);
        let key = Type {
            delivery: format!("d{round}"),
            stage: "key".into(),
            form: Form::Raw,
            if_region: None,
            bytes: b"x".to_vec(),
        };
        let id = client.ask(&Request::Type(key)).expect("sent");
        kill(host, Signal::CONT);
        match client.answer(id, LIMIT).expect("answered") {
            Reply::Typed(Typed::Written { offset }) => {
                assert!(offset - before <= MOST, "{} bytes of flood came before the key", offset - before);
            }
            other => panic!("type: {other:?}"),
        }
    }
}
