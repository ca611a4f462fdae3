//! Everything that depends on the operating system, behind functions that exist on all of them.
//!
//! What a system lacks is answered [`Unsupported`] here, in words; the rest of the crate has no `cfg` but the one that leaves
//! out what only a Unix has.

#[cfg(not(unix))]
mod elsewhere;
mod facts;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod pty;
#[cfg(unix)]
#[expect(unsafe_code, reason = "fork, signal handlers and the child's first steps have no safe interface")]
mod raw;
#[cfg(unix)]
mod stdio;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(all(unix, not(target_os = "linux")))]
mod other;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(all(unix, not(target_os = "linux")))]
use other as system;

#[cfg(not(unix))]
pub use elsewhere::run;

pub use facts::{
    Bound, CannotKeep, ControlGroups, HOST_NAME, Keeper, Membership, TEST_BOOT_ID, TreeUsage, Unsupported,
};
#[cfg(unix)]
pub use process::{NotStarted, spawn};
#[cfg(unix)]
pub use pty::{Pty, Taken};
#[cfg(unix)]
pub use raw::{Fork, Signals, close_inherited, exit_at_once, fork, give_memory_back, ignore_signal, make_fifo};
#[cfg(unix)]
pub use stdio::detach_stdio;
#[cfg(unix)]
pub use system::{
    Bounds, Cgroup, Peer, adopt_orphans, boot_id, control_groups, descendants, host_of, kill_marked, marked,
    name_process, nearest_session, peer, start_ticks, usage,
};
