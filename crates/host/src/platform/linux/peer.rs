//! Who is at the other end of a socket (`docs/design/access.md`).
//!
//! It tells facts; who is refused is decided by the caller.

use std::fs;
use std::io;
use std::os::fd::AsFd;

use super::cgroup::PREFIX;
use super::mounts::v2_path;
use super::tree::stat;
use crate::platform::facts::{HOST_NAME, Membership};
use crate::platform::raw;

/// More ancestors than any process has; a picture of a moving table may hold a circle.
const MAX_ANCESTORS: usize = 1000;

/// The process at the other end when it connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its user.
    pub uid: u32,
    /// Its process id; 0 when it lives where we cannot see it.
    pub pid: u32,
}

/// Asks the kernel who connected.
///
/// # Errors
/// When the socket is no local one.
pub fn peer(socket: impl AsFd) -> io::Result<Peer> {
    let (uid, pid) = raw::peer_credentials(socket.as_fd())?;
    Ok(Peer { uid, pid })
}

/// What a process is part of; the process itself does not count as its own host.
#[must_use]
pub fn nearest_session(pid: u32) -> Membership {
    Membership { host: nearest_host(pid), cgroup: nearest_group(pid) }
}

fn nearest_host(pid: u32) -> Option<u32> {
    let mut at = pid;
    for _ in 0..MAX_ANCESTORS {
        at = stat(at)?.parent;
        if at == 0 {
            return None;
        }
        if fs::read_to_string(format!("/proc/{at}/comm")).is_ok_and(|name| name.trim_end() == HOST_NAME) {
            return Some(at);
        }
    }
    None
}

fn nearest_group(pid: u32) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    v2_path(&text)?.rsplit('/').find(|part| part.starts_with(PREFIX)).map(str::to_owned)
}
