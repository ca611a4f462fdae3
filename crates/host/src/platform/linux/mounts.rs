//! Where this process's control groups lie: the cgroup2 mount, and the older mounts with a controller each.
//!
//! It reads `/proc/self/cgroup` and `/proc/self/mountinfo` and changes nothing.

use std::fs;
use std::path::{Path, PathBuf};

/// This process's own directory on the cgroup2 mount, wherever that is, and the mount itself.
pub(super) fn own_v2() -> Option<(PathBuf, PathBuf)> {
    let own = v2_path(&fs::read_to_string("/proc/self/cgroup").ok()?)?.to_owned();
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    mounts.lines().find_map(|line| v2_on(line, &own))
}

/// This process's own directory on the older mount that has this controller.
pub(super) fn own_v1(controller: &str) -> Option<PathBuf> {
    let own = v1_path(&fs::read_to_string("/proc/self/cgroup").ok()?, controller)?.to_owned();
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    mounts.lines().find_map(|line| v1_on(line, controller, &own))
}

/// The cgroup2 line of `/proc/PID/cgroup`.
pub(super) fn v2_path(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("0::"))
}

/// The line of a controller in `/proc/PID/cgroup`: `NUMBER:CONTROLLERS:PATH`.
fn v1_path<'t>(text: &'t str, controller: &str) -> Option<&'t str> {
    text.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        controllers.split(',').any(|name| name == controller).then_some(path)
    })
}

/// Where `own` lies, and the mount, if this line of mountinfo is a cgroup2 mount.
fn v2_on(line: &str, own: &str) -> Option<(PathBuf, PathBuf)> {
    let (_, filesystem) = line.split_once(" - ")?;
    if filesystem.starts_with("cgroup2 ") { dir_on(line, own) } else { None }
}

/// Where `own` lies if this line of mountinfo is the older mount of this controller; its options name them.
fn v1_on(line: &str, controller: &str, own: &str) -> Option<PathBuf> {
    let (_, filesystem) = line.split_once(" - ")?;
    let options = filesystem.strip_prefix("cgroup ")?.rsplit(' ').next()?;
    options.split(',').any(|name| name == controller).then(|| dir_on(line, own)).flatten().map(|(dir, _)| dir)
}

/// Where `own` lies on a mount: `id parent major:minor ROOT MOUNT options - TYPE …`; the mount is the second.
fn dir_on(line: &str, own: &str) -> Option<(PathBuf, PathBuf)> {
    let mut fields = line.split(' ').skip(3);
    let (root, place) = (unescape(fields.next()?), PathBuf::from(unescape(fields.next()?)));
    let below = Path::new(own).strip_prefix(&root).ok()?;
    Some((place.join(below), place))
}

/// Undoes the octal escapes of mountinfo (`\040` is a blank).
fn unescape(field: &str) -> String {
    let mut text = field.to_owned();
    for (escape, plain) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
        text = text.replace(escape, plain);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory";

    #[test]
    fn the_mount_is_found_wherever_it_is() {
        let place = |line, own| v2_on(line, own).map(|(dir, _)| dir);
        let hybrid = "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw";
        assert_eq!(place(hybrid, "/"), Some("/sys/fs/cgroup/unified".into()));
        let unified = "30 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate";
        assert_eq!(place(unified, "/user.slice/a"), Some("/sys/fs/cgroup/user.slice/a".into()));
        let container = "30 23 0:26 /docker/x /sys/fs/cgroup\\040two rw - cgroup2 cgroup2 rw";
        assert_eq!(place(container, "/docker/x/y"), Some("/sys/fs/cgroup two/y".into()));
        assert_eq!(place(container, "/elsewhere"), None);
        assert_eq!(place(V1, "/"), None);
    }

    #[test]
    fn a_controller_of_the_older_kind_is_found_on_its_own_mount() {
        assert_eq!(v1_on(V1, "memory", "/jobs/a"), Some("/sys/fs/cgroup/memory/jobs/a".into()));
        assert_eq!(v1_on(V1, "pids", "/"), None);
        let two = "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct";
        assert_eq!(v1_on(two, "cpu", "/"), Some("/sys/fs/cgroup/cpu,cpuacct/".into()));
        let lines = "9:name=systemd:/x\n4:memory:/jobs/a\n2:cpu,cpuacct:/b\n0::/user.slice\n";
        assert_eq!((v1_path(lines, "memory"), v1_path(lines, "cpu")), (Some("/jobs/a"), Some("/b")));
        assert_eq!((v1_path(lines, "pids"), v2_path(lines)), (None, Some("/user.slice")));
        assert_eq!(v2_path("9:name=systemd:/x\n"), None);
    }
}
