//! A project: one repository and the settings that hold for its sessions.

use crate::choice::selection::Selection;
use crate::id::ProjectId;
use crate::limits::{Container, Limits};
use crate::reaction::Reactions;
use crate::supervision::{AnswerRule, Supervision};
use crate::time::Millis;
use crate::workspace::Workspaces;
use serde::{Deserialize, Serialize};

/// One repository that `ao` works on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// Absolute path of the repository's main checkout.
    pub path: String,
    /// Absolute path of the project's data directory, `{data root}/{hash12}-{project}`.
    pub data: String,
    /// Prefix of its session ids.
    pub prefix: String,
    /// What holds for its sessions.
    pub settings: Settings,
    /// Sessions made so far: the next id is one more.
    pub sessions_made: u32,
    /// Runs made so far.
    pub runs_made: u32,
    /// Pull requests opened so far by the `local` forge.
    pub pull_requests_made: u32,
    /// Merge-queue batches built so far.
    pub batches_made: u32,
    /// Removed from the list: nothing new starts here, what lives is left alone.
    #[serde(default)]
    pub removed: bool,
}

/// The effective settings of a project, after every layer of configuration was merged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Settings {
    /// Default agent.
    pub agent: String,
    /// How the agent of a session is chosen when nobody names one.
    #[serde(rename = "agentSelection")]
    pub selection: Selection,
    /// Default runtime.
    pub runtime: String,
    /// Default workspace kind.
    pub workspace: String,
    /// Forge.
    pub scm: String,
    /// Tracker.
    pub tracker: String,
    /// Notifiers, all of which are told.
    pub notifiers: Vec<String>,
    /// The branch that work lands on; the repository's own when empty.
    pub default_branch: String,
    /// The gate's command, run by a shell in a checkout.
    pub check: Option<String>,
    /// How long one run of the check may take.
    pub check_timeout: Millis,
    /// How a branch becomes commits on the target.
    pub merge: MergeStrategy,
    /// Most pull requests in one batch of the merge queue.
    pub batch_limit: u32,
    /// Sessions working at the same time.
    pub parallel: u32,
    /// Relative paths linked from the main checkout into every workspace.
    pub symlinks: Vec<String>,
    /// Commands run in a new workspace, after `ao trust`.
    pub post_create: Vec<String>,
    /// What workspaces get besides.
    pub workspaces: Workspaces,
    /// How much an agent may do without asking.
    pub permissions: Permissions,
    /// Model to ask the agent for.
    pub model: Option<String>,
    /// Rules appended to what an agent is told.
    pub agent_rules: Option<String>,
    /// Remove a workspace through its rescue ref once its work has landed.
    pub auto_cleanup_on_merge: bool,
    /// After a reboot, resume the sessions that lived: idle, as places become free.
    pub resume_on_boot: bool,
    /// Bounds of each session.
    pub limits: Limits,
    /// The container of sessions that run in one.
    pub container: Option<Container>,
    /// Halt the processes of a session that was idle for this long, until somebody needs it; never when absent.
    pub freeze_idle_after: Option<Millis>,
    /// Put a session into the archive so long after it ended; never when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archive_after: Option<Millis>,
    /// Who answers what agents ask.
    pub supervision: Supervision,
    /// Rules that answer it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<AnswerRule>,
    /// What happens by itself.
    pub reactions: Reactions,
}

/// How a branch becomes commits on the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MergeStrategy {
    /// One commit with the branch's tree.
    #[default]
    Squash,
    /// A merge commit.
    Merge,
    /// The branch's commits, replayed one by one.
    Rebase,
}

/// How much an agent may do without asking, by category of tool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Permissions {
    /// Look, never touch (`suggest`).
    #[serde(alias = "suggest")]
    Readonly,
    /// Ask before edits and commands (`default`).
    #[serde(alias = "default")]
    Standard,
    /// Edit freely, ask before commands (`auto-edit`).
    #[default]
    #[serde(alias = "auto-edit")]
    Permissive,
    /// Never ask (`permissionless`).
    #[serde(alias = "permissionless", alias = "skip")]
    Autonomous,
}

/// A check may run this long unless the configuration says otherwise: slow suites take minutes, hung ones for ever.
pub const CHECK_TIMEOUT: Millis = Millis::mins(30);

/// Pull requests gated together at the most: a red batch costs log2 of this many more gate runs.
pub const BATCH_LIMIT: u32 = 8;

impl Default for Settings {
    fn default() -> Self {
        Self {
            agent: "claude-code".to_owned(),
            selection: Selection::default(),
            runtime: "process".to_owned(),
            workspace: "worktree".to_owned(),
            scm: "local".to_owned(),
            tracker: "local".to_owned(),
            notifiers: vec!["desktop".to_owned()],
            default_branch: String::new(),
            check: None,
            check_timeout: CHECK_TIMEOUT,
            merge: MergeStrategy::Squash,
            batch_limit: BATCH_LIMIT,
            parallel: 0,
            symlinks: Vec::new(),
            post_create: Vec::new(),
            workspaces: Workspaces::default(),
            permissions: Permissions::default(),
            model: None,
            agent_rules: None,
            auto_cleanup_on_merge: false,
            resume_on_boot: true,
            limits: Limits::default(),
            container: None,
            freeze_idle_after: None,
            archive_after: None,
            supervision: Supervision::default(),
            answers: Vec::new(),
            reactions: Reactions::default(),
        }
    }
}
