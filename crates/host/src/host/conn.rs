//! One connection: bytes in, requests out of them, and a bounded heap of bytes that wait to be sent.
//!
//! It neither knows the terminal nor answers anything.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use crate::engine::Size;
use crate::engine::queries::ReplyFilter;
use crate::wire::{Access, Decoder, Frame, MAX_FRAME, PROTOCOL_MIN, Push, Refusal, Reply, Sizing, WireError};

/// Bytes waiting beyond which no further request of that connection is read.
const BUSY: usize = 1 << 20;
/// Bytes waiting beyond which a connection is given up: a screen of the largest size fits several times.
const HOPELESS: usize = 32 << 20;
/// Most bytes read from one connection per wake-up.
const READ_BUDGET: usize = 64 << 10;

/// Who waits for an answer: a connection and its request's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asker {
    pub conn: u64,
    pub id: Option<u32>,
}

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It has not said hello.
    New,
    /// It may ask.
    Open,
    /// It is closed as soon as everything is sent.
    Closing,
    /// It is over.
    Gone,
}

/// How a viewer keeps up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// It gets every byte.
    Live,
    /// It gets nothing until it has drawn what it has, then the screen.
    Behind,
    /// It gets the screen as soon as there is a state to draw.
    Due(Option<u32>),
}

/// A connection that sees the terminal.
#[derive(Clone, Debug)]
pub(super) struct Viewer {
    pub access: Access,
    pub sizing: Sizing,
    pub size: Option<Size>,
    /// When it last did something that claims the size.
    pub active: Instant,
    pub pace: Pace,
    pub sent: u64,
    pub acked: u64,
    /// Takes its terminal's replies out of its keys.
    pub replies: ReplyFilter,
    /// When a half sequence among its keys is a key after all.
    pub held: Option<Instant>,
}

/// Whether a connection is told of screens and exits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watching {
    No,
    /// It needs everything.
    Full,
    /// It needs changes.
    Changes,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Conn {
    pub id: u64,
    pub phase: Phase,
    /// The protocol that was agreed on.
    pub version: u16,
    pub viewer: Option<Viewer>,
    pub watching: Watching,
    stream: UnixStream,
    decoder: Decoder,
    out: Vec<u8>,
    sent: usize,
}

impl Conn {
    pub fn new(id: u64, stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            id,
            phase: Phase::New,
            version: PROTOCOL_MIN,
            viewer: None,
            watching: Watching::No,
            stream,
            // Requests are small; only a host's screens may need several frames.
            decoder: Decoder::new(MAX_FRAME),
            out: Vec::new(),
            sent: 0,
        })
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    /// Bytes that wait to be sent.
    pub fn waiting(&self) -> usize {
        self.out.len() - self.sent
    }

    /// Whether its requests are read now.
    pub fn is_read(&self) -> bool {
        matches!(self.phase, Phase::New | Phase::Open) && self.waiting() < BUSY
    }

    /// Reads what has come.
    pub fn receive(&mut self) {
        let mut bytes = [0; 4096];
        let mut budget = READ_BUDGET;
        while budget > 0 {
            match self.stream.read(&mut bytes) {
                Ok(0) => return self.phase = Phase::Gone,
                Ok(count) => {
                    self.decoder.push(&bytes[..count]);
                    budget = budget.saturating_sub(count);
                    if count < bytes.len() {
                        // That was all; if more came meanwhile, the poll says so.
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return self.phase = Phase::Gone,
            }
        }
    }

    pub fn next_frame(&mut self) -> Result<Option<Frame>, WireError> {
        self.decoder.next_frame()
    }

    pub fn reply(&mut self, id: Option<u32>, reply: &Reply) {
        match reply {
            // A request without an id cannot be answered, but its refusal can be told.
            Reply::Error(refusal) if id.is_none() => Push::Error(refusal.clone()).encode(&mut self.out),
            reply if id.is_some() => reply.encode(id, &mut self.out),
            _ => {}
        }
    }

    pub fn refuse_and_close(&mut self, id: Option<u32>, refusal: Refusal) {
        self.reply(id, &Reply::Error(refusal));
        self.phase = Phase::Closing;
    }

    pub fn push(&mut self, push: &Push) {
        push.encode(&mut self.out);
    }

    /// Queues a push that was encoded once for many.
    pub fn push_encoded(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Sends what the socket takes.
    pub fn flush(&mut self) {
        while self.phase != Phase::Gone && self.sent < self.out.len() {
            match self.stream.write(&self.out[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => self.phase = Phase::Gone,
            }
        }
        if self.sent == self.out.len() {
            // An idle host keeps no room for a burst of long ago.
            if self.out.capacity() > 0 {
                self.out = Vec::new();
            }
            self.sent = 0;
            if self.phase == Phase::Closing {
                self.phase = Phase::Gone;
            }
        } else if self.sent > BUSY {
            self.out.drain(..self.sent);
            self.sent = 0;
        }
        if self.waiting() > HOPELESS {
            self.phase = Phase::Gone;
        }
    }
}
