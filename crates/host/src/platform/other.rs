//! Systems without `/proc` and control groups: what they lack is said in words.
//!
//! A session runs there, but its process tree is `unknown` and its peers are told apart by user alone.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use super::facts::{Membership, Unsupported};
use crate::spec::CgroupParent;

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
    pub fn create(_parent: &CgroupParent, _launch: &str) -> io::Result<Self> {
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

/// Refuses, so that nobody is trusted who could not be told apart.
///
/// # Errors
/// Always.
pub fn peer(_socket: impl AsFd) -> io::Result<Peer> {
    Err(Unsupported { what: "asking who connected" }.into())
}

/// Unknown here.
#[must_use]
pub fn nearest_session(_pid: u32) -> Membership {
    Membership::default()
}
