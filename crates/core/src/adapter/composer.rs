//! Finds the composer on a screen and reads what it holds.

use super::{Adapter, Composer};
use crate::screen::{Region, Screen};

/// A composer that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its rows and their hash: the proof that it is still the same when something is typed.
    pub region: Region,
    /// What it holds, rows joined by spaces; empty when only its placeholder stands there.
    pub text: String,
}

/// Finds the composer.
#[must_use]
pub fn find(adapter: &Adapter, screen: &Screen) -> Option<Found> {
    match &adapter.door.composer {
        Composer::CursorRow => {
            let row = screen.cursor.0;
            Some(Found { region: screen.region(row, row + 1), text: String::new() })
        }
        Composer::Rows { first, end, placeholder } => {
            let begin = screen.rows.iter().rposition(|row| first.0.is_match(row))?;
            let rest = screen.rows.get(begin + 1..)?;
            let length = match end {
                Some(end) => rest.iter().position(|row| end.0.is_match(row)).unwrap_or_else(|| filled(rest)),
                None => filled(rest),
            };
            let head = first.0.captures(screen.rows.get(begin)?)?.get(1).map_or("", |m| m.as_str()).trim();
            let mut text = head.to_owned();
            for row in rest.iter().take(length) {
                text.push(' ');
                text.push_str(row.trim());
            }
            let text = text.trim().to_owned();
            let empty = placeholder.as_ref().is_some_and(|p| p.0.is_match(&text));
            let from = u16::try_from(begin).ok()?;
            let to = u16::try_from(begin + 1 + length).ok()?;
            Some(Found { region: screen.region(from, to), text: if empty { String::new() } else { text } })
        }
    }
}

fn filled(rows: &[String]) -> usize {
    rows.iter().rposition(|row| !row.trim().is_empty()).map_or(0, |last| last + 1)
}

/// Whether the composer holds `prompt`: as text, however it was wrapped, or as the agent's sign for a paste.
///
/// Composers that scroll show only the end of a long prompt, so what they show must be part of it.
#[must_use]
pub fn holds(adapter: &Adapter, found: &Found, prompt: &str) -> bool {
    if matches!(adapter.door.composer, Composer::CursorRow) {
        return true;
    }
    if adapter.door.pasted.as_ref().is_some_and(|p| p.0.is_match(&found.text)) {
        return true;
    }
    let shown = squeeze(&found.text);
    let wanted = squeeze(prompt);
    !shown.is_empty() && (wanted == shown || (shown.chars().count() >= 20 && wanted.contains(&shown)))
}

/// Text without white space, so that wrapping does not matter.
fn squeeze(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}
