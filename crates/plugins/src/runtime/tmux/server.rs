//! The tmux program and our server: one for a data root, on a socket of its own, never the user's.

use crate::exec::Environment;
use ao_core::kind::{Fault, Kind};
use ao_slots::Answer;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// tmux answers within milliseconds; a machine under full load needs more.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// The oldest tmux that tells the signal of a program that ended (`pane_dead_signal`).
const OLDEST: (u32, u32) = (3, 3);

/// File name of the server's socket, in the data root's directory of sockets.
const SOCKET: &str = "tmux.sock";

/// The server's socket in the directory of sockets.
pub(super) fn socket_in(run: &Path) -> PathBuf {
    run.join(SOCKET)
}

/// What of the daemon's environment the server gets: it is shown to whoever asks the server, and given to windows that a
/// person opens there. Agents get their own, complete one.
const PASSED_ON: [&str; 8] = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR"];

/// A server, running or not.
#[derive(Clone, Debug)]
pub(super) struct Server {
    env: Environment,
    socket: PathBuf,
}

/// Why tmux did not do what was asked.
#[derive(Debug)]
pub(super) enum Refused {
    /// There is no server on the socket.
    NoServer(String),
    /// tmux says no, in its words.
    Said(String),
    /// It could not be asked.
    NotAsked(Fault),
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NoServer(words) | Refused::Said(words) => Self::unavailable(format!("tmux: {words}")),
            Refused::NotAsked(fault) => fault,
        }
    }
}

/// The fault when tmux cannot be used here.
fn missing(message: String) -> Fault {
    Fault::unavailable(message)
        .hint("install tmux 3.3 or newer (`apt install tmux`, `brew install tmux`), or use `runtime: process`")
}

impl Server {
    /// The server of the data root whose sockets are where `beside` is.
    pub(super) fn beside(env: &Environment, beside: &Path) -> Self {
        Self::on(env, beside.with_file_name(SOCKET))
    }

    /// The server on a socket.
    pub(super) fn on(env: &Environment, socket: PathBuf) -> Self {
        Self { env: env.clone(), socket }
    }

    /// Its socket.
    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }

    fn program(&self) -> Command {
        let mut command = Command::new("tmux");
        command.env_clear().kill_on_drop(true);
        for name in PASSED_ON {
            if let Some(value) = self.env.get(name) {
                command.env(name, value);
            }
        }
        command
    }

    /// A command of this server: UTF-8 whatever the locale, and without anybody's configuration.
    fn command(&self) -> Command {
        let mut command = self.program();
        command.arg("-u").arg("-S").arg(&self.socket).args(["-f", "/dev/null"]);
        command
    }

    /// Makes sure that tmux is there and new enough; what it calls itself.
    pub(super) async fn check(&self) -> Answer<String> {
        let asked = timeout(ANSWERS_WITHIN, self.program().arg("-V").stdin(Stdio::null()).output()).await;
        let output = match asked {
            Ok(Ok(output)) => output,
            Ok(Err(e)) if e.kind() == ErrorKind::NotFound => {
                return Err(missing("runtime tmux: tmux is not installed, or not in PATH".to_owned()));
            }
            Ok(Err(e)) => return Err(missing(format!("runtime tmux: tmux cannot be run: {e}"))),
            Err(_) => return Err(Fault::unavailable("runtime tmux: `tmux -V` does not end")),
        };
        let text = String::from_utf8_lossy(&output.stdout);
        match version(&text) {
            Some(found) if found < OLDEST => {
                Err(missing(format!("runtime tmux needs tmux 3.3 or newer; this is {}", text.trim())))
            }
            // A build from its repository says no number: it is newer than any release that is too old.
            Some(_) | None => Ok(text.trim().to_owned()),
        }
    }

    /// Runs commands of tmux, `;` between them, and gives what they print.
    pub(super) async fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Result<String, Refused> {
        self.run_with(args, &[]).await
    }

    /// The same with something to read.
    pub(super) async fn run_with<S: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
        stdin: &[u8],
    ) -> Result<String, Refused> {
        let not_run = |e: std::io::Error| match e.kind() {
            ErrorKind::NotFound => {
                Refused::NotAsked(missing("runtime tmux: tmux is not installed, or not in PATH".to_owned()))
            }
            _ => Refused::NotAsked(Fault::unavailable(format!("tmux cannot be run: {e}"))),
        };
        let mut command = self.command();
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(not_run)?;
        let ran = timeout(ANSWERS_WITHIN, async {
            if let Some(mut pipe) = child.stdin.take() {
                // A server that refuses does not read.
                drop(pipe.write_all(stdin).await);
            }
            child.wait_with_output().await
        });
        let output = match ran.await {
            Ok(output) => output.map_err(not_run)?,
            Err(_) => {
                let fault = Fault::unavailable(format!("tmux does not answer within {} s", ANSWERS_WITHIN.as_secs()));
                return Err(Refused::NotAsked(fault));
            }
        };
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let no_server = ["no server running", "error connecting", "server exited", "lost server"];
        Err(match no_server.iter().any(|text| words.contains(text)) {
            true => Refused::NoServer(words),
            false => Refused::Said(words),
        })
    }

    /// Starts a control client of a session.
    pub(super) fn control(&self, session: &str) -> Answer<Child> {
        let mut command = self.command();
        command.args(["-C", "attach-session", "-f", "ignore-size", "-t"]).arg(format!("={session}"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().map_err(|e| Fault::unavailable(format!("tmux cannot be run: {e}")))
    }
}

/// The numbers of `tmux 3.3a`.
fn version(text: &str) -> Option<(u32, u32)> {
    let number = text.trim().strip_prefix("tmux ")?;
    let number = number.strip_prefix("next-").unwrap_or(number);
    let (major, rest) = number.split_once('.')?;
    let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// A fault of what tmux answered that makes no sense.
pub(super) fn senseless(what: &str, answer: &str) -> Fault {
    Fault::new(Kind::Bug, format!("tmux answered {what} with {answer:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert_eq!(version("tmux 3.3a\n"), Some((3, 3)));
        assert_eq!(version("tmux next-3.10\n"), Some((3, 10)));
        assert_eq!(version("tmux master\n"), None);
        assert!(version("tmux 3.2a").expect("a version") < OLDEST);
        assert!(version("tmux 3.10").expect("a version") > OLDEST);
    }

    #[tokio::test]
    async fn a_machine_without_tmux_is_told_what_to_install() {
        let env = Environment::exactly([("PATH", "/nonexistent")]);
        let server = Server::on(&env, "/nonexistent/tmux.sock".into());
        let fault = server.check().await.expect_err("there is no tmux");
        assert_eq!(fault.kind, Kind::Unavailable);
        assert!(fault.message.contains("not installed"), "{fault}");
        assert!(fault.hint.as_deref().is_some_and(|hint| hint.contains("install tmux 3.3")), "{fault:?}");
    }
}
