//! A small blocking client of a host: `ao attach`, tests and measurements use it.
//!
//! It keeps pushes that come while it waits for an answer; it never reconnects by itself.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::net::RecvFlags;

use crate::wire::{
    Decoder, FromHost, Hello, HelloOk, MAX_MESSAGE, PROTOCOL_MAX, PROTOCOL_MIN, Push, Refusal, Reply, Request,
    WireError,
};

/// How long a host may take to answer anything but a stop.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// Why talking to a host failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The connection failed.
    #[error("the host's socket: {0}")]
    Io(#[from] io::Error),
    /// The host closed the connection.
    #[error("the host closed the connection")]
    Closed,
    /// No answer came in time.
    #[error("the host did not answer within {0:?}")]
    Late(Duration),
    /// The host refused.
    #[error("the host refused: {0}")]
    Refused(#[from] Refusal),
    /// The host speaks something else.
    #[error("the host's answer makes no sense: {0}")]
    Wire(#[from] WireError),
    /// The host answered something that was not asked.
    #[error("the host answered another question")]
    Unexpected,
}

/// A connection that has said hello.
#[derive(Debug)]
pub struct Client {
    stream: UnixStream,
    decoder: Decoder,
    pushes: VecDeque<Push>,
    next_id: u32,
    hello: HelloOk,
}

impl Client {
    /// Connects and says hello; with a launch, only that launch's host answers.
    ///
    /// # Errors
    /// When nobody listens, the host refuses or is another launch's.
    pub fn connect(socket: &Path, launch: Option<&str>) -> Result<Self, ClientError> {
        let stream = UnixStream::connect(socket)?;
        let hello = Hello { min: PROTOCOL_MIN, max: PROTOCOL_MAX, launch: launch.map(str::to_owned) };
        let mut client = Self {
            stream,
            decoder: Decoder::new(MAX_MESSAGE),
            pushes: VecDeque::new(),
            next_id: 0,
            // Replaced below, before anybody can see it.
            hello: HelloOk {
                version: 0,
                launch: String::new(),
                session: String::new(),
                pid: 0,
                software: String::new(),
                child: crate::wire::Child::Running { pid: 0 },
            },
        };
        match client.request(&Request::Hello(hello)) {
            Ok(Reply::HelloOk(hello)) => client.hello = hello,
            Ok(_) => return Err(ClientError::Unexpected),
            Err(error) => return Err(client.last_words().map_or(error, ClientError::Refused)),
        }
        Ok(client)
    }

    /// A host that refuses a peer says so and closes, maybe before the peer could write its hello.
    fn last_words(&mut self) -> Option<Refusal> {
        match self.receive(Instant::now()) {
            Ok(Some(FromHost::Push(Push::Error(refusal)))) => Some(refusal),
            _ => None,
        }
    }

    /// What the host said first.
    #[must_use]
    pub fn hello(&self) -> &HelloOk {
        &self.hello
    }

    /// The socket, for callers that wait for more than one thing.
    #[must_use]
    pub fn stream(&self) -> &UnixStream {
        &self.stream
    }

    /// Sends a request that nobody answers, or whose answer is not waited for.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn send(&mut self, request: &Request) -> Result<(), ClientError> {
        let mut bytes = Vec::new();
        request.encode(None, &mut bytes);
        Ok(self.stream.write_all(&bytes)?)
    }

    /// Asks and waits for the answer.
    ///
    /// # Errors
    /// When the connection is gone, the host refuses, or does not answer within [`ANSWER_LIMIT`].
    pub fn request(&mut self, request: &Request) -> Result<Reply, ClientError> {
        self.request_within(request, ANSWER_LIMIT)
    }

    /// Asks and waits for the answer for so long.
    ///
    /// # Errors
    /// As [`Client::request`].
    pub fn request_within(&mut self, request: &Request, limit: Duration) -> Result<Reply, ClientError> {
        let wanted = self.ask(request)?;
        self.answer(wanted, limit)
    }

    /// Asks without waiting; the answer is fetched with [`Client::answer`].
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn ask(&mut self, request: &Request) -> Result<u32, ClientError> {
        self.next_id = self.next_id.wrapping_add(1);
        let mut bytes = Vec::new();
        request.encode(Some(self.next_id), &mut bytes);
        self.stream.write_all(&bytes)?;
        Ok(self.next_id)
    }

    /// Waits for the answer to this request; answers to earlier ones are dropped.
    ///
    /// # Errors
    /// As [`Client::request`].
    pub fn answer(&mut self, wanted: u32, limit: Duration) -> Result<Reply, ClientError> {
        let until = Instant::now() + limit;
        loop {
            match self.receive(until)? {
                None => return Err(ClientError::Late(limit)),
                Some(FromHost::Push(Push::Error(refusal))) => return Err(refusal.into()),
                Some(FromHost::Push(push)) => self.pushes.push_back(push),
                Some(FromHost::Reply(id, _)) if id != wanted => {}
                Some(FromHost::Reply(_, Reply::Error(refusal))) => return Err(refusal.into()),
                Some(FromHost::Reply(_, reply)) => return Ok(reply),
            }
        }
    }

    /// Returns the next push, or `None` when none came within the limit. Output is acknowledged.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn next_push(&mut self, limit: Duration) -> Result<Option<Push>, ClientError> {
        let until = Instant::now() + limit;
        let push = loop {
            if let Some(push) = self.pushes.pop_front() {
                break push;
            }
            match self.receive(until)? {
                None => return Ok(None),
                Some(FromHost::Push(push)) => break push,
                Some(FromHost::Reply(..)) => {}
            }
        };
        if let Push::Output(output) = &push {
            self.send(&Request::Ack(output.end))?;
        }
        Ok(Some(push))
    }

    /// Reads until a message is whole or it is too late.
    fn receive(&mut self, until: Instant) -> Result<Option<FromHost>, ClientError> {
        let mut bytes = [0; 16 << 10];
        loop {
            while let Some(frame) = self.decoder.next_frame()? {
                if let Some(message) = FromHost::decode(&frame)? {
                    return Ok(Some(message));
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            let read = if left.is_zero() {
                rustix::net::recv(&self.stream, &mut bytes, RecvFlags::DONTWAIT)
                    .map(|(count, _)| count)
                    .map_err(io::Error::from)
            } else {
                self.stream.set_read_timeout(Some(left))?;
                self.stream.read(&mut bytes)
            };
            match read {
                Ok(0) => return Err(ClientError::Closed),
                Ok(count) => self.decoder.push(&bytes[..count]),
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    if Instant::now() >= until {
                        return Ok(None);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
