//! The two halves of a connection to a host, each woken only for what it waits for.
//!
//! A socket of `tokio` is woken for writing as often as the other side reads, which is twice for every key; here the
//! writing half is watched only while it has to wait.

use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::task::{Context, Poll, ready};

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A host that is gone is an error and no signal; where that cannot be asked for, Rust's start-up ignores the signal anyway.
#[cfg(target_os = "linux")]
const QUIET: SendFlags = SendFlags::NOSIGNAL;
#[cfg(not(target_os = "linux"))]
const QUIET: SendFlags = SendFlags::empty();

/// Connects; a socket of this machine does so at once or not at all.
pub(super) fn connect(path: &Path) -> io::Result<(Incoming, Outgoing)> {
    let stream = UnixStream::connect(path)?;
    stream.set_nonblocking(true)?;
    let outgoing = Outgoing(stream.try_clone()?);
    Ok((Incoming(watched(stream, Interest::READABLE)?), outgoing))
}

#[expect(deprecated, reason = "its successor is unsafe for the sake of types that lie about their descriptor")]
fn watched(stream: UnixStream, interest: Interest) -> io::Result<AsyncFd<UnixStream>> {
    AsyncFd::with_interest(stream, interest)
}

/// What the host says.
pub(super) struct Incoming(AsyncFd<UnixStream>);

impl Incoming {
    /// Reads what is there, or waits for something; 0 at the end.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.0.poll_read_ready(cx))?;
            match recv(ready.get_inner().as_fd(), &mut *into, RecvFlags::empty()) {
                Ok((read, _)) => {
                    if 0 < read && read < into.len() {
                        // That was all. Whatever comes later, an end too, is told anew: asking once more is not needed.
                        ready.clear_ready();
                    }
                    return Poll::Ready(Ok(read));
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => ready.clear_ready(),
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }
}

/// What is said to the host.
pub(super) struct Outgoing(UnixStream);

impl Outgoing {
    /// Sends everything.
    pub(super) async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match send(&self.0, rest, QUIET) {
                Ok(sent) => rest = rest.get(sent..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    let room = watched(self.0.try_clone()?, Interest::WRITABLE)?;
                    room.writable().await?.retain_ready();
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        // The reading half may live on for a moment; the host learns of the end now. It may be gone itself.
        drop(self.0.shutdown(std::net::Shutdown::Write));
    }
}
