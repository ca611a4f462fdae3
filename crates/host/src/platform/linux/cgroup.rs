//! A control group per session on the cgroup2 mount, wherever that is.
//!
//! It holds processes together, kills and freezes them; limits are set by others.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::spec::CgroupParent;

/// Start of the name of every session's group; how others recognise one.
pub(super) const PREFIX: &str = "ao-session.";

/// One session's group.
#[derive(Debug)]
pub struct Cgroup {
    dir: PathBuf,
}

impl Cgroup {
    /// Makes the group of a launch.
    ///
    /// # Errors
    /// When there is no cgroup2 mount, it is not writable for us, or the launch's group has processes already.
    pub fn create(parent: &CgroupParent, launch: &str) -> io::Result<Self> {
        let parent = match parent {
            CgroupParent::Own => own_dir().ok_or_else(|| not_here("there is no cgroup2 mount"))?,
            CgroupParent::At(dir) => dir.clone(),
            CgroupParent::Off => return Err(not_here("control groups are switched off")),
        };
        if launch.contains('/') || !parent.join("cgroup.procs").exists() {
            return Err(not_here("the directory is no control group"));
        }
        let dir = parent.join(format!("{PREFIX}{launch}"));
        if dir.exists() {
            fs::remove_dir(&dir)?;
        }
        fs::create_dir(&dir)?;
        Ok(Self { dir })
    }

    /// The group that a launch's host made, from its record.
    ///
    /// # Errors
    /// When the directory's name is not that launch's.
    pub fn known(dir: &Path, launch: &str) -> io::Result<Self> {
        if dir.file_name().and_then(|name| name.to_str()?.strip_prefix(PREFIX)) == Some(launch) {
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

    /// Process ids inside.
    ///
    /// # Errors
    /// When the group cannot be read.
    pub fn pids(&self) -> io::Result<Vec<u32>> {
        let list = fs::read_to_string(self.dir.join("cgroup.procs"))?;
        Ok(list.lines().filter_map(|line| line.parse().ok()).collect())
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

/// Removes empty groups, innermost first; one that has processes stays.
fn remove_tree(dir: &Path) {
    if let Ok(entries) = fs::read_dir(dir) {
        for entry in entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
            remove_tree(&entry.path());
        }
    }
    // A group with processes refuses; it is reported as `Tree::Left` then.
    drop(fs::remove_dir(dir));
}

/// This process's own directory on the cgroup2 mount.
fn own_dir() -> Option<PathBuf> {
    let own = v2_path(&fs::read_to_string("/proc/self/cgroup").ok()?)?.to_owned();
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    mounts.lines().find_map(|line| dir_on(line, &own))
}

/// The cgroup2 line of `/proc/PID/cgroup`.
pub(super) fn v2_path(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("0::"))
}

/// Where `own` lies if this line of mountinfo is a cgroup2 mount: `id parent major:minor ROOT MOUNT options - TYPE …`.
fn dir_on(line: &str, own: &str) -> Option<PathBuf> {
    let (mount, filesystem) = line.split_once(" - ")?;
    if !filesystem.starts_with("cgroup2 ") {
        return None;
    }
    let mut fields = mount.split(' ').skip(3);
    let (root, place) = (unescape(fields.next()?), unescape(fields.next()?));
    let below = Path::new(own).strip_prefix(&root).ok()?;
    Some(Path::new(&place).join(below))
}

/// Undoes the octal escapes of mountinfo (`\040` is a blank).
fn unescape(field: &str) -> String {
    let mut text = field.to_owned();
    for (escape, plain) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
        text = text.replace(escape, plain);
    }
    text
}

fn not_here(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mount_is_found_wherever_it_is() {
        let hybrid = "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw";
        assert_eq!(dir_on(hybrid, "/"), Some("/sys/fs/cgroup/unified".into()));
        let unified = "30 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate";
        assert_eq!(dir_on(unified, "/user.slice/a"), Some("/sys/fs/cgroup/user.slice/a".into()));
        let container = "30 23 0:26 /docker/x /sys/fs/cgroup\\040two rw - cgroup2 cgroup2 rw";
        assert_eq!(dir_on(container, "/docker/x/y"), Some("/sys/fs/cgroup two/y".into()));
        assert_eq!(dir_on(container, "/elsewhere"), None);
        let v1 = "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu";
        assert_eq!(dir_on(v1, "/"), None);
    }

    #[test]
    fn the_unified_line_is_found_among_others() {
        assert_eq!(v2_path("9:name=systemd:/x\n0::/user.slice\n"), Some("/user.slice"));
        assert_eq!(v2_path("9:name=systemd:/x\n"), None);
    }
}
