//! What a session may use: bounds on its control group, or on groups of the older kind, one for each controller.
//!
//! A bound is set before the agent runs or the launch is refused; nothing is set half.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::cgroup::{Cgroup, PREFIX, belongs, remove_tree};
use super::mounts::{own_v1, own_v2};
use crate::platform::facts::{Bound, CannotKeep, ControlGroups, Keeper};
use crate::spec::{CgroupParent, Limits};

/// Microseconds in which a share of processor time is given out: the kernel's default.
const CPU_PERIOD_US: u64 = 100_000;

impl Bound {
    const fn controller(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Processes => "pids",
            Self::Cpu => "cpu",
        }
    }

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
        let dir = own.join(format!("{PREFIX}{launch}"));
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

fn has(dir: &Path, file: &str, bound: Bound) -> bool {
    fs::read_to_string(dir.join(file))
        .is_ok_and(|names| names.split_whitespace().any(|name| name == bound.controller()))
}

/// Where on the cgroup2 mount a session's group can have all the limits that are kept there: nearest to `own`, or `None` when
/// nothing is bounded there or nobody lets us.
///
/// A group that has processes cannot hand controllers down, so this is often one above: that of the user's services, say.
pub(super) fn parent_for(limits: &Limits, own: &Path, mount: &Path) -> Option<PathBuf> {
    let wanted: Vec<Bound> = wanted(limits).filter(|bound| has(mount, "cgroup.controllers", *bound)).collect();
    if wanted.is_empty() {
        return None;
    }
    let missing = |dir: &Path| -> Vec<Bound> {
        wanted.iter().copied().filter(|bound| !has(dir, "cgroup.subtree_control", *bound)).collect()
    };
    for bound in missing(own) {
        // Refused while processes are inside, which is nearly always.
        drop(fs::write(own.join("cgroup.subtree_control"), format!("+{}", bound.controller())));
    }
    let above = own.ancestors().take_while(|dir| dir.starts_with(mount));
    above.into_iter().find(|dir| missing(dir).is_empty() && is_ours(dir)).map(Path::to_owned)
}

fn wanted(limits: &Limits) -> impl Iterator<Item = Bound> {
    Bound::ALL.into_iter().filter(|bound| bound.written(limits).is_some())
}

/// Whether we may make groups here and move processes into them.
fn is_ours(dir: &Path) -> bool {
    let may = |path: &Path| rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok();
    may(dir) && may(&dir.join("cgroup.procs"))
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

fn found_above(limits: &Limits, own: &Path, mount: &Path) -> bool {
    let all = |dir: &Path| wanted(limits).all(|bound| has(dir, "cgroup.subtree_control", bound));
    own.ancestors().take_while(|dir| dir.starts_with(mount)).any(|dir| all(dir) && is_ours(dir))
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn the_nearest_group_that_hands_the_controllers_down_is_the_parent() {
        let root = tempfile::tempdir().expect("a directory");
        let (mount, slice) = (root.path(), root.path().join("user.slice"));
        let own = slice.join("app.slice/ao.service");
        group_dir(mount, "cpu memory pids", "cpu memory pids");
        group_dir(&slice, "cpu memory pids", "cpu memory pids");
        group_dir(&slice.join("app.slice"), "cpu memory pids", "memory pids");
        group_dir(&own, "memory pids", "");
        // Nothing takes a controller away from a directory that only looks like a group.
        fs::remove_file(own.join("cgroup.subtree_control")).expect("removed");
        fs::create_dir(own.join("cgroup.subtree_control")).expect("a directory, which refuses to be written");
        let memory = Limits { memory_bytes: Some(1), ..Limits::default() };
        assert_eq!(parent_for(&memory, &own, mount), Some(slice.join("app.slice")));
        assert_eq!(parent_for(&LIMITS, &own, mount), Some(slice));
        assert_eq!(parent_for(&Limits::default(), &own, mount), None, "nothing is wanted");
        fs::write(mount.join("cgroup.controllers"), "hugetlb").expect("a file");
        assert_eq!(parent_for(&memory, &own, mount), None, "the older mounts have it");
    }
}
