//! Small words: ages, commits, texts from elsewhere made safe for a terminal.

use crate::output::Style;
use std::time::{SystemTime, UNIX_EPOCH};
use unicode_width::UnicodeWidthChar as _;

/// Now: Unix milliseconds.
#[must_use]
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

/// A length of time, in the two largest units that say something: `8s`, `3m 20s`, `2h 5m`, `4d 3h`.
#[must_use]
pub fn length(ms: u64) -> String {
    let s = ms / 1000;
    match s {
        0..60 => format!("{s}s"),
        60..3600 => format!("{}m {}s", s / 60, s % 60),
        3600..86_400 => format!("{}h {}m", s / 3600, s % 3600 / 60),
        86_400.. => format!("{}d {}h", s / 86_400, s % 86_400 / 3600),
    }
}

/// A time limit as it was given: below a second in milliseconds, else as [`length`].
#[must_use]
pub fn limit(limit: std::time::Duration) -> String {
    let ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
    if ms < 1000 { format!("{ms} ms") } else { length(ms) }
}

/// How long ago something was, in one unit.
#[must_use]
pub fn age(at: u64, now: u64) -> String {
    let s = now.saturating_sub(at) / 1000;
    match s {
        0..60 => format!("{s}s"),
        60..3600 => format!("{}m", s / 60),
        3600..86_400 => format!("{}h", s / 3600),
        86_400.. => format!("{}d", s / 86_400),
    }
}

/// A moment as a clock in this place shows it.
#[must_use]
pub fn moment(ms: u64) -> String {
    let stamp = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let Some(stamp) = stamp else { return format!("{ms} ms") };
    stamp.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// One line without control characters: titles and reasons come from issues, agents and logs.
#[must_use]
pub fn line(text: &str) -> String {
    let spaced: String =
        text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !c.is_control()).collect();
    spaced.trim().to_owned()
}

/// The first ten digits of a commit.
#[must_use]
pub fn short(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}

/// Cut to `width` columns, with `…` where something is missing.
#[must_use]
pub fn cut(text: &str, width: usize) -> String {
    let columns = |c: char| c.width().unwrap_or(0);
    if text.chars().map(columns).sum::<usize>() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        if used + columns(c) + 1 > width {
            break;
        }
        used += columns(c);
        out.push(c);
    }
    if width > 0 {
        out.push('…');
    }
    out
}

/// How many of a thing: `1 task`, `2 tasks`.
#[must_use]
pub fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// How a status is set off.
#[must_use]
pub fn style_of(status: &str) -> Style {
    match status {
        "working" | "spawning" | "ci_pending" | "in_merge_queue" | "cleanup" | "active" | "checking" | "verifying" => {
            Style::Blue
        }
        "merged" | "approved" | "mergeable" | "done" | "landed" | "green" => Style::Green,
        "idle" | "pr_open" | "review_pending" | "detecting" | "rate_limited" | "waiting" | "killed" => Style::Yellow,
        _ => Style::Red,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_show_two_units_and_ages_one() {
        assert_eq!([0, 8_000, 200_000, 7_500_000, 356_400_000].map(length), ["0s", "8s", "3m 20s", "2h 5m", "4d 3h"]);
        assert_eq!([8_000, 200_000, 7_500_000, 356_400_000].map(|ms| age(0, ms)), ["8s", "3m", "2h", "4d"]);
        assert_eq!(age(10, 0), "0s", "a clock that was set back makes nothing strange");
    }

    #[test]
    fn wide_characters_count_as_two_columns() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("世界世界", 5), "世界…");
        assert_eq!(cut("abc", 0), "");
    }

    #[test]
    fn text_from_elsewhere_cannot_steer_the_terminal() {
        assert_eq!(line("a\u{1b}[31m\tb\r\nc\u{9b}2J"), "a[31m b  c2J");
    }
}
