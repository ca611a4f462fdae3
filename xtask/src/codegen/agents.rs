//! The JSON schema of adapter files, and the table of agents.

use anyhow::{Context, Result};
use ao_core::adapter::{self, Adapter};
use std::fmt::Write as _;
use std::path::Path;

/// Where the built-in adapters lie.
const DATA: &str = "crates/plugins/src/agent/data";

/// The JSON schema.
pub(super) fn schema(_root: &Path) -> Result<String> {
    Ok(format!("{}\n", serde_json::to_string_pretty(&adapter::schema())?))
}

/// Every agent: what was measured on recordings, and what its real program was seen to do by `make test-agents`.
pub(super) fn table(root: &Path) -> Result<String> {
    let mut table = String::from(
        "| agent | also called | version | rules from recordings | shown with the real program | not shown |\n|---|---|---|---|---|---|\n",
    );
    for adapter in all(root)? {
        let names = |names: &[String]| names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
        let rules = adapter.rules.iter().filter(|r| !r.proof.is_empty()).count();
        let real = !adapter.measured.is_empty();
        let open: Vec<&str> = STEPS.into_iter().filter(|s| real && !adapter.proven.iter().any(|p| p == s)).collect();
        let or_dash = |text: String| if text.is_empty() { "–".to_owned() } else { text };
        writeln!(
            table,
            "| `{}` | {} | {} | {rules} | {} | {} |",
            adapter.name,
            or_dash(names(&adapter.aliases)),
            or_dash(adapter.measured.join(", ")),
            or_dash(adapter.proven.join(", ")),
            or_dash(open.join(", ")),
        )?;
    }
    Ok(table)
}

/// The steps of `scripts/test-agents.sh`, by which an adapter's `proven` names what was shown.
const STEPS: [&str; 10] =
    ["ready", "task", "permission", "refusal", "autonomous", "interrupt", "error 401", "error 429", "resume", "exit"];

fn all(root: &Path) -> Result<Vec<Adapter>> {
    let dir = root.join(DATA);
    let mut files: Vec<_> = std::fs::read_dir(&dir)
        .with_context(|| dir.display().to_string())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    let read = |path: &std::path::PathBuf| {
        let name = path.display().to_string();
        Ok(adapter::parse(&name, &std::fs::read_to_string(path)?)?)
    };
    files.iter().map(read).collect()
}
