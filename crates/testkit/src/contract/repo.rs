//! A real repository in a temporary directory, with nothing of this machine's user in it.
//!
//! No identity, an empty home, no system configuration: what a fresh machine has.

use ao_core::id::CommitId;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

/// A repository with one commit on `main`, and room beside it.
#[derive(Debug)]
pub struct Repo {
    root: tempfile::TempDir,
    /// The main checkout.
    pub path: PathBuf,
}

impl Default for Repo {
    fn default() -> Self {
        Self::new()
    }
}

impl Repo {
    /// A repository with some files: `src/a.txt` and `src/b.txt` of ten lines each, and a `.gitignore`.
    #[must_use]
    pub fn new() -> Self {
        let repo = Self::empty();
        for name in ["a", "b"] {
            let text: String = (1..=10).map(|n| format!("{name} {n}\n")).collect();
            repo.write(&repo.path, &format!("src/{name}.txt"), &text);
        }
        repo.write(&repo.path, ".gitignore", "build/\n*.log\n.env\n");
        repo.commit_all(&repo.path, "first");
        repo
    }

    /// A repository without commits.
    #[must_use]
    pub fn empty() -> Self {
        let root = tempfile::Builder::new().prefix("ao-").tempdir().expect("a temporary directory can be made");
        let real = root.path().canonicalize().expect("it was made just now");
        let repo = Self { root, path: real.join("repo") };
        for dir in [&repo.path, &repo.home()] {
            fs::create_dir(dir).expect("the temporary directory is ours");
        }
        repo.git(&["init", "--quiet", "--initial-branch=main"]);
        repo
    }

    /// The home of the user: empty.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.place("home")
    }

    /// A place beside the repository.
    #[must_use]
    pub fn place(&self, name: &str) -> PathBuf {
        self.root.path().canonicalize().expect("it is there until the end").join(name)
    }

    /// The whole environment that `ao` has here.
    #[must_use]
    pub fn env(&self) -> BTreeMap<String, String> {
        let path = std::env::var("PATH").expect("tests are run with a PATH");
        [("PATH", path), ("HOME", self.home().display().to_string()), ("GIT_CONFIG_NOSYSTEM", "1".to_owned())]
            .map(|(name, value)| (name.to_owned(), value))
            .into()
    }

    /// Writes a file below a directory.
    pub fn write(&self, dir: &Path, name: &str, text: &str) {
        let file = dir.join(name);
        fs::create_dir_all(file.parent().expect("it has a directory")).expect("the directory can be made");
        fs::write(&file, text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    /// Writes a hook of the repository that leaves a trace and fails.
    pub fn failing_hooks(&self) -> PathBuf {
        let trace = self.place("hook-ran");
        let hooks = self.common().join("hooks");
        fs::create_dir_all(&hooks).expect("the git directory is ours");
        for name in [
            "pre-commit",
            "commit-msg",
            "post-checkout",
            "post-merge",
            "pre-merge-commit",
            "reference-transaction",
            "post-index-change",
        ] {
            program(&hooks.join(name), &format!("#!/bin/sh\necho {name} >> '{}'\nexit 1\n", trace.display()));
        }
        trace
    }

    /// The user signs every commit, with a program that never answers.
    pub fn signing_that_hangs(&self) {
        let never = self.place("never");
        program(&never, "#!/bin/sh\nexec sleep 1000\n");
        let text = format!("[commit]\n\tgpgsign = true\n[gpg]\n\tprogram = {}\n", never.display());
        fs::write(self.home().join(".gitconfig"), text).expect("the home is ours");
    }

    fn common(&self) -> PathBuf {
        self.path.join(".git")
    }

    /// Runs git as a user would, with an identity, in a directory.
    #[must_use]
    pub fn try_git(&self, dir: &Path, arguments: &[&str]) -> Output {
        Command::new("git")
            .args(["-c", "maintenance.auto=false", "-c", "gc.auto=0"])
            .args(arguments)
            .current_dir(dir)
            .env_clear()
            .envs(self.env())
            .envs([("GIT_AUTHOR_NAME", "Ann"), ("GIT_AUTHOR_EMAIL", "ann@example.invalid")])
            .envs([("GIT_COMMITTER_NAME", "Ann"), ("GIT_COMMITTER_EMAIL", "ann@example.invalid")])
            .envs([("LC_ALL", "C"), ("GIT_TERMINAL_PROMPT", "0"), ("GIT_OPTIONAL_LOCKS", "0")])
            .output()
            .expect("git is installed")
    }

    /// The same, which must succeed; its output without the last line's end.
    pub fn git_in(&self, dir: &Path, arguments: &[&str]) -> String {
        let ran = self.try_git(dir, arguments);
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "git {arguments:?} in {}: {said}", dir.display());
        String::from_utf8_lossy(&ran.stdout).trim_end_matches('\n').to_owned()
    }

    /// The same in the main checkout.
    pub fn git(&self, arguments: &[&str]) -> String {
        self.git_in(&self.path, arguments)
    }

    /// Commits everything that differs in a checkout.
    pub fn commit_all(&self, dir: &Path, message: &str) -> CommitId {
        self.git_in(dir, &["add", "--all"]);
        self.git_in(dir, &["-c", "commit.gpgsign=false", "commit", "--quiet", "--message", message]);
        self.head(dir)
    }

    /// Writes one file and commits it.
    pub fn commit(&self, dir: &Path, name: &str, text: &str) -> CommitId {
        self.write(dir, name, text);
        self.commit_all(dir, &format!("change {name}"))
    }

    /// HEAD of a checkout.
    #[must_use]
    pub fn head(&self, dir: &Path) -> CommitId {
        CommitId::new(self.git_in(dir, &["rev-parse", "HEAD"]))
    }

    /// The commit of a revision; none when there is none.
    #[must_use]
    pub fn commit_of(&self, revision: &str) -> Option<CommitId> {
        let ran = self.try_git(&self.path, &["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")]);
        ran.status.success().then(|| CommitId::new(String::from_utf8_lossy(&ran.stdout).trim()))
    }

    /// A file of a commit in the main repository; none when it has no such file.
    #[must_use]
    pub fn file_of(&self, commit: &CommitId, name: &str) -> Option<String> {
        let ran = self.try_git(&self.path, &["cat-file", "blob", &format!("{commit}:{name}")]);
        ran.status.success().then(|| String::from_utf8_lossy(&ran.stdout).into_owned())
    }

    /// Names of all files of a commit.
    #[must_use]
    pub fn files_of(&self, commit: &CommitId) -> Vec<String> {
        let listed = self.git(&["ls-tree", "-r", "-z", "--name-only", commit.as_str()]);
        listed.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }

    /// The parents of a commit.
    #[must_use]
    pub fn parents_of(&self, commit: &CommitId) -> Vec<CommitId> {
        let line = self.git(&["rev-list", "--no-walk", "--parents", commit.as_str()]);
        line.split(' ').skip(1).map(CommitId::new).collect()
    }

    /// Who made a commit: author and committer.
    #[must_use]
    pub fn people_of(&self, commit: &CommitId) -> (String, String) {
        let line = self.git(&["log", "-1", "--format=%an%x00%cn", commit.as_str()]);
        let (author, committer) = line.split_once('\0').expect("the format has two parts");
        (author.to_owned(), committer.to_owned())
    }

    /// A branch at a commit with one more commit on it, made without touching any checkout that is there.
    pub fn branch(&self, name: &str, from: &str, changes: &[(&str, Option<&str>)]) -> CommitId {
        let dir = self.place("branching");
        self.git(&["worktree", "add", "--quiet", "-B", name, &dir.display().to_string(), from]);
        for (file, text) in changes {
            match text {
                Some(text) => self.write(&dir, file, text),
                None => fs::remove_file(dir.join(file)).expect("the file to delete is there"),
            }
        }
        let commit = self.commit_all(&dir, &format!("work of {name}"));
        self.git(&["worktree", "remove", "--force", &dir.display().to_string()]);
        commit
    }

    /// Everything that must not change when a checkout is only looked at: bytes of its index, HEAD, status, and files with
    /// their times.
    #[must_use]
    pub fn state_of(&self, dir: &Path) -> String {
        let git_dir = PathBuf::from(self.git_in(dir, &["rev-parse", "--absolute-git-dir"]));
        let index = fs::read(git_dir.join("index")).unwrap_or_default();
        let head = fs::read(git_dir.join("HEAD")).unwrap_or_default();
        let mut text = format!("{index:?}\n{head:?}\n");
        text.push_str(&self.git_in(dir, &["status", "--porcelain=v2", "--branch", "--ignored"]));
        let mut files = Vec::new();
        list(dir, &mut files);
        files.sort();
        text.push_str(&files.join("\n"));
        text
    }
}

fn list(dir: &Path, out: &mut Vec<String>) {
    for entry in fs::read_dir(dir).expect("the directory is there").flatten() {
        let about = fs::symlink_metadata(entry.path()).expect("nobody deletes here");
        if entry.file_name() == ".git" {
            continue;
        }
        if about.is_dir() {
            list(&entry.path(), out);
        } else {
            out.push(format!("{:?} {:?} {}", entry.path(), about.modified().expect("times are kept"), about.len()));
        }
    }
}

/// Writes a program that can be run at once, by another process: what this one has open for writing, if only in a child that
/// another test starts just now, is a busy text file.
pub fn program(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().expect("it has a directory")).expect("the directory can be made");
    let write = ["-c", "printf %s \"$1\" >\"$0\" && chmod 755 \"$0\""];
    let written = Command::new("sh").args(write).arg(file).arg(text).status().expect("a shell");
    assert!(written.success(), "{} cannot be written", file.display());
}

/// Whether a process runs. One that ended gave its memory back, whether or not it was waited for.
#[must_use]
pub fn is_running(id: &str) -> bool {
    fs::read_to_string(Path::new("/proc").join(id.trim()).join("statm")).is_ok_and(|statm| !statm.starts_with("0 "))
}

/// Times in which something hangs that is to be seen hanging: a busy machine may not have begun it by the first ones.
pub const HANGS: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_secs(3), Duration::from_secs(10), Duration::from_secs(40)];
