//! What every verb knows: the data root, the directory it was called in, and where its output goes.

use crate::output::Out;
use ao_core::kind::Fault;
use ao_daemon::paths::Paths;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The longest path that a Unix socket may have, its final zero left out (`sockaddr_un` of Linux).
const MAX_SOCKET: usize = 107;

/// What every verb knows.
#[derive(Clone, Debug)]
pub struct Context {
    /// Where everything lies.
    pub paths: Paths,
    /// The directory it was called in.
    pub cwd: PathBuf,
    /// Where output goes.
    pub out: Out,
}

impl Context {
    /// From the environment.
    ///
    /// # Errors
    /// `invalid` when there is no directory to work in, or sockets cannot lie in the data root.
    pub fn new(out: Out) -> Result<Self, Fault> {
        let cwd = std::env::current_dir().map_err(|e| {
            Fault::invalid(format!("the current directory cannot be used: {e}")).hint("cd to another one")
        })?;
        let root = match std::env::var_os("AO_HOME").filter(|v| !v.is_empty()) {
            Some(root) => cwd.join(root),
            None => std::env::home_dir()
                .filter(|home| home.is_absolute())
                .ok_or_else(|| {
                    Fault::invalid("there is no home directory")
                        .hint("set HOME, or AO_HOME to a directory for ao's data")
                })?
                .join(".agent-orchestrator"),
        };
        let paths = Paths::new(&root);
        let longest = paths.daemon_socket().as_os_str().len().max(paths.hook_socket().as_os_str().len());
        if longest > MAX_SOCKET {
            let fault = Fault::invalid(format!("the data root {} is too long for sockets", root.display()));
            return Err(
                fault.hint(format!("set AO_HOME to a directory whose path is {} bytes shorter", longest - MAX_SOCKET))
            );
        }
        if root.to_str().is_none() {
            return Err(Fault::invalid(format!("the data root {} is not UTF-8", root.display()))
                .hint("set AO_HOME to another directory"));
        }
        Ok(Self { paths, cwd, out })
    }

    /// The caller's environment, for agents; the daemon keeps what its allow-list names.
    #[must_use]
    pub fn environment() -> BTreeMap<String, String> {
        std::env::vars_os().filter_map(|(n, v)| Some((n.into_string().ok()?, v.into_string().ok()?))).collect()
    }
}
