//! Ending a session: ask, wait, then kill until nothing is left.
//!
//! Agents run their tools in sessions of their own, so process groups are not enough (`reference/agents.md` §5b):
//! everything that descends from the host counts.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::conn::Asker;
use crate::platform::{Bounds, Cgroup, TreeUsage, descendants, usage};
use crate::record::Tree;

/// What is left of the grace for processes that outlive the agent.
pub(super) const LEFTOVER_GRACE: Duration = Duration::from_millis(500);
/// Time between two looks while killing.
const KILL_TICK: Duration = Duration::from_millis(10);
/// When killing is given up: what survives SIGKILL that long sits in the kernel.
const GIVE_UP: Duration = Duration::from_secs(10);
/// Most rounds of stopping new processes in one look.
const WALKS: usize = 16;

/// How far a stop has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Keys were typed; signals follow at this time.
    Keys(Instant),
    /// Signals were sent.
    Asked,
    /// The agent is gone, the rest was asked as well.
    Leftovers,
    /// Killing since then; so many looks in a row found nothing.
    Killing(Instant, u8),
}

/// A stop in progress.
#[derive(Debug)]
pub(super) struct Stopping {
    phase: Phase,
    kill_at: Instant,
    pub askers: Vec<Asker>,
}

/// What a look led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Look again then, or when a child ends.
    Wait(Instant),
    /// Nothing is left.
    Clean,
    /// Something is left that cannot be killed.
    GivenUp,
}

/// The processes of a session.
#[derive(Debug)]
pub(super) struct Family {
    pub host: u32,
    pub child: u32,
    pub cgroup: Option<Cgroup>,
    pub bounds: Bounds,
    /// Whether its processes are halted on request.
    pub frozen: bool,
    /// Whether orphans come to the host, so that the scan sees all.
    pub adopts: bool,
}

impl Family {
    /// Everything that is left, as far as it can be told.
    pub fn left(&self) -> Vec<u32> {
        let mut pids = descendants(self.host);
        if let Some(inside) = self.cgroup.as_ref().and_then(|group| group.pids().ok()) {
            pids.extend(inside);
        }
        pids.sort_unstable();
        pids.dedup();
        pids
    }

    /// The same as a fact for others.
    pub fn tree(&self) -> Tree {
        if !self.adopts && self.cgroup.is_none() {
            return Tree::Unknown;
        }
        let pids = self.left();
        let inside = self.cgroup.as_ref().is_some_and(|group| !group.is_empty().unwrap_or(true));
        if pids.is_empty() && !inside { Tree::Empty } else { Tree::Left { pids } }
    }

    /// Sends a signal to every process. Those that are gone meanwhile are fine.
    pub fn signal_all(&self, signal: Signal) {
        for pid in self.left() {
            send(pid, signal);
        }
    }

    /// Asks the agent's process group and the terminal's foreground group to leave.
    pub fn ask(&self, foreground: Option<Pid>) {
        let child = Pid::from_raw(i32::try_from(self.child).unwrap_or(0));
        let mut groups: Vec<Pid> = [child, foreground].into_iter().flatten().collect();
        groups.dedup();
        for group in groups {
            for signal in [Signal::HUP, Signal::TERM, Signal::CONT] {
                // A group that is gone is what was asked for.
                let _ = kill_process_group(group, signal);
            }
        }
    }

    /// Kills everything without a word, as far as it goes at once.
    pub fn end_at_once(&self) {
        self.kill();
        kill_child(self, true);
        self.remove_groups();
    }

    /// Removes its control groups; those that still have processes stay.
    pub fn remove_groups(&self) {
        if let Some(group) = &self.cgroup {
            group.remove();
        }
        self.bounds.remove();
    }

    /// Whether every process can be reached, to be halted.
    pub fn can_freeze(&self) -> bool {
        self.cgroup.is_some() || self.adopts
    }

    /// Halts every process, or lets all go on.
    ///
    /// Without a group that can, each is told by signal: parents are halted first and woken last, so that no shell sees its
    /// job stop.
    pub fn set_frozen(&mut self, frozen: bool) {
        self.frozen = frozen;
        if self.cgroup.as_ref().is_some_and(|group| group.set_frozen(frozen).is_ok()) {
            return;
        }
        let pids = self.left();
        if frozen {
            self.halt();
        } else {
            pids.iter().rev().for_each(|pid| send(*pid, Signal::CONT));
        }
    }

    /// What they use now.
    pub fn usage(&self) -> TreeUsage {
        usage(self.host, &self.left(), self.cgroup.as_ref(), &self.bounds)
    }

    /// Halts all, so that none can start another, then kills them.
    fn kill(&self) {
        if let Some(group) = &self.cgroup {
            // A kernel that cannot leaves the work to the walk.
            drop(group.kill());
        }
        self.halt().into_iter().for_each(|pid| send(pid, Signal::KILL));
    }

    /// Halts one after the other until none is new; a halted one starts no other.
    fn halt(&self) -> Vec<u32> {
        let mut halted: Vec<u32> = Vec::new();
        for _ in 0..WALKS {
            let new: Vec<u32> = self.left().into_iter().filter(|pid| !halted.contains(pid)).collect();
            if new.is_empty() {
                break;
            }
            new.iter().for_each(|pid| send(*pid, Signal::STOP));
            halted.extend(new);
        }
        halted
    }
}

fn send(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // Gone is fine; not permitted shows in the next scan.
        let _ = kill_process(pid, signal);
    }
}

impl Stopping {
    /// Starts a stop; with keys typed, signals wait for half the grace.
    pub fn begin(family: &Family, grace: Duration, keys_typed: bool, foreground: Option<Pid>, now: Instant) -> Self {
        let phase = if keys_typed {
            Phase::Keys(now + grace / 2)
        } else {
            family.ask(foreground);
            Phase::Asked
        };
        Self { phase, kill_at: now + grace, askers: Vec::new() }
    }

    /// A second request may only shorten the grace.
    pub fn hurry(&mut self, grace: Duration, now: Instant) {
        self.kill_at = self.kill_at.min(now + grace);
    }

    /// Looks how things are and does the next step. Ended children must have been waited for.
    pub fn look(&mut self, family: &Family, child_lives: bool, foreground: Option<Pid>, now: Instant) -> Progress {
        let left = family.tree();
        if let Phase::Killing(since, empty) = self.phase {
            if left == Tree::Empty || (left == Tree::Unknown && !child_lives) {
                if empty > 0 {
                    return Progress::Clean;
                }
                self.phase = Phase::Killing(since, 1);
            } else if now.saturating_duration_since(since) > GIVE_UP {
                return Progress::GivenUp;
            } else {
                self.phase = Phase::Killing(since, 0);
                family.kill();
                kill_child(family, child_lives);
            }
            return Progress::Wait(now + KILL_TICK);
        }
        if left == Tree::Empty && !child_lives {
            return Progress::Clean;
        }
        if !child_lives && self.phase != Phase::Leftovers {
            self.phase = Phase::Leftovers;
            self.kill_at = self.kill_at.min(now + LEFTOVER_GRACE);
            [Signal::HUP, Signal::TERM, Signal::CONT].into_iter().for_each(|signal| family.signal_all(signal));
        }
        if now >= self.kill_at {
            self.phase = Phase::Killing(now, 0);
            family.kill();
            kill_child(family, child_lives);
            return Progress::Wait(now + KILL_TICK);
        }
        if let Phase::Keys(ask_at) = self.phase {
            if now < ask_at {
                return Progress::Wait(ask_at.min(self.kill_at));
            }
            family.ask(foreground);
            self.phase = Phase::Asked;
        }
        Progress::Wait(self.kill_at)
    }
}

/// Kills the agent itself and its group, for systems where it is all that is known.
fn kill_child(family: &Family, child_lives: bool) {
    if child_lives && let Some(pid) = i32::try_from(family.child).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(pid, Signal::KILL);
        let _ = kill_process(pid, Signal::KILL);
    }
}
