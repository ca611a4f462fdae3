//! How the choices of an agent's dialogs look, as an adapter file says it.

use super::pattern::Pattern;
use schemars::JsonSchema;
use serde::Deserialize;

/// How the choices of an agent's dialogs look.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Look {
    /// A row that is a choice. Its groups: `label`; `key`, which chooses it; `selected`, which takes part in the match only
    /// where the cursor of the menu stands.
    pub row: Option<Pattern>,
    /// A choice in a row that holds several; groups `label` and `key`, or `key` and the `rest` of its label.
    pub inline: Option<Pattern>,
    /// The row in which `inline` is looked for.
    pub inline_row: Option<Pattern>,
    /// What a choice's key does.
    pub keys: Keys,
    /// A row of a dialog without choices that takes words, as of a login: an answer in words is typed there.
    pub writes: Option<Pattern>,
    /// The label that is selected as long as nothing was pressed, for agents that show it by colour alone.
    pub preselected: String,
}

/// What the key of a choice does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Keys {
    /// Nothing: arrows and Enter choose.
    #[default]
    Nothing,
    /// It chooses at once.
    Choose,
    /// It is a line of text, which Enter sends.
    Line,
}
