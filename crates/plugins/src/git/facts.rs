//! A repository as a person left it: what `ao start` and `ao fix` look at before they begin.
//!
//! Facts only: whether a dirty checkout or a detached HEAD matters is for the caller to say.

use super::call::Git;
use super::places::{self, Unfinished};
use super::status::status;
use crate::exec::Environment;
use ao_core::id::CommitId;
use ao_slots::{Answer, Fault, Kind};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Where HEAD is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Head {
    /// On a branch with commits.
    Branch(String),
    /// On a branch before its first commit.
    Unborn(String),
    /// On a commit and no branch.
    Detached(CommitId),
}

/// A repository as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepoFacts {
    /// Top directory of the main checkout, also when asked from inside a linked worktree; the repository itself when bare.
    pub root: PathBuf,
    /// Top directory of the checkout that was asked about; none in a bare repository.
    pub toplevel: Option<PathBuf>,
    /// HEAD of the main checkout.
    pub head: Head,
    /// HEAD's commit there.
    pub commit: Option<CommitId>,
    /// Some branch has a commit.
    pub has_commits: bool,
    /// The branch that work lands on when nobody says otherwise: the remote's, else `main`, `master`, or the one that is
    /// checked out.
    pub default_branch: String,
    /// Paths of the main checkout that differ from HEAD, untracked ones included.
    pub dirty: Vec<PathBuf>,
    /// Something is begun in the main checkout and not finished.
    pub unfinished: Option<Unfinished>,
    /// There is no checkout.
    pub bare: bool,
    /// The place asked about lies in a linked worktree.
    pub linked: bool,
    /// Version of git.
    pub git: String,
}

/// Looks at the repository that `path` lies in.
///
/// # Errors
/// `not_found` outside a repository, `denied` when it belongs to somebody else, `unsupported` without git.
pub async fn facts(path: &Path, env: &Environment) -> Answer<RepoFacts> {
    let git = Git::at(path, env);
    let said =
        git.call(["rev-parse", "--path-format=absolute", "--git-common-dir", "--absolute-git-dir"])
            .arg("--is-bare-repository")
            .arg("--is-inside-work-tree")
            .run()
            .await
            .map_err(|fault| match fault.kind {
                Kind::NotFound => Fault::not_found(format!("{} is not in a git repository", path.display()))
                    .hint("run `git init` first"),
                _ => fault,
            })?;
    let mut lines = said.stdout.split(|&byte| byte == b'\n');
    let mut next = || places::first_path(lines.next().unwrap_or_default());
    let (common, git_dir) = (next(), next());
    let bare = next() == Path::new("true");
    let inside = next() == Path::new("true");
    let linked = !places::same(&common, &git_dir);
    let toplevel = match inside {
        true => Some(places::first_path(&git.call(["rev-parse", "--show-toplevel"]).run().await?.stdout)),
        false => None,
    };
    let checkouts = places::list_worktrees(&git, &common).await?;
    let main = checkouts.first().filter(|main| !main.bare).map(|main| main.path.clone());
    let state = match &main {
        Some(main) => status(&Git::at(main, env)).await?,
        None => Default::default(),
    };
    let there = Git::at(main.clone().unwrap_or_else(|| common.clone()), env);
    let symbolic = there.call(["symbolic-ref", "--quiet", "--short", "HEAD"]).ask().await?;
    let branch = (symbolic.code == 0).then(|| symbolic.line());
    let commit = there.commit("HEAD").await?;
    let head = match (&branch, &commit) {
        (Some(branch), Some(_)) => Head::Branch(branch.clone()),
        (Some(branch), None) => Head::Unborn(branch.clone()),
        (None, Some(commit)) => Head::Detached(commit.clone()),
        (None, None) => return Err(Fault::conflict(format!("HEAD of {} leads nowhere", common.display()))),
    };
    let branches = branches(&there).await?;
    let version = there.call(["version"]).text().await?;
    Ok(RepoFacts {
        root: main.unwrap_or_else(|| common.clone()),
        toplevel,
        default_branch: default_branch(&there, &branches, branch.as_deref()).await?,
        has_commits: commit.is_some() || !branches.is_empty(),
        head,
        commit,
        dirty: state.unmerged.into_iter().chain(state.changed).chain(state.untracked).collect(),
        unfinished: places::unfinished(&common),
        bare: bare || checkouts.first().is_some_and(|main| main.bare),
        linked,
        git: version.trim_start_matches("git version ").to_owned(),
    })
}

async fn branches(git: &Git) -> Answer<BTreeSet<String>> {
    let said = git.call(["for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads"]).text().await?;
    Ok(said.lines().map(str::to_owned).collect())
}

async fn default_branch(git: &Git, branches: &BTreeSet<String>, current: Option<&str>) -> Answer<String> {
    let remote = git.call(["symbolic-ref", "--quiet", "refs/remotes/origin/HEAD"]).ask().await?.line();
    let remote = remote.strip_prefix("refs/remotes/origin/").map(str::to_owned);
    let named = remote.into_iter().chain(["main".to_owned(), "master".to_owned()]);
    let found = named.into_iter().find(|name| branches.contains(name));
    Ok(found.or_else(|| current.map(str::to_owned)).or_else(|| branches.first().cloned()).unwrap_or_default())
}

/// The branch that HEAD is on.
///
/// # Errors
/// `conflict` when it is detached.
pub async fn head_branch(git: &Git) -> Answer<String> {
    let said = git.call(["symbolic-ref", "--quiet", "--short", "HEAD"]).ask().await?;
    if said.code == 0 {
        return Ok(said.line());
    }
    if !said.stderr.is_empty() {
        return Err(said.fault());
    }
    Err(Fault::conflict(format!("HEAD of {} is on a commit and no branch", git.dir().display()))
        .hint("`git switch BRANCH`, or name the branch that work lands on (`defaultBranch`)"))
}

/// The fault about a branch that has no commit: because nothing has, or because there is no such branch.
pub async fn missing_branch(git: &Git, name: &str) -> Fault {
    let branches = match branches(git).await {
        Ok(branches) => branches,
        Err(fault) => return fault,
    };
    let place = git.dir().display();
    if branches.is_empty() {
        return Fault::conflict(format!("{place} has no commits yet")).hint("commit something first");
    }
    let known: Vec<String> = branches.into_iter().take(10).collect();
    Fault::not_found(format!("there is no branch {name:?} in {place}")).hint(format!("there is {}", known.join(", ")))
}
