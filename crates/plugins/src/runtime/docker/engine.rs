//! The connection to a Docker engine: where it is, and what its refusals mean.

use super::end::{End, State};
use ao_core::kind::{Fault, Kind};
use ao_slots::Answer;
use bollard::errors::Error;
use bollard::models::ContainerState;
use bollard::query_parameters::{
    InspectContainerOptions, KillContainerOptionsBuilder, RemoveContainerOptionsBuilder,
    ResizeContainerTTYOptionsBuilder, WaitContainerOptions,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use futures_util::StreamExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The variable that says where the engine is.
pub const DOCKER_HOST: &str = "DOCKER_HOST";

/// Where an engine listens unless somebody says otherwise.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// The scheme of the addresses that are understood.
const UNIX: &str = "unix://";

/// How long the engine may take for one request, in seconds: starting a container on a busy machine takes several.
const ANSWERS_WITHIN: u64 = 60;

/// The engine's socket for an address as in `DOCKER_HOST`.
///
/// # Errors
/// `invalid` for an address that is no local socket: what a session needs is mounted from this machine.
pub(super) fn socket(host: Option<&str>) -> Answer<PathBuf> {
    match host.filter(|host| !host.is_empty()) {
        None => Ok(PathBuf::from(DEFAULT_SOCKET)),
        Some(host) => match host.strip_prefix(UNIX) {
            Some(path) if path.starts_with('/') => Ok(PathBuf::from(path)),
            Some(_) | None => {
                let what = format!("{DOCKER_HOST} is {host:?}: sessions run in containers of this machine only");
                Err(Fault::invalid(what).hint(format!("set it to {UNIX}/PATH, or unset it for {DEFAULT_SOCKET}")))
            }
        },
    }
}

/// A live connection.
#[derive(Clone, Debug)]
pub(super) struct Engine {
    docker: Docker,
    socket: PathBuf,
}

impl Engine {
    /// Connects, and agrees on a version of the interface.
    ///
    /// # Errors
    /// `unavailable`, saying where nobody answers.
    pub(super) async fn open(socket: &Path) -> Answer<Self> {
        let connected = Docker::connect_with_unix(&socket.to_string_lossy(), ANSWERS_WITHIN, API_DEFAULT_VERSION);
        let docker = match connected {
            Ok(docker) => docker.negotiate_version().await,
            Err(error) => Err(error),
        };
        let docker = docker.map_err(|error| unreachable_on(socket, &error))?;
        Ok(Self { docker, socket: socket.to_owned() })
    }

    /// The client itself, for requests that only one place makes.
    pub(super) fn docker(&self) -> &Docker {
        &self.docker
    }

    /// How a container stands.
    ///
    /// # Errors
    /// When the engine does not say: nothing follows from that.
    pub(super) async fn state(&self, id: &str) -> Answer<State> {
        match self.docker.inspect_container(id, None::<InspectContainerOptions>).await {
            Ok(found) => found.state.as_ref().and_then(read).ok_or_else(|| {
                Fault::unavailable("the Docker engine does not say how its container stands".to_owned())
            }),
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(State::Absent),
            Err(error) => Err(self.fault("look at its container", &error)),
        }
    }

    /// Waits until a container has ended, at most so long; how it stands then.
    pub(super) async fn ended_within(&self, id: &str, limit: Duration) -> Answer<State> {
        let mut wait = self.docker.wait_container(id, None::<WaitContainerOptions>);
        // Any answer means a look: the code comes as an error when it is not 0, and a lost connection says nothing.
        let _ = tokio::time::timeout(limit, wait.next()).await;
        self.state(id).await
    }

    /// Sends a signal to a container's first process. One that has ended, or is gone, is what was wanted.
    pub(super) async fn signal(&self, id: &str, name: &str) -> Answer<()> {
        let options = KillContainerOptionsBuilder::default().signal(name).build();
        self.settled("signal its container", self.docker.kill_container(id, Some(options)).await)
    }

    /// Halts a container; repeated, it changes nothing.
    pub(super) async fn halt(&self, id: &str) -> Answer<()> {
        match self.state(id).await? {
            State::Running { paused: true } => Ok(()),
            State::Running { paused: false } => {
                let halted = self.docker.pause_container(id).await;
                self.unless(State::Running { paused: true }, id, "halt its container", halted).await
            }
            State::Created | State::Ended(_) | State::Absent => Err(Fault::conflict("its container does not run")),
        }
    }

    /// Lets a container go on that was halted; for any other it changes nothing.
    pub(super) async fn wake(&self, id: &str) -> Answer<()> {
        match self.state(id).await? {
            State::Running { paused: true } => {
                let woken = self.docker.unpause_container(id).await;
                self.unless(State::Running { paused: false }, id, "wake its container", woken).await
            }
            State::Running { paused: false } | State::Created | State::Ended(_) | State::Absent => Ok(()),
        }
    }

    /// A failure, unless somebody else has done the same at the same moment.
    async fn unless(&self, wanted: State, id: &str, doing: &str, result: Result<(), Error>) -> Answer<()> {
        match result {
            Err(error) if self.state(id).await? != wanted => Err(self.fault(doing, &error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Gives a container's terminal a size.
    pub(super) async fn resize(&self, id: &str, cols: u16, rows: u16) -> Answer<()> {
        let size = ResizeContainerTTYOptionsBuilder::default().w(cols.into()).h(rows.into()).build();
        self.docker.resize_container_tty(id, size).await.map_err(|e| self.fault("resize its terminal", &e))
    }

    /// Removes a container, and ends it if it runs; one that is gone is what was wanted.
    pub(super) async fn remove(&self, id: &str) -> Answer<()> {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        self.settled("remove its container", self.docker.remove_container(id, Some(options)).await)
    }

    fn settled(&self, doing: &str, result: Result<(), Error>) -> Answer<()> {
        match result {
            Ok(()) | Err(Error::DockerResponseServerError { status_code: 304 | 404 | 409, .. }) => Ok(()),
            Err(error) => Err(self.fault(doing, &error)),
        }
    }

    /// What a failure means for a session.
    pub(super) fn fault(&self, doing: &str, error: &Error) -> Fault {
        match error {
            Error::DockerResponseServerError { status_code, message } => {
                let kind = match status_code {
                    400 => Kind::Invalid,
                    404 => Kind::NotFound,
                    409 => Kind::Conflict,
                    _ => Kind::Unavailable,
                };
                Fault::new(kind, format!("the Docker engine could not {doing}: {message}"))
            }
            other => unreachable_on(&self.socket, other),
        }
    }
}

fn unreachable_on(socket: &Path, error: &Error) -> Fault {
    let denied = std::os::unix::net::UnixStream::connect(socket)
        .is_err_and(|e| e.kind() == std::io::ErrorKind::PermissionDenied);
    let what = format!("no Docker engine answers on {}: {error}", socket.display());
    Fault::unavailable(what).hint(if denied {
        "this user may not use it: add them to its group (`usermod -aG docker USER`, then log in again)".to_owned()
    } else {
        format!("start Docker, or set {DOCKER_HOST} to {UNIX}/PATH of its socket and restart the daemon")
    })
}

/// How a container stands; none when the engine does not say.
fn read(state: &ContainerState) -> Option<State> {
    use bollard::models::ContainerStateStatusEnum as Status;
    Some(match state.status? {
        Status::CREATED => State::Created,
        Status::RUNNING | Status::RESTARTING | Status::STOPPING => State::Running { paused: false },
        Status::PAUSED => State::Running { paused: true },
        Status::EXITED | Status::DEAD | Status::REMOVING => State::Ended(End {
            code: state.exit_code.unwrap_or(-1),
            out_of_memory: state.oom_killed == Some(true),
            error: state.error.clone().unwrap_or_default(),
            missing: false,
        }),
        Status::EMPTY => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sockets_of_this_machine_are_taken() {
        assert_eq!(socket(None).expect("the usual one"), Path::new("/var/run/docker.sock"));
        assert_eq!(socket(Some("")).expect("the usual one"), Path::new("/var/run/docker.sock"));
        assert_eq!(socket(Some("unix:///a/b.sock")).expect("that one"), Path::new("/a/b.sock"));
        for other in ["tcp://1.2.3.4:2375", "ssh://me@there", "unix://relative"] {
            assert_eq!(socket(Some(other)).expect_err("refused").kind, Kind::Invalid, "{other}");
        }
    }

    #[tokio::test]
    async fn an_engine_that_is_not_there_may_come_later() {
        let dir = tempfile::tempdir().expect("a directory");
        let fault = Engine::open(&dir.path().join("none.sock")).await.expect_err("nobody is there");
        assert_eq!(fault.kind, Kind::Unavailable);
        assert!(fault.message.contains("none.sock") && fault.hint.is_some_and(|hint| hint.contains("DOCKER_HOST")));
    }
}
