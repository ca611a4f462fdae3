//! The rule that one file of the binary puts daemon and plugins together.

use anyhow::Result;

use super::finding::Report;
use super::mask::words;
use super::tree::{Tree, line_of};

const BINARY: &str = "crates/ao/src/";
const COMPOSE: &str = "crates/ao/src/compose.rs";

pub(super) fn compose_only(tree: &Tree, report: &mut Report) -> Result<()> {
    for (path, _, rust) in tree.rust().filter(|(path, ..)| path.starts_with(BINARY) && *path != COMPOSE) {
        if words(&rust.code).any(|word| word == "ao_plugins") {
            let line = rust.code.find("ao_plugins").map_or(0, |at| line_of(&rust.code, at));
            report.error("compose-only", path, line, format!("names `ao_plugins`: only {COMPOSE} may"));
        }
    }
    Ok(())
}
