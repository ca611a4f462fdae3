//! A script for `sh -c`, whose whole process tree is gone when it is over, however it ended.
//!
//! Standard output and error come through one pipe, so that they stay in order.

use super::environment::Environment;
use super::output::{Cut, Output};
use super::program::{DRAIN, Guard, NotRun, command};
use super::tree;
use std::ffi::OsString;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::time::{Instant, timeout};

/// The pipe of a script that left nothing behind ends within microseconds of it.
const SETTLE: Duration = Duration::from_millis(20);

/// A script that is to run.
#[derive(Clone, Debug)]
pub struct Script {
    /// Its text.
    pub text: String,
    /// Directory it runs in.
    pub dir: PathBuf,
    /// Its complete environment.
    pub env: Environment,
    /// How long it may take.
    pub limit: Duration,
    /// Most bytes of output that are kept, and written to the log.
    pub keep: usize,
    /// Where the output goes as well, mode 0600. What an earlier run with the same log left running is ended first.
    pub log: Option<PathBuf>,
}

/// A script that ran.
#[derive(Clone, Debug, Default)]
pub struct ScriptRan {
    /// Exit code; none when a signal or the limit ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// The limit ended it.
    pub timed_out: bool,
    /// Standard output and error, as they came.
    pub output: Cut,
    /// Processes of its tree that could not be ended.
    pub left: usize,
}

/// Runs a script to its end or its limit, then ends whatever it left running.
///
/// # Errors
/// When it cannot be started, or its log cannot be written.
pub async fn run_script(script: &Script) -> Result<ScriptRan, NotRun> {
    let log_mark = script.log.as_deref().map(tree::place_mark).unwrap_or_default();
    if !log_mark.is_empty() {
        tree::end_marked(log_mark.clone()).await;
    }
    let mut log = Log::open(script.log.as_deref())?;
    let own_mark = format!("{};", tree::nonce());
    let mark = format!("{log_mark}{}{own_mark}", tree::place_mark(&script.dir));
    let refused = |source: io::Error| NotRun::Refused { program: "sh".to_owned(), source };

    let (reader, writer) = io::pipe().map_err(refused)?;
    let inode = rustix::fs::fstat(&reader).map(|stat| stat.st_ino).map_err(|errno| refused(errno.into()))?;
    let argv = ["sh", "-c", &script.text].map(OsString::from);
    let mut command = command(&argv, &script.dir, &script.env, &mark)?;
    command.stdin(Stdio::null());
    command.stdout(Stdio::from(OwnedFd::from(writer.try_clone().map_err(refused)?)));
    command.stderr(Stdio::from(OwnedFd::from(writer)));
    super::session::of_its_own(&mut command);
    let spawned = command.spawn();
    // Our ends for writing go with it: the output ends when the tree's last process does.
    drop(command);
    let mut child = spawned.map_err(|source| NotRun::of_spawn("sh".as_ref(), &script.dir, source))?;
    let mut guard = Guard::of(&child, &own_mark, Some(inode));
    let mut reader = Receiver::from_owned_fd(reader.into()).map_err(refused)?;

    let until = Instant::now() + script.limit;
    let mut output = Output::new(script.keep);
    let mut buffer = vec![0; 64 * 1024];
    let mut open = true;
    let ended = loop {
        tokio::select! {
            status = child.wait() => break Some(status),
            () = tokio::time::sleep_until(until) => break None,
            count = reader.read(&mut buffer), if open => {
                open = take(count, &buffer, &mut output, &mut log)?;
            }
        }
    };
    // Output that ends by itself has no writer left: nobody needs to be found by it.
    if let Ok(drained) = timeout(SETTLE, drain(&mut reader, &mut open, &mut output, &mut log)).await {
        drained?;
        guard.forget_pipe();
    }
    let left = guard.end().await;
    // At its end only what could not be ended still holds the pipe.
    timeout(DRAIN, drain(&mut reader, &mut open, &mut output, &mut log)).await.unwrap_or(Ok(()))?;
    let timed_out = ended.is_none();
    let status = match ended {
        Some(status) => status,
        None => child.wait().await,
    }
    .map_err(refused)?;
    log.write(&output.rest())?;
    Ok(ScriptRan {
        code: status.code().filter(|_| !timed_out),
        signal: status.signal(),
        timed_out,
        output: output.finish(),
        left,
    })
}

/// Reads to the end of the output.
async fn drain(reader: &mut Receiver, open: &mut bool, output: &mut Output, log: &mut Log<'_>) -> Result<(), NotRun> {
    let mut buffer = vec![0; 64 * 1024];
    while *open {
        let count = reader.read(&mut buffer).await;
        *open = take(count, &buffer, output, log)?;
    }
    Ok(())
}

/// Keeps what was read; answers whether there may be more.
fn take(count: io::Result<usize>, buffer: &[u8], output: &mut Output, log: &mut Log<'_>) -> Result<bool, NotRun> {
    let bytes = count.ok().and_then(|count| buffer.get(..count)).unwrap_or_default();
    let first = output.push(bytes);
    log.write(bytes.get(..first).unwrap_or_default())?;
    Ok(!bytes.is_empty())
}

struct Log<'a>(Option<(&'a Path, File)>);

impl<'a> Log<'a> {
    fn open(path: Option<&'a Path>) -> Result<Self, NotRun> {
        let Some(path) = path else { return Ok(Self(None)) };
        let open = || {
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
            file.set_permissions(Permissions::from_mode(0o600))?;
            Ok(file)
        };
        open().map(|file| Self(Some((path, file)))).map_err(|source| NotRun::Log { path: path.to_owned(), source })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), NotRun> {
        let Some((path, file)) = &mut self.0 else { return Ok(()) };
        file.write_all(bytes).map_err(|source| NotRun::Log { path: path.to_owned(), source })
    }
}
