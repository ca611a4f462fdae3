//! The host as a terminal: it answers queries, gives up stuck updates, and keeps going when the disk is full.

use std::os::unix::fs::symlink;

use ao_host::files::{IndexKind, read_index, read_output};
use ao_host::wire::{Health, Push, Request};

use crate::world::{World, attach, contains, output_until, screen_until, script, until, wait_push, watch};

fn shows(world: &World, text: &str) {
    let mut client = world.client();
    watch(&mut client);
    screen_until(&mut client, text);
}

#[test]
fn the_host_answers_queries_and_viewers_never_see_them() {
    let world = script(
        "stty raw -echo; : >raw; head -c1 >/dev/null; printf 'a\\033[6nb'; head -c 6 >got; echo >>got; printf end; head -c1",
    )
    .start_raw();
    let mut viewer = world.client();
    attach(&mut viewer, None);
    viewer.send(&Request::Input(b"x".to_vec())).expect("sent");
    assert_eq!(output_until(&mut viewer, "end"), b"abend");
    assert_eq!(world.file("got"), "\x1b[1;2R");
}

#[test]
fn replies_of_a_viewers_terminal_are_dropped_and_its_keys_are_not() {
    let world = script("stty raw -echo; : >raw; head -c 7 >got; echo >>got; head -c1").start_raw();
    let mut viewer = world.client();
    attach(&mut viewer, None);
    viewer.send(&Request::Input(b"a\x1b[12;40Rb\x1b[?62;22cc\x1b[Ad".to_vec())).expect("sent");
    let got = until(|| std::fs::read(world.root().join("got")).ok().filter(|got| got.len() == 8));
    assert_eq!(got, b"abc\x1b[Ad\n");
    viewer.send(&Request::Input(b"q".to_vec())).expect("sent");
    world.exit();
}

#[test]
fn the_escape_key_alone_reaches_the_program() {
    let world = script("stty raw -echo; : >raw; head -c 1 >got; echo >>got; head -c1").start_raw();
    let mut viewer = world.client();
    attach(&mut viewer, None);
    viewer.send(&Request::Input(b"\x1b".to_vec())).expect("sent");
    assert_eq!(world.file("got"), "\x1b");
}

#[test]
fn a_synchronized_update_that_is_never_closed_is_shown_all_the_same() {
    let world = script("printf '\\033[?2026hstuck update'; read line").start();
    shows(&world, "stuck update");
}

#[test]
fn a_full_disk_neither_stops_the_program_nor_hides_the_screen() {
    let world = script("echo early; read line; seq 1 100000; echo late; read line");
    std::fs::create_dir_all(&world.dir).expect("made");
    symlink("/dev/full", world.dir.join("out-0.log")).expect("linked");
    let world = world.start();
    let mut client = world.client();
    watch(&mut client);
    let mut early = false;
    wait_push(&mut client, |push| {
        let Push::Screen(screen) = push else { return None };
        early |= screen.rows.iter().any(|row| row.text == "early");
        (early && screen.log == Health::Degraded).then_some(())
    });
    let mut viewer = world.client();
    attach(&mut viewer, None);
    viewer.send(&Request::Input(b"\r".to_vec())).expect("sent");
    // It may be quiet in the middle as well, when the machine has other things to do.
    let mut late = false;
    wait_push(&mut client, |push| {
        let Push::Screen(screen) = push else { return None };
        late |= screen.rows.iter().any(|row| row.text == "late");
        (late && screen.quiet && screen.log == Health::Good).then_some(())
    });
    let (from, log) = read_output(&world.dir, 0, usize::MAX).expect("readable");
    assert!(from > 0 && contains(&log[log.len() - 10..], "late"));
    let index = read_index(&world.dir).expect("readable");
    let gap = index.iter().find(|record| matches!(record.kind, IndexKind::Gap { .. })).expect("a gap record");
    assert_eq!((gap.offset, gap.kind), (0, IndexKind::Gap { to: from, errno: 28 }));
    drop(viewer);
}
