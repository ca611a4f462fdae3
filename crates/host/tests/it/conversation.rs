//! Whole conversations with hosts of released protocols, frozen: today's client talks to yesterday's host, and today's host
//! to yesterday's client.
//!
//! `record` wrote the fixture with the version that first spoke the protocol; it is never recorded again.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread::{self, JoinHandle};

use ao_host::client::Client;
use ao_host::discover::{Standing, probe};
use ao_host::engine::Size;
use ao_host::record::{Ending, ExitRecord, Tree, read_json};
use ao_host::wire::{
    Access, Attach, Child, Decoder, Form, Frame, Hello, MAX_MESSAGE, PROTOCOL_MAX, PROTOCOL_MIN, PROTOCOL_USAGE, Push,
    Recorded, Region, Reply, Request, RowRange, Signal, SignalTarget, Sizing, Stop, Type, Typed, WatchFrom, encode,
    region_sha256,
};
use serde_json::Value;

use crate::protocol::unescape;
use crate::world::{LIMIT, World, contains, screen_until, script, until, wait_push, watch};

/// The launch of the recording.
const LAUNCH: &str = "s-1.1";
/// What ran in it: it answers every line, and `quit` with its end.
const CHILD: &str = "stty -echo; printf 'ready\\n'; : >raw; \
    while read -r line; do printf 'got <%s>\\n' \"$line\"; case \"$line\" in quit) exit 5;; esac; done";

/// Every conversation that was ever released, with its protocol.
const RELEASED: [(u16, &str); 2] =
    [(1, include_str!("../fixtures/conversation-1.txt")), (2, include_str!("../fixtures/conversation-2.txt"))];

/// Which of the client's words is the first Enter.
const SUBMIT: usize = 4;
/// Message types whose answers matter here, as protocol 1 numbers them.
const INPUT: u8 = 4;
const OUTPUT: u8 = 66;
const EXIT_IS: u8 = 73;
/// From here on a receiver ignores what it does not know.
const OPTIONAL: u8 = 128;

/// What the client said, and everything that the host said before the client's next words.
struct Exchange {
    said: Frame,
    heard: Vec<Frame>,
}

fn frame(line: &str) -> Frame {
    let mut decoder = Decoder::new(MAX_MESSAGE);
    decoder.push(&unescape(line));
    decoder.next_frame().expect("well formed").expect("whole")
}

fn exchanges(text: &str) -> Vec<Exchange> {
    let mut all: Vec<Exchange> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        match line.split_once(' ').expect("a direction and bytes") {
            (">", bytes) => all.push(Exchange { said: frame(bytes), heard: Vec::new() }),
            (_, bytes) => all.last_mut().expect("the client speaks first").heard.push(frame(bytes)),
        }
    }
    all
}

/// A world with the recorded launch in it.
fn recorded_world() -> World {
    let mut world = script(CHILD);
    world.spec.launch = LAUNCH.into();
    let world = world.start_raw();
    // What it printed may reach the host later than its file is there; the first stage is typed onto that screen.
    let mut client = world.client();
    watch(&mut client);
    screen_until(&mut client, "ready");
    world
}

/// A connection seen as frames.
struct Raw {
    stream: UnixStream,
    decoder: Decoder,
}

impl Raw {
    fn connect(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).expect("it listens");
        stream.set_read_timeout(Some(LIMIT)).expect("set");
        Self { stream, decoder: Decoder::new(MAX_MESSAGE) }
    }

    fn send(&mut self, frame: &Frame) {
        let mut bytes = Vec::new();
        encode(frame.kind, frame.id, &[&frame.payload], &mut bytes);
        self.stream.write_all(&bytes).expect("sent");
    }

    fn next(&mut self) -> Option<Frame> {
        let mut bytes = [0; 4096];
        loop {
            if let Some(frame) = self.decoder.next_frame().expect("well formed") {
                return Some(frame);
            }
            match self.stream.read(&mut bytes).expect("something within the limit") {
                0 => return None,
                count => self.decoder.push(&bytes[..count]),
            }
        }
    }

    /// Everything up to the answer to what was sent and that many bytes of output; for keys, up to the program's end.
    fn answer(&mut self, said: &Frame, output: usize) -> Vec<Frame> {
        let (mut heard, mut answered) = (Vec::new(), said.id.is_none() && said.kind != INPUT);
        while !answered || written(&heard) < output {
            let frame = self.next().expect("the host goes on");
            answered |= if said.id.is_some() { frame.id == said.id } else { frame.kind == EXIT_IS };
            heard.push(frame);
        }
        heard
    }
}

/// Bytes of output in these frames: an offset of 8 bytes comes before them.
fn written(heard: &[Frame]) -> usize {
    heard.iter().filter(|frame| frame.kind == OUTPUT).map(|frame| frame.payload.len() - 8).sum()
}

/// What a daemon and a viewer of one client of this protocol say, in order.
fn script_of_the_client(protocol: u16) -> Vec<Request> {
    let stage = |stage: &str, form, if_region, bytes: &[u8]| {
        Request::Type(Type { delivery: "d-1".into(), stage: stage.into(), form, if_region, bytes: bytes.to_vec() })
    };
    let region = Region { from: 0, to: 1, sha256: region_sha256(["ready"]) };
    let usage = (protocol >= PROTOCOL_USAGE).then_some(Request::Usage);
    let before = vec![
        Request::Hello(Hello { min: 1, max: protocol, launch: Some(LAUNCH.into()) }),
        Request::Watch(WatchFrom {}),
        Request::Attach(Attach { size: Some(Size::clamped(80, 24)), access: Access::ReadWrite, sizing: Sizing::Own }),
        stage("paste", Form::Paste, Some(region), b"hello"),
        stage("submit#1", Form::Raw, None, b"\r"),
        stage("submit#1", Form::Raw, None, b"\r"),
        Request::Deliveries,
        Request::Rows(RowRange { from: 0, to: 10 }),
        Request::Resize(Size::clamped(90, 30)),
    ];
    let after = vec![
        Request::Freeze,
        Request::Thaw,
        Request::Signal(Signal { signal: 18, target: SignalTarget::Child }),
        Request::Input(b"quit\r".to_vec()),
        Request::Stop(Stop { grace_ms: 1000, keys: None }),
        Request::AckExit,
    ];
    before.into_iter().chain(usage).chain(after).collect()
}

/// Writes the conversation of today's protocol to the file that `AO_RECORD` names: done once, before its release.
#[test]
#[ignore = "a released conversation is never recorded again"]
fn record() {
    let path = std::env::var("AO_RECORD").expect("AO_RECORD names a file that is not there yet");
    let mut out = File::options().write(true).create_new(true).open(path).expect("a new file");
    let world = recorded_world();
    let mut raw = Raw::connect(&world.spec.socket);
    let mut write = |direction: &str, frame: &Frame| {
        let mut bytes = Vec::new();
        encode(frame.kind, frame.id, &[&frame.payload], &mut bytes);
        writeln!(out, "{direction} {}", bytes.escape_ascii()).expect("written");
    };
    for (n, request) in script_of_the_client(PROTOCOL_MAX).into_iter().enumerate() {
        let mut bytes = Vec::new();
        let id = request.is_answered().then(|| u32::try_from(n + 1).expect("few"));
        request.encode(id, &mut bytes);
        let mut decoder = Decoder::new(MAX_MESSAGE);
        decoder.push(&bytes);
        let said = decoder.next_frame().expect("well formed").expect("whole");
        write(">", &said);
        raw.send(&said);
        // What the program answers belongs to the Enter that it answers.
        let output = if n == SUBMIT { "got <hello>\r\n".len() } else { 0 };
        raw.answer(&said, output).iter().for_each(|frame| write("<", frame));
    }
}

/// JSON at the head of a payload, where there is one.
fn json(frame: &Frame) -> Option<Value> {
    serde_json::from_slice(&frame.payload).ok().or_else(|| {
        let (length, rest) = frame.payload.split_first_chunk::<4>()?;
        serde_json::from_slice(rest.get(..u32::from_le_bytes(*length) as usize)?).ok()
    })
}

/// Everything that the old answer has, the new one has too, and of the same kind: old clients miss nothing.
fn assert_keeps(old: &Value, new: &Value, place: &str) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in old {
                let now = new.get(key).unwrap_or_else(|| panic!("{place}.{key} is gone"));
                // What may be absent may be there, and the other way round.
                if !value.is_null() && !now.is_null() {
                    assert_keeps(value, now, &format!("{place}.{key}"));
                }
            }
        }
        (Value::Array(old), Value::Array(new)) => {
            if let (Some(old), Some(new)) = (old.first(), new.first()) {
                assert_keeps(old, new, &format!("{place}[]"));
            }
        }
        (Value::String(_), Value::String(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::Bool(_), Value::Bool(_)) => {}
        _ => panic!("{place} was {old} and is {new}"),
    }
}

#[test]
fn every_protocol_has_its_frozen_conversation() {
    let frozen: Vec<u16> = RELEASED.iter().map(|(protocol, _)| *protocol).collect();
    assert_eq!(frozen, (PROTOCOL_MIN..=PROTOCOL_MAX).collect::<Vec<_>>(), "a protocol is recorded before its release");
}

#[test]
fn the_host_of_today_serves_every_client_that_was_ever_released() {
    for (protocol, text) in RELEASED {
        let world = recorded_world();
        let mut raw = Raw::connect(&world.spec.socket);
        let all = exchanges(text);
        let known: BTreeSet<u8> = all.iter().flat_map(|exchange| &exchange.heard).map(|frame| frame.kind).collect();
        for Exchange { said, heard } in &all {
            raw.send(said);
            let now = raw.answer(said, written(heard));
            for frame in &now {
                assert!(
                    known.contains(&frame.kind) || frame.kind >= OPTIONAL,
                    "protocol {protocol} knows no {}",
                    frame.kind
                );
            }
            for old in heard {
                // Pushes come when they come; answers are one to one.
                let same = |new: &&Frame| new.kind == old.kind && (old.id.is_none() || new.id == old.id);
                let Some(new) = now.iter().find(same) else {
                    assert!(old.id.is_none(), "protocol {protocol}: {:?} was not answered as it was", said.kind);
                    continue;
                };
                if let (Some(was), Some(is)) = (json(old), json(new)) {
                    assert_keeps(&was, &is, &format!("protocol {protocol}, type {}", old.kind));
                    for field in ["version", "outcome", "how", "code", "tree", "recorded"] {
                        assert_eq!(was.get(field), is.get(field), "{field} of type {}", old.kind);
                    }
                }
            }
        }
        assert!(raw.next().is_none(), "the host leaves when its end is acknowledged");
    }
}

/// A host of a released protocol: it answers each request as the recording did.
fn frozen_host(listener: UnixListener, text: &'static str, connections: usize) -> JoinHandle<()> {
    thread::spawn(move || {
        for _ in 0..connections {
            let (stream, _) = listener.accept().expect("somebody connects");
            stream.set_read_timeout(Some(LIMIT)).expect("set");
            let mut raw = Raw { stream, decoder: Decoder::new(MAX_MESSAGE) };
            let mut left = exchanges(text);
            while let Some(said) = raw.next() {
                // Acknowledgements of output are not answered.
                let Some(at) = left.iter().position(|exchange| exchange.said.kind == said.kind) else { continue };
                for mut frame in left.remove(at).heard {
                    if frame.id.is_some() {
                        frame.id = said.id;
                    }
                    raw.send(&frame);
                }
            }
        }
    })
}

/// A launch directory as a released host leaves it, with its lock held as long as the file lives.
fn frozen_dir(dir: &Path, protocol: u16, socket: &Path) -> File {
    let text = match protocol {
        1 => include_str!("../fixtures/host-1.json"),
        2 => include_str!("../fixtures/host-2.json"),
        other => panic!("no host.json of protocol {other}"),
    };
    std::fs::write(dir.join("host.json"), text.replace("SOCKET", &socket.display().to_string())).expect("written");
    let lock = File::create(dir.join("host.lock")).expect("made");
    lock.try_lock().expect("nobody has it");
    lock
}

#[test]
fn the_client_of_today_speaks_to_every_host_that_was_ever_released() {
    for (protocol, text) in RELEASED {
        let dir = tempfile::Builder::new().prefix("aoh").tempdir_in("/tmp").expect("a short path");
        let socket = dir.path().join("s");
        let host = frozen_host(UnixListener::bind(&socket).expect("bound"), text, 2);
        let lock = frozen_dir(dir.path(), protocol, &socket);

        let found = probe(dir.path());
        let Standing::Alive { hello } = found.standing else { panic!("{:?}", found.standing) };
        assert_eq!((hello.version, hello.launch.as_str()), (protocol, LAUNCH));
        assert_eq!(found.record.expect("readable").launch, LAUNCH);

        let mut client = Client::connect(&socket, Some(LAUNCH)).expect("it answers");
        assert!(matches!(client.hello().child, Child::Running { .. }));
        let mut ask = |request| client.request(&request).expect("answered");
        let mut requests = script_of_the_client(protocol).into_iter().skip(1);
        let mut next = || ask(requests.next().expect("as many as were recorded"));
        assert_eq!(next(), Reply::Done, "watch");
        let Reply::Attached(attached) = next() else { panic!("attached") };
        assert!(attached.size == Size::clamped(80, 24) && contains(&attached.screen, "ready"));
        assert!(matches!(next(), Reply::Typed(Typed::Written { .. })));
        assert!(matches!(next(), Reply::Typed(Typed::Written { .. })));
        assert!(matches!(next(), Reply::Typed(Typed::Repeat { recorded: Recorded::Written, .. })));
        let Reply::DeliveriesAre(stages) = next() else { panic!("deliveries") };
        assert_eq!(stages.iter().map(|s| s.stage.as_str()).collect::<Vec<_>>(), ["paste", "submit#1"]);
        assert!(matches!(next(), Reply::RowsAre(rows) if rows.total == 0));
        assert_eq!(next(), Reply::Done, "resize");
        if protocol >= PROTOCOL_USAGE {
            assert!(matches!(next(), Reply::UsageIs(usage) if usage.processes == Some(1) && !usage.frozen));
        }
        for what in ["freeze", "thaw", "signal"] {
            assert_eq!(next(), Reply::Done, "{what}");
        }
        client.send(&Request::Input(b"quit\r".to_vec())).expect("sent");
        let (mut shown, mut output) = (false, Vec::new());
        let exit = wait_push(&mut client, |push| match push {
            Push::Screen(screen) => {
                shown |= screen.rows.iter().any(|row| row.text.contains("ready"));
                None
            }
            Push::Output(bytes) => {
                output.extend(bytes.bytes);
                None
            }
            Push::ExitIs(exit) => Some(exit),
            _ => None,
        });
        assert!(shown && contains(&output, "got <hello>"), "{}", output.escape_ascii());
        assert_eq!(exit.ending, Ending::Exited { code: 5 });
        let stopped = client.request(&Request::Stop(Stop { grace_ms: 1000, keys: None })).expect("answered");
        let Reply::Stopped(stopped) = stopped else { panic!("{stopped:?}") };
        assert_eq!((stopped.tree, stopped.exit.map(|e| e.ending)), (Tree::Empty, Some(exit.ending)));
        assert_eq!(client.request(&Request::AckExit).expect("answered"), Reply::Done);
        drop(client);
        host.join().expect("the frozen host ends");

        // It left; what is on the disk is all there is now.
        drop(lock);
        std::fs::write(dir.path().join("exit.json"), include_str!("../fixtures/exit-1.json")).expect("written");
        until(|| matches!(probe(dir.path()).standing, Standing::Dead { exit: Some(_) }).then_some(()));
        let exit: ExitRecord = read_json(&dir.path().join("exit.json")).expect("readable");
        assert_eq!(exit.ending, Ending::Exited { code: 5 });
    }
}
