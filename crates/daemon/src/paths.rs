//! Where everything lies under the data root (DESIGN §4). Names only; nothing is created here.

use ao_core::id::{LaunchId, SessionId};
use ao_core::project::Project;
use ao_core::screen::sha256_hex;
use std::path::{Path, PathBuf};

/// The data root and what is in it.
#[derive(Clone, Debug)]
pub struct Paths {
    root: PathBuf,
}

/// Hexadecimal digits of the data root's hash in names outside of it: data roots of one machine are few.
const LABEL_HASH: usize = 8;

impl Paths {
    /// For the data root `root`, an absolute path.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }
    /// The data root.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }
    /// What names of this data root's things begin with where other roots have theirs, such as containers.
    #[must_use]
    pub fn label(&self) -> String {
        let hash = sha256_hex(self.root.as_os_str().as_encoded_bytes());
        format!("ao-{}", hash.get(..LABEL_HASH).unwrap_or(&hash))
    }
    /// Sockets.
    #[must_use]
    pub fn run(&self) -> PathBuf {
        self.root.join("run")
    }
    /// What agents have first on their PATH: `ao` alone.
    #[must_use]
    pub fn bin(&self) -> PathBuf {
        self.root.join("bin")
    }
    /// The daemon's own socket.
    #[must_use]
    pub fn daemon_socket(&self) -> PathBuf {
        self.run().join("daemon.sock")
    }
    /// The datagram socket that `ao hook` nudges.
    #[must_use]
    pub fn hook_socket(&self) -> PathBuf {
        self.run().join("hooks.sock")
    }
    /// Where agents' hooks ask for leave.
    #[must_use]
    pub fn leave_socket(&self) -> PathBuf {
        self.run().join("leave.sock")
    }
    /// Hook calls that were not read yet.
    #[must_use]
    pub fn spool(&self) -> PathBuf {
        self.root.join("spool")
    }
    /// How the daemon is found.
    #[must_use]
    pub fn daemon_file(&self) -> PathBuf {
        self.root.join("daemon.json")
    }
    /// Held by the one daemon.
    #[must_use]
    pub fn daemon_lock(&self) -> PathBuf {
        self.root.join("daemon.lock")
    }
    /// Hashes of tokens.
    #[must_use]
    pub fn tokens(&self) -> PathBuf {
        self.root.join("tokens")
    }
    /// Hashes of trusted files.
    #[must_use]
    pub fn trust(&self) -> PathBuf {
        self.root.join("trust")
    }
    /// Secret parts of callers' environments.
    #[must_use]
    pub fn secrets(&self) -> PathBuf {
        self.root.join("secrets")
    }
    /// A launch's socket: eight digits, because socket paths may have about a hundred bytes.
    #[must_use]
    pub fn host_socket(&self, launch: &LaunchId) -> PathBuf {
        let hash = sha256_hex(format!("{}\0{launch}", self.root.display()).as_bytes());
        self.run().join(format!("{}.sock", hash.get(..8).unwrap_or(&hash)))
    }
    /// A project's sessions.
    #[must_use]
    pub fn sessions(project: &Project) -> PathBuf {
        Path::new(&project.data).join("sessions")
    }
    /// A session's projection for people and scripts.
    #[must_use]
    pub fn projection(project: &Project, session: &SessionId) -> PathBuf {
        Self::sessions(project).join(session.as_str())
    }
    /// The same of a session that was archived.
    #[must_use]
    pub fn archived(project: &Project, session: &SessionId) -> PathBuf {
        Path::new(&project.data).join("archive").join(session.as_str())
    }
    /// A session's files.
    #[must_use]
    pub fn session_dir(project: &Project, session: &SessionId) -> PathBuf {
        Self::sessions(project).join(format!("{session}.d"))
    }
    /// A launch's files.
    #[must_use]
    pub fn launch_dir(project: &Project, session: &SessionId, launch: &LaunchId) -> PathBuf {
        let ordinal = launch.as_str().rsplit('.').next().unwrap_or("1");
        Self::session_dir(project, session).join(ordinal)
    }
    /// A session's workspace.
    #[must_use]
    pub fn workspace(project: &Project, session: &SessionId) -> PathBuf {
        Path::new(&project.data).join("worktrees").join(session.as_str())
    }
    /// A scratch checkout: one for reading the target, one for the merge queue, so that their build caches stay warm.
    #[must_use]
    pub fn scratch(project: &Project, name: &str) -> PathBuf {
        Path::new(&project.data).join("scratch").join(name)
    }
    /// The output of a check.
    #[must_use]
    pub fn check_log(project: &Project, key: &str) -> PathBuf {
        let name: String =
            key.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '.' { c } else { '_' }).collect();
        Path::new(&project.data).join("checks").join(format!("{name}.log"))
    }
}
