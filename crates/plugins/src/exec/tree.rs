//! The process tree of a child: found by descent, by session, by a mark in the environment and by who holds its output open.
//!
//! Children that fork twice and call `setsid` keep the mark; those that clear their environment keep the output. It looks
//! at `/proc`; where there is none only the process group is ended.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, getpid, kill_process_group};
use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A process that was killed is waited for this long before the next look: kills of sleeping processes take microseconds.
const KILLED: Duration = Duration::from_millis(100);

/// After this long what does not die is in the kernel's hands (a stuck disk or mount) and is reported instead.
pub(super) const SWEEP: Duration = Duration::from_secs(10);

/// A process and when it started, in clock ticks since boot: ids are used again, pairs are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Process {
    id: u32,
    start: u64,
}

struct Row {
    process: Process,
    parent: u32,
    session: u32,
}

/// Every process that runs; those that ended and were not waited for are left out.
fn table() -> Vec<Row> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter_map(row).collect()
}

fn row(id: u32) -> Option<Row> {
    let text = fs::read(format!("/proc/{id}/stat")).ok()?;
    // The name stands in parentheses and may hold anything, so fields are counted from its end.
    let end = text.iter().rposition(|&byte| byte == b')')?;
    let fields: Vec<&str> = std::str::from_utf8(text.get(end + 1..)?).ok()?.split_ascii_whitespace().collect();
    if matches!(*fields.first()?, "Z" | "X") {
        return None;
    }
    let number = |n: usize| fields.get(n).and_then(|field| field.parse::<u64>().ok());
    Some(Row {
        process: Process { id, start: number(19)? },
        parent: u32::try_from(number(1)?).ok()?,
        session: u32::try_from(number(3)?).ok()?,
    })
}

/// Everything that came from one child.
#[derive(Debug)]
pub(super) struct Tree {
    root: Option<Process>,
    group: Option<Pid>,
    mark: String,
    /// The inode of the pipe that the tree writes to.
    pipe: Option<u64>,
    known: HashSet<Process>,
    sessions: HashSet<u32>,
    own: u32,
    own_session: Option<u32>,
}

impl Tree {
    /// The tree of the child `id`, which leads a process group of that number, marked with `mark` in its environment. With a
    /// pipe that it writes to it leads a session as well.
    pub(super) fn of_child(id: u32, mark: &str, pipe: Option<u64>) -> Self {
        let mut tree = Self::marked(mark);
        tree.root = row(id).map(|row| row.process);
        tree.group = i32::try_from(id).ok().and_then(Pid::from_raw);
        tree.pipe = pipe;
        // Whoever writes to a pipe of ours was started as the leader of a session.
        tree.sessions.extend(pipe.map(|_| id));
        tree
    }

    /// Whatever has `mark` in its environment, as what an earlier process of ours left behind.
    pub(super) fn marked(mark: &str) -> Self {
        let own = getpid().as_raw_nonzero().get().unsigned_abs();
        Self {
            root: None,
            group: None,
            mark: mark.to_owned(),
            pipe: None,
            known: HashSet::new(),
            sessions: HashSet::new(),
            own,
            own_session: row(own).map(|row| row.session),
        }
    }

    /// Nothing writes to the pipe any more.
    pub(super) fn forget_pipe(&mut self) {
        self.pipe = None;
    }

    /// Looks once; what was found before and still runs is found again.
    fn scan(&mut self) -> Vec<Process> {
        let rows = table();
        let mut found: HashMap<u32, Process> = HashMap::new();
        for row in rows.iter().filter(|row| row.process.id != self.own) {
            if self.is_member(row) {
                found.insert(row.process.id, row.process);
            }
        }
        // Descent: until nothing is added, as the table is in no order.
        loop {
            let more: Vec<&Row> = rows
                .iter()
                .filter(|row| row.process.id != self.own)
                .filter(|row| !found.contains_key(&row.process.id) && found.contains_key(&row.parent))
                .collect();
            if more.is_empty() {
                break;
            }
            found.extend(more.into_iter().map(|row| (row.process.id, row.process)));
        }
        for row in rows.iter().filter(|row| found.contains_key(&row.process.id)) {
            self.known.insert(row.process);
            // A session of the tree's own: only its descendants can be in it.
            if Some(row.session) != self.own_session && found.contains_key(&row.session) {
                self.sessions.insert(row.session);
            }
        }
        found.into_values().collect()
    }

    fn is_member(&self, row: &Row) -> bool {
        self.root == Some(row.process)
            || self.known.contains(&row.process)
            || self.sessions.contains(&row.session)
            || has_mark(row.process.id, &self.mark)
            || self.pipe.is_some_and(|pipe| writes_to(row.process.id, pipe))
    }

    /// Ends all of it: until two looks in a row find nothing. Blocks; answers how many did not go away in time.
    pub(super) fn end(&mut self, limit: Duration) -> usize {
        let until = Instant::now() + limit;
        if let Some(group) = self.group {
            // Gone already, or never had members besides the child.
            let _ = kill_process_group(group, Signal::KILL);
        }
        let mut empty = 0;
        loop {
            let found = self.scan();
            if found.is_empty() {
                empty += 1;
                if empty == 2 {
                    return 0;
                }
                continue;
            }
            empty = 0;
            if Instant::now() >= until {
                return found.len();
            }
            let killed: Vec<OwnedFd> = found.into_iter().filter_map(kill).collect();
            wait(&killed);
        }
    }
}

/// Kills exactly this process, never a later one with its number.
#[cfg(target_os = "linux")]
fn kill(process: Process) -> Option<OwnedFd> {
    use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};
    let handle = pidfd_open(Pid::from_raw(i32::try_from(process.id).ok()?)?, PidfdFlags::empty()).ok()?;
    if row(process.id).map(|row| row.process) != Some(process) {
        return None;
    }
    pidfd_send_signal(&handle, Signal::KILL).ok()?;
    Some(handle)
}

/// Without `/proc` no process is found, so none is killed but by its group.
#[cfg(not(target_os = "linux"))]
fn kill(_process: Process) -> Option<OwnedFd> {
    None
}

/// Waits until all of them ended, or [`KILLED`].
fn wait(handles: &[OwnedFd]) {
    let until = Instant::now() + KILLED;
    for handle in handles {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec { tv_sec: 0, tv_nsec: i64::from(left.subsec_nanos()) };
        // An interrupted wait only makes the next look come sooner.
        let _ = poll(&mut [PollFd::new(handle, PollFlags::IN)], Some(&left));
    }
}

fn has_mark(id: u32, mark: &str) -> bool {
    // Every text has the empty one: that would be everybody.
    !mark.is_empty()
        && fs::read(format!("/proc/{id}/environ")).is_ok_and(|text| String::from_utf8_lossy(&text).contains(mark))
}

/// Whether the process has the pipe open for writing. Reading does not count: that is ourselves, and for a moment
/// whatever we have forked.
fn writes_to(id: u32, pipe: u64) -> bool {
    let Ok(entries) = fs::read_dir(format!("/proc/{id}/fd")) else { return false };
    let name = format!("pipe:[{pipe}]");
    entries.flatten().any(|entry| {
        fs::read_link(entry.path()).is_ok_and(|target| target.as_os_str() == name.as_str())
            && fs::read_to_string(format!("/proc/{id}/fdinfo/{}", entry.file_name().to_string_lossy()))
                .is_ok_and(|info| is_writing(&info))
    })
}

/// Reads the `flags:` line, octal; the access mode is its last two bits (`open(2)`).
fn is_writing(info: &str) -> bool {
    info.lines()
        .find_map(|line| line.strip_prefix("flags:"))
        .and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok())
        .is_some_and(|flags| flags & 0b11 != 0)
}

/// A process whose working directory lies in a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Working {
    /// Its id.
    pub id: u32,
    /// The name of its program, as the kernel keeps it (15 bytes at the most).
    pub name: String,
    /// The directory.
    pub dir: PathBuf,
}

/// The processes that have their working directory at `place` or below it, as far as this user may see.
#[must_use]
pub fn working_in(place: &Path) -> Vec<Working> {
    let Ok(place) = place.canonicalize() else { return Vec::new() };
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let mut found: Vec<Working> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter_map(|id| {
            let dir = fs::read_link(format!("/proc/{id}/cwd")).ok()?;
            if !dir.starts_with(&place) {
                return None;
            }
            let name = fs::read(format!("/proc/{id}/comm")).unwrap_or_default();
            let name = String::from_utf8_lossy(name.trim_ascii_end()).chars().filter(|c| !c.is_control()).collect();
            Some(Working { id, name, dir })
        })
        .collect();
    found.sort_by_key(|process| process.id);
    found
}

/// A name for marks that nothing else has: this process, its start and a counter.
pub(super) fn nonce() -> String {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    static START: OnceLock<u64> = OnceLock::new();
    let own = std::process::id();
    let start = START.get_or_init(|| row(own).map_or(0, |row| row.process.start));
    format!("{own:x}-{start:x}-{:x}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A short digest of a path, for marks that a later process of ours can make again.
pub(super) fn digest(path: &Path) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(path.as_os_str().as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// A mark that is in the environment of what is run in one place, or writes a log there: a later process of ours can make
/// it again to find what an earlier one left running.
#[must_use]
pub fn place_mark(path: &Path) -> String {
    format!("ao-place-{};", digest(path))
}

/// Ends whatever carries a mark in its environment, away from the async threads.
pub async fn end_marked(mark: String) {
    // A panic there would have found nothing to end.
    let _ = tokio::task::spawn_blocking(move || Tree::marked(&mark).end(SWEEP)).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_modes_are_read_from_the_last_two_bits() {
        assert!(!is_writing("pos:\t0\nflags:\t02100000\nmnt_id:\t12\n"));
        assert!(is_writing("pos:\t0\nflags:\t02100001\n"));
        assert!(is_writing("flags:\t0100002\n"));
    }

    #[test]
    fn no_mark_marks_nobody() {
        assert!(!has_mark(std::process::id(), ""));
        assert!(has_mark(std::process::id(), "CARGO_MANIFEST_DIR="));
        assert_eq!(Tree::marked("").scan(), []);
    }

    #[test]
    fn marks_differ_each_time_and_digests_do_not() {
        assert_ne!(nonce(), nonce());
        assert_eq!(digest(Path::new("/a")), digest(Path::new("/a")));
        assert_ne!(digest(Path::new("/a")), digest(Path::new("/b")));
    }
}
