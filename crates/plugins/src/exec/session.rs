//! A child in a session of its own, without a controlling terminal that it could ask questions on.
//!
//! The one place of this crate with code between `fork` and `exec`.

use tokio::process::Command;

/// Makes the child call `setsid` before its program starts, so that its session id is its process id.
pub(super) fn of_its_own(command: &mut Command) {
    // SAFETY: between fork and exec only setsid(2) is called, which is async-signal-safe, allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            Ok(())
        });
    }
}
