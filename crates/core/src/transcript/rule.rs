//! The shape of a transcript as an adapter tells it: in which records something stands, and where in them.

use super::path::Path;
use crate::activity::{Activity, InputKind};
use crate::adapter::pattern::Pattern;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// How a transcript is read.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// Files that may be the transcript, best first; `transcript` of the adapter when there are none here. As there, and:
    /// `{seen}` is the id that the agent told in a hook, one `*` in a name stands for anything but `/`. Of several the newest
    /// is taken that was written since the launch began. Only what lies where these lead, before any of these signs, is read.
    #[serde(default)]
    pub places: Vec<String>,
    /// Where the beginning of the file says which directory the agent works in: a file of another directory is not ours.
    #[serde(default)]
    pub cwd: Option<Path>,
    /// One record a line, or one document that is written anew each time.
    #[serde(default)]
    pub format: Format,
    /// Where the records of a document are.
    #[serde(default)]
    pub list: Option<Path>,
    /// Where a record says when it was written: RFC 3339, or seconds or milliseconds since 1970.
    #[serde(default)]
    pub time: Option<Path>,
    /// Where the file says the agent's own id of the conversation.
    #[serde(default)]
    pub native: Option<Path>,
    /// Records to look at: the path has to match the pattern. Without any every record is.
    #[serde(default)]
    pub only: BTreeMap<Path, Pattern>,
    /// Tools that are agents of their own.
    #[serde(default)]
    pub sub_agents: Vec<String>,
    /// Transcripts of sub-agents, beside this one: `{stem}` is its name without `.jsonl`, one `*` stands for anything but `/`.
    /// Of these only tokens count.
    #[serde(default)]
    pub beside: Option<String>,
    /// What stands in which records; every rule that fits is used.
    #[serde(default)]
    pub rules: Vec<RecordRule>,
}

/// How records lie in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// One JSON value a line; it grows at its end.
    #[default]
    Lines,
    /// One JSON value in all, read anew when it changed.
    Document,
}

/// What stands in a record, or in each element of a list in it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordRule {
    /// Its name, for evidence.
    pub name: String,
    /// Looked at for each of these; paths count from there.
    #[serde(default)]
    pub each: Option<Path>,
    /// All of these stand there: the text at the path matches. Of several texts one has to.
    #[serde(default)]
    pub when: BTreeMap<Path, Pattern>,
    /// None of these does.
    #[serde(default)]
    pub unless: BTreeMap<Path, Pattern>,
    /// What the agent does from then on.
    #[serde(default)]
    pub says: Option<Says>,
    /// The agent's own id of the conversation, where it stands in some records only.
    #[serde(default)]
    pub native: Option<Path>,
    /// The agent's own id of the turn.
    #[serde(default)]
    pub turn: Option<Path>,
    /// The model at work.
    #[serde(default)]
    pub model: Option<Path>,
    /// What the agent said.
    #[serde(default)]
    pub message: Option<Path>,
    /// What it was told.
    #[serde(default)]
    pub prompt: Option<Path>,
    /// The name of a tool that begins.
    #[serde(default)]
    pub tool: Option<Path>,
    /// The id of the call that begins.
    #[serde(default)]
    pub tool_id: Option<Path>,
    /// The id of a call that is over.
    #[serde(default)]
    pub tool_over: Option<Path>,
    /// What was used.
    #[serde(default)]
    pub tokens: Option<TokenPaths>,
    /// When the provider's limit resets: RFC 3339, or seconds or milliseconds since 1970.
    #[serde(default)]
    pub resets: Option<Path>,
}

/// Where the numbers of tokens stand.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenPaths {
    /// What tells one answer of the model from another: the same numbers, or larger ones, of the same answer are not added.
    #[serde(default)]
    pub key: Option<Path>,
    /// The numbers are those of the whole conversation so far.
    #[serde(default)]
    pub total: bool,
    /// Sent; several are added up.
    #[serde(default)]
    pub input: Vec<Path>,
    /// `input` holds what was read from the cache, or written into it, too.
    #[serde(default)]
    pub input_holds_cache: bool,
    /// Written by the model; several are added up.
    #[serde(default)]
    pub output: Vec<Path>,
    /// Read from the cache.
    #[serde(default)]
    pub cache_read: Vec<Path>,
    /// Written into the cache.
    #[serde(default)]
    pub cache_write: Vec<Path>,
    /// What the agent says that it cost, in US dollars. Nothing is taken for "not known".
    #[serde(default)]
    pub cost: Option<Path>,
}

/// What a record says of the agent. There is no `ready` and no `exited`: a file cannot know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Says {
    /// A turn begins or goes on.
    Working,
    /// The turn is over; said only after a turn began.
    Idle,
    /// The turn ended with an error; as above.
    Error,
    /// A person interrupted the turn; as above.
    Interrupted,
    /// The provider's limit is reached; as above.
    RateLimited,
    /// A request is being repeated.
    Retrying,
    /// It waits for leave.
    Permission,
    /// It waits for an answer.
    Question,
    /// Its context is being made smaller.
    Compaction,
}

impl Says {
    /// Whether a turn is over by this.
    #[must_use]
    pub const fn ends(self) -> bool {
        match self {
            Self::Idle | Self::Error | Self::Interrupted | Self::RateLimited => true,
            Self::Working | Self::Retrying | Self::Permission | Self::Question | Self::Compaction => false,
        }
    }

    /// The activity.
    #[must_use]
    pub fn activity(self) -> Activity {
        match self {
            Self::Working => Activity::Working { on: None },
            Self::Idle => Activity::Idle,
            Self::Error => Activity::Error { kind: "agent".to_owned() },
            Self::Interrupted => Activity::Interrupted,
            Self::RateLimited => Activity::RateLimited { until: None },
            Self::Retrying => Activity::Retrying,
            Self::Permission => Activity::NeedsInput { what: InputKind::Permission },
            Self::Question => Activity::NeedsInput { what: InputKind::Question },
            Self::Compaction => Activity::Working { on: Some(crate::activity::Work::Compaction) },
        }
    }
}

impl Shape {
    /// What is wrong with it, if anything is.
    ///
    /// # Errors
    /// Words that name the rule.
    pub fn check(&self) -> Result<(), String> {
        if self.list.is_some() != (self.format == Format::Document) {
            return Err("transcript: `list` belongs to the format `document`, and only there".to_owned());
        }
        for rule in &self.rules {
            if rule.when.is_empty() {
                return Err(format!("transcript rule {:?} has no `when`, so it would always fit", rule.name));
            }
            if rule.tool.is_some() && rule.tool_id.is_none() {
                return Err(format!("transcript rule {:?}: a `tool` needs its `tool_id`", rule.name));
            }
        }
        Ok(())
    }
}
