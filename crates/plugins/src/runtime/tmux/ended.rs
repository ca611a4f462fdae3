//! Waiting for the end of a process that is not our child: tmux tells nobody of it.

#[cfg(target_os = "linux")]
mod system {
    use rustix::process::{Pid, PidfdFlags, pidfd_open};
    use tokio::net::unix::pipe::Receiver;

    /// A descriptor that is readable when the process has ended. It is no pipe; what the runtime has for pipes waits for any.
    pub(super) struct Handle(Receiver);

    impl Handle {
        pub(super) fn of(pid: u32) -> Option<Self> {
            let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
            let handle = pidfd_open(pid, PidfdFlags::NONBLOCK).ok()?;
            Receiver::from_owned_fd_unchecked(handle).ok().map(Self)
        }

        pub(super) async fn wait(&self) -> bool {
            self.0.readable().await.is_ok()
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    /// There is no such handle here.
    pub(super) enum Handle {}

    impl Handle {
        pub(super) fn of(_pid: u32) -> Option<Self> {
            None
        }

        pub(super) async fn wait(&self) -> bool {
            match *self {}
        }
    }
}

use std::time::Duration;

/// Between two looks at a process for which there is no handle: its end is told that much later.
const LOOK: Duration = Duration::from_secs(1);

/// The end of a process.
pub(super) struct Ended {
    pid: u32,
    handle: Option<system::Handle>,
}

impl Ended {
    /// Of this process. The caller looks once more after this, so that one that ended before is not waited for.
    pub(super) fn of(pid: u32) -> Self {
        Self { pid, handle: system::Handle::of(pid) }
    }

    /// Waits for it.
    pub(super) async fn wait(&mut self) {
        if let Some(handle) = &self.handle
            && handle.wait().await
        {
            return;
        }
        let pid = i32::try_from(self.pid).ok().and_then(rustix::process::Pid::from_raw);
        while pid.is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok()) {
            tokio::time::sleep(LOOK).await;
        }
    }
}
