//! Takes a daemon that a verb started away from that verb's terminal, session and control group, and reports once.

use crate::connect::Report;
use crate::context::Context;
use ao_core::kind::{Fault, Kind};
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Name of the control group that a daemon makes for itself.
const GROUP: &str = "ao-daemon";

/// Leaves the caller.
///
/// # Errors
/// `denied` inside a session of the same data root: such a daemon would end with that session.
pub fn leave(context: &Context) -> Result<(), Fault> {
    if let Some(session) = session_around(context.paths.root()) {
        let fault = Fault::new(
            Kind::Denied,
            format!("no daemon runs, and one that is started inside session {session} would end with it"),
        );
        let fault = fault.hint("start it from a terminal outside of sessions: ao daemon start");
        report(&Report::Failed(ao_api::fault::ErrorView::from(&fault)));
        return Err(fault);
    }
    // Fails only for the leader of a process group, which has no terminal to lose then.
    let _ = rustix::process::setsid();
    leave_group();
    Ok(())
}

/// Says how starting went, to whoever started this, and closes standard output: nobody reads there any more.
pub fn report(report: &Report) {
    let mut out = io::stdout().lock();
    if let Ok(text) = serde_json::to_string(report) {
        // Whoever started this may have gone: the daemon serves all the same.
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }
    if let Ok(null) = fs::OpenOptions::new().write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdout(null);
    }
}

/// The session whose host is above this process, if it is one of this data root: a host's arguments name its directory.
fn session_around(root: &Path) -> Option<String> {
    let host = ao_host::platform::nearest_session(std::process::id()).host?;
    let line = fs::read(format!("/proc/{host}/cmdline")).ok()?;
    let real = fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    let inside = |arg: &[u8]| {
        let path = Path::new(std::ffi::OsStr::from_bytes(arg));
        let dir = if path.starts_with(root) || path.starts_with(&real) { path.parent()? } else { return None };
        dir.file_name()?.to_str()?.strip_suffix(".d").map(str::to_owned)
    };
    line.split(|b| *b == 0).find_map(inside)
}

/// Moves this process out of the control group of the terminal or login that it was started in, where the system lets it:
/// ending that group must not end the daemon. Only groups below a delegated one can be left without being root, and root
/// leaves none: what a service manager put somewhere stays there.
fn leave_group() {
    if rustix::process::geteuid().is_root() {
        return;
    }
    let Some(own) = own_group() else { return };
    for above in own.ancestors().skip(1).take_while(|a| a.join("cgroup.procs").exists()) {
        let group = above.join(GROUP);
        let made = fs::create_dir(&group);
        let usable = made.is_ok() || made.is_err_and(|e| e.kind() == io::ErrorKind::AlreadyExists);
        if usable && fs::write(group.join("cgroup.procs"), "0").is_ok() {
            return;
        }
        // Empty groups go away; one that another daemon is in stays.
        let _ = fs::remove_dir(&group);
    }
}

/// This process's directory on the cgroup2 mount.
fn own_group() -> Option<PathBuf> {
    let text = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = text.lines().find_map(|l| l.strip_prefix("0::/"))?;
    ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
        .iter()
        .map(|m| Path::new(m).join(path))
        .find(|d| d.join("cgroup.procs").exists())
}
