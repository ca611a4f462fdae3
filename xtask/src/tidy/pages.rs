//! Rules about pages for people: paths that exist, a glossary, generated parts that are fresh.

use std::collections::BTreeSet;

use anyhow::Result;

use super::finding::Report;
use super::tree::Tree;

const ARCHITECTURE: &str = "ARCHITECTURE.md";
const GLOSSARY: &str = "docs/glossary.md";

/// Endings of files that a page may name without their directory.
const SOURCE_ENDINGS: [&str; 7] = [".rs", ".md", ".js", ".ts", ".css", ".html", ".sh"];

pub(super) fn architecture_paths(tree: &Tree, report: &mut Report) -> Result<()> {
    let Some(page) = tree.text(ARCHITECTURE) else {
        report.error("architecture-paths", ARCHITECTURE, 0, "is missing");
        return Ok(());
    };
    let mut fenced = false;
    for (number, line) in page.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        for quoted in line.split('`').skip(1).step_by(2) {
            if looks_like_ours(tree, quoted) && !exists(tree, quoted) {
                report.error("architecture-paths", ARCHITECTURE, number + 1, format!("`{quoted}` does not exist"));
            }
        }
    }
    Ok(())
}

/// Whether the text in backticks claims to be a path of this repository.
fn looks_like_ours(tree: &Tree, quoted: &str) -> bool {
    let plain = !quoted.is_empty() && quoted.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
    if !plain || quoted.starts_with('/') {
        return false;
    }
    let first = quoted.split('/').next().unwrap_or_default();
    let in_tree = quoted.contains('/') && tree.files.keys().any(|path| path.starts_with(&format!("{first}/")));
    in_tree || SOURCE_ENDINGS.iter().any(|ending| quoted.ends_with(ending) && quoted.len() > ending.len())
}

/// Whether it is a file, a directory, or the end of a file's path.
fn exists(tree: &Tree, quoted: &str) -> bool {
    let trimmed = quoted.trim_end_matches('/');
    let tail = format!("/{trimmed}");
    let inside = format!("{trimmed}/");
    tree.files.keys().any(|path| path == trimmed || path.starts_with(&inside) || path.ends_with(&tail))
}

pub(super) fn glossary(tree: &Tree, report: &mut Report) -> Result<()> {
    let Some(page) = tree.text(GLOSSARY) else {
        report.error("glossary", GLOSSARY, 0, "is missing");
        return Ok(());
    };
    let mut terms = BTreeSet::new();
    for (number, line) in page.lines().enumerate() {
        let Some(entry) = line.strip_prefix("- **") else {
            continue;
        };
        match entry.split_once("**: ") {
            Some((term, meaning)) if !meaning.trim().is_empty() => {
                if !terms.insert(term.to_lowercase()) {
                    report.error(
                        "glossary",
                        GLOSSARY,
                        number + 1,
                        format!("`{term}` is there twice: one term per concept"),
                    );
                }
            }
            _ => report.error("glossary", GLOSSARY, number + 1, "an entry is one line: `- **term**: meaning`"),
        }
    }
    if terms.is_empty() {
        report.error("glossary", GLOSSARY, 0, "has no entry of the form `- **term**: meaning`");
    }
    Ok(())
}

pub(super) fn generated_fresh(tree: &Tree, report: &mut Report) -> Result<()> {
    for generated in tree.generated {
        if let Err(why) = generated.check(&tree.root) {
            report.error("generated-fresh", generated.path, 0, format!("{}: {why:#}", generated.label()));
        }
    }
    Ok(())
}
