//! Repositories inside a checkout: submodules, clones that an agent made, and git directories that no checkout has any more.
//!
//! Only found here; each is sealed like the checkout itself.

use crate::exec::Environment;
use crate::git::{Git, common_of, git_dir_of};
use ao_slots::Answer;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A repository inside, as git says it.
pub(super) struct Found {
    pub git_dir: PathBuf,
    pub common: PathBuf,
    pub shallow: bool,
}

/// The repository whose files these are; none when it is none. Git says whether, its files say where: names are bytes.
pub(super) async fn find(files: &Path, env: &Environment) -> Answer<Option<Found>> {
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
pub(super) fn search(top: &Path, own: &Path, skip: &HashSet<PathBuf>) -> Vec<PathBuf> {
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
pub(super) fn modules(git_dir: &Path) -> Vec<PathBuf> {
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
