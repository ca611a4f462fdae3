//! The processes of a launch in tmux: asked to leave, ended, halted, counted.
//!
//! A control group of its own holds them together; without one only those that descend from the agent are known, and what
//! is left is not.

use ao_core::limits::Limits;
use ao_host::exec_launch::AgentRecord;
use ao_host::platform::{self, Bounds, Cgroup};
use ao_host::spec::LaunchSpec;
use ao_slots::runtime::Usage;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// What is left of the grace for processes that outlive the agent, as with session hosts.
const LEFTOVER_GRACE: Duration = Duration::from_millis(500);
/// Time between two looks.
const TICK: Duration = Duration::from_millis(10);
/// When killing is given up: what survives SIGKILL that long sits in the kernel.
const GIVE_UP: Duration = Duration::from_secs(10);
/// Halting takes the kernel microseconds, unless a process sits in it.
const HALTS_WITHIN: Duration = Duration::from_secs(2);

/// The processes of a launch.
pub(super) struct Family {
    agent: u32,
    group: Option<Cgroup>,
    bounds: Bounds,
    limits: Limits,
    /// Without a group: those that were seen, each with its start.
    known: BTreeMap<u32, u64>,
}

impl Family {
    /// The family of the agent with this process id.
    pub(super) fn of(agent: u32, dir: &Path) -> Self {
        let record = AgentRecord::read(dir);
        let group = record.as_ref().and_then(AgentRecord::group);
        let bounds = record.as_ref().map(AgentRecord::older_groups).unwrap_or_default();
        // A process that took the number of an agent that ended is none of ours.
        let agent = if record.is_some_and(|record| record.is_running() == Some(false)) { 0 } else { agent };
        let limits = LaunchSpec::read(dir).map(|spec| spec.limits).unwrap_or_default();
        let limits =
            Limits { memory_bytes: limits.memory_bytes, processes: limits.processes, cpu_percent: limits.cpu_percent };
        Self { agent, group, bounds, limits, known: BTreeMap::new() }
    }

    /// Everything that runs, as far as it can be told.
    fn left(&mut self) -> Vec<u32> {
        if let Some(group) = &self.group {
            return match group.is_empty() {
                Ok(false) => group.pids().unwrap_or_default(),
                // Gone is empty.
                Ok(true) | Err(_) => Vec::new(),
            };
        }
        if self.agent != 0 {
            let found = platform::descendants(self.agent).into_iter().chain([self.agent]);
            self.known.extend(found.filter_map(|pid| Some((pid, platform::start_ticks(pid)?))));
        }
        self.known.retain(|pid, start| platform::start_ticks(*pid) == Some(*start));
        self.known.keys().copied().collect()
    }

    fn agent_lives(&self) -> bool {
        self.agent != 0 && platform::start_ticks(self.agent).is_some()
    }

    /// Asks the agent's process group and the terminal's foreground group to leave.
    fn ask(&self) {
        if self.agent == 0 {
            return;
        }
        let mut groups = vec![self.agent];
        groups.extend(foreground(self.agent).filter(|group| *group != self.agent));
        for group in groups.into_iter().filter_map(pid) {
            for signal in [Signal::HUP, Signal::TERM, Signal::CONT] {
                // A group that is gone is what was asked for.
                let _ = kill_process_group(group, signal);
            }
        }
    }

    /// Ends everything: politely for `grace`, then by force. The processes that could not be ended.
    pub(super) fn end(&mut self, grace: Duration) -> Vec<u32> {
        let begin = Instant::now();
        let mut kill_at = begin + grace;
        let mut asked_rest = false;
        self.ask();
        self.set_frozen(false);
        while Instant::now() < kill_at {
            let left = self.left();
            if left.is_empty() && !self.agent_lives() {
                return Vec::new();
            }
            if !self.agent_lives() && !asked_rest {
                asked_rest = true;
                kill_at = kill_at.min(Instant::now() + LEFTOVER_GRACE);
                for signal in [Signal::HUP, Signal::TERM, Signal::CONT] {
                    left.iter().for_each(|pid| send(*pid, signal));
                }
            }
            std::thread::sleep(TICK);
        }
        self.kill()
    }

    /// Kills everything; two empty looks in a row are the proof.
    fn kill(&mut self) -> Vec<u32> {
        let until = Instant::now() + GIVE_UP;
        let mut empty = 0;
        loop {
            let left = self.left();
            empty = if left.is_empty() { empty + 1 } else { 0 };
            if empty > 1 || Instant::now() > until {
                return left;
            }
            if !left.is_empty() {
                if let Some(group) = &self.group {
                    // A kernel that cannot leaves the work to the signals.
                    drop(group.kill());
                }
                // Halted first, so that none can start another meanwhile.
                left.iter().for_each(|pid| send(*pid, Signal::STOP));
                left.iter().for_each(|pid| send(*pid, Signal::KILL));
            }
            std::thread::sleep(TICK);
        }
    }

    /// Whether it can be told what is left.
    pub(super) fn is_held(&self) -> bool {
        self.group.is_some()
    }

    /// Removes groups that are empty.
    pub(super) fn remove(&self) {
        if let Some(group) = &self.group {
            group.remove();
        }
        self.bounds.remove();
    }

    fn set_frozen(&self, frozen: bool) -> bool {
        self.group.as_ref().is_some_and(|group| group.set_frozen(frozen).is_ok())
    }

    /// Halts everything, or lets it go on, and waits until that is so. False: it cannot be done here.
    pub(super) fn freeze(&self, frozen: bool) -> bool {
        if !self.set_frozen(frozen) {
            return false;
        }
        let until = Instant::now() + HALTS_WITHIN;
        while self.is_frozen("cgroup.events") != frozen && Instant::now() < until {
            std::thread::sleep(TICK);
        }
        true
    }

    /// Whether it is halted.
    pub(super) fn frozen(&self) -> bool {
        self.is_frozen("cgroup.freeze")
    }

    fn is_frozen(&self, file: &str) -> bool {
        let Some(group) = &self.group else { return false };
        let text = std::fs::read_to_string(group.dir().join(file)).unwrap_or_default();
        text.lines().any(|line| matches!(line, "frozen 1" | "1"))
    }

    /// What it uses.
    pub(super) fn usage(&mut self) -> Usage {
        let pids = self.left();
        let usage = platform::usage(self.agent, &pids, self.group.as_ref(), &self.bounds);
        Usage {
            cpu_us: usage.cpu_us,
            memory_bytes: usage.memory_bytes,
            processes: usage.processes,
            frozen: self.frozen(),
            limits: self.limits,
        }
    }
}

fn pid(number: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(number).ok()?)
}

fn send(number: u32, signal: Signal) {
    if let Some(pid) = pid(number) {
        // Gone is fine; what may not be killed shows in the next look.
        let _ = kill_process(pid, signal);
    }
}

/// The foreground process group of a process's terminal (`/proc/PID/stat`, field 8).
fn foreground(agent: u32) -> Option<u32> {
    let text = std::fs::read_to_string(format!("/proc/{agent}/stat")).ok()?;
    // The name, field 2, stands in parentheses and may hold anything, so fields are counted from its end.
    text.get(text.rfind(')')? + 1..)?.split_ascii_whitespace().nth(5)?.parse().ok().filter(|group| *group > 1)
}
