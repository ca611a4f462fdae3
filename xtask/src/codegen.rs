//! The registry of generated files: one row each, one function that returns the text.
//!
//! To add one: write a function and a row in [`all`]; tidy then keeps the file fresh.

mod agents;
mod config;
mod core_tables;

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;

use crate::generated::Generated;
use crate::tidy;

/// Every generated file of the repository.
#[must_use]
pub fn all() -> &'static [Generated] {
    &[
        Generated { path: "CONTRIBUTING.md", section: Some("tidy rules"), render: tidy_rules },
        Generated { path: "docs/status.md", section: Some("statuses"), render: core_tables::statuses },
        Generated { path: "docs/status.md", section: Some("precedence"), render: core_tables::precedence },
        Generated { path: "docs/effects.md", section: Some("effects"), render: core_tables::effects },
        Generated { path: "docs/configuration.md", section: Some("reactions"), render: core_tables::reactions },
        Generated { path: "docs/configuration.md", section: Some("config keys"), render: config::keys },
        Generated { path: "schema/config.schema.json", section: None, render: config::schema },
        Generated { path: "schema/adapter.schema.json", section: None, render: agents::schema },
        Generated { path: "docs/agents.md", section: Some("agents"), render: agents::table },
        Generated { path: "schema/openapi.json", section: None, render: openapi },
    ]
}

/// The table of tidy rules in CONTRIBUTING.md.
fn tidy_rules(_root: &Path) -> Result<String> {
    let mut table = String::from("| rule | what it asks |\n|---|---|\n");
    for rule in tidy::RULES {
        writeln!(table, "| `{}` | {} |", rule.id, rule.about)?;
    }
    Ok(table)
}

/// The API, made from the rows of the action registry.
fn openapi(_root: &Path) -> Result<String> {
    Ok(format!("{}\n", serde_json::to_string_pretty(&ao_daemon::action::openapi())?))
}
