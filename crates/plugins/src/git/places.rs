//! Where git keeps things: the common directory, a worktree's own directory, what is going on there.
//!
//! Reads the few files that git documents (`gitrepository-layout`), so that looking costs no process.

use super::call::Git;
use ao_core::id::CommitId;
use ao_slots::Answer;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// A repository's directories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// What all its worktrees share: objects, refs, `info/exclude`.
    pub common: PathBuf,
}

impl Repository {
    /// The repository that `git` runs in.
    ///
    /// # Errors
    /// When there is none.
    pub async fn of(git: &Git) -> Answer<Self> {
        let said = git.call(["rev-parse", "--path-format=absolute", "--git-common-dir"]).run().await?;
        Ok(Self { common: first_path(&said.stdout) })
    }
}

/// The git directory of a main checkout, found without git; none where it is somewhere else, or kept in another way.
#[must_use]
pub fn plain_common(checkout: &Path) -> Option<PathBuf> {
    let common = fs::canonicalize(checkout.join(".git")).ok()?;
    (common.join("HEAD").is_file() && common.join("refs").is_dir() && !common.join("commondir").exists())
        .then_some(common)
}

/// The tip of a branch as its file says it; none where there is no such file, which says nothing about the branch.
#[must_use]
pub fn plain_tip(common: &Path, branch: &str) -> Option<CommitId> {
    let text = fs::read_to_string(common.join("refs/heads").join(branch)).ok()?;
    let tip = text.trim_end();
    (matches!(tip.len(), 40 | 64) && tip.bytes().all(|b| b.is_ascii_hexdigit())).then(|| CommitId::new(tip))
}

/// The first line as a path.
pub(super) fn first_path(lines: &[u8]) -> PathBuf {
    let line = lines.split(|&byte| byte == b'\n').next().unwrap_or_default();
    PathBuf::from(OsString::from_vec(line.to_vec()))
}

/// A linked worktree that its repository knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Its own directory in the repository, `worktrees/NAME`.
    pub admin: PathBuf,
}

/// The text with which git locks a worktree while it makes it (`builtin/worktree.c`).
const MAKING: &str = "initializing";

impl Registration {
    /// Git began to make it and did not come to the end.
    #[must_use]
    pub fn is_half_made(&self) -> bool {
        fs::read_to_string(self.admin.join("locked")).is_ok_and(|why| why.trim() == MAKING)
    }

    /// Why a person locked it; git's own lock while it makes one does not count.
    #[must_use]
    pub fn locked(&self) -> Option<String> {
        let why = fs::read_to_string(self.admin.join("locked")).ok()?;
        (why.trim() != MAKING).then(|| why.trim().to_owned())
    }

    /// Has a `.git` file of its own that leads here.
    #[must_use]
    pub fn is_linked_from(&self, path: &Path) -> bool {
        link_target(&path.join(".git")).is_some_and(|admin| same(&admin, &self.admin))
    }
}

/// What a `.git` file says.
fn link_target(file: &Path) -> Option<PathBuf> {
    let text = fs::read(file).ok()?;
    let target = text.strip_prefix(b"gitdir: ")?;
    let target = PathBuf::from(OsString::from_vec(target.trim_ascii_end().to_vec()));
    Some(file.parent()?.join(target))
}

/// The git directory of the checkout in `files`, as its `.git` says it, with links resolved.
#[must_use]
pub fn git_dir_of(files: &Path) -> Option<PathBuf> {
    let link = files.join(".git");
    let git_dir = if link.is_dir() { link } else { link_target(&link)? };
    git_dir.canonicalize().ok()
}

/// The git directory that a checkout shares with the others of its repository; its own one when there are no others.
#[must_use]
pub fn common_of(git_dir: &Path) -> PathBuf {
    let Ok(text) = fs::read(git_dir.join("commondir")) else { return git_dir.to_owned() };
    let common = git_dir.join(OsString::from_vec(text.trim_ascii_end().to_vec()));
    common.canonicalize().unwrap_or(common)
}

/// The same place, as far as it exists.
#[must_use]
pub fn same(one: &Path, other: &Path) -> bool {
    one == other || real(one) == real(other)
}

/// The real path, of the parent where the place itself is gone.
fn real(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    match (path.parent().map(real), path.file_name()) {
        (Some(parent), Some(name)) => parent.join(name),
        (Some(_) | None, _) => path.to_owned(),
    }
}

/// The registration of the linked worktree at `path`, whether or not there is anything at `path`.
#[must_use]
pub fn registration(common: &Path, path: &Path) -> Option<Registration> {
    let wanted = real(&path.join(".git"));
    let admins = fs::read_dir(common.join("worktrees")).ok()?;
    admins.flatten().map(|entry| entry.path()).find_map(|admin| {
        let file = fs::read(admin.join("gitdir")).ok()?;
        let file = admin.join(OsString::from_vec(file.trim_ascii_end().to_vec()));
        (file == wanted || real(&file) == wanted).then_some(Registration { admin })
    })
}

/// Something that was begun in a checkout and is not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfinished {
    /// A merge.
    Merge,
    /// A rebase, or patches being applied.
    Rebase,
    /// A cherry-pick.
    CherryPick,
    /// A revert.
    Revert,
}

impl Unfinished {
    /// In words, for the middle of a sentence.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Merge => "a merge",
            Self::Rebase => "a rebase",
            Self::CherryPick => "a cherry-pick",
            Self::Revert => "a revert",
        }
    }
}

/// What is going on in the checkout whose own git directory this is.
#[must_use]
pub fn unfinished(git_dir: &Path) -> Option<Unfinished> {
    [
        ("rebase-merge", Unfinished::Rebase),
        ("rebase-apply", Unfinished::Rebase),
        ("MERGE_HEAD", Unfinished::Merge),
        ("CHERRY_PICK_HEAD", Unfinished::CherryPick),
        ("REVERT_HEAD", Unfinished::Revert),
    ]
    .into_iter()
    .find_map(|(name, what)| git_dir.join(name).exists().then_some(what))
}

/// The branch that is being rebased in the checkout whose own git directory this is.
#[must_use]
pub fn rebased_branch(git_dir: &Path) -> Option<String> {
    ["rebase-merge", "rebase-apply"].iter().find_map(|dir| {
        let name = fs::read_to_string(git_dir.join(dir).join("head-name")).ok()?;
        Some(name.trim().strip_prefix("refs/heads/")?.to_owned())
    })
}

/// The commits that are being merged in, in the checkout whose own git directory this is.
#[must_use]
pub fn merging(git_dir: &Path) -> Vec<CommitId> {
    let text = fs::read_to_string(git_dir.join("MERGE_HEAD")).unwrap_or_default();
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(CommitId::new).collect()
}

/// A checkout in git's list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Its directory.
    pub path: PathBuf,
    /// Its branch; none when HEAD is detached.
    pub branch: Option<String>,
    /// Its own git directory.
    pub git_dir: PathBuf,
    /// The main directory of a repository without a checkout.
    pub bare: bool,
    /// A person locked it, as when its disk is not always there.
    pub locked: bool,
}

/// All checkouts of a repository, the main one first.
///
/// # Errors
/// When git cannot be run there.
pub async fn list_worktrees(git: &Git, common: &Path) -> Answer<Vec<Listed>> {
    let said = git.call(["worktree", "list", "--porcelain", "-z"]).run().await?;
    let mut all: Vec<Listed> = Vec::new();
    for field in said.stdout.split(|&byte| byte == 0) {
        if let Some(path) = field.strip_prefix(b"worktree ") {
            let path = PathBuf::from(OsString::from_vec(path.to_vec()));
            // The first one is the main checkout; the others are found by their registration.
            let git_dir = if all.is_empty() {
                common.to_owned()
            } else {
                registration(common, &path).map_or_else(PathBuf::new, |found| found.admin)
            };
            all.push(Listed { path, git_dir, ..Listed::default() });
        } else if let Some(last) = all.last_mut() {
            let field = String::from_utf8_lossy(field);
            if let Some(branch) = field.strip_prefix("branch refs/heads/") {
                last.branch = Some(branch.to_owned());
            } else if field == "bare" {
                last.bare = true;
            } else if field == "locked" || field.starts_with("locked ") {
                last.locked = true;
            }
        }
    }
    Ok(all)
}
