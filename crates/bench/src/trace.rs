//! Counts system calls of a running process with strace, where strace is there and tracing is allowed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::process;

/// What to do when there is no tracing.
pub const HINT: &str = "install strace (apt-get install strace, dnf install strace) and allow ptrace";

/// How long strace may take to attach to every thread, or to leave them.
const LIMIT: Duration = Duration::from_secs(10);

/// A strace at work.
#[derive(Debug)]
pub struct Trace {
    strace: Child,
    /// Kept open: strace would end at a line that nobody can read any more.
    _said: BufReader<ChildStderr>,
    output: PathBuf,
    traced: Vec<u32>,
}

impl Trace {
    /// Attaches to a process and all that it starts; `calls` as strace's `-e trace=` takes them.
    pub fn attach(pid: u32, calls: &str, output: &Path) -> Result<Self> {
        Self::attach_all(vec![pid], calls, output)
    }

    /// Attaches to several processes.
    pub fn attach_all(pids: Vec<u32>, calls: &str, output: &Path) -> Result<Self> {
        let mut strace = Command::new("strace")
            .args(["-f", "-e", &format!("trace={calls}"), "-e", "signal=none", "-o"])
            .arg(output)
            .args(pids.iter().flat_map(|pid| ["-p".to_owned(), pid.to_string()]))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("strace does not run: {HINT}"))?;
        let Some(said) = strace.stderr.take() else { bail!("strace has no standard error") };
        let mut line = String::new();
        let mut said = BufReader::new(said);
        said.read_line(&mut line)?;
        let mut trace = Self { strace, _said: said, output: output.to_owned(), traced: pids };
        if !line.contains("attached") {
            trace.strace.wait()?;
            bail!("strace may not trace ({}): {HINT}", line.trim());
        }
        // The first line is of the first thread; it traces the others within moments.
        let begin = Instant::now();
        while !trace.has_all() && begin.elapsed() < LIMIT {
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(trace)
    }

    fn has_all(&self) -> bool {
        let is_traced = |pid: u32, tid: &u32| {
            let status = fs::read_to_string(format!("/proc/{pid}/task/{tid}/status")).unwrap_or_default();
            !status.contains("TracerPid:\t0\n")
        };
        self.traced.iter().all(|&pid| process::thread_ids(pid).iter().all(|tid| is_traced(pid, tid)))
    }

    /// Detaches; every call that ended meanwhile, with the process or thread that made it, in order.
    pub fn detach(mut self) -> Result<Vec<Call>> {
        self.end()?;
        let text = fs::read_to_string(&self.output).context("what strace wrote")?;
        Ok(text.lines().filter_map(Call::read).collect())
    }

    fn end(&mut self) -> Result<()> {
        if let Some(pid) = i32::try_from(self.strace.id()).ok().and_then(Pid::from_raw) {
            kill_process(pid, Signal::INT)?;
        }
        self.strace.wait()?;
        Ok(())
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        // After `detach` it is gone already, and its id is not used again while we have not waited for it.
        if matches!(self.strace.try_wait(), Ok(None)) {
            drop(self.end());
        }
    }
}

/// One system call that somebody made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Process or thread.
    pub by: u32,
    pub name: String,
    /// First argument of `execve`: the program.
    pub program: Option<String>,
}

impl Call {
    /// Reads a line of strace: `PID NAME(ARGUMENTS) = RESULT`, or `PID <... NAME resumed>…`.
    fn read(line: &str) -> Option<Self> {
        let (by, rest) = line.split_once(' ')?;
        let by = by.parse().ok()?;
        let rest = rest.trim_start();
        if let Some(rest) = rest.strip_prefix("<... ") {
            let name = rest.split(' ').next()?.to_owned();
            // Known from its beginning, because that line has the program.
            return (name != "execve").then_some(Self { by, name, program: None });
        }
        let (name, arguments) = rest.split_once('(')?;
        let is_word = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if name == "execve" {
            let program = arguments.split('"').nth(1).map(str::to_owned);
            return Some(Self { by, name: name.to_owned(), program });
        }
        // An unfinished one is counted where it ends; what never ends was waiting all the time.
        if !is_word || arguments.contains("<unfinished ...>") || arguments.contains("<detached ...>") {
            return None;
        }
        Some(Self { by, name: name.to_owned(), program: None })
    }
}

/// Calls by name, most frequent first.
pub fn by_name(calls: &[Call]) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for call in calls {
        *counts.entry(&call.name).or_default() += 1;
    }
    let mut all: Vec<(String, usize)> = counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
    all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_counts_once_where_it_ends() {
        let names = |text: &str| text.lines().filter_map(Call::read).map(|call| call.name).collect::<Vec<_>>();
        assert_eq!(names("12 fdatasync(7) = 0"), ["fdatasync"]);
        assert_eq!(
            names("12    epoll_wait(3, <unfinished ...>\n12 <... epoll_wait resumed>[], 1) = 0"),
            ["epoll_wait"]
        );
        assert!(names("12 epoll_wait(3, <detached ...>\n12 +++ exited with 0 +++").is_empty());
    }

    #[test]
    fn the_program_of_an_execve_is_known() {
        let call = Call::read(r#"9 execve("/usr/bin/git", ["git", "x"], 0x1 /* 9 vars */) = 0"#).unwrap();
        assert_eq!(call.program.as_deref(), Some("/usr/bin/git"));
    }
}
