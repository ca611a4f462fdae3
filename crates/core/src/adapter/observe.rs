//! Reads observations out of a screen, its marks and hook calls, by the adapter's rules alone.

use super::{ActivityTable, Adapter, Pattern, ScreenRule, Where, composer};
use crate::activity::{Activity, Observation, Source};
use crate::screen::{Mark, Screen};
use crate::time::Time;

/// What one title or OSC sequence says.
#[must_use]
pub fn mark(adapter: &Adapter, mark: &Mark, at: Time) -> Option<Observation> {
    let rule = adapter.marks.iter().find(|r| r.osc == mark.osc && r.text.0.is_match(&mark.text))?;
    let source = if mark.osc == 0 { Source::Title } else { Source::Osc };
    let what = if mark.osc == 0 { "title".to_owned() } else { format!("OSC {}", mark.osc) };
    Some(Observation {
        activity: activity(&rule.says)?,
        source,
        at,
        offset: Some(mark.offset),
        why: format!("{what} {:?}", mark.text),
    })
}

/// What the screen says: the best rule that matches.
#[must_use]
pub fn screen(adapter: &Adapter, screen: &Screen, at: Time) -> Option<Observation> {
    let best = adapter
        .rules
        .iter()
        .filter(|rule| screen.quiet_ms >= rule.hold_ms && matches(adapter, rule, screen))
        .max_by_key(|rule| rule.priority)?;
    Some(Observation {
        activity: activity(&best.says)?,
        source: Source::Screen,
        at,
        offset: Some(screen.offset),
        why: format!("screen rule {:?}", best.name),
    })
}

/// What a hook call says; none for events that mean nothing.
#[must_use]
pub fn hook(adapter: &Adapter, event: &str, at: Time) -> Option<Observation> {
    let signal = adapter.hook_events.get(event)?;
    Some(Observation {
        activity: activity(&signal.activity)?,
        source: Source::Hook,
        at,
        offset: None,
        why: format!("hook {event}"),
    })
}

// Adapters are checked when they are read, so an unknown name cannot come this far; it would say nothing.
fn activity(table: &ActivityTable) -> Option<Activity> {
    table.activity().ok()
}

fn matches(adapter: &Adapter, rule: &ScreenRule, screen: &Screen) -> bool {
    let rows = rows(adapter, rule.region, screen);
    let seen = |p: &Pattern| rows.iter().any(|row| p.0.is_match(row));
    rule.all.iter().all(seen) && (rule.any.is_empty() || rule.any.iter().any(seen)) && !rule.none.iter().any(seen)
}

fn rows<'a>(adapter: &Adapter, region: Where, screen: &'a Screen) -> Vec<&'a str> {
    let filled = screen.rows.iter().rposition(|r| !r.trim().is_empty()).map_or(0, |last| last + 1);
    let all = screen.rows.iter().take(filled).map(String::as_str);
    let composer = || composer::find(adapter, screen).map_or(filled, |c| usize::from(c.region.from));
    match region {
        Where::Footer { footer } => all.skip(filled.saturating_sub(usize::from(footer))).collect(),
        Where::CursorRow => screen.rows.get(usize::from(screen.cursor.0)).map(String::as_str).into_iter().collect(),
        Where::Composer => all.skip(composer()).collect(),
        Where::AboveComposer => {
            let end = composer();
            all.take(end).skip(end.saturating_sub(10)).collect()
        }
    }
}
