//! The rules of the house, and the run that checks a tree against them.
//!
//! The rules scan text; they do not parse Rust, so each errs on the side of saying nothing.

use std::path::Path;

use anyhow::Result;

use crate::generated::Generated;
use finding::Report;
use tree::Tree;

mod arrows;
mod compose;
mod files;
pub mod finding;
mod imports;
pub mod mask;
mod pages;
mod paths;
mod purity;
mod source;
pub mod tree;
mod use_tree;
mod vendored;

/// A wall: its name in messages, what it asks for, and the check.
pub struct Rule {
    /// Stable name, shown in every message.
    pub id: &'static str,
    /// What the rule asks, one line for people.
    pub about: &'static str,
    /// Adds to the report what breaks the rule in the tree.
    pub check: fn(&Tree, &mut Report) -> Result<()>,
}

/// Every rule, in the order in which it is checked.
pub const RULES: &[Rule] = &[
    Rule {
        id: "opening-doc",
        about: "every Rust file opens with a `//!` line that says what it is for",
        check: files::opening_doc,
    },
    Rule {
        id: "file-size",
        about: "a Rust or JavaScript file is warned about from 500 lines and refused from 800 (tests, generated and vendored files apart)",
        check: files::file_size,
    },
    Rule {
        id: "file-name",
        about: "no file or module is named manager, service, helper, util, common, misc, types or errors",
        check: files::file_name,
    },
    Rule {
        id: "import-circle",
        about: "no circle of imports among the files of a crate (`mod` declarations are not imports; `pub use` is)",
        check: imports::import_circle,
    },
    Rule {
        id: "compose-only",
        about: "`crates/ao/src/compose.rs` is the only file of the binary that names `ao_plugins`",
        check: compose::compose_only,
    },
    Rule {
        id: "crate-arrows",
        about: "crates depend only on what the table of the house allows",
        check: arrows::crate_arrows,
    },
    Rule {
        id: "locked-sources",
        about: "every locked dependency comes from crates.io, none is on the ban list of deny.toml",
        check: arrows::locked_sources,
    },
    Rule {
        id: "crate-lints",
        about: "every crate takes the workspace's lints; core, slots and api also warn of missing docs, core of `_ =>` on enums",
        check: arrows::crate_lints,
    },
    Rule {
        id: "core-purity",
        about: "core has no file system, environment, process, network, thread, clock or async",
        check: purity::core_purity,
    },
    Rule {
        id: "core-wildcard",
        about: "no bare `_ =>` where core matches events and phases; a line that needs one says `// tidy: reason`",
        check: purity::core_wildcard,
    },
    Rule { id: "unfinished", about: "no `todo!`, `unimplemented!` or `dbg!`", check: source::unfinished },
    Rule {
        id: "allow-attribute",
        about: "no `#[allow(…)]`: `#[expect(…, reason = \"…\")]` instead",
        check: source::allow_attribute,
    },
    Rule { id: "unwrap", about: "no `.unwrap()` outside tests", check: source::unwrap },
    Rule {
        id: "printing",
        about: "printing only in the binary, xtask, bench and the binaries of testkit",
        check: source::printing,
    },
    Rule {
        id: "vendor-hash",
        about: "every file in a `vendor` directory is listed in its VENDOR.toml with origin, version and a matching hash",
        check: vendored::vendor_hash,
    },
    Rule {
        id: "architecture-paths",
        about: "paths in backticks in ARCHITECTURE.md exist",
        check: pages::architecture_paths,
    },
    Rule {
        id: "glossary",
        about: "`docs/glossary.md` exists, one line per term, no term twice",
        check: pages::glossary,
    },
    Rule { id: "generated-fresh", about: "generated files are what the code says", check: pages::generated_fresh },
    Rule {
        id: "home-path",
        about: "no file and no unpublished commit message names a directory of somebody's machine",
        check: paths::home_path,
    },
];

/// Checks the tree at `root` against every rule.
///
/// # Errors
/// When the tree cannot be read; what breaks a rule is in the report.
pub fn run(root: &Path, generated: &'static [Generated]) -> Result<Report> {
    let tree = Tree::load(root, generated)?;
    let mut report = Report { findings: Vec::new(), files: tree.files.len() };
    for rule in RULES {
        (rule.check)(&tree, &mut report)?;
    }
    report.findings.sort();
    Ok(report)
}
