//! The protocol itself: versions, unknown types, and transcripts of released versions that must stay readable.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use ao_host::client::{Client, ClientError};
use ao_host::engine::Size;
use ao_host::record::{Ending, ExitRecord, Tree};
use ao_host::wire::{
    Access, Attach, Attached, Child, Cursor, Decoder, ErrorKind, Form, FromHost, Health, Hello, HelloOk, MAX_MESSAGE,
    Modes, Osc, Output, Push, Recorded, Refusal, Region, Reply, Request, RowRange, RowText, RowsAre, Screen, Signal,
    SignalTarget, Sizing, StageRecord, Stop, Stopped, Type, Typed, WatchFrom, encode,
};

use crate::world::{LIMIT, World, script};

fn raw(world: &World) -> UnixStream {
    let stream = UnixStream::connect(&world.spec.socket).expect("it listens");
    stream.set_read_timeout(Some(LIMIT)).expect("set");
    stream
}

/// Everything the host says until it closes.
fn rest(mut stream: UnixStream) -> Vec<FromHost> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("the host closes");
    let mut decoder = Decoder::new(MAX_MESSAGE);
    decoder.push(&bytes);
    std::iter::from_fn(|| decoder.next_frame().expect("well formed"))
        .filter_map(|frame| FromHost::decode(&frame).expect("known"))
        .collect()
}

fn hello(min: u16, max: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    Request::Hello(Hello { min, max, launch: None }).encode(Some(1), &mut bytes);
    bytes
}

#[test]
fn a_client_of_another_protocol_is_told_what_is_spoken() {
    let world = script("read line").start();
    let mut stream = raw(&world);
    stream.write_all(&hello(7, 9)).expect("sent");
    let said = rest(stream);
    let [FromHost::Reply(1, Reply::Error(refusal))] = said.as_slice() else { panic!("{said:?}") };
    assert_eq!(refusal.kind, ErrorKind::Version);
    let mut stream = raw(&world);
    stream.write_all(&hello(1, 9)).expect("sent");
    stream.write_all(&[2, 0, 0, 0, 127, 0]).expect("sent");
    assert!(matches!(rest(stream).first(), Some(FromHost::Reply(1, Reply::HelloOk(ok))) if ok.version == 2));
}

#[test]
fn another_launchs_host_does_not_answer() {
    let world = script("read line").start();
    match Client::connect(&world.spec.socket, Some("l2")) {
        Err(ClientError::Refused(refusal)) => assert_eq!(refusal.kind, ErrorKind::WrongLaunch),
        other => panic!("{other:?}"),
    }
}

#[test]
fn unknown_messages_are_ignored_or_end_the_connection_by_their_type() {
    let world = script("read line").start();
    let mut stream = raw(&world);
    let mut bytes = hello(1, 1);
    encode(200, Some(2), &[b"from the future"], &mut bytes);
    Request::Deliveries.encode(Some(3), &mut bytes);
    encode(50, Some(4), &[b"from the future"], &mut bytes);
    Request::Deliveries.encode(Some(5), &mut bytes);
    stream.write_all(&bytes).expect("sent");
    let said = rest(stream);
    let [FromHost::Reply(1, _), FromHost::Reply(3, Reply::DeliveriesAre(_)), FromHost::Reply(4, Reply::Error(refusal))] =
        said.as_slice()
    else {
        panic!("{said:?}")
    };
    assert_eq!(refusal.kind, ErrorKind::Protocol);
}

#[test]
fn nobody_is_served_before_hello_or_after_nonsense() {
    let world = script("read line").start();
    for bytes in [vec![2, 0, 0, 0, 9, 0], vec![255; 40], vec![0, 0, 0, 0], vec![2, 0, 0, 0, 1, 64]] {
        let mut stream = raw(&world);
        stream.write_all(&bytes).expect("sent");
        let said = rest(stream);
        assert!(
            matches!(said.as_slice(), [FromHost::Push(Push::Error(refusal))] if refusal.kind == ErrorKind::Protocol),
            "{said:?}"
        );
    }
    world.client();
}

#[test]
fn a_process_inside_a_session_is_refused_by_other_hosts_and_by_its_own() {
    let world = script("read line").start();
    let client = crate::world::host_command();
    for target in ["own", "other"] {
        let mut inside = crate::world::script("");
        let socket = if target == "own" { inside.spec.socket.clone() } else { world.spec.socket.clone() };
        let (client, socket) = (client.display(), socket.display());
        inside.spec.argv[2] = format!("{client} --attach {socket}; setsid {client} --attach {socket}; exit 0");
        let exit = inside.start().exit();
        let refused = exit.screen.iter().filter(|row| row.contains("Err(Host(Refused(")).count();
        assert_eq!(refused, 2, "{target}: {:?}", exit.screen);
    }
}

/// A transcript of every message of protocol 1, as version 0.1.0 wrote it.
const TRANSCRIPT: &str = include_str!("../fixtures/protocol-1.txt");

#[test]
fn the_transcript_of_protocol_1_reads_and_writes_as_it_did() {
    let lines = TRANSCRIPT.lines().filter(|line| !line.starts_with('#'));
    let (mut requests, mut answers) = (requests().into_iter(), answers().into_iter());
    for line in lines {
        let (direction, text) = line.split_once(' ').expect("a direction and bytes");
        let bytes = unescape(text);
        let mut decoder = Decoder::new(MAX_MESSAGE);
        decoder.push(&bytes);
        let frame = decoder.next_frame().expect("well formed").expect("whole");
        let mut again = Vec::new();
        if direction == ">" {
            let request = requests.next().expect("as many requests as lines");
            assert_eq!(Request::decode(&frame).expect("readable"), Some(request.clone()), "{line}");
            request.encode(frame.id, &mut again);
        } else {
            let answer = answers.next().expect("as many answers as lines");
            assert_eq!(FromHost::decode(&frame).expect("readable"), Some(answer.clone()), "{line}");
            match answer {
                FromHost::Reply(id, reply) => reply.encode(Some(id), &mut again),
                FromHost::Push(push) => push.encode(&mut again),
            }
        }
        assert_eq!(escape(&again), text);
    }
    assert!(requests.next().is_none() && answers.next().is_none(), "every message is in the transcript");
}

fn escape(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

pub fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match (byte, if byte == b'\\' { rest.next() } else { None }) {
            (_, Some(b'x')) => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                u8::from_str_radix(std::str::from_utf8(&digits).expect("digits"), 16).expect("hex")
            }
            (_, Some(b'n')) => b'\n',
            (_, Some(b'r')) => b'\r',
            (_, Some(b't')) => b'\t',
            (_, Some(other)) => other,
            (plain, None) => plain,
        });
    }
    bytes
}

fn requests() -> Vec<Request> {
    let region = Region { from: 20, to: 24, sha256: "ab".repeat(32) };
    vec![
        Request::Hello(Hello { min: 1, max: 1, launch: Some("l1".into()) }),
        Request::Attach(Attach {
            size: Some(Size { cols: 120, rows: 40 }),
            access: Access::ReadWrite,
            sizing: Sizing::Own,
        }),
        Request::Ack(70_000),
        Request::Input(b"ls\r".to_vec()),
        Request::Resize(Size { cols: 80, rows: 24 }),
        Request::Rows(RowRange { from: 5, to: 9 }),
        Request::Watch(WatchFrom {}),
        Request::Type(Type {
            delivery: "d1".into(),
            stage: "paste".into(),
            form: Form::Paste,
            if_region: Some(region),
            bytes: b"hello\nworld".to_vec(),
        }),
        Request::Deliveries,
        Request::Stop(Stop { grace_ms: 5000, keys: Some("/quit\r".into()) }),
        Request::Signal(Signal { signal: 2, target: SignalTarget::Foreground }),
        Request::Freeze,
        Request::Thaw,
        Request::AckExit,
    ]
}

fn exit(ending: Ending, tree: Tree) -> ExitRecord {
    ExitRecord {
        launch: "l1".into(),
        session: "s-1".into(),
        ending,
        at_ms: 1_700_000_000_000,
        last_offset: 1234,
        rows_total: 5,
        size: Size { cols: 80, rows: 24 },
        screen: vec!["$ exit".into(), String::new()],
        tree,
    }
}

fn screen() -> Screen {
    Screen {
        rev: 7,
        full: false,
        size: Size { cols: 80, rows: 24 },
        rows: vec![RowText { row: 3, text: "text \u{e9}".into() }],
        cursor: Cursor { row: 3, col: 6, shown: true },
        title: "title".into(),
        osc: vec![Osc { offset: 99, number: 9, text: "note".into() }],
        osc_dropped: 0,
        bells: 1,
        bells_total: None,
        modes: Modes { bracketed_paste: true, alternate_screen: false },
        offset: 1234,
        rows_total: 5,
        last_output_ms: Some(1_700_000_000_000),
        person_input_ms: None,
        quiet: true,
        log: Health::Good,
        screen: Health::Degraded,
    }
}

fn answers() -> Vec<FromHost> {
    let hello = |child| HelloOk {
        version: 1,
        launch: "l1".into(),
        session: "s-1".into(),
        pid: 77,
        software: "0.1.0".into(),
        child,
    };
    let attached = Attached {
        launch: "l1".into(),
        rows_total: 5,
        offset: 1200,
        size: Size { cols: 80, rows: 24 },
        screen: b"\x1b[Hscreen".to_vec(),
    };
    let ended = exit(Ending::Exited { code: 3 }, Tree::Left { pids: vec![4, 5] });
    let stage = |recorded| StageRecord {
        delivery: "d1".into(),
        stage: "paste".into(),
        at_ms: 1_700_000_000_000,
        offset: 1200,
        recorded,
    };
    let failed = Recorded::Failed { written: 10, reason: "the program ended".into() };
    let stages = vec![stage(Recorded::Begun), stage(Recorded::Written), stage(failed.clone())];
    let refusal = Refusal { kind: ErrorKind::Denied, message: "this viewer is read-only".into() };
    vec![
        FromHost::Reply(1, Reply::HelloOk(hello(Child::Running { pid: 78 }))),
        FromHost::Reply(1, Reply::HelloOk(hello(Child::Ended { exit: ended.clone() }))),
        FromHost::Reply(2, Reply::Attached(attached.clone())),
        FromHost::Push(Push::Attached(attached)),
        FromHost::Push(Push::Output(Output { end: 1234, bytes: b"\x1b[31mred".to_vec() })),
        FromHost::Reply(
            3,
            Reply::RowsAre(RowsAre { from: 5, rows: vec!["\u{1b}[31mfive".into()], oldest: 2, total: 6 }),
        ),
        FromHost::Push(Push::Screen(screen())),
        FromHost::Reply(4, Reply::Typed(Typed::Written { offset: 1234 })),
        FromHost::Reply(5, Reply::Typed(Typed::Moved { sha256: "cd".repeat(32) })),
        FromHost::Reply(6, Reply::Typed(Typed::Repeat { recorded: failed, offset: 1234 })),
        FromHost::Reply(7, Reply::Typed(Typed::Failed { written: 10, reason: "the program ended".into() })),
        FromHost::Reply(8, Reply::DeliveriesAre(stages)),
        FromHost::Reply(9, Reply::Stopped(Stopped { exit: Some(ended), tree: Tree::Empty })),
        FromHost::Reply(9, Reply::Stopped(Stopped { exit: None, tree: Tree::Unknown })),
        FromHost::Reply(10, Reply::Done),
        FromHost::Push(Push::ExitIs(exit(Ending::Signaled { signal: 9 }, Tree::Empty))),
        FromHost::Push(Push::ExitIs(exit(Ending::NotStarted { reason: "x not found".into() }, Tree::Empty))),
        FromHost::Reply(11, Reply::Error(refusal.clone())),
        FromHost::Push(Push::Error(refusal)),
    ]
}
