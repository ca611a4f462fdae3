//! A WebSocket straight on the connection's own socket: messages in both directions, driven by one task, with none of the
//! layers of HTTP left between. A key and its echo pass here, so every layer would be felt.

use axum::extract::FromRequestParts as _;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade::downcast;
use std::future::poll_fn;
use std::io::{self, ErrorKind, Read, Write};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket};

/// Largest message of the other side: a paste.
pub(super) const MOST_BYTES: usize = 1024 * 1024;
/// Bytes read at once. They are zeroed before each read: as much as keys need, not as much as a paste.
const READ: usize = 4 * 1024;

/// A request that wants to become a WebSocket.
pub(super) struct Handshake {
    upgrade: OnUpgrade,
    accept: HeaderValue,
}

impl Handshake {
    /// Looks whether a request asks for a WebSocket, in a way that can be answered.
    pub(super) async fn of(parts: &mut Parts) -> Option<Self> {
        let upgrade = parts.extensions.get::<OnUpgrade>()?.clone();
        let accept = derive_accept_key(parts.headers.get(SEC_WEBSOCKET_KEY)?.as_bytes());
        // What a request must say is looked at there; the rest of it is not used.
        drop(WebSocketUpgrade::from_request_parts(parts, &()).await.ok()?);
        Some(Self { upgrade, accept: accept.try_into().ok()? })
    }

    /// The answer, and what is done with the WebSocket once it is sent.
    pub(super) fn accept<F: Future<Output = ()> + Send + 'static>(
        self,
        then: impl FnOnce(Socket) -> F + Send + 'static,
    ) -> Response {
        tokio::spawn(async move {
            // A caller that is gone again needs nothing.
            if let Ok(upgraded) = self.upgrade.await {
                then(Socket::on(upgraded)).await;
            }
        });
        let said = [
            (CONNECTION, HeaderValue::from_static("upgrade")),
            (UPGRADE, HeaderValue::from_static("websocket")),
            (SEC_WEBSOCKET_ACCEPT, self.accept),
        ];
        (StatusCode::SWITCHING_PROTOCOLS, said).into_response()
    }
}

/// The WebSocket. Whoever reads and whoever writes are parts of the same task.
pub(super) struct Socket(Mutex<WebSocket<Wire>>);

impl Socket {
    fn on(upgraded: Upgraded) -> Self {
        let (stream, read) = stripped(upgraded);
        let config = WebSocketConfig::default()
            .max_message_size(Some(MOST_BYTES))
            .max_frame_size(Some(MOST_BYTES))
            .read_buffer_size(READ)
            // A message goes out when it is written, not with the next one.
            .write_buffer_size(0);
        let wire = Wire { stream, waker: Waker::noop().clone() };
        Self(Mutex::new(WebSocket::from_partially_read(wire, read, Role::Server, Some(config))))
    }

    /// The next message; none when the other side has left.
    pub(super) async fn next(&self) -> Option<Result<Message, Error>> {
        let read = poll_fn(|cx| self.poll(cx, WebSocket::read)).await;
        match read {
            Err(Error::ConnectionClosed | Error::AlreadyClosed) => None,
            other => Some(other),
        }
    }

    /// Sends a message; waits until the connection has taken all of it.
    pub(super) async fn send(&self, message: Message) -> Result<(), Error> {
        let mut message = Some(message);
        poll_fn(|cx| {
            self.poll(cx, |socket| match message.take() {
                // One that the connection does not take at once is kept there, and is flushed later.
                Some(message) => socket.send(message),
                None => socket.flush(),
            })
        })
        .await
    }

    fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        mut act: impl FnMut(&mut WebSocket<Wire>) -> Result<T, Error>,
    ) -> Poll<Result<T, Error>> {
        let mut socket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        socket.get_mut().waker.clone_from(cx.waker());
        match act(&mut socket) {
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => Poll::Pending,
            done => Poll::Ready(done),
        }
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The connection without what HTTP had put around it, and what it had read already.
fn stripped(upgraded: Upgraded) -> (Box<dyn Stream>, Vec<u8>) {
    let upgraded = match downcast::<TokioIo<TcpStream>>(upgraded) {
        Ok(parts) => return (Box::new(parts.io.into_inner()), parts.read_buf.into()),
        Err(upgraded) => upgraded,
    };
    match downcast::<TokioIo<UnixStream>>(upgraded) {
        Ok(parts) => (Box::new(parts.io.into_inner()), parts.read_buf.into()),
        Err(upgraded) => (Box::new(TokioIo::new(upgraded)), Vec::new()),
    }
}

/// The connection as the library wants it: what would wait is an error, and the task is woken when it is worth another try.
struct Wire {
    stream: Box<dyn Stream>,
    waker: Waker,
}

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut into = ReadBuf::new(into);
        let read = Pin::new(&mut *self.stream).poll_read(&mut Context::from_waker(&self.waker), &mut into);
        now(read).map(|()| into.filled().len())
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        now(Pin::new(&mut *self.stream).poll_write(&mut Context::from_waker(&self.waker), bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        now(Pin::new(&mut *self.stream).poll_flush(&mut Context::from_waker(&self.waker)))
    }
}

fn now<T>(polled: Poll<io::Result<T>>) -> io::Result<T> {
    match polled {
        Poll::Ready(done) => done,
        Poll::Pending => Err(ErrorKind::WouldBlock.into()),
    }
}
