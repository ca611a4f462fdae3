//! Trust: commands that come with a repository run only after a person has trusted the file that holds them.
//!
//! What is trusted is a hash of the file's content, so a changed file asks again.

use crate::paths::Paths;
use ao_core::screen::sha256_hex;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Whether this content of this file was trusted.
#[must_use]
pub fn is_trusted(paths: &Paths, file: &Path, text: &str) -> bool {
    let wanted = line(file, text);
    std::fs::read_to_string(paths.trust()).is_ok_and(|all| all.lines().any(|l| l == wanted))
}

/// Trusts this content of this file.
///
/// # Errors
/// When the list cannot be written.
pub fn trust(paths: &Paths, file: &Path, text: &str) -> io::Result<()> {
    if is_trusted(paths, file, text) {
        return Ok(());
    }
    let mut list = OpenOptions::new().append(true).create(true).mode(0o600).open(paths.trust())?;
    // One write, so that two at once cannot mix their lines.
    list.write_all(format!("{}\n", line(file, text)).as_bytes())
}

fn line(file: &Path, text: &str) -> String {
    format!("{} {}", sha256_hex(text.as_bytes()), sha256_hex(file.display().to_string().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_not_trusted_any_more() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let paths = Paths::new(dir.path());
        let file = Path::new("/repo/agent-orchestrator.yaml");
        assert!(!is_trusted(&paths, file, "check: a"));
        trust(&paths, file, "check: a").expect("written");
        assert!(is_trusted(&paths, file, "check: a"));
        assert!(!is_trusted(&paths, file, "check: b"));
        assert!(!is_trusted(&paths, Path::new("/other/agent-orchestrator.yaml"), "check: a"));
    }
}
