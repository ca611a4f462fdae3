//! A control group per session on the cgroup2 mount, wherever that is.
//!
//! It holds processes together, kills, freezes and counts them; what they may use is in `bounds`.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::handed::{holds_processes, parent_for};
use super::mounts::own_v2;
use crate::spec::{CgroupParent, Limits};

/// Start of the name of every session's group; how others recognise one.
pub(super) const PREFIX: &str = "ao-session.";

/// One session's group.
#[derive(Debug)]
pub struct Cgroup {
    dir: PathBuf,
}

impl Cgroup {
    /// Makes the group of a launch, where its limits can be set if there is such a place.
    ///
    /// # Errors
    /// When there is no cgroup2 mount, it is not writable for us, or the launch's group has processes already.
    pub fn create(parent: &CgroupParent, launch: &str, limits: &Limits) -> io::Result<Self> {
        let parents = match parent {
            CgroupParent::Own => {
                let (own, mount) = own_v2().ok_or_else(|| not_here("there is no cgroup2 mount"))?;
                let above = parent_for(limits, &own, &mount);
                above.into_iter().chain([own]).collect()
            }
            CgroupParent::At(dir) => vec![dir.clone()],
            CgroupParent::Off => return Err(not_here("control groups are switched off")),
        };
        let mut failed = not_here("there is no control group");
        for parent in parents {
            match Self::below(&parent, launch) {
                Ok(group) => return Ok(group),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    fn below(parent: &Path, launch: &str) -> io::Result<Self> {
        if launch.contains('/') || !parent.join("cgroup.procs").exists() {
            return Err(not_here("the directory is no control group"));
        }
        let dir = parent.join(name(launch));
        if dir.exists() {
            fs::remove_dir(&dir)?;
        }
        fs::create_dir(&dir)?;
        if !holds_processes(&dir) {
            drop(fs::remove_dir(&dir));
            return Err(not_here("the group above takes threads alone"));
        }
        Ok(Self { dir })
    }

    /// The group that a launch's host made, from its record.
    ///
    /// # Errors
    /// When the directory's name is not that launch's.
    pub fn known(dir: &Path, launch: &str) -> io::Result<Self> {
        if belongs(dir, launch) {
            Ok(Self { dir: dir.to_owned() })
        } else {
            Err(not_here("the directory is another launch's"))
        }
    }

    /// Removes the group if it is empty; one that has processes stays.
    pub fn remove(&self) {
        remove_tree(&self.dir);
    }

    /// The group's directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The file that a process writes `0` to in order to enter.
    pub(crate) fn procs(&self) -> io::Result<File> {
        File::options().write(true).open(self.dir.join("cgroup.procs"))
    }

    /// Process ids inside, in groups below included.
    ///
    /// # Errors
    /// When the group cannot be read.
    pub fn pids(&self) -> io::Result<Vec<u32>> {
        let mut pids = pids_in(&self.dir)?;
        for below in groups_below(&self.dir) {
            // One that is gone meanwhile has none.
            pids.extend(pids_in(&below).unwrap_or_default());
        }
        Ok(pids)
    }

    /// Whether the kernel says that no process is inside, in groups below included.
    ///
    /// # Errors
    /// When the group cannot be read.
    pub fn is_empty(&self) -> io::Result<bool> {
        let events = fs::read_to_string(self.dir.join("cgroup.events"))?;
        Ok(events.lines().any(|line| line == "populated 0"))
    }

    /// Kills everything inside, forks in progress included.
    ///
    /// # Errors
    /// When the kernel is older than 5.14.
    pub fn kill(&self) -> io::Result<()> {
        fs::write(self.dir.join("cgroup.kill"), "1")
    }

    /// Halts everything inside, or lets it go on.
    ///
    /// # Errors
    /// When the kernel is older than 5.2.
    pub fn set_frozen(&self, frozen: bool) -> io::Result<()> {
        fs::write(self.dir.join("cgroup.freeze"), if frozen { "1" } else { "0" })
    }
}

/// Whether a directory is a group of this launch, of whatever kind.
pub(super) fn belongs(dir: &Path, launch: &str) -> bool {
    let its = |name: &str| Some(name.strip_prefix(PREFIX)?.split('@').next() == Some(launch));
    dir.file_name().and_then(|name| its(name.to_str()?)).unwrap_or(false)
}

/// Name of a launch's group. Two data roots have launches of one name, perhaps below one group and at the same moment: the
/// process that makes the group tells them apart.
pub(super) fn name(launch: &str) -> String {
    format!("{PREFIX}{launch}@{}", std::process::id())
}

fn pids_in(dir: &Path) -> io::Result<Vec<u32>> {
    let list = fs::read_to_string(dir.join("cgroup.procs"))?;
    Ok(list.lines().filter_map(|line| line.parse().ok()).collect())
}

/// Every group below one, outermost first: a program with the right to it may make some for its own children.
fn groups_below(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut at = Some(dir.to_owned());
    let mut next = 0;
    while let Some(dir) = at {
        let entries = fs::read_dir(&dir).into_iter().flatten().flatten();
        found.extend(entries.filter(|e| e.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()));
        at = found.get(next).cloned();
        next += 1;
    }
    found
}

/// Removes empty groups, innermost first; one that has processes stays.
pub(super) fn remove_tree(dir: &Path) {
    for below in groups_below(dir).into_iter().rev() {
        drop(fs::remove_dir(below));
    }
    // A group with processes refuses; it is reported as `Tree::Left` then.
    drop(fs::remove_dir(dir));
}

pub(super) fn not_here(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_known_by_its_launch_and_made_under_a_name_that_nobody_else_gives() {
        let dir = |name: &str| std::path::PathBuf::from(format!("/sys/fs/cgroup/{name}"));
        assert!(belongs(&dir(&name("app-1.1")), "app-1.1"));
        assert!(belongs(&dir("ao-session.app-1.1"), "app-1.1"), "as earlier hosts named them");
        assert!(!belongs(&dir(&name("app-1.10")), "app-1.1") && !belongs(&dir("user.slice"), "app-1.1"));
        assert!(name("app-1.1").ends_with(&format!("@{}", std::process::id())));
    }
}
