//! What a session may use: bounds on its control group, or on groups of the older kind, one for each controller.
//!
//! A bound is set before the agent runs or the launch is refused; nothing is set half.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;

use super::cgroup::{Cgroup, belongs, name, remove_tree};
use super::handed::{found_above, has, is_ours};
use super::mounts::{own_v1, own_v2};
use crate::platform::facts::{Bound, CannotKeep, ControlGroups, Keeper};
use crate::spec::{CgroupParent, Limits};

/// Microseconds in which a share of processor time is given out: the kernel's default.
const CPU_PERIOD_US: u64 = 100_000;

impl Bound {
    /// What is written for a limit, when there is one: to a control group's file, and to one of the older kind.
    fn written(self, limits: &Limits) -> Option<[(&'static str, String); 2]> {
        Some(match self {
            Self::Memory => {
                let bytes = limits.memory_bytes?.to_string();
                [("memory.max", bytes.clone()), ("memory.limit_in_bytes", bytes)]
            }
            Self::Processes => {
                let most = limits.processes?.to_string();
                [("pids.max", most.clone()), ("pids.max", most)]
            }
            Self::Cpu => {
                let quota = u64::from(limits.cpu_percent?) * CPU_PERIOD_US / 100;
                [("cpu.max", format!("{quota} {CPU_PERIOD_US}")), ("cpu.cfs_quota_us", quota.to_string())]
            }
        })
    }
}

/// The groups of the older kind that bound one session; none when its own group does, or nothing is bounded.
#[derive(Debug, Default)]
pub struct Bounds {
    dirs: Vec<PathBuf>,
}

impl Bounds {
    /// Sets every limit of a launch.
    ///
    /// # Errors
    /// The first limit that cannot be kept, and why; nothing is left behind then.
    pub fn set(
        parent: &CgroupParent,
        launch: &str,
        limits: &Limits,
        group: Option<&Cgroup>,
    ) -> Result<Self, CannotKeep> {
        let mut bounds = Self::default();
        for bound in Bound::ALL {
            let Some([new, old]) = bound.written(limits) else { continue };
            let set = match group.filter(|group| offers(group, bound)) {
                Some(group) => fs::write(group.dir().join(new.0), new.1),
                None if matches!(parent, CgroupParent::Own) => bounds.set_older(bound, launch, &old),
                None => Err(io::Error::new(io::ErrorKind::Unsupported, "control groups are switched off")),
            };
            if let Err(error) = set {
                bounds.remove();
                return Err(CannotKeep { bound, why: error.to_string() });
            }
        }
        Ok(bounds)
    }

    fn set_older(&mut self, bound: Bound, launch: &str, (file, value): &(&str, String)) -> io::Result<()> {
        let own = own_v1(bound.controller()).ok_or_else(|| nobody_has(bound))?;
        let dir = own.join(name(launch));
        // Two controllers may share a mount.
        if !self.dirs.contains(&dir) {
            let said = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", own.display()));
            fs::create_dir(&dir)
                .or_else(|e| if e.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(said(e)) })?;
            self.dirs.push(dir.clone());
        }
        fs::write(dir.join(file), value)
    }

    /// The groups that a launch's host made, from its record; those of other launches are left out.
    #[must_use]
    pub fn known(dirs: &[PathBuf], launch: &str) -> Self {
        Self { dirs: dirs.iter().filter(|dir| belongs(dir, launch)).cloned().collect() }
    }

    /// Their directories.
    #[must_use]
    pub fn dirs(&self) -> &[PathBuf] {
        &self.dirs
    }

    /// The files that a process writes `0` to in order to enter.
    pub(crate) fn procs(&self) -> io::Result<Vec<File>> {
        self.dirs.iter().map(|dir| File::options().write(true).open(dir.join("cgroup.procs"))).collect()
    }

    /// Removes those that are empty.
    pub fn remove(&self) {
        self.dirs.iter().for_each(|dir| remove_tree(dir));
    }
}

/// Whether a group's parent hands this controller down to it.
fn offers(group: &Cgroup, bound: Bound) -> bool {
    group.dir().parent().is_some_and(|parent| has(parent, "cgroup.subtree_control", bound))
}

fn nobody_has(bound: Bound) -> io::Error {
    let why = format!("no {} controller is handed down to this user's processes", bound.controller());
    io::Error::new(io::ErrorKind::Unsupported, why)
}

/// What the control groups of this process offer to sessions; it tries nothing and changes nothing.
#[must_use]
pub fn control_groups() -> ControlGroups {
    let v2 = own_v2();
    let writable = v2.as_ref().is_some_and(|(own, _)| is_ours(own));
    let keeper = |bound: Bound| {
        let one = Limits { memory_bytes: Some(1), processes: Some(1), cpu_percent: Some(1) };
        let only = match bound {
            Bound::Memory => Limits { processes: None, cpu_percent: None, ..one },
            Bound::Processes => Limits { memory_bytes: None, cpu_percent: None, ..one },
            Bound::Cpu => Limits { memory_bytes: None, processes: None, ..one },
        };
        if v2.as_ref().is_some_and(|(own, mount)| found_above(&only, own, mount)) {
            Keeper::Group
        } else if own_v1(bound.controller()).is_some_and(|dir| is_ours(&dir)) {
            Keeper::OlderGroup
        } else {
            Keeper::Nobody { why: nobody_has(bound).to_string() }
        }
    };
    let hybrid = Bound::ALL.into_iter().any(|bound| own_v1(bound.controller()).is_some());
    ControlGroups {
        mount: v2.as_ref().map(|(_, mount)| mount.clone()),
        hybrid,
        writable,
        keepers: Bound::ALL.map(|bound| (bound, keeper(bound))).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn group_dir(at: &Path, controllers: &str, handed_down: &str) {
        fs::create_dir_all(at).expect("a directory");
        fs::write(at.join("cgroup.procs"), "").expect("a file");
        fs::write(at.join("cgroup.controllers"), controllers).expect("a file");
        fs::write(at.join("cgroup.subtree_control"), handed_down).expect("a file");
    }

    const LIMITS: Limits = Limits { memory_bytes: Some(512 << 20), processes: Some(99), cpu_percent: Some(150) };

    #[test]
    fn a_group_that_is_handed_the_controllers_gets_every_limit() {
        let root = tempfile::tempdir().expect("a directory");
        group_dir(root.path(), "cpu memory pids", "cpu memory pids");
        let at = CgroupParent::At(root.path().to_owned());
        let group = Cgroup::create(&at, "l1", &LIMITS).expect("a group");
        let bounds = Bounds::set(&at, "l1", &LIMITS, Some(&group)).expect("set");
        assert!(bounds.dirs().is_empty(), "no other groups are needed");
        let written = |file: &str| fs::read_to_string(group.dir().join(file)).expect("written");
        assert_eq!(written("memory.max"), "536870912");
        assert_eq!(written("pids.max"), "99");
        assert_eq!(written("cpu.max"), "150000 100000");
    }

    #[test]
    fn a_limit_that_nobody_keeps_is_named_with_the_reason() {
        let root = tempfile::tempdir().expect("a directory");
        group_dir(root.path(), "memory pids", "memory pids");
        let at = CgroupParent::At(root.path().to_owned());
        let group = Cgroup::create(&at, "l1", &LIMITS).expect("a group");
        let error = Bounds::set(&at, "l1", &LIMITS, Some(&group)).expect_err("no cpu controller");
        assert_eq!(error.bound, Bound::Cpu);
        assert!(error.to_string().starts_with("limits.cpu cannot be kept here: "), "{error}");
        let error = Bounds::set(&CgroupParent::Off, "l1", &LIMITS, None).expect_err("nothing is kept");
        assert!(error.to_string().contains("limits.memory cannot be kept here: control groups are switched off"));
    }
}
