//! Rules about manifests: which crate may depend on which, where dependencies come from, which lints hold.
//!
//! The table is the one of the house in ARCHITECTURE.md; dev-dependencies are apart, tests may know everybody.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use toml::{Table, Value};

use super::finding::Report;
use super::tree::{Tree, line_of};

/// One room of the house.
struct Room {
    /// Directory under `crates/`.
    dir: &'static str,
    /// Our crates that it may depend on.
    ours: &'static [&'static str],
    /// Other crates that it must not depend on; a trailing `*` stands for any ending.
    never: &'static [&'static str],
}

const ASYNC: [&str; 11] = [
    "tokio*",
    "async-*",
    "futures*",
    "smol*",
    "axum*",
    "hyper*",
    "tower*",
    "reqwest*",
    "ureq*",
    "tungstenite*",
    "mio*",
];

/// What core must not even be able to name: the world, the clock, chance.
const CORE_NEVER: &[&str] = &[
    "tokio*",
    "async-*",
    "futures*",
    "smol*",
    "axum*",
    "hyper*",
    "tower*",
    "reqwest*",
    "ureq*",
    "tungstenite*",
    "mio*",
    "clap*",
    "rustix*",
    "libc*",
    "nix*",
    "tempfile*",
    "walkdir*",
    "dirs*",
    "rand*",
    "getrandom*",
    "fastrand*",
    "uuid*",
    "chrono*",
    "time",
    "jiff*",
    "socket2*",
];

const SYNC_ONLY: &[&str] = &ASYNC;

const ROOMS: &[Room] = &[
    Room { dir: "core", ours: &[], never: CORE_NEVER },
    Room { dir: "slots", ours: &["ao-core"], never: &["clap*", "axum*", "hyper*"] },
    Room { dir: "host", ours: &[], never: SYNC_ONLY },
    Room { dir: "plugins", ours: &["ao-slots", "ao-core", "ao-host"], never: &["clap*", "axum*"] },
    Room { dir: "api", ours: &["ao-core"], never: &["clap*", "axum*"] },
    Room { dir: "web", ours: &[], never: &["tokio*", "axum*", "clap*"] },
    Room { dir: "daemon", ours: &["ao-core", "ao-slots", "ao-api", "ao-web"], never: &["clap*"] },
    Room {
        dir: "ao",
        ours: &["ao-core", "ao-slots", "ao-host", "ao-plugins", "ao-api", "ao-web", "ao-daemon"],
        never: &[],
    },
    Room {
        dir: "testkit",
        ours: &["ao-core", "ao-slots", "ao-host", "ao-plugins", "ao-api", "ao-web", "ao-daemon"],
        never: &[],
    },
    Room { dir: "standin", ours: &[], never: &["clap*"] },
    Room {
        dir: "bench",
        ours: &["ao-core", "ao-slots", "ao-host", "ao-plugins", "ao-api", "ao-web", "ao-daemon", "ao-testkit"],
        never: &[],
    },
];

/// Crates of which every public item is documented, because others are written against them.
const DOCUMENTED: [&str; 3] = ["core", "slots", "api"];

pub(super) fn crate_arrows(tree: &Tree, report: &mut Report) -> Result<()> {
    for (path, manifest) in manifests(tree)? {
        let Some(dir) = path.strip_prefix("crates/").and_then(|rest| rest.split('/').next()) else {
            continue;
        };
        let Some(room) = ROOMS.iter().find(|room| room.dir == dir) else {
            report.error("crate-arrows", path, 0, format!("crate `{dir}` has no row in the table of {}", file!()));
            continue;
        };
        for dependency in dependencies(&manifest) {
            let line = line_of_word(tree, path, &dependency);
            let is_ours =
                dependency.starts_with("ao-") || dependency == "ao" || dependency == "bench" || dependency == "xtask";
            if is_ours && !room.ours.contains(&dependency.as_str()) {
                report.error(
                    "crate-arrows",
                    path,
                    line,
                    format!("`{dir}` must not depend on `{dependency}`: a wall of the house"),
                );
            }
            if room.never.iter().any(|pattern| matches(pattern, &dependency)) {
                report.error("crate-arrows", path, line, format!("`{dir}` never contains `{dependency}`"));
            }
        }
    }
    Ok(())
}

pub(super) fn locked_sources(tree: &Tree, report: &mut Report) -> Result<()> {
    let Some(lock) = tree.text("Cargo.lock") else {
        return Ok(());
    };
    let lock: Table = toml::from_str(lock).context("failed to read Cargo.lock")?;
    let banned = banned(tree)?;
    for package in lock.get("package").and_then(Value::as_array).into_iter().flatten() {
        let name = package.get("name").and_then(Value::as_str).unwrap_or_default();
        let source = package.get("source").and_then(Value::as_str);
        if source.is_some_and(|source| source != "registry+https://github.com/rust-lang/crates.io-index") {
            report.error("locked-sources", "Cargo.lock", 0, format!("`{name}` does not come from crates.io"));
        }
        if banned.contains(name) {
            report.error("locked-sources", "Cargo.lock", 0, format!("`{name}` is on the ban list of deny.toml"));
        }
    }
    Ok(())
}

pub(super) fn crate_lints(tree: &Tree, report: &mut Report) -> Result<()> {
    for (path, manifest) in manifests(tree)? {
        let workspace = manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool);
        if workspace != Some(true) {
            report.error("crate-lints", path, 0, "must say `[lints] workspace = true`");
        }
    }
    for dir in DOCUMENTED {
        let path = format!("crates/{dir}/src/lib.rs");
        require_lint(tree, report, &path, "missing_docs");
    }
    require_lint(tree, report, "crates/core/src/lib.rs", "wildcard_enum_match_arm");
    Ok(())
}

/// The crate root must warn of `lint` if it exists.
fn require_lint(tree: &Tree, report: &mut Report, path: &str, lint: &str) {
    let Some(rust) = tree.files.get(path).and_then(|file| file.rust.as_ref()) else {
        return;
    };
    let warned = rust
        .code
        .split("#![warn(")
        .skip(1)
        .any(|rest| rest.split(")]").next().is_some_and(|lints| lints.contains(lint)));
    if !warned {
        report.error("crate-lints", path, 1, format!("must warn of `{lint}` with `#![warn(…)]`"));
    }
}

/// The manifests of our crates, parsed, with their paths.
fn manifests(tree: &Tree) -> Result<Vec<(&str, Table)>> {
    let is_ours = |path: &str| {
        let parts: Vec<&str> = path.split('/').collect();
        matches!(parts.as_slice(), ["crates", _, "Cargo.toml"] | ["xtask", "Cargo.toml"])
    };
    let mut manifests = Vec::new();
    for path in tree.files.keys().filter(|path| is_ours(path)) {
        let text = tree.text(path).with_context(|| format!("failed to read {path}"))?;
        manifests.push((path.as_str(), toml::from_str(text).with_context(|| format!("failed to read {path}"))?));
    }
    Ok(manifests)
}

/// Names of the packages in `dependencies` and `build-dependencies`, those of single platforms included.
fn dependencies(manifest: &Table) -> BTreeSet<String> {
    let platforms = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(|table| table.values());
    let tables = std::iter::once(manifest).chain(platforms.filter_map(Value::as_table));
    let kinds = tables.flat_map(|table| {
        ["dependencies", "build-dependencies"].into_iter().filter_map(|kind| table.get(kind)?.as_table())
    });
    kinds.flatten().map(|(key, value)| value.get("package").and_then(Value::as_str).unwrap_or(key).to_owned()).collect()
}

/// Names in `[bans] deny` of deny.toml.
fn banned(tree: &Tree) -> Result<BTreeSet<String>> {
    let Some(deny) = tree.text("deny.toml") else {
        return Ok(BTreeSet::new());
    };
    let deny: Table = toml::from_str(deny).context("failed to read deny.toml")?;
    let list = deny.get("bans").and_then(|bans| bans.get("deny")).and_then(Value::as_array);
    let name = |entry: &Value| entry.as_str().or_else(|| entry.get("crate")?.as_str()).map(str::to_owned);
    Ok(list.into_iter().flatten().filter_map(name).collect())
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

fn line_of_word(tree: &Tree, path: &str, word: &str) -> usize {
    let text = tree.text(path).unwrap_or_default();
    text.find(&format!("\n{word}")).map_or(0, |at| line_of(text, at + 1))
}
