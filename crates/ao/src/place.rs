//! Where a verb was called: the repository around it and the configuration that holds there.

use crate::context::Context;
use ao_api::client::Client;
use ao_api::project::ProjectView;
use ao_api::request::NewProject;
use ao_core::kind::Fault;
use ao_daemon::registration::CONFIG_FILE;
use std::path::{Path, PathBuf};

/// The repository that `dir` lies in: the nearest directory upwards with a `.git`.
#[must_use]
pub fn repository(dir: &Path) -> Option<PathBuf> {
    dir.ancestors().find(|d| d.join(".git").exists()).map(Path::to_owned)
}

/// As [`repository`], or what to do about there being none.
///
/// # Errors
/// `invalid`.
pub fn require_repository(dir: &Path) -> Result<PathBuf, Fault> {
    repository(dir).ok_or_else(|| {
        Fault::invalid(format!("{} is not in a git repository", dir.display()))
            .hint("cd to a repository; to make one here: git init && git add . && git commit -m 'First commit'")
    })
}

/// The configuration that `AO_CONFIG` or `AO_CONFIG_PATH` names.
///
/// # Errors
/// `not_found` when it is not there.
pub fn named_config(cwd: &Path) -> Result<Option<PathBuf>, Fault> {
    for name in ["AO_CONFIG", "AO_CONFIG_PATH"] {
        if let Some(path) = std::env::var_os(name).filter(|v| !v.is_empty()) {
            let path = cwd.join(path);
            let real = std::fs::canonicalize(&path).map_err(|e| {
                Fault::not_found(format!("the configuration {} ({name}) cannot be read: {e}", path.display()))
            })?;
            return Ok(Some(real));
        }
    }
    Ok(None)
}

/// The configuration that holds for `dir`: the named one, else the nearest one upwards.
///
/// # Errors
/// `not_found` when a named one is not there.
pub fn config(dir: &Path, cwd: &Path) -> Result<Option<PathBuf>, Fault> {
    if let Some(named) = named_config(cwd)? {
        return Ok(Some(named));
    }
    let real = std::fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned());
    Ok(real.ancestors().map(|d| d.join(CONFIG_FILE)).find(|file| file.is_file()))
}

/// Registers the repository that `dir` lies in, or renews its settings.
///
/// # Errors
/// What is wrong with the repository or its configuration, and what to do about it.
pub async fn register(context: &Context, client: &Client, dir: &Path) -> Result<ProjectView, Fault> {
    register_with(client, dir, named_config(&context.cwd)?.as_deref()).await
}

/// As [`register`], with the configuration given.
///
/// # Errors
/// As for [`register`].
pub async fn register_with(client: &Client, dir: &Path, config: Option<&Path>) -> Result<ProjectView, Fault> {
    client.post("/api/projects", &new_project(dir, config)?).await
}

fn new_project(dir: &Path, config: Option<&Path>) -> Result<NewProject, Fault> {
    let root = require_repository(dir)?;
    Ok(NewProject { path: text(&root)?, config: config.map(text).transpose()?, if_changed: false })
}

/// The project to work on: the named one, else that of the repository around the caller, else the daemon's only one.
///
/// # Errors
/// As for [`register`].
pub async fn project(context: &Context, client: &Client, named: Option<&str>) -> Result<Option<String>, Fault> {
    if let Some(named) = named {
        return Ok(Some(named.to_owned()));
    }
    if repository(&context.cwd).is_none() {
        return Ok(None);
    }
    // Looking at a repository takes nine calls of git, half of what starting a session costs in all.
    let new = new_project(&context.cwd, named_config(&context.cwd)?.as_deref())?;
    let known: ProjectView = client.post("/api/projects", &NewProject { if_changed: true, ..new }).await?;
    Ok(Some(known.id))
}

fn text(path: &Path) -> Result<String, Fault> {
    path.to_str().map(str::to_owned).ok_or_else(|| Fault::invalid(format!("the path {} is not UTF-8", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_repository_and_configuration_upwards_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(dir.path()).unwrap();
        let deep = root.join("repo/a/b");
        std::fs::create_dir_all(&deep).unwrap();
        assert_eq!(repository(&deep), None);
        // A linked worktree has a file there.
        std::fs::write(root.join("repo/.git"), "gitdir: elsewhere").unwrap();
        assert_eq!(repository(&deep), Some(root.join("repo")));
        std::fs::write(root.join(CONFIG_FILE), "").unwrap();
        assert_eq!(config(&deep, &deep).unwrap(), Some(root.join(CONFIG_FILE)));
    }
}
