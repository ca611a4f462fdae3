//! Reads observations out of a screen, its marks and hook calls, by the adapter's rules alone.
//!
//! Adapters are checked when they are read, so a name that means nothing cannot come this far; it would say nothing.

use super::composer::{self, Found};
use super::{Adapter, MarkRule, Pattern, ScreenRule, Where};
use crate::activity::{Activity, Observation, Source};
use crate::screen::{Mark, Screen};
use crate::time::Time;

/// The rule for a title or OSC sequence: the first that fits. `before` is what the mark of the same number before it said.
#[must_use]
pub fn mark_rule<'a>(adapter: &'a Adapter, mark: &Mark, before: Option<&Activity>) -> Option<&'a MarkRule> {
    let follows = |rule: &MarkRule| {
        rule.after.is_empty() || before.is_some_and(|before| rule.after.iter().any(|name| name == before.name()))
    };
    adapter.marks.iter().find(|r| r.osc == mark.osc && follows(r) && r.text.0.is_match(&mark.text))
}

/// What one title or OSC sequence says by this rule, weak or not.
#[must_use]
pub fn mark(rule: &MarkRule, mark: &Mark, at: Time) -> Option<Observation> {
    let source = if mark.osc == 0 { Source::Title } else { Source::Osc };
    let what = if mark.osc == 0 { "title".to_owned() } else { format!("OSC {}", mark.osc) };
    Some(Observation {
        activity: rule.says().ok()??,
        source,
        at,
        offset: Some(mark.offset),
        why: format!("{what} {:?}", mark.text),
    })
}

/// Every rule that holds on a screen, best first: by priority, and of equals the one that comes first in the adapter.
#[must_use]
pub fn holding<'a>(adapter: &'a Adapter, screen: &Screen) -> Vec<&'a ScreenRule> {
    let composer = composer::find(adapter, screen);
    let holds =
        |rule: &&ScreenRule| screen.quiet_ms >= rule.hold_ms && matches(adapter, rule, screen, composer.as_ref());
    let mut rules: Vec<&ScreenRule> = adapter.rules.iter().filter(holds).collect();
    rules.sort_by_key(|rule| std::cmp::Reverse(rule.priority));
    rules
}

/// The best rule that holds on a screen.
#[must_use]
pub fn rule<'a>(adapter: &'a Adapter, screen: &Screen) -> Option<&'a ScreenRule> {
    holding(adapter, screen).into_iter().next()
}

/// What the screen says: the best rule that holds, at the time when it began to hold. Whoever looks again and again wants
/// `watch` instead.
#[must_use]
pub fn screen(adapter: &Adapter, screen: &Screen, at: Time) -> Option<Observation> {
    let best = rule(adapter, screen)?;
    let held = Time(screen.changed_at(at).0.saturating_add(best.hold_ms));
    Some(Observation {
        activity: best.says().ok()??,
        source: Source::Screen,
        at: held.min(at),
        offset: Some(screen.offset),
        why: format!("screen rule {:?}", best.name),
    })
}

/// What a hook call says; none for events that mean nothing. `event` is a name, or a name and a detail as in
/// `Notification.permission_prompt`; an adapter that knows no such detail is asked for the name.
#[must_use]
pub fn hook(adapter: &Adapter, event: &str, at: Time) -> Option<Observation> {
    let name = event.split_once('.').map_or(event, |(name, _)| name);
    let signal = adapter.hook_events.get(event).or_else(|| adapter.hook_events.get(name))?;
    Some(Observation {
        activity: signal.says().ok()??,
        source: Source::Hook,
        at,
        offset: None,
        why: format!("hook {event}"),
    })
}

fn matches(adapter: &Adapter, rule: &ScreenRule, screen: &Screen, composer: Option<&Found>) -> bool {
    if rule.empty.is_some_and(|empty| composer.is_none_or(|found| found.text.is_empty() != empty)) {
        return false;
    }
    let composer = composer.map(|found| usize::from(found.region.from));
    if rule.paste.is_some_and(|paste| paste != screen.bracketed_paste) {
        return false;
    }
    if rule.title.as_ref().is_some_and(|title| !title.0.is_match(&screen.title)) {
        return false;
    }
    let Some(rows) = rows(adapter, rule.region, screen, composer) else { return false };
    let seen = |p: &Pattern| rows.iter().any(|row| p.0.is_match(row));
    rule.all.iter().all(seen) && (rule.any.is_empty() || rule.any.iter().any(seen)) && !rule.none.iter().any(seen)
}

/// The rows of a region; none when the screen has no such region now.
fn rows<'a>(adapter: &Adapter, region: Where, screen: &'a Screen, composer: Option<usize>) -> Option<Vec<&'a str>> {
    let filled = screen.rows.iter().rposition(|r| !r.trim().is_empty()).map_or(0, |last| last + 1);
    let all = screen.rows.iter().take(filled).map(String::as_str);
    Some(match region {
        Where::Footer { footer } => all.skip(filled.saturating_sub(usize::from(footer))).collect(),
        Where::CursorRow => screen.rows.get(usize::from(screen.cursor.0)).map(String::as_str).into_iter().collect(),
        Where::Composer => all.skip(composer?).collect(),
        Where::AboveComposer => {
            let end = composer.unwrap_or(filled);
            all.take(end).skip(end.saturating_sub(10)).collect()
        }
        Where::Dialog => {
            if composer.is_some() {
                return None;
            }
            all.collect()
        }
        Where::Turn { turn } => {
            let echo = adapter.door.echo.as_ref();
            let above: Vec<&str> = all.take(composer?).collect();
            let last = above.iter().rposition(|row| echo.is_some_and(|p| p.0.is_match(row)));
            let turn = usize::from(turn);
            let mut rows: Vec<&str> = above
                .into_iter()
                .skip(last.map_or(0, |n| n + 1))
                .rev()
                .filter(|row| !row.trim().is_empty())
                .take(turn)
                .collect();
            rows.reverse();
            rows
        }
    })
}
