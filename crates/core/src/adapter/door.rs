//! Where a prompt goes in, and how it is seen to be there.

use super::pattern::Pattern;
use schemars::JsonSchema;
use serde::Deserialize;

/// Where a prompt goes in, and how it is seen to be there.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
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
    /// What a busy agent does with a prompt that is sent: `queue` takes it when the turn is over, `steer` puts it into the
    /// turn. Nothing is sent to a busy agent without it.
    #[serde(default)]
    pub busy: Busy,
}

/// What a busy agent does with a prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Busy {
    /// It has no place for it, or it is not known.
    #[default]
    Nothing,
    /// It keeps it until the turn is over.
    Queue,
    /// The turn takes notice of it.
    Steer,
}

const fn default_pause() -> u64 {
    200
}

/// How the composer is found on the screen.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Composer {
    /// Rows that begin with a prompt sign: the last one on the screen that matches `first` and not `never`, and stands below
    /// a row that matches `above`, begins it; the row before the next one that matches `end` ends it. A screen without such
    /// rows has no composer. Without `end` the last row that is not blank ends it.
    Rows {
        /// The first row; its first group is the text after the prompt sign.
        first: Pattern,
        /// The rows after it; the first group is their text, and one without the group has none. Text of rows that do not
        /// match is all of them.
        #[serde(default)]
        next: Option<Pattern>,
        /// Rows that look like the first one and are something else: the choices of a dialog.
        #[serde(default)]
        never: Option<Box<Pattern>>,
        /// The row above the first one.
        #[serde(default)]
        above: Option<Pattern>,
        /// The row after the last one.
        #[serde(default)]
        end: Option<Pattern>,
        /// What each row after the first looks like when the composer fills the screen and its end is out of sight. It must
        /// reach to the last row that is not blank, and have at least half of all rows: no dialog is so high.
        #[serde(default)]
        tall: Option<Box<Pattern>>,
        /// Text that stands there while it is empty.
        #[serde(default)]
        placeholder: Option<Pattern>,
        /// There is one only while bracketed paste is switched on: programs that read one line after the other switch it off
        /// while they work, and what they print stands where the composer was.
        #[serde(default)]
        paste: bool,
        /// There is none while the cursor's row matches this: a question is asked in the line that the prompt would be in.
        #[serde(default)]
        unless: Option<Box<Pattern>>,
    },
    /// The cursor's row, for programs that read lines.
    CursorRow,
}
