//! What is on disk is what the program wrote.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use ao_host::engine::Size;
use ao_host::files::{IndexKind, read_index, read_output};
use ao_host::wire::{Reply, Request, RowRange};

use crate::world::{attach, output_until, script, until};

#[test]
fn the_log_holds_every_byte_the_program_wrote() {
    let world = script("stty raw -echo -opost; : >raw; head -c 3000000 /dev/urandom | tee wrote; exit 0").start_raw();
    let exit = world.exit();
    let wrote = fs::read(world.root().join("wrote")).expect("readable");
    let (from, logged) = read_output(&world.dir, 0, usize::MAX).expect("readable");
    assert_eq!((from, logged.len()), (0, wrote.len()));
    assert!(logged == wrote, "the bytes differ");
    assert_eq!(exit.last_offset, 3_000_000);
}

#[test]
fn killing_viewers_and_watchers_loses_nothing() {
    let world = script(
        "stty raw -echo -opost; : >raw; while read -r go; do head -c 225000 /dev/urandom | base64 -w0 | tee -a wrote; done",
    )
    .start_raw();
    for round in 1..=3u64 {
        let mut client = world.client();
        attach(&mut client, None);
        crate::world::watch(&mut client);
        client.send(&Request::Input(b"go\n".to_vec())).expect("sent");
        crate::world::wait_push(&mut client, |push| matches!(push, ao_host::wire::Push::Output(_)).then_some(()));
        drop(client);
        until(|| read_output(&world.dir, 0, usize::MAX).ok().filter(|(_, log)| log.len() as u64 == round * 300_000));
    }
    let (_, logged) = read_output(&world.dir, 0, usize::MAX).expect("readable");
    // Tee writes to the terminal first.
    let wrote = until(|| fs::read(world.root().join("wrote")).ok().filter(|wrote| wrote.len() == logged.len()));
    assert!(logged == wrote);
}

#[test]
fn caps_drop_whole_segments_of_a_flooding_program() {
    let mut world = script("stty raw -echo -opost; : >raw; seq 1 200000");
    world.spec.caps.raw_log_bytes = 256 << 10;
    let world = world.start_raw();
    let exit = world.exit();
    let (from, logged) = read_output(&world.dir, 0, usize::MAX).expect("readable");
    assert!(from > 0 && logged.len() <= 256 << 10 && logged.len() > 200 << 10, "{} bytes from {from}", logged.len());
    assert_eq!(from + logged.len() as u64, exit.last_offset);
    assert!(logged.ends_with(b"200000\n"));
}

#[test]
fn scrolled_rows_are_numbered_and_fetched_by_number() {
    let world = script("seq 1 100; echo done; read line").start();
    let mut client = world.client();
    let attached = attach(&mut client, None);
    if !crate::world::contains(&attached.screen, "done") {
        output_until(&mut client, "done");
    }
    let reply = client.request(&Request::Rows(RowRange { from: 10, to: 13 })).expect("answered");
    let Reply::RowsAre(rows) = reply else { panic!("{reply:?}") };
    assert_eq!((rows.from, rows.rows), (10, vec!["11".into(), "12".into(), "13".into()]));
    assert_eq!(rows.oldest, 0);
    // 101 lines and the cursor's, of which 24 are on the screen.
    assert_eq!(rows.total, 78);
    assert!(fs::read_to_string(world.dir.join("rows-0.log")).expect("readable").starts_with("1\n2\n3\n"));
}

#[test]
fn the_index_tells_sizes_and_times() {
    let world = script("printf 12345; read line; printf 67890; read line").start();
    let mut client = world.client();
    if !crate::world::contains(&attach(&mut client, None).screen, "12345") {
        output_until(&mut client, "12345");
    }
    client.request(&Request::Resize(Size::clamped(100, 30))).expect("answered");
    attach(&mut client, Some((101, 31)));
    let index = read_index(&world.dir).expect("readable");
    let sizes: Vec<_> =
        index.iter().filter(|r| matches!(r.kind, IndexKind::Resize(_))).map(|r| (r.offset, r.kind)).collect();
    assert_eq!(sizes[0], (0, IndexKind::Resize(Size::clamped(80, 24))));
    assert_eq!(sizes.last(), Some(&(5, IndexKind::Resize(Size::clamped(101, 31)))));
    assert!(index.windows(2).all(|pair| pair[0].at_us <= pair[1].at_us && pair[0].offset <= pair[1].offset));
}

#[test]
fn every_file_is_for_its_owner_only() {
    let world = script("seq 1 100").start();
    world.exit();
    for entry in fs::read_dir(&world.dir).expect("readable") {
        let entry = entry.expect("readable");
        let mode = entry.metadata().expect("there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
    }
    let mode = fs::metadata(&world.spec.socket).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode, 0o700 & 0o777, "the socket");
}
