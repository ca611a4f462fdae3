//! The rule that nothing in the repository names a directory of somebody's machine.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use regex::Regex;

use super::finding::Report;
use super::tree::{Tree, line_of};

/// Names that stand for anybody's home in examples.
const ANYBODY: [&str; 9] = ["user", "agent", "name", "you", "me", "alice", "bob", "runner", "dev"];

pub(super) fn home_path(tree: &Tree, report: &mut Report) -> Result<()> {
    let pattern =
        Regex::new(concat!(r"(?:^|[^A-Za-z0-9_.}~$/-])(/", r"root/|/", r"work/|/(?:home|Users)/([A-Za-z0-9_.-]+))"))?;
    for (path, file) in &tree.files {
        let Some(text) = &file.text else { continue };
        if path.contains("/vendor/") {
            continue;
        }
        if let Some((at, found)) = named_home(&pattern, text) {
            report.error("home-path", path, line_of(text, at), format!("`{found}` is a path of one machine"));
        }
    }
    if tree.root.join(".git").exists() {
        for (commit, message) in unpublished_commits(tree)? {
            if let Some((_, found)) = named_home(&pattern, &message) {
                report.error(
                    "home-path",
                    &format!("commit {commit}"),
                    0,
                    format!("`{found}` is a path of one machine"),
                );
            }
        }
    }
    Ok(())
}

/// The first path of a machine in the text: where, and what.
fn named_home(pattern: &Regex, text: &str) -> Option<(usize, String)> {
    pattern.captures_iter(text).find_map(|hit| {
        let path = hit.get(1)?;
        let owner = hit.get(2).map(|owner| owner.as_str().to_ascii_lowercase());
        let anybody = owner.is_some_and(|owner| ANYBODY.contains(&owner.as_str()));
        (!anybody).then(|| (path.start(), path.as_str().to_owned()))
    })
}

/// Messages of the commits of HEAD that no remote branch holds yet, by abbreviated hash; those can still be mended.
fn unpublished_commits(tree: &Tree) -> Result<Vec<(String, String)>> {
    let output = Command::new("git")
        .args(["log", "-z", "--format=%h%n%B", "HEAD", "--not", "--remotes"])
        .current_dir(&tree.root)
        .output()
        .context("failed to run git log")?;
    ensure!(output.status.success(), "git log failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    let text = String::from_utf8_lossy(&output.stdout);
    let commits = text.split('\0').filter_map(|commit| commit.split_once('\n'));
    Ok(commits.map(|(hash, message)| (hash.to_owned(), message.to_owned())).collect())
}
