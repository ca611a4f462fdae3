//! Repositories inside a checkout: submodules, clones that an agent made, and git directories that no checkout has any more.
//!
//! Each is sealed like the checkout itself, and brought into the outer repository.

use super::about::About;
use super::prepare::shown;
use super::seal::{self, Extent, bring};
use super::snapshot::Site;
use crate::exec::Environment;
use crate::git::{Git, common_of, git_dir_of};
use ao_core::id::CommitId;
use ao_slots::{Answer, Fault};
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A repository inside, as git says it.
struct Found {
    git_dir: PathBuf,
    common: PathBuf,
    shallow: bool,
}

/// Seals what is inside and brings it into the repository of `outer`. Ignored directories are not entered.
pub(super) async fn keep(
    outer: &Site,
    ignored: &[PathBuf],
    label: &str,
    env: &Environment,
    about: &mut About,
) -> Answer<()> {
    let (files, own) = (outer.files.clone(), outer.git_dir.clone());
    let skip: HashSet<PathBuf> = ignored.iter().map(|path| files.join(super::prepare::without_slash(path))).collect();
    let search = move || search(&files, &own, &skip);
    let paths = tokio::task::spawn_blocking(search).await;
    let mut visited = HashSet::new();
    for path in paths.map_err(|_| Fault::unavailable("looking for repositories was given up"))? {
        let files = outer.files.join(&path);
        let Some(found) = find(&files, env).await? else {
            about.lost(&format!("{}/.git is no repository; it was not kept", shown(&path)));
            continue;
        };
        let goes = found.git_dir.starts_with(&outer.files) || found.git_dir.starts_with(&outer.git_dir);
        let extent = if goes && found.git_dir == found.common { Extent::Repository } else { Extent::Checkout };
        let git = Git::at(&files, env).on(&found.git_dir, &files);
        let site = Site { git, git_dir: found.git_dir.clone(), files };
        visited.insert(found.git_dir);
        let label = format!("{label} in {}", if path.as_os_str().is_empty() { ".".to_owned() } else { shown(&path) });
        if let Some(commit) = Box::pin(seal_one(&site, extent, found.shallow, &label, env)).await? {
            bring(&site.git, &site.git_dir, &outer.git, &commit).await?;
            about.repository(&path, commit);
        }
    }
    for git_dir in modules(&outer.git_dir) {
        if visited.contains(&git_dir) {
            continue;
        }
        // Its files are gone; branches, stashes and reflogs are not.
        let git = Git::at(&git_dir, env).with("GIT_DIR", &git_dir);
        let said = git.call(["rev-parse", "--is-shallow-repository"]).ask().await?;
        if said.code != 0 || said.line() == "true" {
            about.lost(&format!("{} was not kept", shown(&git_dir)));
            continue;
        }
        let site = Site { git: git.with("GIT_WORK_TREE", &git_dir), git_dir: git_dir.clone(), files: git_dir.clone() };
        for (commit, place) in seal::of_bare(&site).await? {
            bring(&site.git, &git_dir, &outer.git, &commit).await?;
            about.also(
                commit,
                &format!("{place} of {}", shown(git_dir.strip_prefix(&outer.git_dir).unwrap_or(&git_dir))),
            );
        }
    }
    Ok(())
}

async fn seal_one(
    site: &Site,
    extent: Extent,
    shallow: bool,
    label: &str,
    env: &Environment,
) -> Answer<Option<CommitId>> {
    let kept = seal::seal(site, extent, None, label, env, shallow).await?;
    Ok(kept.sealed.map(|sealed| sealed.commit))
}

/// The repository whose files these are; none when it is none. Git says whether, its files say where: names are bytes.
async fn find(files: &Path, env: &Environment) -> Answer<Option<Found>> {
    let above = files.parent().unwrap_or(files);
    let git = Git::at(files, env).with("GIT_CEILING_DIRECTORIES", above);
    let said = git.call(["rev-parse", "--git-dir"]).ask().await?;
    if said.code != 0 {
        let words = &said.stderr;
        if words.contains("not a git repository") || words.contains("invalid gitfile") {
            return Ok(None);
        }
        return Err(said.fault());
    }
    let Some(git_dir) = git_dir_of(files) else { return Ok(None) };
    let common = common_of(&git_dir);
    let shallow = common.join("shallow").exists();
    Ok(Some(Found { git_dir, common, shallow }))
}

/// Directories with a `.git` of their own, from the top; below such a one nothing is looked for: that is its own business.
fn search(top: &Path, own: &Path, skip: &HashSet<PathBuf>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut dirs = vec![top.to_owned()];
    while let Some(dir) = dirs.pop() {
        let git = dir.join(".git");
        let is_top = dir == top;
        let is_own = is_top && (!git.is_dir() || git.canonicalize().ok() == own.canonicalize().ok());
        if fs::symlink_metadata(&git).is_ok() && !is_own {
            found.push(dir.strip_prefix(top).unwrap_or(&dir).to_owned());
            if !is_top && looks_whole(&git) {
                continue;
            }
        }
        let Ok(entries) = fs::read_dir(&dir) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) && entry.file_name() != ".git" && !skip.contains(&path)
            {
                dirs.push(path);
            }
        }
    }
    found.sort();
    found
}

fn looks_whole(git: &Path) -> bool {
    git.is_file() || git.join("HEAD").exists()
}

/// Git directories of submodules.
fn modules(git_dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut dirs = vec![git_dir.join("modules")];
    while let Some(dir) = dirs.pop() {
        if dir.join("HEAD").is_file() && dir.join("objects").is_dir() {
            dirs.push(dir.join("modules"));
            found.push(dir);
            continue;
        }
        let Ok(entries) = fs::read_dir(&dir) else { continue };
        dirs.extend(entries.flatten().filter(|e| e.file_type().is_ok_and(|kind| kind.is_dir())).map(|e| e.path()));
    }
    found.sort();
    found
}
