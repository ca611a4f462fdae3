//! The environment of agents and checks: the caller's, through an allow-list. Secrets stay out of the journal.
//!
//! What an adapter names in `env_pass` are keys and logins. They are kept in a file of their own, mode 0600, and the facts
//! hold only its name under [`SECRETS`], which no agent ever sees.

use crate::paths::Paths;
use ao_core::adapter::Adapter;
use ao_core::screen::sha256_hex;
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};

/// Names that pass: what programs need to find their files, language, proxies and toolchains.
const PASS: [&str; 38] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "EDITOR",
    "VISUAL",
    "PAGER",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "CARGO_TARGET_DIR",
    "CARGO_BUILD_JOBS",
    "GOPATH",
    "GOCACHE",
    "GOFLAGS",
    "JAVA_HOME",
    "NVM_DIR",
    "PYENV_ROOT",
    "VIRTUAL_ENV",
    "PNPM_HOME",
    "NODE_EXTRA_CA_CERTS",
    "PIP_INDEX_URL",
];

/// Prefixes that pass.
const PASS_PREFIXES: [&str; 3] = ["LC_", "XDG_", "npm_config_"];

/// The reserved name under which the facts hold where the secrets are.
pub(crate) const SECRETS: &str = "AO_SECRETS";

/// Splits a caller's environment for an agent: what may stand in the journal, with a pointer to the secrets.
///
/// # Errors
/// When the secrets cannot be written.
pub(crate) fn keep(
    paths: &Paths,
    given: &BTreeMap<String, String>,
    adapter: Option<&Adapter>,
) -> io::Result<BTreeMap<String, String>> {
    let secret = |name: &str| adapter.is_some_and(|a| a.env_pass.iter().any(|n| n == name));
    let mut kept: BTreeMap<String, String> =
        given.iter().filter(|(name, _)| passes(name) && !secret(name)).map(|(n, v)| (n.clone(), v.clone())).collect();
    let secrets: BTreeMap<&String, &String> = given.iter().filter(|(name, _)| secret(name)).collect();
    if !secrets.is_empty() {
        let text = serde_json::to_vec(&secrets)?;
        let hash = sha256_hex(&text);
        let name = hash.get(..16).unwrap_or(&hash).to_owned();
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(paths.secrets())?;
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(paths.secrets().join(&name))?;
        file.write_all(&text)?;
        kept.insert(SECRETS.to_owned(), name);
    }
    Ok(kept)
}

/// The whole environment again, for starting an agent or a check.
///
/// # Errors
/// When the secrets cannot be read.
pub(crate) fn restore(paths: &Paths, kept: &BTreeMap<String, String>) -> io::Result<BTreeMap<String, String>> {
    let mut env = kept.clone();
    if let Some(name) = env.remove(SECRETS) {
        let secrets: BTreeMap<String, String> = serde_json::from_slice(&std::fs::read(paths.secrets().join(name))?)?;
        env.extend(secrets);
    }
    Ok(env)
}

/// The daemon's own environment through the same list: for checks that nobody's environment came with.
pub(crate) fn own() -> BTreeMap<String, String> {
    std::env::vars().filter(|(name, _)| passes(name)).collect()
}

fn passes(name: &str) -> bool {
    PASS.contains(&name) || PASS_PREFIXES.iter().any(|p| name.starts_with(p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_listed_does_not_pass() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let given = [("PATH", "/bin"), ("LC_ALL", "C"), ("AWS_SECRET_ACCESS_KEY", "x"), ("LD_PRELOAD", "y")];
        let given = given.map(|(n, v)| (n.to_owned(), v.to_owned())).into_iter().collect();
        let kept = keep(&Paths::new(dir.path()), &given, None).expect("kept");
        assert_eq!(kept.keys().collect::<Vec<_>>(), ["LC_ALL", "PATH"]);
    }
}
