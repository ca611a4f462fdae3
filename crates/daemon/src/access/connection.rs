//! A connection: how it arrived, and who is at its other end, asked for once.

use ao_core::id::SessionId;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::OnceCell;

/// How a connection arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// On the daemon's own socket; the credentials are the kernel's word.
    Socket {
        /// The peer's user; none when the kernel would not say.
        uid: Option<u32>,
        /// The peer's process when it connected; none when it lives where we cannot see it.
        pid: Option<u32>,
    },
    /// On loopback.
    Tcp {
        /// The other end.
        peer: Option<SocketAddr>,
        /// Our end.
        local: Option<SocketAddr>,
    },
}

/// Who is at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The user whose daemon this is, outside of sessions.
    Owner,
    /// A process inside a session.
    Inside(SessionId),
    /// Somebody else, or nobody knows.
    Stranger {
        /// Why.
        why: String,
    },
}

/// One connection; clones share what was learnt.
#[derive(Clone, Debug)]
pub struct Connection {
    /// How it arrived.
    pub arrival: Arrival,
    /// Who is at the other end, once asked.
    pub standing: Arc<OnceCell<Standing>>,
}

impl Connection {
    /// A connection that just arrived.
    #[must_use]
    pub fn new(arrival: Arrival) -> Self {
        Self { arrival, standing: Arc::new(OnceCell::new()) }
    }
}

/// The listener for TCP: small answers go out at once.
#[derive(Debug)]
pub struct PromptTcp(pub TcpListener);

impl Listener for PromptTcp {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        let (stream, peer) = Listener::accept(&mut self.0).await;
        if let Err(e) = stream.set_nodelay(true) {
            tracing::debug!(error = %e, "answers on this connection may wait for others");
        }
        (stream, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, PromptTcp>> for Connection {
    fn connect_info(stream: IncomingStream<'_, PromptTcp>) -> Self {
        let io = stream.io();
        Self::new(Arrival::Tcp { peer: io.peer_addr().ok(), local: io.local_addr().ok() })
    }
}

impl Connected<IncomingStream<'_, UnixListener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        let credentials = stream.io().peer_cred().ok();
        let pid = credentials.and_then(|c| c.pid()).and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid != 0);
        Self::new(Arrival::Socket { uid: credentials.map(|c| c.uid()), pid })
    }
}
