//! Rules about a file as a whole: its opening line, its size, its name.

use anyhow::Result;

use super::finding::Report;
use super::tree::{self, Tree};

/// From here one asks whether deciding and doing could part.
const WARN_LINES: usize = 500;
/// From here the file is refused.
const FAIL_LINES: usize = 800;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 14] = [
    "manager", "managers", "service", "services", "helper", "helpers", "util", "utils", "common", "misc", "type",
    "types", "errors", "stuff",
];

/// The same as the last word of a longer name; `error` and `type` may end one.
const EMPTY_ENDINGS: [&str; 5] = ["_manager", "_helper", "_helpers", "_util", "_utils"];

pub(super) fn opening_doc(tree: &Tree, report: &mut Report) -> Result<()> {
    for (path, text, _) in tree.rust() {
        let first = text.lines().next().unwrap_or_default();
        let words = first.strip_prefix("//!").map(str::trim).unwrap_or_default();
        if words.len() < 8 {
            report.error("opening-doc", path, 1, "must open with a `//!` line that says what the file is for");
        }
    }
    Ok(())
}

pub(super) fn file_size(tree: &Tree, report: &mut Report) -> Result<()> {
    for (path, file) in &tree.files {
        let is_source = [".rs", ".js", ".mjs", ".ts"].iter().any(|ending| path.ends_with(ending));
        let is_test = file.rust.as_ref().is_some_and(|rust| rust.tests.first() == Some(&(0..rust.code.len())));
        let Some(text) = &file.text else { continue };
        if !is_source || is_test || tree::is_apart(path) || tree.is_generated(path) {
            continue;
        }
        let lines = text.lines().count();
        if lines >= FAIL_LINES {
            report.error("file-size", path, 0, format!("{lines} lines; the limit is {FAIL_LINES}: take it apart"));
        } else if lines >= WARN_LINES {
            report.warning(
                "file-size",
                path,
                0,
                format!("{lines} lines; from {WARN_LINES} on, ask what could move out"),
            );
        }
    }
    Ok(())
}

pub(super) fn file_name(tree: &Tree, report: &mut Report) -> Result<()> {
    for path in tree.files.keys() {
        let is_source = [".rs", ".js", ".mjs", ".ts", ".py", ".sh"].iter().any(|ending| path.ends_with(ending));
        if !is_source || tree::is_foreign(path) || tree.is_generated(path) {
            continue;
        }
        for component in path.split('/') {
            let name = component.split('.').next().unwrap_or_default().replace('-', "_");
            if EMPTY_NAMES.contains(&name.as_str()) || EMPTY_ENDINGS.iter().any(|ending| name.ends_with(ending)) {
                report.error(
                    "file-name",
                    path,
                    0,
                    format!("`{component}` says nothing about what is inside: name it after that"),
                );
            }
        }
    }
    Ok(())
}
