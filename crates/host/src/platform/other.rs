//! Systems without `/proc` and control groups: what they lack is said in words.
//!
//! A session runs there, but its process tree is `unknown` and its peers are told apart by user alone.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use super::facts::{Bound, CannotKeep, ControlGroups, Keeper, Membership, TreeUsage, Unsupported};
use super::raw;
use crate::spec::{CgroupParent, Limits};

/// The process at the other end when it connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its user.
    pub uid: u32,
    /// Its process id; 0 when it is not known.
    pub pid: u32,
}

/// Finds none: environments of other processes cannot be read here.
#[must_use]
pub fn marked(_marks: &[String]) -> Vec<u32> {
    Vec::new()
}

/// Finds none: arguments of other processes cannot be read here.
#[must_use]
pub fn host_of(_launch_dir: &Path) -> Option<u32> {
    None
}

/// Ends none, for none is found.
pub fn kill_marked(_marks: &[String]) {}

/// Control groups do not exist here.
#[derive(Debug)]
pub enum Cgroup {}

impl Cgroup {
    /// Refuses.
    ///
    /// # Errors
    /// Always.
    pub fn create(_parent: &CgroupParent, _launch: &str, _limits: &Limits) -> io::Result<Self> {
        Err(Unsupported { what: "a control group per session" }.into())
    }

    /// Refuses.
    ///
    /// # Errors
    /// Always.
    pub fn known(_dir: &Path, _launch: &str) -> io::Result<Self> {
        Err(Unsupported { what: "a control group per session" }.into())
    }

    /// Cannot be called.
    pub fn remove(&self) {
        match *self {}
    }

    /// Cannot be called.
    #[must_use]
    pub fn dir(&self) -> &Path {
        match *self {}
    }

    pub(crate) fn procs(&self) -> io::Result<File> {
        match *self {}
    }

    /// Cannot be called.
    ///
    /// # Errors
    /// None.
    pub fn pids(&self) -> io::Result<Vec<u32>> {
        match *self {}
    }

    /// Cannot be called.
    ///
    /// # Errors
    /// None.
    pub fn is_empty(&self) -> io::Result<bool> {
        match *self {}
    }

    /// Cannot be called.
    ///
    /// # Errors
    /// None.
    pub fn kill(&self) -> io::Result<()> {
        match *self {}
    }

    /// Cannot be called.
    ///
    /// # Errors
    /// None.
    pub fn set_frozen(&self, _frozen: bool) -> io::Result<()> {
        match *self {}
    }
}

/// Bounds of a session do not exist here.
#[derive(Debug, Default)]
pub struct Bounds;

impl Bounds {
    /// Refuses every limit.
    ///
    /// # Errors
    /// The first limit there is.
    pub fn set(_: &CgroupParent, _: &str, limits: &Limits, _: Option<&Cgroup>) -> Result<Self, CannotKeep> {
        let wanted = [
            (Bound::Memory, limits.memory_bytes.is_some()),
            (Bound::Processes, limits.processes.is_some()),
            (Bound::Cpu, limits.cpu_percent.is_some()),
        ];
        match wanted.into_iter().find(|(_, wanted)| *wanted) {
            Some((bound, _)) => Err(CannotKeep { bound, why: unbounded().to_string() }),
            None => Ok(Self),
        }
    }

    /// None.
    #[must_use]
    pub fn known(_: &[PathBuf], _: &str) -> Self {
        Self
    }

    /// None.
    #[must_use]
    pub fn dirs(&self) -> &[PathBuf] {
        &[]
    }

    pub(crate) fn procs(&self) -> io::Result<Vec<File>> {
        Ok(Vec::new())
    }

    /// Does nothing.
    pub fn remove(&self) {}
}

fn unbounded() -> Unsupported {
    Unsupported { what: "bounding what a session uses" }
}

/// There are none.
#[must_use]
pub fn control_groups() -> ControlGroups {
    let nobody = |bound| (bound, Keeper::Nobody { why: unbounded().to_string() });
    ControlGroups { mount: None, hybrid: false, writable: false, keepers: Bound::ALL.map(nobody).into() }
}

/// Unknown here.
#[must_use]
pub fn usage(_host: u32, _pids: &[u32], _group: Option<&Cgroup>, _bounds: &Bounds) -> TreeUsage {
    TreeUsage::default()
}

/// Refuses: orphans go to the system's first process here.
///
/// # Errors
/// Always.
pub fn adopt_orphans() -> io::Result<()> {
    Err(Unsupported { what: "adopting orphaned processes" }.into())
}

/// Unknown here.
#[must_use]
pub fn boot_id() -> String {
    String::new()
}

/// Does nothing here.
pub fn name_process(_name: &str) {}

/// Unknown here.
#[must_use]
pub fn start_ticks(_pid: u32) -> Option<u64> {
    None
}

/// Unknown here.
#[must_use]
pub fn descendants(_root: u32) -> Vec<u32> {
    Vec::new()
}

/// Asks the system which user connected; which process it was stays unknown.
///
/// # Errors
/// When the socket is no local one.
pub fn peer(socket: impl AsFd) -> io::Result<Peer> {
    Ok(Peer { uid: raw::peer_user(socket.as_fd())?, pid: 0 })
}

/// Unknown here.
#[must_use]
pub fn nearest_session(_pid: u32) -> Membership {
    Membership::default()
}
