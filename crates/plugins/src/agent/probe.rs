//! Looks for an agent's program and asks it for its version.

use crate::exec::{self, Environment, Program};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A version may take this long to be said: the slowest measured agent starts in three seconds on a busy machine.
const VERSION_LIMIT: Duration = Duration::from_secs(10);

/// The absolute path of a program in `path` (a `PATH` value); relative entries are passed over. A name with a slash must be
/// an absolute path.
pub fn find(program: &str, path: &str) -> Option<PathBuf> {
    let executable = |file: PathBuf| {
        let runs = rustix::fs::access(&file, rustix::fs::Access::EXEC_OK).is_ok();
        (file.is_absolute() && file.is_file() && runs).then_some(file)
    };
    if program.contains('/') {
        return executable(PathBuf::from(program));
    }
    std::env::split_paths(path).find_map(|dir| executable(dir.join(program)))
}

/// What it says its version is: the first word that looks like one.
pub async fn version(program: &Path, args: &[String], path: &str) -> Option<String> {
    if args.is_empty() {
        return None;
    }
    let argv = std::iter::once(program.into()).chain(args.iter().map(Into::into)).collect();
    let env = Environment::of_process().with("PATH", path);
    let program = Program { argv, dir: std::env::temp_dir(), env, stdin: Vec::new(), limit: VERSION_LIMIT, keep: 4096 };
    let ran = exec::run(&program).await.ok()?;
    let said = String::from_utf8_lossy(&ran.stdout.bytes).into_owned();
    said.split_whitespace().find_map(version_word)
}

fn version_word(word: &str) -> Option<String> {
    let word = word.trim_start_matches('v').trim_end_matches([',', ')', ';']);
    let mut parts = word.split('.');
    let number = |p: Option<&str>| p.is_some_and(|p| p.starts_with(|c: char| c.is_ascii_digit()));
    (number(parts.next()) && number(parts.next())).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_real_agents_say() {
        for (said, want) in
            [("2.1.197 (Claude Code)", "2.1.197"), ("codex-cli 0.169.0", "0.169.0"), ("v1.2-rc1", "1.2-rc1")]
        {
            assert_eq!(said.split_whitespace().find_map(version_word).as_deref(), Some(want), "{said}");
        }
        assert_eq!("no version here".split_whitespace().find_map(version_word), None);
    }

    #[test]
    fn only_executable_files_of_absolute_directories_are_found() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("agent");
        std::fs::write(&file, "").unwrap();
        let path = format!("relative:/nowhere:{}", dir.path().display());
        assert_eq!(find("agent", &path), None);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(find("agent", &path), Some(file));
        assert_eq!(find("../agent", &path), None);
    }
}
