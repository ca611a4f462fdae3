//! What a program says to the person before its terminal: its title, bells, notifications and the ends of commands. What it
//! says is untrusted and may come in floods: it is cleaned, cut, and told no oftener than [`BURST`] and [`REFILL`] allow.

use crate::screen::{Mark, Screen};
use crate::time::{Millis, Time};
use serde::{Deserialize, Serialize};

/// Longest title kept, in characters: more is not read in a row of a list.
pub const LONGEST_TITLE: usize = 120;

/// Longest notification kept, in characters: desktops show about this much.
pub const LONGEST_NOTIFICATION: usize = 300;

/// Records of one kind and launch that may follow one another at once: what a person does by hand is told as it happens.
pub const BURST: u32 = 10;

/// After a burst, one more record of the kind may be made each time this has passed; it sums up everything since the one
/// before. So the noisiest program costs the journal 120 records an hour and kind.
pub const REFILL: Millis = Millis::secs(30);

/// What the program of a launch said so far, as far as it was told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terminal {
    /// Its latest title; empty when it has none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Offset of that title.
    pub titled: u64,
    /// Bells so far.
    pub bells: u64,
    /// When the last one was heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rung: Option<Time>,
    /// Notifications so far.
    pub notifications: u64,
    /// The last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification: Option<Notification>,
    /// Commands that ended, in shells that mark them.
    pub commands: u64,
    /// How the last one ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandEnd>,
    /// When a person was last told because a rule says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told: Option<Time>,
}

/// What a program wanted a person to read (OSC 9, OSC 777).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// Its words, cleaned.
    pub text: String,
    /// Its offset.
    pub offset: u64,
    /// When.
    pub at: Time,
}

/// How a command of a shell ended (OSC 133, OSC 633: `D`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandEnd {
    /// Its exit code; none when the shell did not say.
    pub code: Option<i32>,
    /// Offset of the mark.
    pub offset: u64,
    /// When.
    pub at: Time,
}

/// One piece of news: everything of its kind since the one before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "snake_case")]
pub enum Said {
    /// The title is another one.
    Title {
        /// The title; empty when it was taken away.
        text: String,
        /// Its offset.
        offset: u64,
    },
    /// The bell rang.
    Bells {
        /// Bells of the launch so far.
        total: u64,
        /// When the last one was heard.
        at: Time,
    },
    /// It wants a person to read something.
    Notified {
        /// The last notification.
        last: Notification,
        /// How many there were.
        count: u64,
    },
    /// Commands of a shell ended.
    Commands {
        /// The last one.
        last: CommandEnd,
        /// How many there were.
        count: u64,
        /// How many of them failed.
        failed: u64,
    },
}

impl Terminal {
    /// Takes news in; how many of its kind are new. 0 for what was known before: hosts repeat what they said.
    pub fn take(&mut self, said: &Said) -> u64 {
        match said {
            Said::Title { text, offset } if *offset > self.titled => {
                self.titled = *offset;
                self.title.clone_from(text);
                1
            }
            Said::Bells { total, at } if *total > self.bells => {
                let new = total - self.bells;
                (self.bells, self.rung) = (*total, Some(*at));
                new
            }
            Said::Notified { last, count } if self.notification.as_ref().is_none_or(|n| last.offset > n.offset) => {
                self.notifications = self.notifications.saturating_add(*count);
                self.notification = Some(last.clone());
                *count
            }
            Said::Commands { last, count, .. } if self.command.as_ref().is_none_or(|c| last.offset > c.offset) => {
                self.commands = self.commands.saturating_add(*count);
                self.command = Some(last.clone());
                *count
            }
            Said::Title { .. } | Said::Bells { .. } | Said::Notified { .. } | Said::Commands { .. } => 0,
        }
    }
}

/// Listens to one launch and says what is new, at most as often as is worth a record.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// What was told.
    told: Terminal,
    /// Offset of the newest mark taken in.
    offset: u64,
    title: Kind<(String, u64)>,
    bells: Kind<(u64, Time)>,
    notified: Kind<(Notification, u64)>,
    commands: Kind<(CommandEnd, u64, u64)>,
    /// A command was begun and has not ended.
    running: bool,
}

/// What waits to be told of one kind, and when it may be.
#[derive(Clone, Debug)]
struct Kind<T> {
    waits: Option<T>,
    /// Records that may be made at once.
    left: u32,
    /// Since when the next one is being earned.
    since: Time,
}

impl<T> Default for Kind<T> {
    fn default() -> Self {
        Self { waits: None, left: BURST, since: Time(0) }
    }
}

impl<T> Kind<T> {
    /// What waits, if it may be told now.
    fn ripe(&mut self, now: Time) -> Option<T> {
        self.waits.as_ref()?;
        let earned = now.since(self.since).0 / REFILL.0;
        self.left = u32::try_from(earned).unwrap_or(BURST).saturating_add(self.left).min(BURST);
        self.since = if self.left == BURST { now } else { self.since.after(Millis(earned * REFILL.0)) };
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        self.waits.take()
    }

    fn due(&self) -> Option<Time> {
        self.waits.as_ref().map(|_| self.since.after(REFILL))
    }
}

impl Heard {
    /// Goes on after what was told of this launch before.
    #[must_use]
    pub fn after(told: &Terminal) -> Self {
        Self { told: told.clone(), ..Self::default() }
    }

    /// What is new on this screen and may be told now.
    pub fn look(&mut self, screen: &Screen, now: Time) -> Vec<Said> {
        // Nothing was said after the last byte: a daemon that comes back learns when a command ended, not when it came back.
        let at = screen.changed_at(now);
        let seen_to = self.offset;
        for mark in screen.marks.iter().filter(|mark| mark.offset > seen_to) {
            self.offset = self.offset.max(mark.offset);
            self.mark(mark, at);
        }
        if screen.bells > self.bells.waits.map_or(self.told.bells, |(total, _)| total) {
            self.bells.waits = Some((screen.bells, at));
        }
        self.ripe(now)
    }

    /// What waited and may be told now.
    pub fn ripe(&mut self, now: Time) -> Vec<Said> {
        let title = self.title.ripe(now).map(|(text, offset)| Said::Title { text, offset });
        let notified = self.notified.ripe(now).map(|(last, count)| Said::Notified { last, count });
        let commands = self.commands.ripe(now).map(|(last, count, failed)| Said::Commands { last, count, failed });
        let bells = self.bells.ripe(now).map(|(total, at)| Said::Bells { total, at });
        self.tell([title, notified, commands, bells])
    }

    /// Everything that waits: the program has ended and says no more.
    pub fn rest(&mut self) -> Vec<Said> {
        let title = self.title.waits.take().map(|(text, offset)| Said::Title { text, offset });
        let notified = self.notified.waits.take().map(|(last, count)| Said::Notified { last, count });
        let commands = self.commands.waits.take().map(|(last, count, failed)| Said::Commands { last, count, failed });
        let bells = self.bells.waits.take().map(|(total, at)| Said::Bells { total, at });
        self.tell([title, notified, commands, bells])
    }

    /// When something that waits may be told.
    #[must_use]
    pub fn due(&self) -> Option<Time> {
        [self.title.due(), self.bells.due(), self.notified.due(), self.commands.due()].into_iter().flatten().min()
    }

    fn tell(&mut self, news: [Option<Said>; 4]) -> Vec<Said> {
        let news: Vec<Said> = news.into_iter().flatten().collect();
        for said in &news {
            let _ = self.told.take(said);
        }
        news
    }

    fn mark(&mut self, mark: &Mark, at: Time) {
        let offset = mark.offset;
        match mark.osc {
            0 if offset > self.told.titled => {
                let text = plain(undecorated(&mark.text), LONGEST_TITLE);
                self.title.waits = (text != self.told.title).then_some((text, offset));
            }
            9 | 777 if self.told.notification.as_ref().is_none_or(|told| offset > told.offset) => {
                let Some(text) = notification(mark) else { return };
                let count = self.notified.waits.as_ref().map_or(0, |(_, count)| *count) + 1;
                self.notified.waits = Some((Notification { text, offset, at }, count));
            }
            133 | 633 if self.told.command.as_ref().is_none_or(|told| offset > told.offset) => {
                self.command(&mark.text, offset, at);
            }
            _ => {}
        }
    }

    /// `C` begins a command, `D` or `D;CODE` ends it. Shells end the empty line too: without a code that is no command.
    fn command(&mut self, text: &str, offset: u64, at: Time) {
        let mut parts = text.split(';');
        match parts.next() {
            Some("C") => self.running = true,
            Some("D") => {
                let code = parts.next().and_then(|code| code.trim().parse::<i32>().ok());
                if !std::mem::take(&mut self.running) && code.is_none() {
                    return;
                }
                let (count, failed) =
                    self.commands.waits.as_ref().map_or((0, 0), |(_, count, failed)| (*count, *failed));
                let failed = failed + u64::from(code.is_some_and(|code| code != 0));
                self.commands.waits = Some((CommandEnd { code, offset, at }, count + 1, failed));
            }
            Some(_) | None => {}
        }
    }
}

/// A title without the sign before it that programs turn while they work (`⠂ Fix the login`): it changes ten times a second
/// and says nothing new.
fn undecorated(title: &str) -> &str {
    let turns = |c: char| matches!(c, '*' | '|' | '-' | '\\') || !(c.is_ascii() || c.is_alphanumeric());
    let mut chars = title.trim_start().chars();
    match (chars.next(), chars.next()) {
        (Some(sign), Some(' ')) if turns(sign) => chars.as_str(),
        (_, _) => title,
    }
}

/// The words of a notification; none for what other programs mean by these numbers: `9;4;1;50` is a progress bar.
fn notification(mark: &Mark) -> Option<String> {
    let text = if mark.osc == 777 {
        let (title, body) = mark.text.strip_prefix("notify;").map(|rest| rest.split_once(';').unwrap_or((rest, "")))?;
        [title, body].into_iter().filter(|part| !part.trim().is_empty()).collect::<Vec<_>>().join(": ")
    } else {
        let first = mark.text.split(';').next().unwrap_or_default();
        if !first.is_empty() && first.len() <= 2 && first.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        mark.text.clone()
    };
    let text = plain(&text, LONGEST_NOTIFICATION);
    (!text.is_empty()).then_some(text)
}

/// Text of a program on one line: no controls, nothing that turns the direction of writing or is not seen, and no longer
/// than so many characters.
fn plain(text: &str, longest: usize) -> String {
    let seen = |c: &char| {
        let unseen = matches!(*c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
        c.is_whitespace() || !(c.is_control() || unseen)
    };
    let kept: String = text.chars().filter(seen).collect();
    let words = kept.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() <= longest {
        return words;
    }
    let mut cut: String = words.chars().take(longest - 1).collect();
    cut.push('…');
    cut
}
