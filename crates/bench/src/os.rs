//! The few calls of the system that no safe interface offers: usage of an ended child, the CPU clock of another process,
//! a child on a terminal of its own, and interrupts as a flag.

#![expect(unsafe_code, reason = "wait4, clock_gettime of another process, pre_exec and signal have no safe interface")]

use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// What an ended process has used.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// As of wait(2).
    pub status: i32,
    /// User and system time, of its own waited-for children too.
    pub cpu: Duration,
    /// Most resident memory, kilobytes. Never less than this program's own, which the child was for a moment.
    pub max_rss_kb: u64,
}

/// Waits for a child and returns what it used. The child must not be waited for elsewhere.
pub fn wait(pid: u32) -> io::Result<Usage> {
    let pid = libc::pid_t::try_from(pid).map_err(io::Error::other)?;
    let mut status = 0;
    loop {
        // SAFETY: an all-zero rusage is a valid one, and the kernel writes only into the two values given.
        let (ended, usage) = unsafe {
            let mut usage: libc::rusage = std::mem::zeroed();
            (libc::wait4(pid, &raw mut status, 0, &raw mut usage), usage)
        };
        if ended == pid {
            let max_rss_kb = u64::try_from(usage.ru_maxrss).unwrap_or(0);
            return Ok(Usage { status, cpu: duration(usage.ru_utime) + duration(usage.ru_stime), max_rss_kb });
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

fn duration(time: libc::timeval) -> Duration {
    let micros = u64::try_from(time.tv_usec).unwrap_or(0);
    Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or(0)) + Duration::from_micros(micros)
}

/// CPU time that a living process has used in all its threads, to the nanosecond (`/proc/PID/stat` has ticks of 10 ms).
pub fn cpu_clock(pid: u32) -> io::Result<Duration> {
    let pid = libc::pid_t::try_from(pid).map_err(io::Error::other)?;
    // SAFETY: an all-zero timespec is a valid one; both calls write only into the values given.
    let (failed, time) = unsafe {
        let mut clock: libc::clockid_t = 0;
        let mut time: libc::timespec = std::mem::zeroed();
        let failed =
            libc::clock_getcpuclockid(pid, &raw mut clock) != 0 || libc::clock_gettime(clock, &raw mut time) != 0;
        (failed, time)
    };
    if failed {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("process {pid} is not there")));
    }
    let nanos = u64::try_from(time.tv_nsec).unwrap_or(0);
    Ok(Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or(0)) + Duration::from_nanos(nanos))
}

/// Makes the command's standard input, a terminal, the controlling one of a session of its own.
pub fn on_own_terminal(command: &mut Command) {
    let steps = || {
        rustix::process::setsid()?;
        // SAFETY: standard input is the terminal: `Command` has put it at descriptor 0 before it calls this.
        let terminal = unsafe { BorrowedFd::borrow_raw(0) };
        Ok(rustix::process::ioctl_tiocsctty(terminal)?)
    };
    // SAFETY: the steps are two system calls; they allocate nothing.
    unsafe { command.pre_exec(steps) };
}

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

extern "C" fn on_interrupt(_: libc::c_int) {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

/// From now on an interrupt is noticed by [`go_on`], so that everything that was started is ended first.
pub fn catch_interrupts() {
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        // SAFETY: the handler stores into an atomic and does nothing else.
        unsafe { libc::signal(signal, on_interrupt as extern "C" fn(libc::c_int) as libc::sighandler_t) };
    }
}

/// Lets time pass, unless the user interrupts.
pub fn pass(time: Duration) -> Result<()> {
    let begin = Instant::now();
    while let Some(left) = time.checked_sub(begin.elapsed()) {
        go_on()?;
        std::thread::sleep(left.min(Duration::from_millis(250)));
    }
    Ok(())
}

/// Fails once the user has interrupted.
pub fn go_on() -> Result<()> {
    if INTERRUPTED.load(Ordering::Relaxed) {
        bail!("interrupted");
    }
    Ok(())
}
