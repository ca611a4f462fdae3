//! Deliveries are typed once, and only onto the screen they were meant for.

use std::time::Duration;

use ao_host::files::read_deliveries;
use ao_host::wire::{Form, Recorded, Region, Reply, Request, Type, Typed, region_sha256};

use crate::world::{LIMIT, World, attach, contains, output_until, screen_until, script, until, watch};

fn stage(stage: &str, region: Option<Region>, bytes: &[u8]) -> Request {
    Request::Type(Type {
        delivery: "d1".into(),
        stage: stage.into(),
        form: Form::Raw,
        if_region: region,
        bytes: bytes.to_vec(),
    })
}

fn typed(client: &mut ao_host::client::Client, request: &Request) -> Typed {
    match client.request(request).expect("answered") {
        Reply::Typed(typed) => typed,
        other => panic!("{other:?}"),
    }
}

/// A program that logs every line it reads.
fn logging() -> World {
    let world = script("echo ready; while read -r line; do echo \"$line\" >>got; echo \"[$line]\"; done").start();
    screen(&world, "ready");
    world
}

/// Waits until the host has begun to write a stage.
fn begun(world: &World) {
    until(|| read_deliveries(&world.dir).ok().filter(|stages| !stages.is_empty()));
}

/// The output offset at which a stage was written now.
fn written(typed: &Typed) -> u64 {
    let Typed::Written { offset } = typed else { panic!("{typed:?}") };
    *offset
}

fn screen(world: &World, text: &str) -> Vec<String> {
    let mut client = world.client();
    watch(&mut client);
    screen_until(&mut client, text)
}

#[test]
fn a_stage_is_typed_once_however_often_it_is_asked_for() {
    let world = logging();
    let mut client = world.client();
    let offset = written(&typed(&mut client, &stage("paste", None, b"hello")));
    let again = Typed::Repeat { recorded: Recorded::Written, offset };
    assert_eq!(typed(&mut client, &stage("paste", None, b"hello")), again);
    // A daemon that was killed asks over a new connection.
    assert_eq!(typed(&mut world.client(), &stage("paste", None, b"hello")), again);
    written(&typed(&mut client, &stage("submit#1", None, b"\r")));
    assert_eq!(world.file("got"), "hello");
    screen(&world, "[hello]");
    let reply = client.request(&Request::Deliveries).expect("answered");
    let Reply::DeliveriesAre(stages) = reply else { panic!("{reply:?}") };
    let known: Vec<_> = stages.iter().map(|s| (s.delivery.as_str(), s.stage.as_str(), s.recorded.clone())).collect();
    assert_eq!(known, [("d1", "paste", Recorded::Written), ("d1", "submit#1", Recorded::Written)]);
    assert_eq!(read_deliveries(&world.dir).expect("readable"), stages, "the file says the same");
    assert_eq!(world.file("got"), "hello");
}

#[test]
fn nothing_is_typed_onto_a_region_that_moved() {
    let world = logging();
    let rows = screen(&world, "ready");
    let seen = Region { from: 0, to: 2, sha256: region_sha256(rows[0..2].iter().map(String::as_str)) };
    let mut client = world.client();
    written(&typed(&mut client, &stage("paste", Some(seen.clone()), b"one")));
    screen(&world, "one");
    let moved = typed(&mut client, &stage("submit#1", Some(seen.clone()), b"\r"));
    let Typed::Moved { sha256 } = moved else { panic!("{moved:?}") };
    assert_ne!(sha256, seen.sha256);
    let Ok(Reply::DeliveriesAre(stages)) = client.request(&Request::Deliveries) else { panic!("answered") };
    assert_eq!(stages.len(), 1, "a stage that moved never began");
    let now = Region { sha256, ..seen };
    written(&typed(&mut client, &stage("submit#1", Some(now), b"\r")));
    assert_eq!(world.file("got"), "one");
}

#[test]
fn a_long_paste_is_written_while_the_program_floods_its_terminal() {
    // The program writes as much as it reads, so a host that only wrote would wait for ever.
    let world = script("stty raw -echo; : >raw; echo ready; exec cat").start_raw();
    screen(&world, "ready");
    let text: Vec<u8> = (0..200_000u32).map(|n| b'a' + u8::try_from(n % 26).expect("below 26")).collect();
    let mut client = world.client();
    written(&typed(&mut client, &stage("paste", None, &text)));
    until(|| {
        let (_, log) = ao_host::files::read_output(&world.dir, 0, usize::MAX).ok()?;
        log.windows(text.len()).any(|window| window == text).then_some(())
    });
}

#[test]
fn a_stage_on_its_way_is_neither_repeated_nor_forgotten() {
    let world = script(
        "stty raw -echo; : >raw; echo ready; while ! [ -e go ]; do sleep 0.02; done; head -c 100000 >got; exit 0",
    )
    .start_raw();
    screen(&world, "ready");
    let text = vec![b'x'; 100_000];
    let mut first = world.client();
    let asked = first.ask(&stage("paste", None, &text)).expect("sent");
    begun(&world);
    assert!(first.answer(asked, Duration::from_millis(50)).is_err(), "the program does not read yet");
    drop(first);
    let mut second = world.client();
    let asked = second.ask(&stage("paste", None, &text)).expect("sent");
    std::fs::write(world.root().join("go"), "").expect("written");
    let reply = second.answer(asked, LIMIT).expect("answered");
    assert!(matches!(reply, Reply::Typed(Typed::Repeat { recorded: Recorded::Written, .. })), "{reply:?}");
    world.exit();
    assert_eq!(std::fs::read(world.root().join("got")).expect("readable"), text);
}

#[test]
fn a_stage_cut_off_by_the_programs_end_is_recorded_as_failed() {
    let world =
        script("stty raw -echo; : >raw; echo ready; while ! [ -e go ]; do sleep 0.02; done; exit 0").start_raw();
    screen(&world, "ready");
    let mut client = world.client();
    let asked = client.ask(&stage("paste", None, &[b'x'; 100_000])).expect("sent");
    begun(&world);
    std::fs::write(world.root().join("go"), "").expect("written");
    let reply = client.answer(asked, LIMIT).expect("answered");
    let Reply::Typed(Typed::Failed { written, .. }) = reply else { panic!("{reply:?}") };
    assert!(written < 100_000);
    let stages = read_deliveries(&world.dir).expect("readable");
    assert!(matches!(stages[0].recorded, Recorded::Failed { .. }));
}

#[test]
fn pasted_text_is_bracketed_when_the_program_asks_for_it() {
    let world =
        script("stty raw -echo; : >raw; printf '\\033[?2004h'; echo ready; head -c 17 >got; echo >>got").start_raw();
    screen(&world, "ready");
    let paste = Type {
        delivery: "d1".into(),
        stage: "paste".into(),
        form: Form::Paste,
        if_region: None,
        bytes: b"he\x1b[201~y".to_vec(),
    };
    let paste = Request::Type(Type { bytes: b"h\x1bi\x07".to_vec(), ..paste });
    written(&typed(&mut world.client(), &paste));
    let more = stage("submit#1", None, b"\rabcdefgh");
    typed(&mut world.client(), &more);
    let got = until(|| std::fs::read(world.root().join("got")).ok().filter(|got| got.len() == 18));
    assert_eq!(got, b"\x1b[200~hi\x1b[201~\rab\n");
}

#[test]
fn keys_of_a_viewer_reach_the_program_and_those_of_a_reader_do_not() {
    let world = logging();
    let mut writer = world.client();
    attach(&mut writer, None);
    writer.send(&Request::Input(b"typed\r".to_vec())).expect("sent");
    let shown = output_until(&mut writer, "[typed]");
    assert!(contains(&shown, "[typed]"));
    let mut reader = world.client();
    reader.request(&Request::Attach(Default::default())).expect("answered");
    assert!(reader.request(&Request::Input(b"no\r".to_vec())).is_err());
    assert!(world.client().request(&Request::Input(b"no\r".to_vec())).is_err(), "who does not look does not type");
    assert_eq!(world.file("got"), "typed");
}

#[test]
fn nothing_is_typed_while_a_person_types_what_the_program_has_not_shown_yet() {
    // Raw and without echo: what the person types changes no row.
    let world = script("stty raw -echo; : >raw; exec cat >got").start_raw();
    let mut viewer = world.client();
    attach(&mut viewer, Some((80, 24)));
    let unchanged = Region { from: 0, to: 1, sha256: region_sha256([""]) };
    viewer.request(&Request::Input(b"half a line".to_vec())).expect("taken");
    let said = typed(&mut world.client(), &stage("paste", Some(unchanged.clone()), b"ours"));
    assert_eq!(said, Typed::Moved { sha256: unchanged.sha256 });
    assert!(read_deliveries(&world.dir).expect("read").is_empty(), "nothing was recorded");
}

#[test]
fn the_escape_of_a_viewer_who_leaves_at_once_is_pressed() {
    let world = script("stty raw -echo; : >raw; head -c 1 >got; echo >>got; exec head -c 1").start_raw();
    let mut viewer = world.client();
    attach(&mut viewer, None);
    // It looks like the beginning of a terminal's reply, so it is held for a moment.
    viewer.send(&Request::Input(b"\x1b".to_vec())).expect("sent");
    drop(viewer);
    assert_eq!(world.file("got"), "\x1b");
}
