//! The demo's world: a sample repository with eight failing tests, and the script of the agents that mend them.
//!
//! Running it is the verb's business (`command/demo.rs`).

use anyhow::{Context, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository's directory, which names the project.
pub const REPOSITORY: &str = "shop";

/// The sample's files: path in the repository and content.
const FILES: [(&str, &str); 13] = [
    (".gitignore", include_str!("../fixtures/demo/gitignore.txt")),
    ("Cargo.lock", include_str!("../fixtures/demo/Cargo.lock.txt")),
    ("Cargo.toml", include_str!("../fixtures/demo/Cargo.toml.txt")),
    ("README.md", include_str!("../fixtures/demo/README.md")),
    ("src/cart.rs", include_str!("../fixtures/demo/src/cart.rs")),
    ("src/date.rs", include_str!("../fixtures/demo/src/date.rs")),
    ("src/lib.rs", include_str!("../fixtures/demo/src/lib.rs")),
    ("src/money.rs", include_str!("../fixtures/demo/src/money.rs")),
    ("src/price.rs", include_str!("../fixtures/demo/src/price.rs")),
    ("src/search.rs", include_str!("../fixtures/demo/src/search.rs")),
    ("src/stock.rs", include_str!("../fixtures/demo/src/stock.rs")),
    ("src/text.rs", include_str!("../fixtures/demo/src/text.rs")),
    ("tests/shop.rs", include_str!("../fixtures/demo/tests/shop.rs")),
];

/// What the scripted agent answers to which prompt.
const SCRIPT: &str = include_str!("../fixtures/demo/script.json");

/// The sample's check. The sample has no dependencies, so it needs no network.
pub const CHECK: &str = "cargo test --offline";

/// Failing tests in the sample.
pub const FAILURES: usize = 8;

/// Where everything of one demo lies.
#[derive(Debug)]
pub struct Sample {
    /// The repository.
    pub repository: PathBuf,
    /// The script, outside the repository.
    pub script: PathBuf,
    /// Where the scripted agents write down every prompt that they read.
    pub prompts: PathBuf,
}

impl Sample {
    /// Makes the sample under `dir`, which exists.
    ///
    /// # Errors
    /// When a file cannot be written or git does not do its part.
    pub fn make(dir: &Path) -> anyhow::Result<Self> {
        let repository = dir.join(REPOSITORY);
        for (path, text) in FILES {
            let file = repository.join(path);
            let parent = file.parent().unwrap_or(&repository);
            std::fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
            std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        }
        git(&repository, &["init", "--quiet", "--initial-branch=main"])?;
        git(&repository, &["add", "--all"])?;
        // A fresh machine has no identity; a signing key would ask for its passphrase.
        let identity = ["-c", "user.name=ao demo", "-c", "user.email=demo@localhost", "-c", "commit.gpgsign=false"];
        git(&repository, &[&identity[..], &["commit", "--quiet", "--message=A shop with eight faults"]].concat())?;
        let script = dir.join("script.json");
        std::fs::write(&script, SCRIPT).with_context(|| format!("cannot write {}", script.display()))?;
        Ok(Self { repository, script, prompts: dir.join("prompts.jsonl") })
    }

    /// Arguments that give the scripted agent its part.
    #[must_use]
    pub fn agent_args(&self) -> Vec<String> {
        ["--script", &self.script.display().to_string(), "--log", &self.prompts.display().to_string()]
            .map(str::to_owned)
            .to_vec()
    }
}

/// Runs the check in a fresh clone of a branch: the proof that does not depend on anything `ao` keeps.
///
/// # Errors
/// When the clone or the check cannot be run. A red check is `Ok(false)`.
pub fn passes_in_a_clone(repository: &Path, branch: &str, into: &Path) -> anyhow::Result<bool> {
    let (from, to) = (repository.display().to_string(), into.display().to_string());
    git(repository, &["clone", "--quiet", "--branch", branch, "--", &from, &to])?;
    let words: Vec<&str> = CHECK.split_whitespace().collect();
    let [program, arguments @ ..] = words.as_slice() else { bail!("the sample's check is empty") };
    let ran = Command::new(program)
        .args(arguments)
        .current_dir(into)
        .output()
        .with_context(|| format!("cannot run {CHECK}"))?;
    Ok(ran.status.success())
}

fn git(dir: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let ran = Command::new("git")
        .args(arguments)
        .current_dir(dir)
        .env("GIT_TERMINAL_PROMPT", "0")
        .output()
        .context("git cannot be run; the demo needs it")?;
    if !ran.status.success() {
        bail!("git {}: {}", arguments.join(" "), String::from_utf8_lossy(&ran.stderr).trim());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_one_commit_on_main_with_nothing_left_over() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let sample = Sample::make(dir.path()).expect("made");
        let ask = |arguments: &[&str]| {
            let ran = Command::new("git").args(arguments).current_dir(&sample.repository).output().expect("git runs");
            String::from_utf8_lossy(&ran.stdout).trim().to_owned()
        };
        assert_eq!(ask(&["rev-list", "--count", "main"]), "1");
        assert_eq!(ask(&["status", "--porcelain"]), "");
    }

    #[test]
    fn every_failing_test_has_its_step_in_the_script_and_the_two_of_one_function_collide() {
        let script: serde_json::Value = serde_json::from_str(SCRIPT).expect("JSON");
        let steps = script.get("steps").and_then(|s| s.as_array()).expect("steps");
        let edits = |file: &str| {
            let of_task =
                steps.iter().filter(|s| s.pointer("/when/all/0").and_then(|w| w.as_str()) == Some("Fix this failure"));
            of_task.filter(|s| s.pointer("/edits/0/file").and_then(|f| f.as_str()) == Some(file)).count()
        };
        let all: usize = ["cart", "date", "money", "price", "search", "stock", "text"]
            .iter()
            .map(|m| edits(&format!("src/{m}.rs")))
            .sum();
        assert_eq!((all, edits("src/price.rs")), (FAILURES, 2));
    }
}
