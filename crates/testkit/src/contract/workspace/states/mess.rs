//! What agents do to a checkout, step by step, and the repository that they do it in.

use crate::contract::repo::Repo;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// One step: what is done, to what, and how.
pub type Step = (u8, u8, u8);

/// Names of files: plain ones that are tracked from the start, then whatever a file may be called.
const NAMES: [&[u8]; 14] = [
    b"src/a.txt",
    b"src/b.txt",
    b"run.sh",
    b"deep/er/c.txt",
    b"notes.crlf",
    b"secret.lossy",
    b"new.txt",
    b"new dir/with space.txt",
    b"-rf",
    b"\xff\xfe.bin",
    b"line\nend",
    b"\"quoted\".txt",
    b"deep/new.crlf",
    b":(top)odd",
];

fn content(n: u8) -> Vec<u8> {
    match n % 9 {
        0 => Vec::new(),
        1 => b"one\ntwo\n".to_vec(),
        2 => b"one\r\ntwo\r\n".to_vec(),
        3 => b"mixed\r\nends\nhere\r".to_vec(),
        4 => (0..=255).cycle().take(3000).collect(),
        5 => format!("SECRET {n}\nopen {n}\n").into_bytes(),
        6 => b"$Id: something $\n".to_vec(),
        7 => vec![n; 300_000],
        _ => format!("text {n}\n").into_bytes(),
    }
}

/// A workspace that is being brought into some state.
pub(super) struct Mess<'a> {
    pub(super) repo: &'a Repo,
    pub(super) dir: PathBuf,
    pub(super) n: usize,
}

impl Mess<'_> {
    /// Git as an agent would use it; whether it works does not matter.
    fn git_at(&self, dir: &Path, arguments: &[&str]) -> bool {
        let settings =
            ["-c", "core.editor=true", "-c", "protocol.file.allow=always", "-c", "advice.detachedHead=false"];
        let all: Vec<&str> = settings.iter().chain(arguments).copied().collect();
        self.repo.try_git(dir, &all).status.success()
    }

    fn git(&self, arguments: &[&str]) -> bool {
        self.git_at(&self.dir, arguments)
    }

    fn file(&self, a: u8) -> PathBuf {
        let name = NAMES.get(usize::from(a) % NAMES.len()).copied().unwrap_or(b"new.txt");
        self.dir.join(OsStr::from_bytes(name))
    }

    fn write(&self, file: &Path, bytes: &[u8]) {
        let Some(parent) = file.parent() else { return };
        // What is in the way stays: an agent's write fails as well.
        let _ = fs::create_dir_all(parent).and_then(|()| fs::write(file, bytes));
    }

    fn commit(&self, dir: &Path, name: &str, bytes: &[u8]) {
        self.write(&dir.join(name), bytes);
        self.git_at(dir, &["add", "--all"]);
        self.git_at(dir, &["commit", "--quiet", "--allow-empty", "--message", "work"]);
    }

    #[expect(clippy::too_many_lines, reason = "a list of what agents do to a checkout, one arm each")]
    pub(super) fn step(&mut self, (op, a, b): Step) {
        self.n += 1;
        let n = self.n.to_string();
        let file = self.file(a);
        match op % 26 {
            0 | 1 => self.write(&file, &content(b)),
            2 => {
                // Staged, then changed again.
                self.write(&file, &content(b));
                self.git(&["add", "--all"]);
                self.write(&file, &content(b.wrapping_add(1)));
            }
            3 => match b % 3 {
                0 => drop(fs::remove_file(&file)),
                1 => drop(self.git(&["rm", "--quiet", "--force", "--", "src/a.txt"])),
                _ => drop(self.git(&["rm", "--quiet", "--cached", "--", "src/b.txt"])),
            },
            4 => drop(fs::rename(&file, self.file(b))),
            5 => drop(fs::set_permissions(&file, Permissions::from_mode(if b % 2 == 0 { 0o755 } else { 0o644 }))),
            6 => {
                let _ = fs::remove_file(&file);
                match b % 3 {
                    0 => drop(symlink("src/b.txt", &file)),
                    1 => drop(symlink("nowhere/at all", &file)),
                    _ => self.write(&file.join("inside"), &content(b)),
                }
            }
            7 => match b % 4 {
                0 => drop(self.git(&["commit", "--quiet", "--allow-empty", "--message", &n])),
                1 => drop(self.git(&["commit", "--quiet", "--allow-empty", "--amend", "--message", &n])),
                2 => self.commit(&self.dir, &format!("src/made-{n}.txt"), &content(a)),
                _ => drop(self.git(&["commit", "--quiet", "--all", "--message", &n])),
            },
            8 => match b % 5 {
                0 => drop(self.git(&["switch", "--quiet", "--create", &format!("b{n}")])),
                1 => drop(self.git(&["switch", "--quiet", "--detach"])),
                2 => drop(self.git(&["switch", "--quiet", "--orphan", &format!("o{n}")])),
                3 => drop(self.git(&["switch", "--quiet", "feat/x"])),
                _ => drop(self.git(&["branch", "--force", &format!("f{n}"), "HEAD"])),
            },
            9 => {
                let how = ["--hard", "--soft", "--mixed", "--keep"];
                let how = how.get(usize::from(b) % 4).copied().unwrap_or("--hard");
                self.git(&["reset", "--quiet", how, if a % 2 == 0 { "HEAD~1" } else { "HEAD@{1}" }]);
            }
            10 => {
                self.write(&self.file(6), &content(a));
                let how: [&[&str]; 6] = [
                    &["push", "--quiet"],
                    &["push", "--quiet", "--include-untracked"],
                    &["push", "--quiet", "--keep-index"],
                    &["pop"],
                    &["apply", "--index"],
                    &["push", "--quiet", "--all"],
                ];
                let how = how.get(usize::from(b) % 6).copied().unwrap_or_default();
                self.git(&[&["stash"], how].concat());
            }
            11 => {
                let names = ["build/out.o", "x.log", ".env", "build/deep/er.bin"];
                let name = names.get(usize::from(a) % 4).copied().unwrap_or("x.log");
                self.write(&self.dir.join(name), &content(b));
            }
            12 | 13 => self.conflict(a, b, &n),
            14 => {
                self.git(&["bisect", "start"]);
                self.git(&["bisect", "bad"]);
                self.git(&["bisect", "good", "HEAD~1"]);
            }
            15 | 16 => self.repository(a, b, &n),
            17 => self.submodule(a, b),
            18 => {
                let (kind, what): (&str, &[&str]) =
                    if b % 2 == 0 { ("--cone", &["src"]) } else { ("--no-cone", &["/src/a.txt", "/run.sh"]) };
                self.git(&[&["sparse-checkout", "set", kind], what].concat());
                self.write(&self.file(a), &content(b));
            }
            19 => {
                let mark = if b % 2 == 0 { "--assume-unchanged" } else { "--skip-worktree" };
                self.git(&["update-index", mark, "src/a.txt", "run.sh"]);
                match a % 3 {
                    0 => drop(fs::remove_file(self.dir.join("src/a.txt"))),
                    _ => self.write(&self.dir.join("src/a.txt"), &content(a)),
                }
            }
            20 => {
                self.write(&self.dir.join("intended.txt"), &content(b));
                self.git(&["add", "--intent-to-add", "intended.txt"]);
            }
            21 => {
                // In the index and nowhere else.
                self.write(&self.dir.join("staged only.txt"), format!("staged {a} {b}\n").as_bytes());
                self.git(&["add", "staged only.txt"]);
                let _ = fs::remove_file(self.dir.join("staged only.txt"));
            }
            22 => {
                self.git(&["tag", "--annotate", "--message", "x", &format!("t{n}")]);
                if b % 2 == 0 {
                    self.git(&["switch", "--quiet", "--detach"]);
                    self.git(&["branch", "--quiet", "--delete", "--force", &format!("b{}", a % 8)]);
                }
            }
            23 => {
                let lines = [
                    "*.txt text eol=crlf\n",
                    "*.txt -text\n*.crlf text\n",
                    "*.txt ident\n",
                    "*.crlf working-tree-encoding=UTF-16\n",
                    "*.lossy filter=strip\n*.txt filter=strip\n",
                ];
                let line = lines.get(usize::from(b) % 5).copied().unwrap_or_default();
                self.write(&self.dir.join(".gitattributes"), line.as_bytes());
            }
            24 => match b % 4 {
                0 => drop(self.git(&["update-index", "--split-index"])),
                1 => drop(self.git(&["update-index", "--index-version", "4"])),
                2 => drop(self.git(&["update-index", "--untracked-cache"])),
                _ => {
                    let git_dir = self.repo.git_in(&self.dir, &["rev-parse", "--absolute-git-dir"]);
                    let _ = fs::remove_file(Path::new(&git_dir).join("index"));
                }
            },
            _ => {
                self.git(&["add", "--all"]);
            }
        }
    }

    /// Something that stops in the middle.
    fn conflict(&self, a: u8, b: u8, n: &str) {
        let side = format!("side{n}");
        self.git(&["branch", &side]);
        self.commit(&self.dir, "src/a.txt", format!("ours {n}\n").as_bytes());
        let back = self.repo.try_git(&self.dir, &["symbolic-ref", "--short", "HEAD"]);
        let back = String::from_utf8_lossy(&back.stdout).trim().to_owned();
        if !self.git(&["switch", "--quiet", &side]) {
            return;
        }
        self.commit(&self.dir, "src/a.txt", format!("theirs {n}\n").as_bytes());
        self.commit(&self.dir, &format!("src/side-{n}.txt"), &content(a));
        if !back.is_empty() {
            self.git(&["switch", "--quiet", &back]);
        }
        self.write(&self.dir.join("run.sh"), &content(b));
        match b % 6 {
            0 => drop(self.git(&["merge", "--autostash", &side])),
            1 => drop(self.git(&["rebase", "--quiet", "--autostash", &side])),
            2 => drop(self.git(&["cherry-pick", &format!("{side}~1"), &side])),
            3 => drop(self.git(&["revert", "--no-edit", "HEAD~1"])),
            4 => drop(self.git(&["rebase", "--quiet", "--apply", "--autostash", &side])),
            _ => {
                self.write(&self.dir.join("src/a.txt"), b"stashed\n");
                self.git(&["stash", "push", "--quiet"]);
                self.commit(&self.dir, "src/a.txt", b"in the way of the stash\n");
                self.git(&["stash", "pop"]);
            }
        }
        // Staged beside the conflict, and then changed.
        self.write(&self.dir.join("beside.txt"), b"staged beside\n");
        self.git(&["add", "beside.txt"]);
        self.write(&self.dir.join("beside.txt"), b"changed beside\n");
    }

    /// A repository inside.
    fn repository(&self, a: u8, b: u8, n: &str) {
        let names: [&[u8]; 4] = [b"vendor/lib", b"src", b"n\xffsted", b"vendor/other lib"];
        let dir = self.dir.join(OsStr::from_bytes(names.get(usize::from(a) % 4).copied().unwrap_or(b"vendor/lib")));
        let _ = fs::create_dir_all(&dir);
        match b % 8 {
            6 => {
                self.git_at(&dir, &["worktree", "add", "--quiet", "-b", &format!("w{n}"), "linked"]);
                self.write(&dir.join("linked/inner.txt"), b"in a worktree inside\n");
                return;
            }
            7 => {
                let url = format!("file://{}", self.repo.place("library").display());
                self.git_at(&dir, &["clone", "--quiet", "--depth", "1", &url, "shallow"]);
                self.commit(&dir.join("shallow"), "mine.txt", b"on top of a shallow history\n");
                self.write(&dir.join("shallow/loose.txt"), b"not committed\n");
                return;
            }
            _ => drop(self.git_at(&dir, &["init", "--quiet", "--initial-branch=main"])),
        }
        if b.is_multiple_of(8) {
            return;
        }
        self.write(&dir.join("inner.txt"), format!("inner {n}\n").as_bytes());
        if b % 8 == 1 {
            return;
        }
        self.commit(&dir, "inner.txt", b"first\n");
        self.commit(&dir, "inner.txt", format!("second {n}\n").as_bytes());
        match b % 8 {
            2 => drop(self.git_at(&dir, &["reset", "--quiet", "--hard", "HEAD~1"])),
            3 => {
                self.write(&dir.join("inner.txt"), b"stashed inside\n");
                self.git_at(&dir, &["stash", "push", "--quiet"]);
                self.git_at(&dir, &["switch", "--quiet", "--create", "inner-branch"]);
            }
            4 => {
                // Embedded, as a submodule that nobody declared.
                self.git(&["add", "--all"]);
                self.git(&["commit", "--quiet", "--message", "embedded"]);
                self.write(&dir.join("inner.txt"), b"changed inside\n");
            }
            _ => self.write(&dir.join("more.txt"), &content(a)),
        }
    }

    fn submodule(&self, a: u8, b: u8) {
        self.git(&["submodule", "--quiet", "update", "--init"]);
        let lib = self.dir.join("lib");
        if !lib.join(".git").exists() {
            return;
        }
        match b % 5 {
            0 => self.commit(&lib, "patched.txt", &content(a)),
            1 => self.write(&lib.join("patched.txt"), &content(a)),
            2 => {
                self.git_at(&lib, &["switch", "--quiet", "--create", "patch"]);
                self.commit(&lib, "patched.txt", &content(a));
                self.git(&["submodule", "--quiet", "deinit", "--force", "lib"]);
            }
            3 => {
                self.commit(&lib, "patched.txt", &content(a));
                self.git(&["add", "lib"]);
                self.git(&["commit", "--quiet", "--message", "newer lib"]);
            }
            _ => {
                self.commit(&lib, "patched.txt", &content(a));
                self.git_at(&lib, &["reset", "--quiet", "--hard", "HEAD~1"]);
                self.git(&["config", "submodule.lib.ignore", "all"]);
            }
        }
    }
}

/// A repository with something of everything.
pub(super) fn varied(setup: u8) -> Repo {
    let repo = Repo::new();
    for name in NAMES.iter().take(6) {
        let file = repo.path.join(OsStr::from_bytes(name));
        fs::create_dir_all(file.parent().expect("it has one")).expect("the repository is ours");
        fs::write(&file, format!("{}\nSECRET\nlast\n", String::from_utf8_lossy(name))).expect("it is ours");
    }
    fs::set_permissions(repo.path.join("run.sh"), Permissions::from_mode(0o755)).expect("it is ours");
    symlink("src/a.txt", repo.path.join("link")).expect("it is ours");
    // Takes lines out on the way in and does not give them back.
    repo.git(&["config", "filter.strip.clean", "sed /SECRET/d"]);
    match setup % 4 {
        1 => drop(repo.git(&["config", "core.autocrlf", "input"])),
        2 => repo.write(&repo.path, ".gitattributes", "*.lossy filter=strip\n*.crlf text eol=crlf\n"),
        _ => {}
    }
    let library = repo.place("library");
    fs::create_dir(&library).expect("the place is ours");
    repo.git_in(&library, &["init", "--quiet", "--initial-branch=main"]);
    repo.commit(&library, "lib.txt", "one\n");
    repo.commit(&library, "lib.txt", "two\n");
    if setup & 8 != 0 {
        let url = library.display().to_string();
        repo.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &url, "lib"]);
    }
    repo.commit_all(&repo.path, "something of everything");
    if setup & 16 != 0 {
        repo.git(&["sparse-checkout", "set", "--cone", "src", "deep"]);
    }
    repo
}
