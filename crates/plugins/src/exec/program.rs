//! One program, run to its end: what it is given, what it answers, and what becomes of it at its limit.
//!
//! Standard output and error are kept apart; scripts whose whole tree must be gone afterwards are run by `shell`.

use super::environment::Environment;
use super::output::{Cut, Output};
use super::tree::{self, Tree};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

/// What a program's children may still print after it ended: pipes of killed processes close within microseconds.
pub(super) const DRAIN: Duration = Duration::from_secs(2);

/// Standard error is for words: more of it than this helps nobody.
const STDERR: usize = 64 * 1024;

/// The variable that marks what a program of ours started.
pub(super) const MARK: &str = "AO_TREE";

/// A program that is to run.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its name, found in `PATH`, and its arguments.
    pub argv: Vec<OsString>,
    /// Directory it runs in.
    pub dir: PathBuf,
    /// Its complete environment.
    pub env: Environment,
    /// What it reads.
    pub stdin: Vec<u8>,
    /// How long it may take.
    pub limit: Duration,
    /// Most bytes of standard output that are kept.
    pub keep: usize,
}

/// A program that ran.
#[derive(Clone, Debug, Default)]
pub struct Ran {
    /// Exit code; none when a signal or the limit ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// The limit ended it.
    pub timed_out: bool,
    /// Standard output.
    pub stdout: Cut,
    /// Standard error.
    pub stderr: Cut,
}

/// Why a program gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum NotRun {
    /// There is no such program.
    #[error("{program} is not installed, or not in PATH")]
    NotInstalled {
        /// Its name.
        program: String,
    },
    /// There is no such directory.
    #[error("the directory {} does not exist", dir.display())]
    NoDirectory {
        /// The directory.
        dir: PathBuf,
    },
    /// The system refused.
    #[error("{program} could not be run: {source}")]
    Refused {
        /// Its name.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// Its log could not be written.
    #[error("the log {} could not be written: {source}", path.display())]
    Log {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl NotRun {
    pub(super) fn of_spawn(program: &OsStr, dir: &Path, source: io::Error) -> Self {
        let program = program.to_string_lossy().into_owned();
        if source.kind() == io::ErrorKind::NotFound {
            if dir.is_dir() { Self::NotInstalled { program } } else { Self::NoDirectory { dir: dir.to_owned() } }
        } else {
            Self::Refused { program, source }
        }
    }
}

/// The value of [`MARK`] for a child, after the marks of the trees that we are part of ourselves.
pub(super) fn mark_of(mark: &str) -> OsString {
    let mut value = std::env::var_os(MARK).unwrap_or_default();
    value.push(mark);
    value
}

/// A command for `argv` in `dir` with exactly this environment and mark.
///
/// # Errors
/// [`NotRun::NotInstalled`] when `argv` is empty.
pub(super) fn command(argv: &[OsString], dir: &Path, env: &Environment, mark: &str) -> Result<Command, NotRun> {
    let Some((name, arguments)) = argv.split_first() else {
        return Err(NotRun::NotInstalled { program: String::new() });
    };
    let mut command = Command::new(found(name, env));
    command.arg0(name).args(arguments).current_dir(dir).env_clear().envs(env.iter()).env(MARK, mark_of(mark));
    Ok(command)
}

/// Where a program lies in the `PATH` that it is given; its bare name where that is nowhere.
///
/// With a name and a `PATH` of the child's own the standard library copies this whole process to let the copy look for it;
/// with a path it uses `posix_spawn`, which copies nothing.
fn found(name: &OsStr, env: &Environment) -> PathBuf {
    let bare = PathBuf::from(name);
    let runs = |file: &PathBuf| file.is_file() && rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok();
    if bare.components().count() != 1 || name.as_encoded_bytes().contains(&b'/') {
        return bare;
    }
    let dirs = env.get("PATH").into_iter().flat_map(std::env::split_paths).filter(|dir| dir.is_absolute());
    dirs.map(|dir| dir.join(&bare)).find(runs).unwrap_or(bare)
}

/// Ends a child's tree when whoever waits for it stops waiting.
pub(super) struct Guard {
    tree: Option<Tree>,
}

impl Guard {
    /// Guards the tree of `child`, which is running.
    pub(super) fn of(child: &Child, mark: &str, pipe: Option<u64>) -> Self {
        Self { tree: child.id().map(|id| Tree::of_child(id, mark, pipe)) }
    }

    /// Ends the tree now, away from the async threads; answers how many processes did not go away.
    pub(super) async fn end(&mut self) -> usize {
        let Some(mut tree) = self.tree.take() else { return 0 };
        tokio::task::spawn_blocking(move || tree.end(tree::SWEEP)).await.unwrap_or(0)
    }

    /// Nothing writes to the pipe any more.
    pub(super) fn forget_pipe(&mut self) {
        if let Some(tree) = &mut self.tree {
            tree.forget_pipe();
        }
    }

    /// The program ended by itself and had no children to care for.
    fn release(&mut self) {
        self.tree = None;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(tree) = &mut self.tree {
            tree.end(tree::SWEEP);
        }
    }
}

/// Runs a program to its end, or to its limit, after which nothing of its tree runs any more.
///
/// # Errors
/// When it cannot be started or waited for; a program that fails is an answer.
pub async fn run(program: &Program) -> Result<Ran, NotRun> {
    let mark = format!("{};", tree::nonce());
    let name = program.argv.first().cloned().unwrap_or_default();
    let refused = |source| NotRun::Refused { program: name.to_string_lossy().into_owned(), source };
    let mut command = command(&program.argv, &program.dir, &program.env, &mark)?;
    command.stdin(if program.stdin.is_empty() { Stdio::null() } else { Stdio::piped() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn().map_err(|source| NotRun::of_spawn(&name, &program.dir, source))?;
    let mut guard = Guard::of(&child, &mark, None);
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let mut out = Output::new(program.keep);
    let mut err = Output::new(STDERR);
    let until = Instant::now() + program.limit;

    let ended = {
        let write = async {
            if let Some(mut stdin) = stdin {
                // A program that stops reading says why itself.
                let _ = stdin.write_all(&program.stdin).await;
            }
        };
        let mut talk = std::pin::pin!(async { tokio::join!(write, read(stdout, &mut out), read(stderr, &mut err)) });
        let mut talked = false;
        let mut ended: Option<io::Result<ExitStatus>> = None;
        while ended.is_none() {
            tokio::select! {
                _ = &mut talk, if !talked => talked = true,
                status = child.wait() => ended = Some(status),
                () = tokio::time::sleep_until(until) => break,
            }
        }
        // What it left in the background may hold its output open: that is waited for shortly, and ended.
        if ended.is_none() || (!talked && timeout(DRAIN, &mut talk).await.is_err()) {
            guard.end().await;
        } else {
            guard.release();
        }
        ended
    };
    let timed_out = ended.is_none();
    let status = match ended {
        Some(status) => status.map_err(refused)?,
        None => child.wait().await.map_err(refused)?,
    };
    Ok(Ran {
        code: status.code().filter(|_| !timed_out),
        signal: status.signal(),
        timed_out,
        stdout: out.finish(),
        stderr: err.finish(),
    })
}

async fn read(from: Option<impl AsyncRead + Unpin>, into: &mut Output) {
    let Some(mut from) = from else { return };
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        into.push(buffer.get(..count).unwrap_or_default());
    }
}
