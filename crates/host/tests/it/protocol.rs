//! The protocol itself: versions, unknown types, and transcripts of released versions that must stay readable.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use ao_host::client::{Client, ClientError};
use ao_host::wire::{Decoder, ErrorKind, FromHost, Hello, MAX_MESSAGE, Push, Reply, Request, encode};

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
    assert!(matches!(rest(stream).first(), Some(FromHost::Reply(1, Reply::HelloOk(ok))) if ok.version == 1));
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
