//! What became of the prompts.

use super::person;
use crate::tui::Note;
use std::collections::BTreeMap;

/// When a prompt is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// The agent was just asked for.
    Start,
    /// It has nothing to do.
    Idle,
    /// It is in a turn.
    Busy,
    /// It shows a question.
    Question,
    /// A person is typing.
    Person,
}

impl Moment {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Start, Self::Idle, Self::Busy, Self::Question, Self::Person];

    /// As in "prompts sent …".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Start => "sent while the agent started",
            Self::Idle => "sent while it was idle",
            Self::Busy => "sent while it was in a turn",
            Self::Question => "sent while it showed a question",
            Self::Person => "sent while a person was typing",
        }
    }
}

/// One prompt that `ao` took.
#[derive(Clone, Debug)]
pub struct Sent {
    /// For which session.
    pub session: String,
    /// The prompt.
    pub text: String,
    /// When it was sent.
    pub moment: Moment,
}

impl Sent {
    /// Whether this is its arrival: typed as it is, or in the file that was named.
    pub fn is_in(&self, note: &Note) -> bool {
        match note {
            Note::Submitted { file: Some(file), .. } => *file == self.text,
            Note::Submitted { text, file: None } => *text == self.text,
            Note::Started
            | Note::Idle
            | Note::Asked
            | Note::Answered { .. }
            | Note::Swallowed
            | Note::Astray { .. } => false,
        }
    }
}

/// What became of those of one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Prompts sent.
    pub sent: usize,
    /// Never arrived.
    pub lost: usize,
    /// Arrived more than once.
    pub doubled: usize,
}

/// What became of all of them.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// By moment.
    pub rows: BTreeMap<Moment, Row>,
    /// Prompts that nobody sent: mixed or cut ones.
    pub strange: Vec<String>,
    /// Keys that came while a question was shown.
    pub astray: Vec<String>,
    /// Questions that were shown.
    pub questions: usize,
    /// Presses of Enter that an agent swallowed.
    pub swallowed: usize,
    /// Times that the daemon was killed.
    pub kills: usize,
    /// Which were lost or doubled: session, moment, and how they begin.
    pub wrong: Vec<String>,
    /// Sessions to which a prompt did not get through: what `ao explain` said, and their screens.
    pub looks: Vec<String>,
}

impl Report {
    pub(super) fn add(&mut self, sent: &[Sent], notes: &[Note]) {
        for one in sent {
            let times = notes.iter().filter(|note| one.is_in(note)).count();
            let row = self.rows.entry(one.moment).or_default();
            row.sent += 1;
            row.lost += usize::from(times == 0);
            row.doubled += usize::from(times > 1);
            if times != 1 {
                let begin: String = one.text.chars().take(24).collect();
                self.wrong.push(format!(
                    "{} {:?} {} bytes {begin:?}: {times} times",
                    one.session,
                    one.moment,
                    one.text.len()
                ));
            }
        }
        for note in notes {
            match note {
                Note::Submitted { text, .. } if !person::said(text) && !sent.iter().any(|one| one.is_in(note)) => {
                    self.strange.push(text.chars().take(200).collect());
                }
                Note::Submitted { .. } | Note::Started | Note::Idle | Note::Answered { .. } => {}
                Note::Asked => self.questions += 1,
                Note::Swallowed => self.swallowed += 1,
                Note::Astray { text } => self.astray.push(text.chars().take(200).collect()),
            }
        }
    }

    /// All rows together.
    #[must_use]
    pub fn total(&self) -> Row {
        let add =
            |a: Row, b: &Row| Row { sent: a.sent + b.sent, lost: a.lost + b.lost, doubled: a.doubled + b.doubled };
        self.rows.values().fold(Row::default(), add)
    }

    /// Whether every prompt arrived once, where it should.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let total = self.total();
        total.lost == 0 && total.doubled == 0 && self.strange.is_empty() && self.astray.is_empty()
    }
}
