//! Whether a process is part of one of our sessions: a host among its ancestors, or the session's control group.
//!
//! It reads `host.json` (`docs/design/host.md`) and `/proc`; what cannot be told is said to be unclear, never "outside".

use crate::clock::boot_id;
use ao_core::id::{LaunchId, SessionId};
use serde::Deserialize;
use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// More ancestors than any process has: a picture of a moving table may hold a circle.
const MAX_ANCESTORS: usize = 1000;
/// How often a walk that met a process that just ended is begun again.
const WALKS: usize = 5;
/// What a host calls itself (`host::platform`).
const HOST_NAME: &str = "ao-host";
/// Start of the name of every session's control group (`host::platform`).
const GROUP_PREFIX: &str = "ao-session.";

/// A launch that may be running.
#[derive(Clone, Debug)]
pub(super) struct Launch {
    pub(super) session: SessionId,
    pub(super) launch: LaunchId,
    /// Directory of its files.
    pub(super) dir: PathBuf,
}

/// Where a process is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Outside,
    Inside(SessionId),
    /// Why it cannot be told.
    Unclear(String),
}

/// What is needed of `host.json`.
#[derive(Clone, Debug, Deserialize)]
struct HostFile {
    pid: u32,
    start_ticks: u64,
    boot_id: String,
    #[serde(default)]
    cgroup: Option<PathBuf>,
}

/// A file as it was when it was read.
#[derive(Clone, Debug)]
struct Kept {
    inode: u64,
    changed: (i64, i64),
    host: Option<HostFile>,
}

/// A process: itself and the clock tick of its start, which together never come again within a boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Process {
    pid: u32,
    parent: u32,
    start_ticks: u64,
}

/// Looks processes up; keeps what it read of hosts until the files change.
#[derive(Debug)]
pub(super) struct Ancestry {
    /// The data root as given, and as it really is.
    roots: Vec<PathBuf>,
    boot_id: String,
    hosts: Mutex<HashMap<LaunchId, Kept>>,
}

impl Ancestry {
    pub(super) fn new(root: &Path) -> Self {
        let mut roots = vec![root.to_owned()];
        roots.extend(root.canonicalize().ok());
        Self { roots, boot_id: boot_id(), hosts: Mutex::default() }
    }

    /// Where a process is among these launches.
    pub(super) fn place(&self, pid: u32, launches: &[Launch]) -> Place {
        let Some(ancestors) = ancestors(pid) else {
            return Place::Unclear("the process at the other end cannot be looked up".to_owned());
        };
        let hosts: Vec<(&Launch, HostFile)> = self.hosts(launches);
        for process in &ancestors {
            let own = |h: &HostFile| {
                h.boot_id == self.boot_id && h.pid == process.pid && h.start_ticks == process.start_ticks
            };
            if let Some((launch, _)) = hosts.iter().find(|(_, h)| own(h)) {
                return Place::Inside(launch.session.clone());
            }
            if self.is_new_host(process.pid) {
                return Place::Unclear("it is inside a session that is only just starting".to_owned());
            }
        }
        // Only when every ancestor is somebody else's: processes whose host died are still in their group. Read once, not
        // once a launch: this is asked for every connection.
        let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        hosts
            .iter()
            .find(|(launch, host)| in_group(pid, &groups, &launch.launch, host.cgroup.as_deref()))
            .map_or(Place::Outside, |(launch, _)| Place::Inside(launch.session.clone()))
    }

    fn hosts<'l>(&self, launches: &'l [Launch]) -> Vec<(&'l Launch, HostFile)> {
        let mut kept = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|launch, _| launches.iter().any(|l| l.launch == *launch));
        launches.iter().filter_map(|launch| Some((launch, read_host(&mut kept, launch)?))).collect()
    }

    /// A host of this data root that has not written its record yet.
    fn is_new_host(&self, pid: u32) -> bool {
        let named = fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|n| n.trim_end() == HOST_NAME);
        named
            && fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| {
                let line = String::from_utf8_lossy(&line).into_owned();
                self.roots.iter().any(|root| line.split('\0').any(|arg| Path::new(arg).starts_with(root)))
            })
    }
}

fn read_host(kept: &mut HashMap<LaunchId, Kept>, launch: &Launch) -> Option<HostFile> {
    let path = launch.dir.join("host.json");
    let meta = fs::metadata(&path).ok()?;
    let changed = (meta.mtime(), meta.mtime_nsec());
    if let Some(known) = kept.get(&launch.launch).filter(|k| k.inode == meta.ino() && k.changed == changed) {
        return known.host.clone();
    }
    let host: Option<HostFile> = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    kept.insert(launch.launch.clone(), Kept { inode: meta.ino(), changed, host: host.clone() });
    host
}

/// A process and its ancestors, nearest first; none when it ended or hides.
fn ancestors(pid: u32) -> Option<Vec<Process>> {
    (0..WALKS).find_map(|_| walk(pid))
}

fn walk(pid: u32) -> Option<Vec<Process>> {
    let mut line = vec![process(pid)?];
    while line.len() < MAX_ANCESTORS {
        match line.last().map_or(0, |p| p.parent) {
            0 => return Some(line),
            // An ancestor that ended in between has left its children to another.
            parent => line.push(process(parent)?),
        }
    }
    None
}

/// `/proc/PID/stat`: `pid (name) state parent … start_ticks(22) …`; a name may hold blanks and brackets.
fn process(pid: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace().collect();
    Some(Process { pid, parent: fields.get(1)?.parse().ok()?, start_ticks: fields.get(19)?.parse().ok()? })
}

/// Whether a process, whose groups are `groups`, is in a launch's control group. The name alone proves nothing: another data root may have a launch of
/// the same name, so the group's own list is asked.
fn in_group(pid: u32, groups: &str, launch: &LaunchId, group: Option<&Path>) -> bool {
    // What follows `@` is the process that made the group.
    let is_its = |part: &str| {
        part.strip_prefix(GROUP_PREFIX).is_some_and(|name| name.split('@').next() == Some(launch.as_str()))
    };
    let listed = groups.lines().any(|line| line.split('/').any(is_its));
    listed && group.is_some_and(|dir| holds(dir, pid))
}

fn holds(group: &Path, pid: u32) -> bool {
    let here = fs::read_to_string(group.join("cgroup.procs"))
        .is_ok_and(|list| list.lines().any(|line| line.parse() == Ok(pid)));
    here || fs::read_dir(group).is_ok_and(|entries| {
        entries.flatten().any(|e| e.file_type().is_ok_and(|t| t.is_dir()) && holds(&e.path(), pid))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Child, Command, Stdio};

    struct World {
        root: tempfile::TempDir,
        host: Child,
    }

    impl World {
        /// A process that plays a host: a shell with a child.
        fn new() -> Self {
            let root = tempfile::tempdir().expect("a temporary directory");
            let host =
                Command::new("sh").args(["-c", "sleep 1000 & wait"]).stdin(Stdio::null()).spawn().expect("a shell");
            Self { root, host }
        }

        fn launch(&self) -> Launch {
            let dir = self.root.path().join("h-app/sessions/app-1.d/1");
            fs::create_dir_all(&dir).expect("a directory");
            Launch { session: SessionId::new("app-1"), launch: LaunchId::new("app-1.1"), dir }
        }

        fn write(&self, launch: &Launch, start_ticks: u64, boot_id: &str) {
            let text = serde_json::json!({"pid": self.host.id(), "start_ticks": start_ticks, "boot_id": boot_id});
            let new = launch.dir.join("host.json.new");
            fs::write(&new, text.to_string()).expect("written");
            fs::rename(new, launch.dir.join("host.json")).expect("renamed");
        }

        fn ticks(&self) -> u64 {
            process(self.host.id()).expect("alive").start_ticks
        }

        fn child(&self) -> u32 {
            let path = format!("/proc/{0}/task/{0}/children", self.host.id());
            loop {
                let text = fs::read_to_string(&path).expect("a list of children");
                if let Some(pid) = text.split_ascii_whitespace().next() {
                    return pid.parse().expect("a pid");
                }
                std::thread::yield_now();
            }
        }
    }

    impl Drop for World {
        fn drop(&mut self) {
            let child = self.child();
            let _ = rustix::process::kill_process(
                rustix::process::Pid::from_raw(i32::try_from(child).expect("a pid")).expect("no zero"),
                rustix::process::Signal::KILL,
            );
            let _ = self.host.kill();
            let _ = self.host.wait();
        }
    }

    #[test]
    fn a_descendant_of_a_host_is_inside_its_session() {
        let world = World::new();
        let launch = world.launch();
        world.write(&launch, world.ticks(), &boot_id());
        let ancestry = Ancestry::new(world.root.path());
        assert_eq!(
            ancestry.place(world.child(), std::slice::from_ref(&launch)),
            Place::Inside(SessionId::new("app-1"))
        );
        assert_eq!(ancestry.place(std::process::id(), &[launch]), Place::Outside);
    }

    #[test]
    fn a_number_that_was_given_to_another_process_is_no_host() {
        let world = World::new();
        let launch = world.launch();
        let ancestry = Ancestry::new(world.root.path());
        world.write(&launch, world.ticks() + 1, &boot_id());
        assert_eq!(ancestry.place(world.child(), std::slice::from_ref(&launch)), Place::Outside);
        world.write(&launch, world.ticks(), "another boot");
        assert_eq!(ancestry.place(world.child(), std::slice::from_ref(&launch)), Place::Outside);
        // A record that changes is read again.
        world.write(&launch, world.ticks(), &boot_id());
        assert_eq!(ancestry.place(world.child(), &[launch]), Place::Inside(SessionId::new("app-1")));
    }

    #[test]
    fn a_process_that_is_gone_is_unclear() {
        let mut child = Command::new("true").spawn().expect("true");
        child.wait().expect("ended");
        let ancestry = Ancestry::new(Path::new("/nowhere"));
        assert!(matches!(ancestry.place(child.id(), &[]), Place::Unclear(_)));
    }
}
