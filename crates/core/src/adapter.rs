//! An agent adapter as data: how to start it, what its screen says, where prompts go in. No agent has code of its own.

pub mod composer;
pub mod dialog;
pub mod door;
pub mod leave;
pub mod look;
pub mod menu;
pub mod observe;
pub mod pattern;
pub mod rule;
pub mod start;
pub mod startup;
pub mod version;
pub mod watch;

pub use door::{Composer, Door};
pub use pattern::Pattern;
pub use rule::{MarkRule, ScreenRule, Signal, Where};
pub use start::{Grant, Login, PermissionName, PrivateFile};

use crate::choice::task::TaskKind;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Everything `ao` knows about one CLI agent. Read from TOML.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Adapter {
    /// Canonical name.
    pub name: String,
    /// Other names that users write.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// One line for lists.
    pub about: String,
    /// Program to look for on `PATH`; the built-in agents that `ao` plays itself have `{ao}`.
    pub program: String,
    /// Arguments that make it print its version.
    #[serde(default)]
    pub version_args: Vec<String>,
    /// Versions the rules were measured on.
    #[serde(default)]
    pub measured: Vec<String>,
    /// Versions that are not started, as in `">=1.52"`, because of what they would do by themselves.
    #[serde(default)]
    pub refuses: Option<String>,
    /// How to install it.
    #[serde(default)]
    pub install: String,
    /// Its documentation.
    #[serde(default)]
    pub docs: String,
    /// Resident memory of one busy agent in megabytes, measured; admission counts with it.
    pub memory_mb: u32,
    /// How well it suits kinds of tasks, from 0 to 10; 5 where nothing is said. An opinion, for choosing among agents.
    #[serde(default)]
    pub fit: BTreeMap<TaskKind, u8>,
    /// Arguments of every start.
    #[serde(default)]
    pub args: Vec<String>,
    /// Arguments for a model; `{model}` is replaced.
    #[serde(default)]
    pub model_args: Vec<String>,
    /// Arguments that give a new conversation the id that we choose; `{native}` is replaced by a UUID.
    #[serde(default)]
    pub start_args: Vec<String>,
    /// Arguments that continue it; `{native}` is replaced.
    #[serde(default)]
    pub resume_args: Vec<String>,
    /// Files that may hold the conversation; it is continued only if one is there. `{native}`, `{workspace-dashed}` (the
    /// workspace's path with everything but letters and digits as `-`) and `{env:NAME}` are replaced; a place whose variable
    /// is not set is passed over. Without any it is always continued.
    #[serde(default)]
    pub transcript: Vec<String>,
    /// The caller's extra arguments are the whole command, not arguments of the program.
    #[serde(default)]
    pub takes_command: bool,
    /// Arguments and environment by permission preset; what each preset means is in `start::policy`.
    #[serde(default)]
    pub permissions: BTreeMap<PermissionName, Grant>,
    /// Arguments that add to its system prompt; `{system}` is replaced.
    #[serde(default)]
    pub system_args: Vec<String>,
    /// Environment of every start; the same names in braces are replaced as in arguments.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Files of private configuration that are written before every start, below `{private}`.
    #[serde(default)]
    pub files: Vec<PrivateFile>,
    /// What it leaves in the workspace: patterns that are kept out of git through `.git/info/exclude`.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// The file in a repository that it reads as its instructions.
    #[serde(default)]
    pub memory_file: String,
    /// How it is seen to be logged in, and how one logs in.
    #[serde(default)]
    pub login: Login,
    /// No real run of this agent was measured: its rules are from its documentation.
    #[serde(default)]
    pub untested: bool,
    /// What of it was shown with the real program, for the table in the docs; empty: nothing but recordings.
    #[serde(default)]
    pub proven: Vec<String>,
    /// Names of variables that the agent needs from the caller's environment (keys, endpoints, its own home).
    #[serde(default)]
    pub env_pass: Vec<String>,
    /// Keys that interrupt a turn.
    #[serde(default)]
    pub interrupt_keys: String,
    /// Keys that end the agent politely.
    #[serde(default)]
    pub exit_keys: String,
    /// Where prompts go in.
    pub door: Door,
    /// Until the first turn it counts as ready, or as asking, only once its screen has been still for this many milliseconds:
    /// keys typed into a screen that is still being drawn are lost in several agents.
    #[serde(default)]
    pub settle_ms: u64,
    /// How the choices of its dialogs look.
    #[serde(default)]
    pub menu: Option<look::Look>,
    /// How its transcript is read.
    #[serde(default)]
    pub records: crate::transcript::Shape,
    /// Hook dialect; the plugin writes the private configuration for it.
    #[serde(default)]
    pub hooks: Option<HookDialect>,
    /// What hook events mean, by event name, or by name and detail as in `Notification.permission_prompt`.
    #[serde(default)]
    pub hook_events: BTreeMap<String, Signal>,
    /// A hook by which it takes a decision about leave.
    #[serde(default)]
    pub leave: Option<leave::Leave>,
    /// What titles and OSC sequences mean.
    #[serde(default)]
    pub marks: Vec<MarkRule>,
    /// What the screen means, best priority first among those that match.
    #[serde(default)]
    pub rules: Vec<ScreenRule>,
}

/// How hooks are configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HookDialect {
    /// A settings file given by `--settings` (Claude Code).
    ClaudeSettings,
    /// Settings of the same shape, named as the defaults of the system by `QWEN_CODE_SYSTEM_DEFAULTS_PATH` (Qwen Code).
    QwenSettings,
    /// An extension given by `-e` (Pi).
    PiExtension,
    /// A plugin named by `OPENCODE_CONFIG_CONTENT` (OpenCode); whoever sets that variable gets no hooks.
    OpencodePlugin,
    /// A plugin's directory given by `--plugin-dir` (Copilot CLI).
    CopilotPlugin,
}

impl Adapter {
    /// The adapter for one version of its agent: rules for others are left out.
    #[must_use]
    pub fn at_version(mut self, version: &str) -> Self {
        self.rules.retain(|rule| {
            let range = rule.versions.as_deref().and_then(version::Range::parse);
            range.is_none_or(|range| range.holds(version))
        });
        self
    }

    /// The newest version that its rules were measured on.
    #[must_use]
    pub fn newest_measured(&self) -> Option<&str> {
        self.measured.iter().map(String::as_str).max_by(|a, b| version::compare(a, b))
    }
}

/// Why an adapter file is refused.
#[derive(Debug, thiserror::Error)]
pub enum AdapterError {
    /// It is not an adapter in TOML.
    #[error("{file}: {source}")]
    Syntax {
        /// Its name.
        file: String,
        /// The parser's words, with the line.
        source: Box<toml::de::Error>,
    },
    /// A name in it means nothing.
    #[error("{file}: {what}")]
    Meaning {
        /// Its name.
        file: String,
        /// What, and where.
        what: String,
    },
}

/// Reads an adapter.
///
/// # Errors
/// [`AdapterError`] naming the file, and the line or the entry.
pub fn parse(file: &str, text: &str) -> Result<Adapter, AdapterError> {
    let adapter =
        toml::from_str(text).map_err(|e| AdapterError::Syntax { file: file.to_owned(), source: Box::new(e) })?;
    checked(file, adapter)
}

/// Checks the meaning of an adapter that was read by other means.
///
/// # Errors
/// [`AdapterError::Meaning`] naming the file and the entry.
pub fn checked(file: &str, adapter: Adapter) -> Result<Adapter, AdapterError> {
    let wrong = |what: String| Err(AdapterError::Meaning { file: file.to_owned(), what });
    if crate::id::checked_name("agent name", &adapter.name).is_err() {
        return wrong(format!("name {:?} is not a name", adapter.name));
    }
    if let Some(rule) = adapter.rules.iter().find(|r| r.all.is_empty() && r.any.is_empty() && r.none.is_empty()) {
        return wrong(format!("rule {:?} has no pattern, so it would always hold", rule.name));
    }
    let marks = adapter.marks.iter().map(MarkRule::says);
    let rules = adapter.rules.iter().map(ScreenRule::says);
    let hooks = adapter.hook_events.values().map(Signal::says);
    for says in marks.chain(rules).chain(hooks) {
        says.map_err(|what| AdapterError::Meaning { file: file.to_owned(), what })?;
    }
    if let Some(range) = adapter.refuses.as_deref().filter(|range| version::Range::parse(range).is_none()) {
        return wrong(format!("refuses = {range:?} is not like \">=2.1, <3\""));
    }
    for rule in &adapter.rules {
        if let Some(range) = &rule.versions
            && version::Range::parse(range).is_none()
        {
            return wrong(format!("rule {:?}: versions = {range:?} is not like \">=2.1, <3\"", rule.name));
        }
        if !rule.answer.is_empty() && adapter.menu.is_none() {
            return wrong(format!("rule {:?} has an answer, but the adapter has no [menu] to find it in", rule.name));
        }
    }
    if let Err(what) = adapter.records.check() {
        return wrong(what);
    }
    if let Some((kind, fit)) = adapter.fit.iter().find(|(_, fit)| **fit > 10) {
        return wrong(format!("fit.{kind:?} is {fit}; it may be 0 to 10").to_lowercase());
    }
    if adapter.door.pause_ms < 200 {
        let what = format!(
            "door.pause_ms is {}; below 200 several agents take Enter for part of the paste",
            adapter.door.pause_ms
        );
        return Err(AdapterError::Meaning { file: file.to_owned(), what });
    }
    Ok(adapter)
}

/// The JSON schema of an adapter file.
#[must_use]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Adapter)
}
