//! What the configuration says about workspaces and what becomes of them, as values.

use super::duration::Duration;
use crate::time::Millis;
use crate::workspace::{Dependency, PORT_RANGE, PORTS_EACH, POST_CREATE_TIMEOUT, PortRange, Workspaces};
use std::collections::BTreeMap;

/// What a project's part of the file says about them.
pub(super) struct Written<'a> {
    pub(super) dir: Option<&'a str>,
    pub(super) include: &'a [String],
    pub(super) dependencies: &'a BTreeMap<String, String>,
    pub(super) env_files: &'a [String],
    pub(super) port_range: Option<&'a str>,
    pub(super) post_create_timeout: Option<Duration>,
}

/// The settings of a project's workspaces.
///
/// # Errors
/// Words that name the key and what it may be.
pub(super) fn read(written: &Written<'_>) -> Result<Workspaces, String> {
    if written.dir.is_some_and(|dir| dir.trim().is_empty()) {
        return Err("worktreeDir is empty; leave it out to keep workspaces in the data directory".to_owned());
    }
    let mut dependencies = BTreeMap::new();
    for (path, how) in written.dependencies {
        relative("dependencies", path)?;
        let how = Dependency::named(how)
            .ok_or_else(|| format!("dependencies.{path} is {how:?}; it may be reflink, copy, symlink or leave"))?;
        dependencies.insert(path.clone(), how);
    }
    for path in written.env_files {
        relative("envFiles", path)?;
    }
    Ok(Workspaces {
        dir: written.dir.map(str::to_owned),
        include: written.include.to_vec(),
        env_files: written.env_files.to_vec(),
        dependencies,
        ports: ports(written.port_range)?,
        post_create_timeout: match written.post_create_timeout {
            Some(limit) if limit.0.0 == 0 => return Err("postCreateTimeout is 0; write 90s, 30m or 2h".to_owned()),
            Some(limit) => limit.0,
            None => POST_CREATE_TIMEOUT,
        },
    })
}

/// Less is no time to look at what a session left.
const LEAST_ENDED: Millis = Millis::mins(1);

/// How long after its end a session is put into the archive.
///
/// # Errors
/// Words that say what it may be.
pub(super) fn archive_after(written: Option<Duration>) -> Result<Option<Millis>, String> {
    match written.map(|after| after.0) {
        Some(after) if after < LEAST_ENDED => {
            Err("lifecycle.archiveAfter is shorter than 1m; leave it out to archive nothing by itself".to_owned())
        }
        after => Ok(after),
    }
}

/// Only what lies in the repository is copied from it.
fn relative(key: &str, path: &str) -> Result<(), String> {
    let parts = path.split('/');
    let leaves = path.starts_with('/') || path.is_empty() || parts.into_iter().any(|part| part == "..");
    if leaves { Err(format!("{key} names {path:?}; it may be a path below the repository")) } else { Ok(()) }
}

/// `20000-29999`.
fn ports(written: Option<&str>) -> Result<PortRange, String> {
    let Some(text) = written else { return Ok(PORT_RANGE) };
    let ends = text.split_once('-').and_then(|(first, last)| {
        Some(PortRange { first: first.trim().parse().ok()?, last: last.trim().parse().ok()? })
    });
    match ends {
        Some(range) if range.first >= 1024 && range.last.saturating_sub(range.first) >= PORTS_EACH - 1 => Ok(range),
        _ => Err(format!(
            "portRange is {text:?}; it may be two ports from 1024 on, such as 20000-29999, at least {PORTS_EACH} of them"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{parse, settings};
    use crate::workspace::{Dependency, PortRange};

    #[test]
    fn what_workspaces_get_is_read_and_mistakes_are_named() {
        let text = "projects:\n  app:\n    worktreeDir: .worktrees\n    worktreeInclude: ['*.pem']\n    \
            dependencies: {node_modules: reflink, target: leave}\n    envFiles: [.env]\n    portRange: 30000-30099\n    \
            postCreateTimeout: 90s\n";
        let config = parse("x.yaml", text).expect("it loads");
        let read = settings(&config, &config.projects["app"]).expect("settings").workspaces;
        assert_eq!((read.dir.as_deref(), read.post_create_timeout.0), (Some(".worktrees"), 90_000));
        assert_eq!(read.dependencies["node_modules"], Dependency::Reflink);
        assert_eq!(read.ports, PortRange { first: 30_000, last: 30_099 });
        for (line, part) in [
            ("dependencies: {node_modules: hardlink}", "it may be reflink, copy, symlink or leave"),
            ("dependencies: {../x: copy}", "below the repository"),
            ("envFiles: [/etc/passwd]", "below the repository"),
            ("portRange: 30000", "such as 20000-29999"),
            ("portRange: 30000-30003", "at least 10"),
            ("portRange: 80-200", "from 1024"),
            ("worktreeDir: ''", "worktreeDir is empty"),
            ("postCreateTimeout: 0", "postCreateTimeout is 0"),
        ] {
            let error = parse("x.yaml", &format!("projects:\n  app: {{{line}}}\n")).expect_err(line).to_string();
            assert!(error.contains(part), "{part} is missing in:\n{error}");
        }
    }
}
