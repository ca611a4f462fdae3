//! What every connection to a session host begins with, and what its failures are called.

use ao_core::kind::{Fault, Kind};
use ao_host::wire::{self, ErrorKind, Hello, PROTOCOL_MAX, PROTOCOL_MIN, Reply, Request};
use std::io;
use std::path::Path;
use std::time::Duration;

/// A host answers everything but a stop within this time; it is one thread that never waits.
pub(super) const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// The first message of a connection.
pub(super) fn hello(launch: &str) -> Request {
    Request::Hello(Hello { min: PROTOCOL_MIN, max: PROTOCOL_MAX, launch: Some(launch.to_owned()) })
}

/// Nobody listens there.
pub(super) fn unreachable(socket: &Path, error: &io::Error) -> Fault {
    Fault::unavailable(format!("the session host does not answer on {}: {error}", socket.display()))
}

/// A host that was there does not answer any more.
pub(super) fn lost(launch: &str, why: &str) -> Fault {
    Fault::unavailable(format!("the session host of {launch} does not answer: {why}"))
}

/// A refusal as a fault.
pub(super) fn fault_of(refusal: &wire::Refusal) -> Fault {
    let kind = match refusal.kind {
        ErrorKind::Denied => Kind::Denied,
        ErrorKind::Conflict => Kind::Conflict,
        ErrorKind::Unsupported => Kind::Unsupported,
        ErrorKind::WrongLaunch | ErrorKind::Failed | ErrorKind::Version => Kind::Unavailable,
        ErrorKind::Protocol | ErrorKind::Other => Kind::Bug,
    };
    Fault::new(kind, refusal.message.clone())
}

/// An answer to something else.
pub(super) fn unexpected(request: &str, reply: &Reply) -> Fault {
    Fault::new(Kind::Bug, format!("the session host answered {request} with {reply:?}"))
}
