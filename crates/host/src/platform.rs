//! Everything that depends on the operating system, behind functions that exist on all of them.
//!
//! What a system lacks is answered [`Unsupported`] here, in words; the rest of the crate has no `cfg`.

mod facts;
mod process;
mod pty;
#[expect(unsafe_code, reason = "fork, signal handlers and the child's first steps have no safe interface")]
mod raw;
mod stdio;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use other as system;

pub use facts::{Bound, CannotKeep, ControlGroups, HOST_NAME, Keeper, Membership, TreeUsage, Unsupported};
pub use process::{NotStarted, spawn};
pub use pty::{Pty, Taken};
pub use raw::{Fork, Signals, close_inherited, exit_at_once, fork, give_memory_back, ignore_signal};
pub use stdio::detach_stdio;
pub use system::{
    Bounds, Cgroup, Peer, adopt_orphans, boot_id, control_groups, descendants, host_of, kill_marked, marked,
    name_process, nearest_session, peer, start_ticks, usage,
};
