//! An agent adapter as data: how to start it, what its screen says, where prompts go in. No agent has code of its own.

pub mod composer;
pub mod observe;
pub mod watch;

use crate::activity::Activity;
use crate::project::Permissions;
use regex::Regex;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// Everything `ao` knows about one CLI agent. Read from TOML.
#[derive(Clone, Debug, Deserialize)]
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
    /// How to install it.
    #[serde(default)]
    pub install: String,
    /// Its documentation.
    #[serde(default)]
    pub docs: String,
    /// Resident memory of one busy agent in megabytes, measured; admission counts with it.
    pub memory_mb: u32,
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
    /// Arguments by permission preset.
    #[serde(default)]
    pub permissions: BTreeMap<PermissionName, Vec<String>>,
    /// Environment of every start.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
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
    /// Hook dialect; the plugin writes the private configuration for it.
    #[serde(default)]
    pub hooks: Option<HookDialect>,
    /// What hook events mean, by event name, or by name and detail as in `Notification.permission_prompt`.
    #[serde(default)]
    pub hook_events: BTreeMap<String, Signal>,
    /// What titles and OSC sequences mean.
    #[serde(default)]
    pub marks: Vec<MarkRule>,
    /// What the screen means, best priority first among those that match.
    #[serde(default)]
    pub rules: Vec<ScreenRule>,
}

/// A permission preset as a key of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PermissionName {
    /// See [`Permissions::Readonly`].
    Readonly,
    /// See [`Permissions::Standard`].
    Standard,
    /// See [`Permissions::Permissive`].
    Permissive,
    /// See [`Permissions::Autonomous`].
    Autonomous,
}

impl From<Permissions> for PermissionName {
    fn from(p: Permissions) -> Self {
        match p {
            Permissions::Readonly => Self::Readonly,
            Permissions::Standard => Self::Standard,
            Permissions::Permissive => Self::Permissive,
            Permissions::Autonomous => Self::Autonomous,
        }
    }
}

/// How hooks are configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookDialect {
    /// A settings file given by `--settings` (Claude Code).
    ClaudeSettings,
}

/// Where a prompt goes in, and how it is seen to be there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Door {
    /// How the composer is found.
    pub composer: Composer,
    /// Milliseconds between the paste and Enter; measured, at least 200.
    #[serde(default = "default_pause")]
    pub pause_ms: u64,
    /// The composer shows this instead of a long paste.
    #[serde(default)]
    pub pasted: Option<Pattern>,
    /// What begins a turn besides the activity `working`: any output after Enter.
    #[serde(default)]
    pub output_begins_turn: bool,
    /// How a prompt that was sent stands in the transcript above the composer: what is above the last one is an older turn.
    #[serde(default)]
    pub echo: Option<Pattern>,
}

const fn default_pause() -> u64 {
    200
}

/// How the composer is found on the screen.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Composer {
    /// Rows that begin with a prompt sign: the last one on the screen that matches `first` and not `never`, and stands below
    /// a row that matches `above`, begins it; the row before the next one that matches `end` ends it. A screen without such
    /// rows has no composer. Without `end` the last row that is not blank ends it.
    Rows {
        /// The first row; its first group is the text after the prompt sign.
        first: Pattern,
        /// Rows that look like the first one and are something else: the choices of a dialog.
        #[serde(default)]
        never: Option<Pattern>,
        /// The row above the first one.
        #[serde(default)]
        above: Option<Pattern>,
        /// The row after the last one.
        #[serde(default)]
        end: Option<Pattern>,
        /// Text that stands there while it is empty.
        #[serde(default)]
        placeholder: Option<Pattern>,
    },
    /// The cursor's row, for programs that read lines.
    CursorRow,
}

/// What a signal says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signal {
    /// The activity, as in `{ activity = "working" }`.
    #[serde(flatten)]
    pub activity: ActivityTable,
}

/// An activity in an adapter file; flattening needs a plain table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ActivityTable {
    /// Name of the activity.
    pub activity: String,
    /// What is asked of a person, for `needs_input`.
    #[serde(default)]
    pub what: Option<String>,
}

/// What a title or an OSC sequence means.
#[derive(Clone, Debug, Deserialize)]
pub struct MarkRule {
    /// OSC number; 0 for titles.
    pub osc: u16,
    /// Its text.
    pub text: Pattern,
    /// Only when the mark of the same number before it said one of these activities: some agents tell an interrupted turn
    /// from a finished one by nothing else.
    #[serde(default)]
    pub after: Vec<String>,
    /// What it says.
    #[serde(flatten)]
    pub says: ActivityTable,
    /// It is said in other cases too, as a title that is the same for idle and for a dialog: it counts only once the screen
    /// says the same.
    #[serde(default)]
    pub weak: bool,
}

/// What the screen means.
#[derive(Clone, Debug, Deserialize)]
pub struct ScreenRule {
    /// Its name, for evidence.
    pub name: String,
    /// The recordings, or the test, that prove it.
    #[serde(default)]
    pub proof: Vec<String>,
    /// Where to look.
    pub region: Where,
    /// Every one of these matches some row there.
    #[serde(default)]
    pub all: Vec<Pattern>,
    /// At least one of these does.
    #[serde(default)]
    pub any: Vec<Pattern>,
    /// None of these does.
    #[serde(default)]
    pub none: Vec<Pattern>,
    /// What that says.
    #[serde(flatten)]
    pub says: ActivityTable,
    /// Higher wins.
    #[serde(default)]
    pub priority: i32,
    /// It must hold for this many milliseconds without output.
    #[serde(default)]
    pub hold_ms: u64,
}

/// A region of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Where {
    /// The cursor's row.
    CursorRow,
    /// Everything from the composer's first row down.
    Composer,
    /// The ten rows above the composer, or above the last row that is not blank.
    AboveComposer,
    /// The whole screen while it has no composer: dialogs stand in its place.
    Dialog,
    /// The last rows that are not blank.
    #[serde(untagged)]
    Footer {
        /// How many.
        footer: u16,
    },
    /// The last rows that are not blank above the composer, as far as they belong to the last turn.
    #[serde(untagged)]
    Turn {
        /// How many.
        turn: u16,
    },
}

/// A regular expression that was compiled when its file was read.
#[derive(Clone, Debug)]
pub struct Pattern(pub Regex);

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Regex::new(&text).map(Self).map_err(serde::de::Error::custom)
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
    let tables = adapter
        .marks
        .iter()
        .map(|m| &m.says)
        .chain(adapter.rules.iter().map(|r| &r.says))
        .chain(adapter.hook_events.values().map(|s| &s.activity));
    for table in tables {
        table.activity().map_err(|what| AdapterError::Meaning { file: file.to_owned(), what })?;
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

impl ActivityTable {
    /// The activity it names.
    ///
    /// # Errors
    /// Words that say which name is wrong.
    pub fn activity(&self) -> Result<Activity, String> {
        use crate::activity::InputKind;
        Ok(match self.activity.as_str() {
            "starting" => Activity::Starting,
            "ready" => Activity::Ready,
            "working" => Activity::Working { on: None },
            "retrying" => Activity::Retrying,
            "rate_limited" => Activity::RateLimited { until: None },
            "error" => Activity::Error { kind: "agent".to_owned() },
            "idle" => Activity::Idle,
            "interrupted" => Activity::Interrupted,
            "needs_input" => Activity::NeedsInput {
                what: match self.what.as_deref() {
                    Some("permission") | None => InputKind::Permission,
                    Some("question") => InputKind::Question,
                    Some("plan") => InputKind::Plan,
                    Some("trust") => InputKind::Trust,
                    Some("login") => InputKind::Login,
                    Some("onboarding") => InputKind::Onboarding,
                    Some("menu") => InputKind::Menu,
                    Some(other) => return Err(format!("there is no kind of input {other:?}")),
                },
            },
            other => return Err(format!("there is no activity {other:?}")),
        })
    }
}
