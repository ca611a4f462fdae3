//! The few calls that no safe interface offers: fork, signal handlers, the child's steps before exec.
//!
//! Nothing here decides anything; each function is as small as its promise allows.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::fs::Mode;

/// Highest classic signal number; real-time signals keep what they are, nobody sets them here.
const LAST_SIGNAL: libc::c_int = 31;

/// Which side of a fork one is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fork {
    /// The one that called, with the other's process id.
    Parent(u32),
    /// The new one.
    Child,
}

/// Splits the process in two.
///
/// # Errors
/// When the system has no room for another process.
pub fn fork() -> io::Result<Fork> {
    // SAFETY: the host calls this before it starts any thread (it never starts one), so the child owns every lock
    // that exists and may go on as a normal program. The guardian of `ao attach` only makes system calls.
    let pid = unsafe { libc::fork() };
    match u32::try_from(pid) {
        Err(_) => Err(io::Error::last_os_error()),
        Ok(0) => Ok(Fork::Child),
        Ok(pid) => Ok(Fork::Parent(pid)),
    }
}

/// `CLONE_INTO_CGROUP` of `linux/sched.h` (Linux 5.7).
#[cfg(target_os = "linux")]
const INTO_CGROUP: u64 = 0x2_0000_0000;

/// Splits the process in two; the new one is in the control group whose directory this is from its first moment.
///
/// A process that enters a group later waits until every CPU has taken notice of that, about ten milliseconds.
///
/// # Errors
/// When the kernel or a filter of system calls refuses; the process is whole then.
pub fn fork_into(group: BorrowedFd<'_>) -> io::Result<Fork> {
    #[cfg(target_os = "linux")]
    {
        let exit_signal = u64::from(libc::SIGCHLD.unsigned_abs());
        let group = u64::from(group.as_raw_fd().unsigned_abs());
        // `struct clone_args`, second version: flags, four that are not used but for the signal, stack (two), tls,
        // set_tid (two), cgroup.
        let args: [u64; 11] = [INTO_CGROUP, 0, 0, 0, exit_signal, 0, 0, 0, 0, 0, group];
        // SAFETY: without a stack of its own the new process goes on here on a copy of everything, as after `fork`,
        // which the host calls under the same promise: there is no other thread.
        let pid = unsafe { libc::syscall(libc::SYS_clone3, args.as_ptr(), size_of_val(&args)) };
        match u32::try_from(pid) {
            Err(_) => Err(io::Error::last_os_error()),
            Ok(0) => Ok(Fork::Child),
            Ok(pid) => Ok(Fork::Parent(pid)),
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = group;
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Ends the process at once: nothing is unwound, flushed or dropped.
pub fn exit_at_once(code: i32) -> ! {
    // SAFETY: it only makes the system call.
    unsafe { libc::_exit(code) }
}

/// Ignores a signal from now on; programs started by [`before_exec`] get its default back.
pub fn ignore_signal(signal: rustix::process::Signal) {
    // SAFETY: SIG_IGN runs no code of ours.
    unsafe { libc::signal(signal.as_raw(), libc::SIG_IGN) };
}

/// Where the handler writes; -1 while nobody listens.
static WAKE: AtomicI32 = AtomicI32::new(-1);

extern "C" fn on_signal(signal: libc::c_int) {
    let byte = [u8::try_from(signal).unwrap_or(0)];
    // SAFETY: write is async-signal-safe, errno is put back, and WAKE names a socket that lives as long as the
    // handler is set (see `Signals`); a full socket loses the byte, which is fine: one unread byte wakes as well.
    unsafe {
        let errno = errno_place();
        let before = *errno;
        libc::write(WAKE.load(Ordering::Relaxed), byte.as_ptr().cast(), 1);
        *errno = before;
    }
}

#[cfg(target_os = "linux")]
use libc::__errno_location as errno_place;
#[cfg(not(target_os = "linux"))]
use libc::__error as errno_place;

/// Signals as bytes of a socket that a poll loop can wait for. One per process at a time.
#[derive(Debug)]
pub struct Signals {
    reader: UnixStream,
    _writer: UnixStream,
    watched: Vec<libc::c_int>,
}

impl Signals {
    /// Catches these signals.
    ///
    /// # Errors
    /// When there is no room for a socket, or signals are caught already.
    pub fn catch(signals: &[rustix::process::Signal]) -> io::Result<Self> {
        let (reader, writer) = UnixStream::pair()?;
        reader.set_nonblocking(true)?;
        writer.set_nonblocking(true)?;
        if WAKE.compare_exchange(-1, writer.as_raw_fd(), Ordering::SeqCst, Ordering::SeqCst).is_err() {
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, "signals are caught already"));
        }
        let caught = Self { reader, _writer: writer, watched: signals.iter().map(|signal| signal.as_raw()).collect() };
        for &signal in &caught.watched {
            // SAFETY: an all-zero sigaction is a valid one (no flags, empty mask), and the handler is
            // async-signal-safe.
            let failed = unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                action.sa_sigaction = on_signal as extern "C" fn(libc::c_int) as libc::sighandler_t;
                action.sa_flags = libc::SA_RESTART;
                libc::sigaction(signal, &raw const action, std::ptr::null_mut())
            };
            if failed != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(caught)
    }

    /// The socket to wait for.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        use std::os::fd::AsFd;
        self.reader.as_fd()
    }

    /// Takes the numbers of the signals that came, oldest first.
    #[must_use]
    pub fn take(&self) -> Vec<i32> {
        use std::io::Read;
        let mut all = Vec::new();
        let mut bytes = [0; 64];
        while let Ok(count @ 1..) = (&self.reader).read(&mut bytes) {
            all.extend(bytes[..count].iter().map(|&byte| i32::from(byte)));
        }
        all
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for &signal in &self.watched {
            // SAFETY: SIG_DFL runs no code of ours.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
        WAKE.store(-1, Ordering::SeqCst);
    }
}

/// Prepares what the child does between fork and exec: a session of its own with standard input as the controlling
/// terminal, every signal at its default and unblocked, the given file mode mask, and its control groups.
pub fn before_exec(command: &mut Command, umask: Mode, groups: Vec<File>) {
    let steps = move || {
        rustix::process::setsid()?;
        // SAFETY: standard input is the terminal: `Command` has put it at descriptor 0 before it calls this.
        let terminal = unsafe { BorrowedFd::borrow_raw(0) };
        rustix::process::ioctl_tiocsctty(terminal)?;
        for mut procs in &groups {
            procs.write_all(b"0")?;
        }
        rustix::process::umask(umask);
        // SAFETY: signal, sigemptyset and sigprocmask are async-signal-safe, and the set is initialised by
        // sigemptyset before it is read.
        unsafe {
            for signal in 1..=LAST_SIGNAL {
                libc::signal(signal, libc::SIG_DFL);
            }
            let mut none: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut none);
            libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
        }
        Ok(())
    };
    // SAFETY: the steps only make system calls on values prepared before the fork; they allocate nothing.
    unsafe { command.pre_exec(steps) };
}

/// Closes whatever the caller left open beyond standard input, output and error.
///
/// Only for a program's first line, or a child that ends soon: descriptors belong to values that would not know.
pub fn close_inherited() {
    #[cfg(target_os = "linux")]
    // SAFETY: the caller promises that no value owns a descriptor from 3 on; a kernel before 5.9 refuses, which
    // leaves them open and harms nothing.
    unsafe {
        libc::syscall(libc::SYS_close_range, 3 as libc::c_uint, libc::c_uint::MAX, 0 as libc::c_uint);
    }
}

/// Gives memory that nothing uses any more back to the system, where the allocator would keep it.
pub fn give_memory_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim touches only memory that is free.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Makes a named pipe that only its owner may use.
///
/// # Errors
/// When there is something of that name already, or the directory cannot be written.
pub fn make_fifo(path: &Path) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: the path is a string that ends with a zero and lives as long as the call.
    let failed = unsafe { libc::mkfifo(path.as_ptr(), 0o600) };
    if failed == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Asks the system for the user of whoever connected (`getpeereid` of the BSDs).
///
/// # Errors
/// When the socket is no local one.
#[cfg(not(target_os = "linux"))]
pub fn peer_user(socket: BorrowedFd<'_>) -> io::Result<u32> {
    let (mut uid, mut gid) = (0, 0);
    // SAFETY: the call writes one value of the right type into each of the two places.
    let failed = unsafe { libc::getpeereid(socket.as_raw_fd(), &raw mut uid, &raw mut gid) };
    if failed == 0 { Ok(uid) } else { Err(io::Error::last_os_error()) }
}

/// Asks the kernel for user and process id of whoever connected; the process id is 0 when it is not visible here.
///
/// # Errors
/// When the socket is no local one.
#[cfg(target_os = "linux")]
pub fn peer_credentials(socket: BorrowedFd<'_>) -> io::Result<(u32, u32)> {
    let mut credentials = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut length = libc::socklen_t::try_from(size_of::<libc::ucred>()).expect("a dozen bytes");
    // SAFETY: the kernel writes at most `length` bytes into a value of that size, and every bit pattern of it is valid.
    let failed = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut credentials).cast(),
            &raw mut length,
        )
    };
    if failed != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok((credentials.uid, u32::try_from(credentials.pid).unwrap_or(0)))
}
