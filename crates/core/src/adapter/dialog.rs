//! Reads the dialog that a screen shows: what it asks, its choices, and where it stands, so that an answer is pressed on
//! exactly these rows.

use super::look::Keys;
use super::menu::{self, Menu};
use super::{Adapter, Pattern, observe};
use crate::activity::{Activity, InputKind};
use crate::question::{Choice, Dialog, LONGEST_LABEL, LONGEST_TEXT, MOST_CHOICES, plain};
use crate::screen::{Region, Screen};
use crate::time::{Millis, Time};
use regex::Regex;
use std::sync::LazyLock;

/// Rows above the choices that are taken for the question, at the most: the longest measured dialog has twelve.
const ABOVE: usize = 20;

/// A dialog that stood still for this long is whole; agents draw theirs in pieces some ten milliseconds apart.
pub const SETTLED_MS: u64 = 150;

/// One that stays the same while something else on the screen moves is believed after this long.
const STAYS: Millis = Millis(500);

/// A dialog on a screen.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What it says.
    pub dialog: Dialog,
    /// Its choices as they are pressed.
    pub menu: Option<Menu>,
    from: u16,
    to: u16,
}

impl Shown {
    /// The rows that it takes, as they are now: keys for it are pressed only while they hold this.
    #[must_use]
    pub fn region(&self, screen: &Screen) -> Region {
        screen.region(self.from, self.to)
    }
}

/// The dialog on this screen; none while the agent asks nothing there.
#[must_use]
pub fn read(adapter: &Adapter, screen: &Screen) -> Option<Shown> {
    let rule = observe::rule(adapter, screen)?;
    let Ok(Some(Activity::NeedsInput { what: kind })) = rule.says() else { return None };
    let menu = menu::read(adapter, screen).filter(|menu| menu.choices.len() <= MOST_CHOICES);
    let filled = screen.rows.iter().rposition(|row| !row.trim().is_empty())? + 1;
    // A dialog without a menu ends where the screen does; with one the footer below says only how to move.
    let (end, to) = menu.as_ref().map_or((filled, filled), |menu| (menu.first, menu.last + 1));
    // A choice in the row of its question, as in `Create it? (Y)es/(N)o`: the row is the question.
    let inline = menu.as_ref().is_some_and(|menu| menu.first == menu.last);
    let end = if inline { to } else { end };
    // A question in a line of a plain conversation has no frame: only what stands together with it belongs to it.
    let plain_line = adapter.menu.as_ref().is_some_and(|look| look.keys == Keys::Line);
    let top = if plain_line { block(screen, end) } else { top(screen, end) };
    let rows = screen.rows.get(top..end).unwrap_or_default();
    let lines: Vec<&str> = rows.iter().map(|row| unframed(row)).collect();
    let text = squeezed(&lines);
    let options: Vec<Choice> = menu.iter().flat_map(|menu| menu.choices.iter().map(bounded)).collect();
    let login = kind == InputKind::Login;
    let (url, code) = if login { (url(screen), code(&lines)) } else { (None, None) };
    let takes_text = options.is_empty()
        && (adapter.menu.as_ref().and_then(|look| look.writes.as_ref()))
            .is_some_and(|Pattern(writes)| screen.rows.iter().any(|row| writes.is_match(row)));
    let safe = Some(plain(&rule.answer, LONGEST_LABEL)).filter(|label| !label.is_empty());
    let dialog = Dialog { kind, text: plain(&text, LONGEST_TEXT), options, takes_text, safe, url, code };
    let row = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    Some(Shown { dialog, menu, from: row(top), to: row(to) })
}

fn bounded(choice: &Choice) -> Choice {
    Choice {
        label: plain(&choice.label, LONGEST_LABEL),
        key: choice.key.as_deref().map(|key| plain(key, LONGEST_LABEL)),
        selected: choice.selected,
    }
}

/// The first row of the dialog whose question ends before row `end`: below the last rule or frame across the screen that has
/// words under it, or some rows up.
fn top(screen: &Screen, end: usize) -> usize {
    let least = end.saturating_sub(ABOVE);
    let mut words = false;
    let rows = screen.rows.iter().take(end).enumerate().skip(least);
    for (n, row) in rows.rev() {
        if is_rule(row) && words {
            return n + 1;
        }
        words |= !is_rule(row) && row.chars().any(char::is_alphanumeric);
    }
    // The words of the conversation end where a gap of two rows is; without one only what stands together belongs to it.
    let blank = |n: usize| screen.rows.get(n).is_none_or(|row| row.trim().is_empty());
    let gap = (least..end.saturating_sub(2)).rev().find(|n| blank(*n) && blank(*n + 1) && !blank(*n + 2));
    gap.map_or_else(|| block(screen, end), |n| n + 2)
}

/// The first row of what stands together just above row `end`.
fn block(screen: &Screen, end: usize) -> usize {
    let least = end.saturating_sub(ABOVE);
    let blank = |n: usize| screen.rows.get(n).is_none_or(|row| row.trim().is_empty());
    let bottom = (least..end).rev().find(|n| !blank(*n)).unwrap_or(least);
    (least..bottom).rev().find(|n| blank(*n)).map_or(least, |n| n + 1)
}

/// A row of nothing but a line.
fn is_rule(row: &str) -> bool {
    let row = row.trim();
    row.chars().count() >= 8 && row.chars().all(|c| matches!(c, '\u{2500}'..='\u{257f}' | '▔' | '▁' | '▀' | '▄'))
}

/// A row without the sides of frames; nothing of one without words.
fn unframed(row: &str) -> &str {
    let words = row.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{2500}'..='\u{257f}'));
    if words.chars().any(char::is_alphanumeric) { words } else { "" }
}

/// Lines with no blank ones at the ends and no two in a row.
fn squeezed(lines: &[&str]) -> String {
    let mut out: Vec<&str> = Vec::new();
    for line in lines {
        if !(line.is_empty() && out.last().is_none_or(|last| last.is_empty())) {
            out.push(line);
        }
    }
    out.join("\n").trim().to_owned()
}

/// An address, as far as it is certainly part of it.
static URL: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"https://[A-Za-z0-9._~:/?#@!$&'*+,;=%\[\]-]+").expect("the pattern is valid"));

/// The code of a device login, as every measured one looks.
static CODE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b[A-Z0-9]{4,5}-[A-Z0-9]{4,5}\b").expect("the pattern is valid"));

/// The last address on the screen; one that reaches the right edge goes on in the next row.
fn url(screen: &Screen) -> Option<String> {
    let (mut n, found) = screen.rows.iter().enumerate().rev().find_map(|(n, row)| Some((n, URL.find(row)?)))?;
    let mut whole = found.as_str().to_owned();
    let cols = usize::from(screen.cols);
    let full = |n: usize| screen.rows.get(n).is_some_and(|row| row.chars().count() >= cols.max(2) - 1);
    let mut at_edge = screen.rows.get(n).is_some_and(|row| row.len() == found.end());
    while at_edge && full(n) {
        n += 1;
        let Some(row) = screen.rows.get(n).map(|row| row.trim_start()) else { break };
        let more: String = row.chars().take_while(|c| c.is_ascii_graphic()).collect();
        if more.is_empty() {
            break;
        }
        at_edge = more.len() == row.len();
        whole.push_str(&more);
    }
    Some(plain(whole.trim_end_matches(['.', ',', ')']), LONGEST_TEXT))
}

fn code(lines: &[&str]) -> Option<String> {
    lines.iter().rev().find_map(|line| CODE.find(line)).map(|found| found.as_str().to_owned())
}

/// Watches which dialog the screens of one launch show: told when another one has settled.
#[derive(Clone, Debug, Default)]
pub struct Dialogs {
    told: Option<Dialog>,
    next: Option<(Option<Dialog>, Time)>,
}

impl Dialogs {
    /// The dialog that the screen shows now, if that is news and whole. To be called for every screen, and again once it has
    /// been still for [`SETTLED_MS`].
    pub fn look(&mut self, adapter: &Adapter, screen: &Screen, at: Time) -> Option<Option<Dialog>> {
        let seen = read(adapter, screen).map(|shown| shown.dialog);
        if seen == self.told {
            self.next = None;
            return None;
        }
        let since = match &self.next {
            Some((next, since)) if *next == seen => *since,
            Some(_) | None => at,
        };
        if screen.quiet_ms < SETTLED_MS && at.since(since) < STAYS {
            self.next = Some((seen, since));
            return None;
        }
        self.next = None;
        self.told.clone_from(&seen);
        Some(seen)
    }
}

#[cfg(test)]
#[path = "dialog/tests.rs"]
mod tests;
