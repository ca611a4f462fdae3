//! Rules that keep core pure: no outside world, and no event that falls through a wildcard.

use anyhow::Result;
use regex::Regex;

use super::finding::Report;
use super::tree::{Tree, line_of};
use super::use_tree;

const CORE: &str = "crates/core/src/";

/// Modules of the standard library that reach the outside world.
const OUTSIDE: [&str; 6] = ["fs", "env", "process", "net", "thread", "os"];

/// Stems of the files of core whose matches must name every variant.
const EXHAUSTIVE: [&str; 5] = ["machine", "event", "status", "apply", "decide"];

pub(super) fn core_purity(tree: &Tree, report: &mut Report) -> Result<()> {
    let pattern = Regex::new(
        r"\bstd\s*::\s*(?:fs|env|process|net|thread|os)\b|\bSystemTime\b|\bInstant\s*::\s*now\b|\basync\s+(?:fn|move|\{)|\basync\s*\{|\.await\b|\btokio\b",
    )?;
    for (path, _, rust) in tree.rust().filter(|(path, ..)| path.starts_with(CORE)) {
        let mut lines = Vec::new();
        for hit in pattern.find_iter(&rust.code).filter(|hit| !rust.is_test(hit.start())) {
            lines.push((line_of(&rust.code, hit.start()), hit.as_str().to_owned()));
        }
        for used in use_tree::uses(&rust.code).filter(|used| !rust.is_test(used.at)) {
            if let [root, module, ..] = used.path.as_slice()
                && root == "std"
                && OUTSIDE.contains(&module.as_str())
            {
                lines.push((line_of(&rust.code, used.at), format!("std::{module}")));
            }
        }
        lines.sort();
        lines.dedup();
        for (line, what) in lines {
            report.error(
                "core-purity",
                path,
                line,
                format!("`{what}` in core: take it as a parameter, or let the daemon do it"),
            );
        }
    }
    Ok(())
}

pub(super) fn core_wildcard(tree: &Tree, report: &mut Report) -> Result<()> {
    let pattern = Regex::new(r"(?:^|[^\w'])_\s*=>")?;
    for (path, text, rust) in tree.rust().filter(|(path, ..)| is_exhaustive(path)) {
        let lines: Vec<&str> = text.lines().collect();
        for hit in pattern.find_iter(&rust.code).filter(|hit| !rust.is_test(hit.start())) {
            let line = line_of(&rust.code, hit.end() - 1);
            let reason = lines[line - 1].split_once("// tidy:").map(|(_, reason)| reason.trim()).unwrap_or_default();
            if reason.is_empty() {
                report.error(
                    "core-wildcard",
                    path,
                    line,
                    "bare `_ =>`: name the variants, or say why with `// tidy: reason`",
                );
            }
        }
    }
    Ok(())
}

/// Whether the file, or a directory that it is in, is one whose matches must be exhaustive.
fn is_exhaustive(path: &str) -> bool {
    path.strip_prefix(CORE).is_some_and(|inside| {
        inside.split('/').any(|component| EXHAUSTIVE.iter().any(|stem| component.starts_with(stem)))
    })
}
