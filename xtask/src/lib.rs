//! The walls of the house as code: tidy rules and the registry of generated files.
//!
//! Nothing here runs in the product; the library exists so that tests can plant violations.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

pub mod codegen;
pub mod generated;
pub mod tidy;

/// Returns the directory of the workspace that holds `from`: the nearest one with `xtask/Cargo.toml`.
///
/// # Errors
/// When no directory above `from` is such a workspace.
pub fn workspace_root(from: &Path) -> Result<PathBuf> {
    match from.ancestors().find(|dir| dir.join("xtask/Cargo.toml").is_file()) {
        Some(root) => Ok(root.to_path_buf()),
        None => bail!("{} is not inside the workspace: no xtask/Cargo.toml above it", from.display()),
    }
}
