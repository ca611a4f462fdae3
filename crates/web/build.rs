//! Writes the table of the dashboard's files, so that a build needs neither node nor a list kept by hand.
//!
//! It copies nothing and changes nothing: the table names the files where they lie, the compiler reads them.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("ui");
    watch(&root)?;
    let mut paths = Vec::new();
    collect(&root, "", &mut paths)?;
    paths.sort();
    let mut table = String::from("&[\n");
    for path in &paths {
        let full = root.join(path);
        let full = full.to_str().ok_or_else(|| io::Error::other("the checkout's path is not UTF-8"))?;
        writeln!(table, "    ({path:?}, include_bytes!({full:?})),").expect("a string takes everything");
    }
    table.push_str("]\n");
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("files.rs"), table)
}

fn collect(root: &Path, dir: &str, paths: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(dir))? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = if dir.is_empty() { name.clone() } else { format!("{dir}/{name}") };
        if entry.file_type()?.is_dir() {
            watch(&root.join(&path))?;
            collect(root, &path, paths)?;
        } else if is_served(&name) {
            paths.push(path);
        }
    }
    Ok(())
}

/// Tells cargo to build again when a file of this directory comes, goes or changes.
fn watch(dir: &Path) -> io::Result<()> {
    writeln!(io::stdout(), "cargo::rerun-if-changed={}", dir.display())
}

/// Types are for editors and the type check, lists of origins for tidy; editors leave hidden files.
fn is_served(name: &str) -> bool {
    let is_for_developers = [".d.ts", ".toml", ".swp", "~"].iter().any(|ending| name.ends_with(ending));
    !name.starts_with('.') && !is_for_developers
}
