//! What is known of a session from its agent's transcript, and how far that was read. Facts: they are journalled together,
//! so that nothing is counted twice or lost when the daemon ends.

use crate::time::Time;
use crate::usage::{ByModel, MicroUsd, Tokens};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Longest text kept of what the agent said last, in bytes: a few lines in a list.
pub const LONGEST_MESSAGE: usize = 500;

/// Answers of a model whose numbers are remembered, so that a repetition is not added: agents write one answer as several
/// records in a row.
pub const REMEMBERED: usize = 24;

/// Calls of tools that are known to be under way; more are passed over.
pub const MOST_TOOLS: usize = 32;

/// A conversation, as far as its transcript was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reading {
    /// The agent's own id of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub native: Option<String>,
    /// The model that answered last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What the agent said last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Calls of tools under way, by their ids.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tools: BTreeMap<String, ToolUse>,
    /// Turns that began.
    pub turns: u32,
    /// A turn goes on.
    pub open: bool,
    /// The agent's own id of the turn that goes on or was the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<String>,
    /// When the provider's limit resets, if it was reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resets: Option<Time>,
    /// What was used by all launches, by model.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub used: ByModel,
    /// What the agent says that it cost, by model.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub said_cost: BTreeMap<String, MicroUsd>,
    /// The files, and how far they were read: the transcript, then those of sub-agents.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<Cursor>,
}

/// A tool at work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolUse {
    /// Its name.
    pub name: String,
    /// It is an agent of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub agent: bool,
}

/// How far a file was read, and what must be known to go on from there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cursor {
    /// Absolute path.
    pub path: String,
    /// Bytes read; of a document, records.
    pub offset: u64,
    /// What stood just before the offset: something else there means that the file was written anew.
    pub anchor: String,
    /// What the file begins with.
    pub head: String,
    /// What was used by this file alone, by model.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub used: ByModel,
    /// What the agent says that this file alone cost.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub said_cost: BTreeMap<String, MicroUsd>,
    /// The numbers of the last answers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub counted: Vec<Counted>,
    /// The last number of a whole conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Tokens>,
    /// The offset stands in the middle of a line that is too long; the rest of it is passed over.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub skipping: bool,
    /// Lines that were no records, or too long.
    #[serde(skip_serializing_if = "is_zero")]
    pub strange: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// An answer of a model that was counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// What tells it from others.
    pub key: String,
    /// What was counted for it.
    pub tokens: Tokens,
    /// What the agent says that it cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<MicroUsd>,
}

impl Reading {
    /// The tool at work: the one that begins last by name, when several are.
    #[must_use]
    pub fn tool(&self) -> Option<&str> {
        self.tools.values().find(|t| !t.agent).or_else(|| self.tools.values().next()).map(|t| t.name.as_str())
    }

    /// Sub-agents at work.
    #[must_use]
    pub fn sub_agents(&self) -> u32 {
        u32::try_from(self.tools.values().filter(|t| t.agent).count()).unwrap_or(u32::MAX)
    }

    /// How far a file was read; the first file is the transcript itself.
    pub fn cursor(&mut self, path: &str) -> &mut Cursor {
        let found = self.files.iter().position(|f| f.path == path);
        let at = found.unwrap_or_else(|| {
            self.files.push(Cursor { path: path.to_owned(), ..Cursor::default() });
            self.files.len() - 1
        });
        &mut self.files[at]
    }

    /// The file is another one now, or was written anew. `again`: it holds what was counted already, which is taken back.
    pub fn restart(&mut self, path: &str, again: bool) {
        let (used, said) = {
            let cursor = self.cursor(path);
            let before = std::mem::replace(cursor, Cursor { path: path.to_owned(), ..Cursor::default() });
            (before.used, before.said_cost)
        };
        self.tools.clear();
        if again {
            for (model, tokens) in used {
                if let Some(all) = self.used.get_mut(&model) {
                    *all = all.beyond(tokens);
                }
            }
            for (model, cost) in said {
                if let Some(all) = self.said_cost.get_mut(&model) {
                    all.0 = all.0.saturating_sub(cost.0);
                }
            }
        }
    }

    /// Counts tokens of a file for a model.
    pub(super) fn count(&mut self, file: usize, model: &str, tokens: Tokens, cost: Option<MicroUsd>) {
        let Some(cursor) = self.files.get_mut(file) else { return };
        *cursor.used.entry(model.to_owned()).or_default() += tokens;
        *self.used.entry(model.to_owned()).or_default() += tokens;
        if let Some(MicroUsd(cost)) = cost {
            for said in [&mut cursor.said_cost, &mut self.said_cost] {
                let all = said.entry(model.to_owned()).or_default();
                all.0 = all.0.saturating_add(cost);
            }
        }
    }
}
