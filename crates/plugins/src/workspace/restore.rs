//! Putting rescued work back: into a new directory, or into the workspace of a session that is wanted again.
//!
//! Only directories that were made just now are written to; what cannot be put back is said.

use super::about::About;
use super::entries::{self, Entry};
use super::rescue::{self, about};
use super::snapshot::Site;
use crate::disk;
use crate::disk::failed;
use crate::exec::Environment;
use crate::git::{Git, Repository, Turn, turn};
use ao_core::id::CommitId;
use ao_slots::workspace::{PutBack, WorkspacePlan};
use ao_slots::{Answer, Fault};
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Checking out a rescued tree.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// Puts what was kept into a new worktree at `to`, on a new branch; what was not committed is not committed there.
pub(super) async fn into_directory(repository: &Path, name: &str, to: &Path, env: &Environment) -> Answer<PutBack> {
    let git = Git::at(repository, env);
    let (full, commit) = rescue::find(&git, name).await?;
    if !to.is_absolute() {
        return Err(Fault::invalid(format!("{} is not an absolute path", to.display())));
    }
    if disk::exists(to) && !disk::is_empty_dir(to) {
        return Err(Fault::conflict(format!("{} is there already", to.display())).hint("name a new directory"));
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(|error| failed(parent, &error))?;
    }
    let branch = rescue::free_branch(&git, &full).await?;
    let about = about(&git, &commit).await?;
    let head = about.head.clone().flatten();
    let common = Repository::of(&git).await?.common;
    let making = turn(Turn::Making, &common).await;
    let call = git.call(["worktree", "add", "--quiet", "--no-checkout"]);
    let call = match &head {
        Some(_) => call.args(["--no-track", "-b", &branch]),
        None => call.arg("--detach"),
    };
    call.arg(to).arg(head.as_ref().unwrap_or(&commit).as_str()).limit(LIMIT).run().await?;
    drop(making);
    let there = Git::at(to, env);
    let git_dir = there.call(["rev-parse", "--absolute-git-dir"]).text().await?;
    let site = Site { git: there, git_dir: git_dir.into(), files: to.to_owned() };
    if head.is_none() {
        // There was no commit yet, and there is none again.
        site.git.call(["symbolic-ref", "HEAD", &format!("refs/heads/{branch}")]).run().await?;
    }
    let left_out = put_back(&site, &common, &commit, &about, env).await?;
    super::prepare::large_files(&site, &common).await?;
    Ok(PutBack { name: full, branch, complete: true, left_out })
}

/// Where the workspace of a plan must begin for its rescue to fit, when it is one of the plan's own branch.
pub(super) async fn start(main: &Git, plan: &WorkspacePlan) -> Answer<Option<CommitId>> {
    let Some(name) = &plan.rescued else { return Ok(None) };
    let Some(commit) = main.commit(name).await? else { return Ok(None) };
    let about = about(main, &commit).await?;
    Ok(about.head.flatten().filter(|_| about.branch.as_ref() == Some(&plan.branch)))
}

/// Puts what a plan's rescue holds into its workspace, which was made just now, when that stands where it was.
pub(super) async fn into_workspace(
    main: &Git,
    common: &Path,
    site: &Site,
    plan: &WorkspacePlan,
    env: &Environment,
) -> Answer<Option<PutBack>> {
    let Some(name) = &plan.rescued else { return Ok(None) };
    let not =
        |why: String| PutBack { name: name.clone(), branch: plan.branch.clone(), complete: false, left_out: vec![why] };
    let Some(commit) = main.commit(name).await? else { return Ok(Some(not(format!("there is no {name} any more")))) };
    let about = about(main, &commit).await?;
    if about.branch.as_ref() != Some(&plan.branch) {
        let was = about.branch.map_or_else(|| "on no branch".to_owned(), |branch| format!("on branch {branch}"));
        return Ok(Some(not(format!("the workspace was {was}"))));
    }
    let head = site.git.commit("HEAD").await?;
    if head != about.head.clone().flatten() {
        return Ok(Some(not(format!("branch {} is at another commit now", plan.branch))));
    }
    if site.git.commit(commit.as_str()).await?.is_none() {
        fetch(&site.git, common, &commit).await?;
    }
    let left_out = put_back(site, common, &commit, &about, env).await?;
    Ok(Some(PutBack { name: name.clone(), branch: plan.branch.clone(), complete: true, left_out }))
}

/// Makes files and index of a new checkout, whose HEAD is right, what they were. What is left out, in words.
async fn put_back(
    site: &Site,
    common: &Path,
    commit: &CommitId,
    about: &About,
    env: &Environment,
) -> Answer<Vec<String>> {
    let git = site.git.clone().with("GIT_LFS_SKIP_SMUDGE", "1");
    git.call(["read-tree", "--reset", "-u", commit.as_str()]).limit(LIMIT).run().await?;
    let head = about.head.as_ref().and_then(Option::as_ref);
    beside_sparse(&git, site, head, commit).await?;
    if let Some(bytes) = &about.bytes {
        for entry in entries::of_tree(&git, bytes.as_str()).await? {
            write_bytes(&git, site, &entry).await?;
        }
    }
    match about.index.as_ref().or(head) {
        Some(staged) => git.call(["read-tree", staged.as_str()]).run().await?,
        None => git.call(["read-tree", "--empty"]).run().await?,
    };
    if let Some(conflict) = &about.conflict {
        let sides = entries::of_tree(&git, conflict.as_str()).await?;
        let sides: Vec<Entry> = sides.into_iter().filter_map(side).collect();
        git.call(["update-index", "-z", "--index-info"]).stdin(entries::index_info(&sides)).run().await?;
    }
    git.call(["update-index", "-q", "--refresh"]).ask().await?;
    let mut left_out = Vec::new();
    for (path, inside) in &about.repositories {
        if let Some(why) = Box::pin(repository(site, common, path, inside, &mut left_out, env)).await? {
            left_out.push(format!("the repository {}: {why} (commit {inside})", path.display()));
        }
    }
    if let Some((state, words)) = &about.state {
        left_out.push(format!("{words} was not finished; what git knew of it is in {state}"));
    }
    let loose = about.also.iter().filter(|(_, place)| place != "MERGE_HEAD").count();
    if loose > 0 {
        let many = if loose == 1 { "1 line of commits".to_owned() } else { format!("{loose} lines of commits") };
        left_out.push(format!("{many} that no branch holds; `git show {commit}` names them"));
    }
    Ok(left_out)
}

/// In a sparse checkout: what the work had changed outside of it.
async fn beside_sparse(git: &Git, site: &Site, head: Option<&CommitId>, commit: &CommitId) -> Answer<()> {
    if !site.git_dir.join("info/sparse-checkout").exists() {
        return Ok(());
    }
    let changed: Vec<PathBuf> = match head {
        Some(head) => {
            let call = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", "--diff-filter=AMT"];
            git.call(call).args([head.as_str(), commit.as_str()]).run().await?.paths().collect()
        }
        // Before the first commit everything is work.
        None => entries::of_tree(git, commit.as_str()).await?.into_iter().map(|entry| entry.path).collect(),
    };
    let mut names = Vec::new();
    for path in changed.iter().filter(|path| !disk::exists(&site.files.join(path))) {
        names.extend_from_slice(path.as_os_str().as_bytes());
        names.push(0);
    }
    if !names.is_empty() {
        let call = ["checkout-index", "--force", "--ignore-skip-worktree-bits", "-z", "--stdin"];
        git.call(call).stdin(names).limit(LIMIT).run().await?;
    }
    Ok(())
}

/// Writes a file as its object is, through no filter.
async fn write_bytes(git: &Git, site: &Site, entry: &Entry) -> Answer<()> {
    let made = site.files.join(git.call(["unpack-file", &entry.object]).text().await?);
    let to = disk::inside(&site.files, &entry.path)?;
    let mode = if entry.mode == "100755" { 0o755 } else { 0o644 };
    let write = || {
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::set_permissions(&made, Permissions::from_mode(mode))?;
        fs::rename(&made, &to)
    };
    write().map_err(|error| failed(&to, &error))
}

/// `2/src/a.txt` as our side of `src/a.txt`.
fn side(entry: Entry) -> Option<Entry> {
    let mut parts = entry.path.components();
    let stage = parts.next()?.as_os_str().to_str()?.parse().ok()?;
    let path = parts.as_path().to_owned();
    Some(Entry { stage, path, ..entry })
}

/// Puts a repository inside back; why not, when it cannot be.
async fn repository(
    outer: &Site,
    common: &Path,
    path: &Path,
    commit: &CommitId,
    left_out: &mut Vec<String>,
    env: &Environment,
) -> Answer<Option<String>> {
    if path.as_os_str().is_empty() {
        return Ok(Some("it was in the place of the workspace's own link".to_owned()));
    }
    let files = disk::inside(&outer.files, path)?;
    let git_dir = files.join(".git");
    if disk::exists(&git_dir) {
        return Ok(Some("there is one already".to_owned()));
    }
    fs::create_dir_all(&files).map_err(|error| failed(&files, &error))?;
    Git::at(&files, env).call(["init", "--quiet", "--template="]).run().await?;
    let git = Git::at(&files, env).on(&git_dir, &files);
    fetch(&git, common, commit).await?;
    let about = about(&git, commit).await?;
    let branch = about.branch.as_ref().map(|branch| format!("refs/heads/{branch}"));
    if let Some(branch) = &branch {
        git.call(["symbolic-ref", "HEAD", branch]).run().await?;
    }
    if let Some(head) = about.head.iter().flatten().next() {
        git.call(["update-ref", "--no-deref", branch.as_deref().unwrap_or("HEAD"), head.as_str()]).run().await?;
    }
    for (commit, place) in about.also.iter().filter(|(_, place)| place.starts_with("refs/")) {
        git.call(["update-ref", place, commit.as_str()]).run().await?;
    }
    let site = Site { git, git_dir, files };
    let inside = put_back(&site, common, commit, &about, env).await?;
    left_out.extend(inside.into_iter().map(|words| format!("{}: {words}", path.display())));
    Ok(None)
}

/// Gets one commit of the main repository, whether or not a ref names it there.
async fn fetch(into: &Git, common: &Path, commit: &CommitId) -> Answer<()> {
    into.call(["-c", "protocol.file.allow=always", "-c", "protocol.version=2", "fetch", "--quiet", "--no-tags"])
        .args(["--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-maintenance"])
        .arg(common)
        .arg(commit.as_str())
        .limit(LIMIT)
        .run()
        .await
        .map(drop)
}
