//! Slot `agent`: how a CLI agent is found and started. What it says on its screen is read by core from its adapter.

use crate::{Answer, Fault};
use ao_core::adapter::Adapter;
use ao_core::choice::Login;
use ao_core::id::{LaunchId, SessionId};
use ao_core::project::Permissions;
use ao_core::session::Conversation;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What is known when an agent is started.
#[derive(Clone, Debug)]
pub struct AgentPlan {
    /// For which session.
    pub session: SessionId,
    /// Which launch.
    pub launch: LaunchId,
    /// The workspace.
    pub workspace: PathBuf,
    /// A private directory of this session that survives launches, mode 0700; hooks and settings go here.
    pub private: PathBuf,
    /// Path of the `ao` binary that agents call back.
    pub ao: PathBuf,
    /// The data root, for `ao hook`.
    pub data_root: PathBuf,
    /// Secret of this session, for hooks.
    pub secret: String,
    /// How much it may do.
    pub permissions: Permissions,
    /// Model.
    pub model: Option<String>,
    /// Extra arguments.
    pub args: Vec<String>,
    /// The caller's environment, already filtered.
    pub env: BTreeMap<String, String>,
    /// Set when it runs where this machine's programs are not: they are called by name, and the home directory that it sees
    /// lies here.
    pub own_home: Option<PathBuf>,
    /// Continue the earlier conversation of this session.
    pub resume: bool,
}

/// How an agent is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentLaunch {
    /// Program (absolute path, or a name where this machine's programs are not) and arguments.
    pub argv: Vec<String>,
    /// Additions to the environment.
    pub env: BTreeMap<String, String>,
    /// What it goes on with when it is started like this.
    pub conversation: Conversation,
}

/// Whether an agent is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detected {
    /// It is.
    Installed {
        /// Absolute path of its program.
        path: PathBuf,
        /// Its version, when it says one.
        version: Option<String>,
    },
    /// It is not.
    Missing {
        /// How to install it.
        hint: String,
    },
}

/// Whether an agent could work for somebody, as far as that is seen without waiting for its program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Its program is there.
    pub installed: bool,
    /// What is seen of a login; that there is one does not say that it is still good.
    pub login: Login,
}

/// The slot's interface.
#[async_trait]
pub trait Agent: Send + Sync {
    /// What is known about it as data.
    fn adapter(&self) -> &Adapter;
    /// Why it cannot be started here at all: what describes it is not understood. It is there nevertheless, so that whoever
    /// names it hears this, and its sessions that live can be shown and ended.
    fn fault(&self) -> Option<Fault> {
        None
    }
    /// Looks for its program in `path` (a `PATH` value).
    async fn detect(&self, path: &str) -> Detected;
    /// Looks whether it could work for somebody with this environment: its program, its keys, the files of its logins. For
    /// choosing among agents, so it asks no program that takes its time.
    async fn standing(&self, env: &BTreeMap<String, String>) -> Standing {
        let path = env.get("PATH").map_or("", String::as_str);
        Standing { installed: matches!(self.detect(path).await, Detected::Installed { .. }), login: Login::Unknown }
    }
    /// Says how to start it, writing private configuration where it needs some.
    async fn launch(&self, plan: &AgentPlan) -> Answer<AgentLaunch>;
    /// Files that may be the transcript of this launch, as the adapter's `records.places` with everything filled in but
    /// `{seen}` and `*`.
    fn transcripts(&self, _plan: &AgentPlan) -> Vec<String> {
        Vec::new()
    }
}
