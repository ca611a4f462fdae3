//! Linux: process trees from `/proc`, control groups, peer credentials.
//!
//! It reads and signals; policy (grace periods, retries) is in `stop`.

mod bounds;
mod cgroup;
mod handed;
mod marked;
mod mounts;
mod peer;
mod tree;
mod usage;

use std::ffi::CString;
use std::io;

pub use bounds::{Bounds, control_groups};
pub use cgroup::Cgroup;
pub use marked::{host_of, kill_marked, marked};
pub use peer::{Peer, nearest_session, peer};
pub use tree::{descendants, start_ticks};
pub use usage::usage;

/// Makes this process the parent of every orphan among its descendants.
///
/// # Errors
/// When the kernel is older than 3.4.
pub fn adopt_orphans() -> io::Result<()> {
    Ok(rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?)
}

/// Id of this boot; empty when it cannot be read. Builds for tests take it from [`TEST_BOOT_ID`] when that is set.
#[must_use]
pub fn boot_id() -> String {
    if cfg!(debug_assertions)
        && let Ok(id) = std::env::var(super::facts::TEST_BOOT_ID)
    {
        return id;
    }
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
}

/// Names this process in process lists.
pub fn name_process(name: &str) {
    if let Ok(name) = CString::new(name) {
        // Only people and `nearest_session` read it; a kernel that refuses changes nothing else.
        let _ = rustix::thread::set_name(&name);
    }
}
