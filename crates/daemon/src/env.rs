//! The environment of agents and checks: the caller's, through an allow-list. Secrets stay out of the journal.
//!
//! What an adapter names in `env_pass` are keys and logins; addresses of proxies and package indexes may hold some. They are
//! kept in files of their own, mode 0600, and the facts hold only the files' names, which no agent ever sees.

use crate::paths::Paths;
use ao_core::adapter::Adapter;
use ao_core::screen::sha256_hex;
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};

/// Names that pass: what programs need to find their files, language, proxies and toolchains. A build directory for all
/// (`CARGO_TARGET_DIR`) does not: worktrees that build the same package at the same time take each other's programs in it.
const PASS: [&str; 42] = [
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
    "EMAIL",
    "GIT_AUTHOR_NAME",
    "GIT_AUTHOR_EMAIL",
    "GIT_COMMITTER_NAME",
    "GIT_COMMITTER_EMAIL",
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

/// The reserved name under which the facts hold where an agent's keys and logins are.
const SECRETS: &str = "AO_SECRETS";

/// The reserved name for what may hold a login and is needed by checks as well, such as a proxy's address.
const PRIVATE: &str = "AO_PRIVATE";

/// Who is to get an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum For {
    /// An agent: with its keys.
    Agent,
    /// A check: without them.
    Check,
}

/// Splits a caller's environment for an agent: what may stand in the journal, with pointers to what may not.
///
/// # Errors
/// When the secrets cannot be written.
pub(crate) fn keep(
    paths: &Paths,
    given: &BTreeMap<String, String>,
    adapter: Option<&Adapter>,
) -> io::Result<BTreeMap<String, String>> {
    let (mut kept, mut secrets, mut private) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for (name, value) in given {
        if adapter.is_some_and(|a| a.env_pass.iter().any(|n| n == name)) {
            secrets.insert(name, value);
        } else if passes(name) {
            if may_hold_a_login(name, value) {
                private.insert(name, value);
            } else {
                kept.insert(name.clone(), value.clone());
            }
        }
    }
    for (pointer, values) in [(SECRETS, secrets), (PRIVATE, private)] {
        if !values.is_empty() {
            kept.insert(pointer.to_owned(), put_away(paths, &values)?);
        }
    }
    Ok(kept)
}

/// Addresses with a user in them, and settings of package managers, which hold tokens.
fn may_hold_a_login(name: &str, value: &str) -> bool {
    let address =
        value.split_once("://").is_some_and(|(_, rest)| rest.split('/').next().is_some_and(|host| host.contains('@')));
    address || name.starts_with("npm_config_")
}

/// Writes values into a file named by their hash, mode 0600, and returns its name.
fn put_away(paths: &Paths, values: &BTreeMap<&String, &String>) -> io::Result<String> {
    let text = serde_json::to_vec(values)?;
    let hash = sha256_hex(&text);
    let name = hash.get(..16).unwrap_or(&hash).to_owned();
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(paths.secrets())?;
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(paths.secrets().join(&name))?;
    file.write_all(&text)?;
    Ok(name)
}

/// The environment again, for starting an agent or a check.
///
/// # Errors
/// When what was put away cannot be read.
pub(crate) fn restore(
    paths: &Paths,
    kept: &BTreeMap<String, String>,
    who: For,
) -> io::Result<BTreeMap<String, String>> {
    let mut env = kept.clone();
    for pointer in [PRIVATE, SECRETS] {
        let Some(name) = env.remove(pointer) else { continue };
        if pointer == SECRETS && who == For::Check {
            continue;
        }
        let values: BTreeMap<String, String> = serde_json::from_slice(&std::fs::read(paths.secrets().join(name))?)?;
        env.extend(values);
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
        let unlisted = [("AWS_SECRET_ACCESS_KEY", "x"), ("LD_PRELOAD", "y"), ("CARGO_TARGET_DIR", "/all")];
        let given = [("PATH", "/bin"), ("LC_ALL", "C")].into_iter().chain(unlisted);
        let given = given.map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        let kept = keep(&Paths::new(dir.path()), &given, None).expect("kept");
        assert_eq!(kept.keys().collect::<Vec<_>>(), ["LC_ALL", "PATH"]);
    }

    #[test]
    fn nothing_that_may_hold_a_login_stands_in_the_facts_and_checks_get_no_keys() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let paths = Paths::new(dir.path());
        let adapter = ao_core::adapter::parse(
            "x.toml",
            "name='x'\nabout='x'\nprogram='x'\nmemory_mb=1\nenv_pass=['X_KEY']\n[door]\ncomposer={kind='cursor-row'}\n",
        )
        .expect("an adapter");
        let given = [
            ("X_KEY", "key-1"),
            ("HTTPS_PROXY", "http://me:word-2@proxy:1"),
            ("PIP_INDEX_URL", "https://tok-3:@index/simple"),
            ("npm_config__auth", "auth-4"),
            ("NO_PROXY", "localhost"),
        ];
        let given: BTreeMap<String, String> = given.map(|(n, v)| (n.to_owned(), v.to_owned())).into_iter().collect();
        let kept = keep(&paths, &given, Some(&adapter)).expect("kept");
        let facts = format!("{kept:?}");
        for secret in ["key-1", "word-2", "tok-3", "auth-4"] {
            assert!(!facts.contains(secret), "{secret} stands in {facts}");
        }
        assert_eq!(restore(&paths, &kept, For::Agent).expect("read"), given);
        let check = restore(&paths, &kept, For::Check).expect("read");
        assert_eq!((check.contains_key("X_KEY"), check.contains_key("HTTPS_PROXY")), (false, true));
    }
}
