//! The registry of generated files: one row each, one function that returns the text.
//!
//! To add one: write a function and a row in [`all`]; tidy then keeps the file fresh.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;

use crate::generated::Generated;
use crate::tidy;

/// Every generated file of the repository.
#[must_use]
pub fn all() -> &'static [Generated] {
    &[Generated { path: "CONTRIBUTING.md", section: Some("tidy rules"), render: tidy_rules }]
}

/// The table of tidy rules in CONTRIBUTING.md.
fn tidy_rules(_root: &Path) -> Result<String> {
    let mut table = String::from("| rule | what it asks |\n|---|---|\n");
    for rule in tidy::RULES {
        writeln!(table, "| `{}` | {} |", rule.id, rule.about)?;
    }
    Ok(table)
}
