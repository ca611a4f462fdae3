//! What titles, OSC sequences, hooks and the screen mean: the closed vocabulary of rules.

use super::pattern::Pattern;
use crate::activity::Activity;
use schemars::JsonSchema;
use serde::Deserialize;

/// What a hook call says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signal {
    /// Name of the activity; `none` for a hook that is called and says nothing.
    pub activity: String,
    /// What is asked of a person, for `needs_input`.
    #[serde(default)]
    pub what: Option<String>,
}

impl Signal {
    /// The activity it names, if it says any.
    ///
    /// # Errors
    /// Words that say which name is wrong.
    pub fn says(&self) -> Result<Option<Activity>, String> {
        activity(&self.activity, self.what.as_deref())
    }
}

/// What a title or an OSC sequence means.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkRule {
    /// OSC number; 0 for titles.
    pub osc: u16,
    /// Its text.
    pub text: Pattern,
    /// Only when the mark of the same number before it said one of these activities: some agents tell an interrupted turn
    /// from a finished one by nothing else.
    #[serde(default)]
    pub after: Vec<String>,
    /// What it says: the name of an activity.
    pub activity: String,
    /// What is asked of a person, for `needs_input`.
    #[serde(default)]
    pub what: Option<String>,
    /// It is said in other cases too, as a title that is the same for idle and for a dialog: it counts only once the screen
    /// says the same.
    #[serde(default)]
    pub weak: bool,
}

impl MarkRule {
    /// The activity it names, if it says any.
    ///
    /// # Errors
    /// Words that say which name is wrong.
    pub fn says(&self) -> Result<Option<Activity>, String> {
        activity(&self.activity, self.what.as_deref())
    }
}

/// What the screen means.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScreenRule {
    /// Its name, for evidence.
    pub name: String,
    /// The recordings, or the test, that prove it.
    #[serde(default)]
    pub proof: Vec<String>,
    /// Versions of the agent that it is for, as in `">=2.1, <3"`; without it all. A version that is not known has every rule.
    #[serde(default)]
    pub versions: Option<String>,
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
    /// The window's title matches: where a title says what goes on, a screen that was drawn before it does not contradict it.
    #[serde(default)]
    pub title: Option<Pattern>,
    /// The composer is empty, or holds text.
    #[serde(default)]
    pub empty: Option<bool>,
    /// Bracketed paste is on, or off.
    #[serde(default)]
    pub paste: Option<bool>,
    /// What that says: the name of an activity.
    pub activity: String,
    /// What is asked of a person, for `needs_input`.
    #[serde(default)]
    pub what: Option<String>,
    /// Higher wins.
    #[serde(default)]
    pub priority: i32,
    /// It must hold for this many milliseconds without output.
    #[serde(default)]
    pub hold_ms: u64,
    /// The answer that a start-up question of a workspace of ours may be given by itself: the label of a choice, which is
    /// looked for by `menu`, never a blind Enter. Without it a person is asked.
    #[serde(default)]
    pub answer: String,
    /// Keys that close it without choosing anything, for adverts: only where no choice can be meant.
    #[serde(default)]
    pub dismiss: String,
}

impl ScreenRule {
    /// The activity it names, if it says any.
    ///
    /// # Errors
    /// Words that say which name is wrong.
    pub fn says(&self) -> Result<Option<Activity>, String> {
        activity(&self.activity, self.what.as_deref())
    }
}

/// A region of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
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

/// The activity of this name; `none` says nothing.
///
/// # Errors
/// Words that say which name is wrong.
fn activity(name: &str, what: Option<&str>) -> Result<Option<Activity>, String> {
    use crate::activity::InputKind;
    Ok(Some(match name {
        "none" => return Ok(None),
        "starting" => Activity::Starting,
        "ready" => Activity::Ready,
        "working" => Activity::Working { on: None },
        "retrying" => Activity::Retrying,
        "rate_limited" => Activity::RateLimited { until: None },
        "error" => Activity::Error { kind: "agent".to_owned() },
        "idle" => Activity::Idle,
        "interrupted" => Activity::Interrupted,
        "needs_input" => Activity::NeedsInput {
            what: match what {
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
    }))
}
