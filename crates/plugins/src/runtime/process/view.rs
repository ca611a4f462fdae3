//! A person's view: a connection to the host of its own, read and written by whoever shows it, with nothing in between.

use super::exit::exit_of;
use super::halves::{self, Incoming, Outgoing};
use super::talk::{ANSWERS_WITHIN, fault_of, hello, lost, unexpected, unreachable};
use ao_host::engine::Size;
use ao_host::wire::{
    Access, Attach, Attached, Decoder, FromHost, MAX_MESSAGE, Push, Reply, Request, Sizing, WireError,
};
use ao_slots::Answer;
use ao_slots::runtime::{Attachment, Frame, Frames, Inputs, Over, View, ViewerInput};
use async_trait::async_trait;
use std::future::poll_fn;
use std::path::Path;
use std::task::{Context, Poll, ready};
use tokio::time::timeout;

/// Bytes read from the socket at once.
const READ: usize = 16 * 1024;

/// Opens a view of the launch whose host listens on `socket`. A connection of its own: a slow viewer delays neither the
/// daemon nor another viewer.
pub(super) async fn open(socket: &Path, launch: &str, view: View) -> Answer<Attachment> {
    let (incoming, outgoing) = halves::connect(socket).map_err(|e| unreachable(socket, &e))?;
    let mut shown = Shown { incoming, decoder: Decoder::new(MAX_MESSAGE), buffer: vec![0; READ], first: None };
    let mut done = Done { outgoing };
    match ask(&mut shown, &mut done, launch, 1, &hello(launch)).await? {
        Reply::HelloOk(_) => {}
        other => return Err(unexpected("hello", &other)),
    }
    let attach = Attach {
        size: Some(Size::clamped(view.cols, view.rows)),
        access: if view.read_only { Access::ReadOnly } else { Access::ReadWrite },
        sizing: if view.read_only { Sizing::Follow } else { Sizing::Own },
    };
    match ask(&mut shown, &mut done, launch, 2, &Request::Attach(attach)).await? {
        Reply::Attached(attached) => shown.first = Some(screen_frame(attached)),
        other => return Err(unexpected("attach", &other)),
    }
    Ok(Attachment { frames: Box::new(shown), input: Box::new(done) })
}

/// Sends a request and waits for its answer; the first thing that a new connection says.
async fn ask(shown: &mut Shown, done: &mut Done, launch: &str, id: u32, request: &Request) -> Answer<Reply> {
    let mut bytes = Vec::new();
    request.encode(Some(id), &mut bytes);
    done.outgoing.write_all(&bytes).await.map_err(|e| lost(launch, &e.to_string()))?;
    let answered = async {
        loop {
            match poll_fn(|cx| shown.poll_message(cx)).await {
                Some(FromHost::Reply(to, reply)) if to == id => return Ok(reply),
                Some(_) => {}
                None => return Err(lost(launch, "the connection was closed")),
            }
        }
    };
    match timeout(ANSWERS_WITHIN, answered).await {
        Ok(Ok(Reply::Error(refusal))) => Err(fault_of(&refusal)),
        Ok(answer) => answer,
        Err(_) => Err(lost(launch, &format!("no answer within {} s", ANSWERS_WITHIN.as_secs()))),
    }
}

/// What the host shows.
struct Shown {
    incoming: Incoming,
    decoder: Decoder,
    buffer: Vec<u8>,
    first: Option<Frame>,
}

impl Shown {
    /// The next message of the host; none at the end, or when it makes no sense any more.
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Option<FromHost>> {
        loop {
            match self.decoded() {
                Ok(None) => {}
                Ok(message) => return Poll::Ready(message),
                Err(e) => {
                    tracing::warn!(error = %e, "a session host broke the protocol");
                    return Poll::Ready(None);
                }
            }
            match ready!(self.incoming.poll_read(cx, &mut self.buffer)) {
                Ok(0) | Err(_) => return Poll::Ready(None),
                Ok(read) => self.decoder.push(self.buffer.get(..read).unwrap_or_default()),
            }
        }
    }

    /// The next message that has arrived; what may be ignored is.
    fn decoded(&mut self) -> Result<Option<FromHost>, WireError> {
        while let Some(frame) = self.decoder.next_frame()? {
            if let Some(message) = FromHost::decode(&frame)? {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }
}

impl Frames for Shown {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Frame>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(first));
        }
        loop {
            let frame = match ready!(self.poll_message(cx)) {
                None => return Poll::Ready(None),
                Some(FromHost::Push(Push::Output(output))) => Frame::Output { offset: output.end, bytes: output.bytes },
                Some(FromHost::Push(Push::Attached(attached))) => screen_frame(attached),
                Some(FromHost::Push(Push::ExitIs(record))) => Frame::Exited(exit_of(&record)),
                // A refusal of keys that a reader may not press is told in vain: it knows that it reads.
                Some(FromHost::Push(Push::Screen(_) | Push::FrozenIs(_) | Push::Error(_)) | FromHost::Reply(..)) => {
                    continue;
                }
            };
            return Poll::Ready(Some(frame));
        }
    }
}

/// What a viewer does. Dropped, it tells the host that they left; what was shown before still arrives.
struct Done {
    outgoing: Outgoing,
}

#[async_trait]
impl Inputs for Done {
    async fn send(&mut self, input: ViewerInput) -> Result<(), Over> {
        let request = match input {
            ViewerInput::Keys(bytes) => Request::Input(bytes),
            ViewerInput::Resize { cols, rows } => Request::Resize(Size::clamped(cols, rows)),
            ViewerInput::Seen(offset) => Request::Ack(offset),
        };
        let mut bytes = Vec::new();
        // Nobody waits for an answer: what comes of it is shown.
        request.encode(None, &mut bytes);
        self.outgoing.write_all(&bytes).await.map_err(|_| Over)
    }
}

fn screen_frame(attached: Attached) -> Frame {
    Frame::Screen {
        cols: attached.size.cols,
        rows: attached.size.rows,
        history: attached.rows_total,
        offset: attached.offset,
        bytes: attached.screen,
    }
}
