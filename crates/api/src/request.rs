//! What callers send.

use ao_core::config::answers::AnswerFile;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Nothing to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A new session (`POST /api/sessions`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct NewSession {
    /// Project id; may be left out when there is exactly one.
    #[serde(alias = "project", skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// One line that says what it is for; the prompt's first line, or the issue's title, when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The first prompt. Left out, the title is the prompt.
    #[serde(alias = "task", skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// Start the agent without any prompt.
    pub no_prompt: bool,
    /// Name asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Issue id in the project's tracker; its text goes into the prompt as data.
    #[serde(alias = "issueId", skip_serializing_if = "Option::is_none")]
    pub issue: Option<String>,
    /// Agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Runtime.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
    /// Workspace kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// Branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Who answers its questions: `notify`, `confirm` or `autonomous`; as in the project when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supervision: Option<String>,
    /// Rules that answer them, before those of the project.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<AnswerFile>,
    /// Extra arguments for the agent.
    pub agent_args: Vec<String>,
    /// The caller's environment; the daemon keeps what its allow-list and the agent's adapter name.
    pub env: BTreeMap<String, String>,
}

/// A message (`POST /api/sessions/{id}/message`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Message {
    /// The text.
    #[serde(alias = "message", alias = "text")]
    pub content: String,
    /// Absolute paths of files on this machine that belong to it: copies of them are put into the workspace, outside of git,
    /// and the prompt names these. Over the daemon's own socket only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<String>,
}

/// How to stop (`DELETE /api/sessions/{id}`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Stop {
    /// Remove the workspace through its rescue ref as well.
    pub cleanup: bool,
    /// The same, and put the session into the archive.
    pub archive: bool,
    /// Why, for the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A new run (`POST /api/runs`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct NewRun {
    /// Project id.
    #[serde(alias = "project", skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// The check; the project's when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// Agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Extra arguments for the agent.
    pub agent_args: Vec<String>,
    /// Sessions at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallel: Option<u32>,
    /// Prompts per session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Leave the sessions alive.
    pub keep: bool,
    /// The caller's environment.
    pub env: BTreeMap<String, String>,
}

/// Registers a project or renews its settings (`POST /api/projects`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct NewProject {
    /// Absolute path of a repository or of a directory with a configuration.
    pub path: String,
    /// Absolute path of the configuration file, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// Only if its configuration has changed: a repository that is a project already is then not looked at again.
    pub if_changed: bool,
}

/// Which events are wanted (`GET /api/events`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct EventsQuery {
    /// Only after this sequence number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// Only of this session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Only of this project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Answer with what there is as JSON instead of following as a stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow: Option<bool>,
    /// At most this many, newest last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Which sessions are wanted (`GET /api/sessions`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct SessionsQuery {
    /// Only of this project.
    #[serde(alias = "projectId", skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Ended ones too, but not those in the archive.
    pub all: bool,
    /// Those in the archive; with `all` besides the others, else they alone.
    pub archived: bool,
}

/// Whose disk use is wanted (`GET /api/disk`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct DiskQuery {
    /// Only of this project.
    #[serde(alias = "projectId", skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Only of this session: an id, a name or a unique prefix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

/// Puts rescued work back (`POST /api/rescues/restore`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct RestoreRescue {
    /// Project id; every project is looked through when it is left out.
    #[serde(alias = "projectId", skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The rescue ref, or the session's id, name or unique prefix.
    pub name: String,
    /// Absolute path of the new directory.
    pub to: String,
}

/// Which rescued work is meant (`GET /api/rescues/show`, `POST /api/rescues/drop`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct OneRescue {
    /// Project id; every project is looked through when it is left out.
    #[serde(alias = "projectId", skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The rescue ref, or the session's id, name or unique prefix.
    pub name: String,
}

/// Keys for an agent as they are (`POST /api/sessions/{id}/keys`): text first, then the named keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Keys {
    /// Characters, sent as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Names such as `Enter`, `Esc`, `Up`, `Tab`, `C-c`.
    pub keys: Vec<String>,
}

/// Which lines of a terminal's text are wanted (`GET /api/sessions/{id}/logs`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct LogsQuery {
    /// At most this many lines, the newest; 200 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<u32>,
    /// From this row on, counted from 0 since the agent started; the newest when left out. `earlier` of the answer says where
    /// it begins: rows that are no longer kept are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// Keep colours (SGR sequences) of the rows that scrolled off.
    pub color: bool,
}

/// Which rescued work is wanted (`GET /api/rescues`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct RescuesQuery {
    /// Only of this project.
    #[serde(alias = "projectId", skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
}

/// Which runs are wanted (`GET /api/runs`), or which queues (`GET /api/merge-queue`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ProjectQuery {
    /// Only of this project.
    #[serde(alias = "projectId", skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
}
