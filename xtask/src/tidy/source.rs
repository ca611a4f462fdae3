//! Rules about lines of Rust: unfinished work, silenced lints, unwrapping, printing.

use anyhow::Result;
use regex::Regex;

use super::finding::Report;
use super::tree::{Rust, Tree, line_of};

/// Where printing is the job: the binary, developer tasks, figures, and programs that tests run.
const PRINTERS: [&str; 4] = ["crates/ao/", "crates/bench/", "crates/testkit/src/bin/", "xtask/"];

pub(super) fn unfinished(tree: &Tree, report: &mut Report) -> Result<()> {
    let pattern = Regex::new(r"\b(todo|unimplemented|dbg)!")?;
    each_match(tree, &pattern, |path, line, found, _| {
        report.error("unfinished", path, line, format!("`{found}` is unfinished work"));
    });
    Ok(())
}

pub(super) fn allow_attribute(tree: &Tree, report: &mut Report) -> Result<()> {
    let pattern = Regex::new(r"#!?\[\s*(?:cfg_attr\([^\]]*\b)?allow\s*\(")?;
    each_match(tree, &pattern, |path, line, _, _| {
        report.error("allow-attribute", path, line, "silences a lint for ever: use `#[expect(…, reason = \"…\")]`");
    });
    Ok(())
}

pub(super) fn unwrap(tree: &Tree, report: &mut Report) -> Result<()> {
    let pattern = Regex::new(r"\.\s*unwrap(?:_err)?\(\)")?;
    each_match(tree, &pattern, |path, line, _, in_test| {
        if !in_test {
            report.error(
                "unwrap",
                path,
                line,
                "`.unwrap()` outside a test: handle it, or `expect(\"why it cannot be\")`",
            );
        }
    });
    Ok(())
}

pub(super) fn printing(tree: &Tree, report: &mut Report) -> Result<()> {
    let pattern = Regex::new(r"\be?print(?:ln)?!")?;
    each_match(tree, &pattern, |path, line, found, in_test| {
        if !in_test && !PRINTERS.iter().any(|place| path.starts_with(place)) {
            report.error(
                "printing",
                path,
                line,
                format!("`{found}` here: return what is to be said, or use `tracing`"),
            );
        }
    });
    Ok(())
}

/// Calls `found` with path, line, matched text and whether it is in a test, for each match in code.
fn each_match(tree: &Tree, pattern: &Regex, mut found: impl FnMut(&str, usize, &str, bool)) {
    for (path, _, rust) in tree.rust() {
        let Rust { code, .. } = rust;
        for hit in pattern.find_iter(code) {
            found(path, line_of(code, hit.start()), hit.as_str(), rust.is_test(hit.start()));
        }
    }
}
