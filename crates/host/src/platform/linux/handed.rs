//! Which groups hand controllers down to those below, and where a session's group can therefore be bounded.
//!
//! It asks for more only where that harms nobody: in the root of all groups.

use std::fs;
use std::path::{Path, PathBuf};

use crate::platform::facts::Bound;
use crate::spec::Limits;

impl Bound {
    /// Name of the controller that keeps it.
    pub(super) const fn controller(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Processes => "pids",
            Self::Cpu => "cpu",
        }
    }
}

/// Whether a group's file names this bound's controller.
pub(super) fn has(dir: &Path, file: &str, bound: Bound) -> bool {
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
    // Only the root of all may hand controllers down although processes are inside: any other group that does it for `cpu`
    // or `pids` alone takes no process below it from then on, only threads.
    if !own.join(KIND).exists() {
        for bound in missing(own) {
            drop(fs::write(own.join("cgroup.subtree_control"), format!("+{}", bound.controller())));
        }
    }
    let mut above = own.ancestors().take_while(|dir| dir.starts_with(mount));
    above.find(|dir| missing(dir).is_empty() && is_ours(dir) && takes_processes(dir)).map(Path::to_owned)
}

/// Says what a group may hold; the root of all groups has no such file.
const KIND: &str = "cgroup.type";

/// Whether processes may be moved into groups below this one.
fn takes_processes(dir: &Path) -> bool {
    fs::read_to_string(dir.join(KIND)).map_or(true, |kind| kind.trim() == "domain")
}

/// Whether processes may be moved into this group itself.
pub(super) fn holds_processes(dir: &Path) -> bool {
    fs::read_to_string(dir.join(KIND)).map_or(true, |kind| !matches!(kind.trim(), "domain invalid" | "threaded"))
}

fn wanted(limits: &Limits) -> impl Iterator<Item = Bound> {
    let is_wanted = |bound| match bound {
        Bound::Memory => limits.memory_bytes.is_some(),
        Bound::Processes => limits.processes.is_some(),
        Bound::Cpu => limits.cpu_percent.is_some(),
    };
    Bound::ALL.into_iter().filter(move |bound| is_wanted(*bound))
}

/// Whether we may make groups here and move processes into them.
pub(super) fn is_ours(dir: &Path) -> bool {
    let may = |path: &Path| rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok();
    may(dir) && may(&dir.join("cgroup.procs"))
}

/// Whether some group above hands all of these down and lets us in; it changes nothing.
pub(super) fn found_above(limits: &Limits, own: &Path, mount: &Path) -> bool {
    let all = |dir: &Path| wanted(limits).all(|bound| has(dir, "cgroup.subtree_control", bound));
    let mut above = own.ancestors().take_while(|dir| dir.starts_with(mount));
    above.any(|dir| all(dir) && is_ours(dir) && takes_processes(dir))
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

    #[test]
    fn a_group_with_processes_is_asked_for_nothing_and_one_that_takes_threads_alone_is_passed_over() {
        let root = tempfile::tempdir().expect("a directory");
        let (mount, slice) = (root.path(), root.path().join("slice"));
        let own = slice.join("leaf");
        group_dir(mount, "pids", "pids");
        group_dir(&slice, "pids", "pids");
        group_dir(&own, "pids", "");
        fs::write(own.join(KIND), "domain\n").expect("a file");
        fs::write(slice.join(KIND), "domain\n").expect("a file");
        let processes = Limits { processes: Some(9), ..Limits::default() };
        assert_eq!(parent_for(&processes, &own, mount), Some(slice.clone()));
        assert_eq!(fs::read_to_string(own.join("cgroup.subtree_control")).expect("readable"), "", "it was left alone");
        fs::write(slice.join(KIND), "domain threaded\n").expect("a file");
        assert_eq!(parent_for(&processes, &own, mount), Some(mount.to_owned()));
        assert!(holds_processes(&slice), "those that are in it stay");
        fs::write(own.join(KIND), "domain invalid\n").expect("a file");
        assert!(!holds_processes(&own));
    }
}
