//! The rule that vendored files are what their VENDOR.toml says.
//!
//! Form: `[[file]]` with `path` (from the directory of VENDOR.toml), `version`, `origin`, `license`, and `sha256` or
//! `sha384` in hex (`sha384` may also be `sha384-<base64>` as browsers write it).

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256, Sha384};
use toml::{Table, Value};

use super::finding::Report;
use super::tree::Tree;

pub(super) fn vendor_hash(tree: &Tree, report: &mut Report) -> Result<()> {
    let dirs: BTreeSet<&str> = tree
        .files
        .keys()
        .filter_map(|path| path.split_once("/vendor/").map(|(dir, _)| &path[..dir.len() + "/vendor".len()]))
        .collect();
    for dir in dirs {
        let list_path = format!("{dir}/VENDOR.toml");
        let Some(list) = tree.text(&list_path) else {
            report.error(
                "vendor-hash",
                &list_path,
                0,
                "is missing: say what the vendored files are and where they come from",
            );
            continue;
        };
        let list: Table = toml::from_str(list).with_context(|| format!("failed to read {list_path}"))?;
        let mut listed = BTreeSet::from([list_path.clone()]);
        for entry in list.get("file").and_then(Value::as_array).into_iter().flatten() {
            let field = |name: &str| entry.get(name).and_then(Value::as_str);
            let Some(name) = field("path") else {
                report.error("vendor-hash", &list_path, 0, "a [[file]] has no `path`");
                continue;
            };
            for needed in ["version", "origin", "license"] {
                if field(needed).is_none_or(str::is_empty) {
                    report.error("vendor-hash", &list_path, 0, format!("`{name}` has no `{needed}`"));
                }
            }
            let path = format!("{dir}/{name}");
            if let Err(why) = check_file(tree, &path, field("sha256"), field("sha384")) {
                report.error("vendor-hash", &path, 0, why);
            }
            listed.insert(path);
        }
        for path in tree.files.keys().filter(|path| path.starts_with(&format!("{dir}/")) && !listed.contains(*path)) {
            report.error("vendor-hash", path, 0, format!("is not listed in {list_path}"));
        }
    }
    Ok(())
}

fn check_file(tree: &Tree, path: &str, sha256: Option<&str>, sha384: Option<&str>) -> Result<(), String> {
    let bytes = fs::read(tree.root.join(path)).map_err(|error| format!("is listed but cannot be read: {error}"))?;
    let matches = match (sha256, sha384) {
        (None, None) => return Err("has neither `sha256` nor `sha384`".to_owned()),
        (Some(wanted), None) => wanted.eq_ignore_ascii_case(&hex(&Sha256::digest(&bytes))),
        (_, Some(wanted)) => {
            let digest = Sha384::digest(&bytes);
            match wanted.strip_prefix("sha384-") {
                Some(wanted) => wanted == base64(&digest),
                None => wanted.eq_ignore_ascii_case(&hex(&digest)),
            }
        }
    };
    if matches { Ok(()) } else { Err("differs from the hash in VENDOR.toml".to_owned()) }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Base64 of whole groups of three bytes: both digests that browsers accept here divide by three.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |group: &[u8]| {
        let bits = group.iter().fold(0usize, |bits, &byte| bits << 8 | usize::from(byte));
        [18, 12, 6, 0].map(|shift| char::from(ALPHABET[bits >> shift & 63]))
    };
    bytes.chunks_exact(3).flat_map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_what_browsers_write() {
        assert_eq!(base64(b"Manyhands"), "TWFueWhhbmRz");
        let empty = "OLBgp1GsljhM2TJ+sbHjaiH9txEUvgdDTAzHv2P24donTt6/529l+9Ua0vFImLlb";
        assert_eq!(base64(&Sha384::digest(b"")), empty);
    }
}
