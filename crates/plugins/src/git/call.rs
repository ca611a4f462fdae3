//! One call of git: what is always set, what a caller adds, and what it said.
//!
//! It never asks questions, never leaves a background job behind and never runs hooks; beyond that the user's own settings
//! hold, such as filters, line ends and directories that are marked as safe.

use super::fault;
use crate::exec::{self, Environment, Program};
use ao_core::id::CommitId;
use ao_slots::{Answer, Fault};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Calls that look at or write objects and refs take milliseconds; this is for cold disks.
const LIMIT: Duration = Duration::from_secs(120);

/// Most bytes of an answer that are kept: a list of half a million paths.
const KEEP: usize = 64 * 1024 * 1024;

/// Git writes a worktree's files within a millisecond or two; a call that met them half written is made again so often.
const AGAIN: u32 = 20;

/// Time between two such calls.
const PAUSE: Duration = Duration::from_millis(10);

/// Set for every call. Hooks are the user's for the user's own git; a watcher of files or a clean-up of objects would stay
/// behind as a process.
const ALWAYS: [&str; 8] =
    ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "gc.auto=0", "-c", "maintenance.auto=false"];

/// Set where `ao` itself commits: a fresh machine has no identity, and a signing key hangs on its question.
const OWN: [&str; 8] =
    ["-c", "user.name=ao", "-c", "user.email=ao@localhost", "-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false"];

/// Git in one directory.
#[derive(Clone, Debug)]
pub struct Git {
    dir: PathBuf,
    env: Environment,
}

impl Git {
    /// Git in `dir`, with this environment and the settings that hold for every call.
    #[must_use]
    pub fn at(dir: impl Into<PathBuf>, env: &Environment) -> Self {
        let env = env
            .clone()
            .with("GIT_TERMINAL_PROMPT", "0")
            .with("GIT_OPTIONAL_LOCKS", "0")
            .with("GIT_EDITOR", ":")
            .with("LC_ALL", "C");
        Self { dir: dir.into(), env }
    }

    /// The same, with an explicit repository and work tree: what lies in the directory's `.git` does not matter then.
    #[must_use]
    pub fn on(mut self, git_dir: &Path, work_tree: &Path) -> Self {
        self.env.set("GIT_DIR", git_dir);
        self.env.set("GIT_WORK_TREE", work_tree);
        self
    }

    /// The same with one variable more, for every call.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.set(name, value);
        self
    }

    /// The same in a checkout of another repository.
    #[must_use]
    pub fn inside(&self, files: &Path) -> Self {
        let mut git = self.clone().moved_to(files);
        git.env.unset("GIT_DIR");
        git.env.unset("GIT_WORK_TREE");
        git
    }

    /// The same in another directory.
    #[must_use]
    pub fn moved_to(mut self, dir: &Path) -> Self {
        dir.clone_into(&mut self.dir);
        self
    }

    /// The directory that it runs in.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A call with these first arguments.
    pub fn call<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Call<'_> {
        Call {
            git: self,
            own: false,
            arguments: arguments.into_iter().map(|argument| argument.as_ref().to_owned()).collect(),
            env: self.env.clone(),
            stdin: Vec::new(),
            limit: LIMIT,
        }
    }

    /// The commit that a revision stands for; none when there is no such commit.
    ///
    /// # Errors
    /// When git cannot be run or the repository cannot be read.
    pub async fn commit(&self, revision: &str) -> Answer<Option<CommitId>> {
        let said = self
            .call(["rev-parse", "--verify", "--quiet", "--end-of-options"])
            .arg(format!("{revision}^{{commit}}"))
            .ask()
            .await?;
        match said.code {
            0 => Ok(Some(CommitId::new(said.line()))),
            // Quiet and one: no such name. Anything else has words.
            1 if said.stderr.is_empty() => Ok(None),
            _ if said.stderr.contains("Needed a single revision") => Ok(None),
            _ => Err(said.fault()),
        }
    }

    /// Whether `ancestor` is `commit` or one of its ancestors.
    ///
    /// # Errors
    /// When git cannot be run or one of them does not exist.
    pub async fn is_ancestor(&self, ancestor: &CommitId, commit: &CommitId) -> Answer<bool> {
        let said = self.call(["merge-base", "--is-ancestor"]).arg(ancestor.as_str()).arg(commit.as_str()).ask().await?;
        match said.code {
            0 => Ok(true),
            1 => Ok(false),
            _ => Err(said.fault()),
        }
    }

    /// A commit where the histories of both meet; none when they never do.
    ///
    /// # Errors
    /// When git cannot be run or one of them does not exist.
    pub async fn merge_base(&self, one: &CommitId, other: &CommitId) -> Answer<Option<CommitId>> {
        let said = self.call(["merge-base"]).arg(one.as_str()).arg(other.as_str()).ask().await?;
        match said.code {
            0 => Ok(Some(CommitId::new(said.line()))),
            1 => Ok(None),
            _ => Err(said.fault()),
        }
    }

    /// The tree of a commit.
    ///
    /// # Errors
    /// When there is no such commit.
    pub async fn tree(&self, commit: &CommitId) -> Answer<String> {
        self.call(["rev-parse", "--verify", "--quiet"]).arg(format!("{commit}^{{tree}}")).text().await
    }
}

/// A call in the making.
#[derive(Clone, Debug)]
#[must_use]
pub struct Call<'a> {
    git: &'a Git,
    own: bool,
    arguments: Vec<OsString>,
    env: Environment,
    stdin: Vec<u8>,
    limit: Duration,
}

/// What git said.
#[derive(Clone, Debug)]
pub struct Said {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: String,
    /// The call, for messages.
    verb: String,
}

impl Call<'_> {
    /// Adds an argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets a variable.
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.set(name, value);
        self
    }

    /// What it reads.
    pub fn stdin(mut self, bytes: Vec<u8>) -> Self {
        self.stdin = bytes;
        self
    }

    /// How long it may take.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Commits as `ao`, signs nothing.
    pub fn own(mut self) -> Self {
        self.own = true;
        self
    }

    /// Runs it; any exit code is an answer.
    ///
    /// # Errors
    /// When git is not installed, takes too long, is killed, or answers more than can be kept.
    pub async fn ask(self) -> Answer<Said> {
        let mut again = AGAIN;
        loop {
            let said = self.clone().once().await?;
            if said.code == 0 || again == 0 || !fault::is_passing(&said.stderr) {
                return Ok(said);
            }
            again -= 1;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn once(self) -> Answer<Said> {
        let verb = verb(&self.arguments);
        let own: &[&str] = if self.own { &OWN } else { &[] };
        let argv = ["git"].iter().chain(&ALWAYS).chain(own).map(OsString::from).chain(self.arguments).collect();
        let program = Program {
            argv,
            dir: self.git.dir.clone(),
            env: self.env,
            stdin: self.stdin,
            limit: self.limit,
            keep: KEEP,
        };
        let ran = exec::run(&program).await.map_err(|error| fault::not_run(&verb, &error))?;
        let stderr = String::from_utf8_lossy(&ran.stderr.bytes).into_owned();
        if ran.timed_out {
            let seconds = self.limit.as_secs();
            return Err(Fault::unavailable(format!("`git {verb}` did not end within {seconds} s")));
        }
        if ran.stdout.left_out > 0 {
            return Err(Fault::unavailable(format!("`git {verb}` answered more than {KEEP} bytes")));
        }
        match ran.code {
            Some(code) => Ok(Said { code, stdout: ran.stdout.bytes, stderr, verb }),
            None => {
                Err(Fault::unavailable(format!("`git {verb}` was ended by signal {}", ran.signal.unwrap_or_default())))
            }
        }
    }

    /// Runs it.
    ///
    /// # Errors
    /// As [`Self::ask`], and when it fails.
    pub async fn run(self) -> Answer<Said> {
        let said = self.ask().await?;
        if said.code == 0 { Ok(said) } else { Err(said.fault()) }
    }

    /// Runs it; its output without the last line's end.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn text(self) -> Answer<String> {
        Ok(self.run().await?.line())
    }
}

/// The verb, after settings of this call only.
fn verb(arguments: &[OsString]) -> String {
    let mut rest = arguments;
    while let [option, _, more @ ..] = rest
        && option == "-c"
    {
        rest = more;
    }
    rest.first().map(|verb| verb.to_string_lossy().into_owned()).unwrap_or_default()
}

impl Said {
    /// Its output as text without the last line's end.
    #[must_use]
    pub fn line(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end_matches('\n').to_owned()
    }

    /// Its output, cut at NUL bytes, as with `-z`.
    pub fn fields(&self) -> impl Iterator<Item = &[u8]> {
        self.stdout.split(|&byte| byte == 0).filter(|field| !field.is_empty())
    }

    /// Its output as paths, as with `-z`.
    pub fn paths(&self) -> impl Iterator<Item = PathBuf> {
        self.fields().map(|field| PathBuf::from(OsString::from_vec(field.to_vec())))
    }

    /// The failure, in git's words.
    #[must_use]
    pub fn fault(&self) -> Fault {
        fault::of_words(&self.verb, self.code, &self.stderr)
    }

    /// Git's words about a failure, trimmed to what matters.
    #[must_use]
    pub fn words(&self) -> String {
        fault::words(&self.stderr)
    }
}
