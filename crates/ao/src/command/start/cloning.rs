//! `ao start URL`: a repository from elsewhere, cloned beside the caller after a person's word.

use crate::confirm;
use crate::context::Context;
use crate::render::words::line;
use ao_core::id::checked_name;
use ao_core::kind::{Fault, Kind};
use std::path::PathBuf;
use std::process::Stdio;
use tokio::process::Command;

/// Whether this is an address and not a directory.
pub(super) fn is_address(text: &str) -> bool {
    text.contains("://") || (text.contains('@') && text.contains(':') && !text.starts_with(['/', '.']))
}

/// Clones the repository at `address` into a new directory here.
///
/// # Errors
/// `denied` without a person's word, `conflict` when the directory is there, `invalid` for an address that holds a secret.
pub(super) async fn clone(context: &Context, address: &str, yes: bool) -> Result<PathBuf, Fault> {
    if address.starts_with('-') || address.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(Fault::invalid(format!("{:?} is no address of a repository", line(address))));
    }
    if has_secret(address) {
        let fault = Fault::invalid("the address holds a password or token, which would stay in .git/config");
        return Err(fault.hint("leave it out: git asks for it, or use ssh"));
    }
    let name = directory_name(address);
    checked_name("directory", name).map_err(|e| Fault::invalid(format!("{}: {e}", line(address))))?;
    let to = context.cwd.join(name);
    if to.exists() {
        let fault = Fault::conflict(format!("{} is there already", to.display()));
        return Err(fault.hint(format!("ao start {name}")));
    }
    let question = format!("Clone {} into {}?", line(address), to.display());
    if !yes && !confirm::ask(&question, &format!("ao start --yes {}", line(address)))? {
        return Err(Fault::new(Kind::Denied, "nothing was cloned"));
    }
    context.out.note(&format!("cloning {} …", line(address)));
    let mut git = Command::new("git");
    git.args(["clone", "--quiet", "--"]).arg(address).arg(&to).stdout(Stdio::null());
    if !confirm::can_ask() {
        git.env("GIT_TERMINAL_PROMPT", "0").stdin(Stdio::null());
    }
    let status = git.status().await.map_err(|e| Fault::unavailable(format!("git cannot be started: {e}")))?;
    if status.success() {
        return Ok(to);
    }
    Err(Fault::unavailable(format!("{} could not be cloned; git says why above", line(address))))
}

/// `https://user:secret@host/…`: a user alone, as in `git@host:path`, is no secret.
fn has_secret(address: &str) -> bool {
    let rest = address.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':') || user.len() > MOST_USER)
}

/// Longer than the names that people log in with, shorter than a token of any forge.
const MOST_USER: usize = 19;

/// The last part of the address, as git itself names the directory.
fn directory_name(address: &str) -> &str {
    let path = address.trim_end_matches('/');
    let last = path.rsplit(['/', ':']).next().unwrap_or_default();
    last.strip_suffix(".git").unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_directories_and_name_theirs() {
        for (address, name) in [
            ("https://github.com/your-org/your-repo", "your-repo"),
            ("https://example.org/a/b.git/", "b"),
            ("git@example.org:org/repo.git", "repo"),
            ("file:///srv/x", "x"),
        ] {
            assert!(is_address(address), "{address}");
            assert_eq!(directory_name(address), name);
        }
        for directory in ["app", "./a@b:c", "/a@b:c", "../x", "C"] {
            assert!(!is_address(directory), "{directory}");
        }
    }

    #[test]
    fn secrets_in_an_address_are_seen() {
        assert!(has_secret("https://me:pass@example.org/x"));
        assert!(has_secret("https://ghp_0123456789012345678901234567890123456@example.org/x"));
        assert!(!has_secret("ssh://git@example.org/x"));
        assert!(!has_secret("git@example.org:x"));
    }
}
