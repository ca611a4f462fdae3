//! Finds the composer on a screen and reads what it holds.

use super::{Adapter, Composer, Pattern};
use crate::screen::{Region, Screen};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

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
            let text = screen.rows.get(usize::from(row)).map_or("", |row| behind_sign(row));
            Some(Found { region: screen.region(row, row + 1), text: text.to_owned() })
        }
        Composer::Rows { paste: true, .. } if !screen.bracketed_paste => None,
        Composer::Rows { first, next, never, above, end, tall, placeholder, unless, paste: _ } => {
            let asked = screen.rows.get(usize::from(screen.cursor.0)).zip(unless.as_ref());
            if asked.is_some_and(|(row, unless)| unless.0.is_match(row)) {
                return None;
            }
            let begins = |n: usize, row: &str| {
                first.0.is_match(row)
                    && !never.as_ref().is_some_and(|p| p.0.is_match(row))
                    && above.as_ref().is_none_or(|p| n > 0 && screen.rows.get(n - 1).is_some_and(|r| p.0.is_match(r)))
            };
            let begin = screen.rows.iter().enumerate().rev().find(|(n, row)| begins(*n, row))?.0;
            let rest = screen.rows.get(begin + 1..)?;
            let length = match end {
                Some(end) => {
                    let ends = rest.iter().position(|row| end.0.is_match(row));
                    ends.or_else(|| high(rest, tall.as_deref()?, screen.rows.len()))?
                }
                None => filled(rest),
            };
            let head = first.0.captures(screen.rows.get(begin)?)?.get(1).map_or("", |m| m.as_str()).trim();
            let mut text = head.to_owned();
            for row in rest.iter().take(length) {
                let inside = next.as_ref().and_then(|p| p.0.captures(row));
                let inside = inside.map_or(row.as_str(), |found| found.get(1).map_or("", |m| m.as_str()));
                text.push(' ');
                text.push_str(inside.trim());
            }
            let text = text.trim().to_owned();
            let empty = placeholder.as_ref().is_some_and(|p| p.0.is_match(&text));
            let from = u16::try_from(begin).ok()?;
            let to = u16::try_from(begin + 1 + length).ok()?;
            Some(Found { region: screen.region(from, to), text: if empty { String::new() } else { text } })
        }
    }
}

/// What stands behind a prompt sign: a line that somebody began. A row without a sign says nothing.
fn behind_sign(row: &str) -> &str {
    let sign = row.char_indices().find(|(at, c)| {
        matches!(c, '$' | '#' | '%' | '>' | '❯' | '»')
            && row.get(at + c.len_utf8()..).is_some_and(|r| r.starts_with(' '))
    });
    sign.and_then(|(at, c)| row.get(at + c.len_utf8()..)).map_or("", str::trim)
}

/// The rows after the first of a composer that fills the screen.
fn high(rest: &[String], tall: &Pattern, rows: usize) -> Option<usize> {
    let length = filled(rest);
    let fits = rest.iter().take(length).all(|row| tall.0.is_match(row));
    (fits && (length + 1) * 2 >= rows).then_some(length)
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
        let (shown, wanted) = (squeeze(&found.text), squeeze(prompt));
        return shown.is_empty() || wanted.ends_with(&shown) || shown.ends_with(&wanted);
    }
    if adapter.door.pasted.as_ref().is_some_and(|p| p.0.is_match(&found.text)) {
        return true;
    }
    let shown = squeeze(&found.text);
    // Some line editors show a tab as the key that makes one.
    [squeeze(prompt), squeeze(&prompt.replace('\t', "^I"))].iter().any(|wanted| {
        !shown.is_empty() && (*wanted == shown || (shown.chars().count() >= 20 && wanted.contains(&shown)))
    })
}

/// Whether `prompt` still waits there after Enter was pressed. Programs that read lines show it in the cursor's row, or its
/// end when it is long or has several lines.
#[must_use]
pub fn still_holds(adapter: &Adapter, screen: &Screen, found: &Found, prompt: &str) -> bool {
    match adapter.door.composer {
        Composer::Rows { .. } => holds(adapter, found, prompt),
        Composer::CursorRow => {
            let row = squeeze(screen.rows.get(usize::from(screen.cursor.0)).map_or("", String::as_str));
            let end = squeeze(prompt.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default());
            !row.is_empty() && (row.ends_with(&end) || end.ends_with(&row))
        }
    }
}

/// Text without white space, so that wrapping does not matter, and without what has no width: some agents draw their cursor
/// as a space without one, and some compose letters and their accents (Unicode Standard Annex 15).
fn squeeze(text: &str) -> String {
    let unseen =
        |c: char| c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200d}' | '\u{feff}') || is_combining_mark(c);
    text.nfd().filter(|c| !unseen(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::parse;

    const ADAPTER: &str = r#"
name = "boxed"
about = "x"
program = "x"
memory_mb = 1
[door]
composer = { kind = "rows", first = "^> (.*)$", never = "^> 1\\. ", above = "^-+$", end = "^-+$", placeholder = "^Say$" }
pasted = "^\\[Pasted"
"#;

    fn found(rows: &[&str]) -> Option<Found> {
        let rows = rows.iter().map(|r| (*r).to_owned()).collect();
        find(&parse("boxed.toml", ADAPTER).unwrap(), &Screen { rows, ..Screen::default() })
    }

    #[test]
    fn the_composer_is_the_box_and_not_what_looks_like_it() {
        assert_eq!(found(&["> old prompt", "----", "> new", "  more", "", "----", "foot"]).unwrap().text, "new more");
        assert_eq!(found(&["> old prompt", "done", "----"]), None, "a prompt in the transcript is no composer");
        assert_eq!(found(&["----", "> 1. Yes", "  2. No", "----"]), None, "a dialog is no composer");
        assert_eq!(found(&["----", "> text", "  that is cut off"]), None, "a composer has an end");
    }

    #[test]
    fn a_composer_that_fills_the_screen_needs_no_end_and_a_dialog_never_passes_for_one() {
        let text = ADAPTER.replace(", above = \"^-+$\"", ", tall = \"^(?:  .*)?$\"");
        let tall = |rows: &[&str]| {
            let rows = rows.iter().map(|r| (*r).to_owned()).collect();
            find(&parse("boxed.toml", &text).unwrap(), &Screen { rows, ..Screen::default() })
        };
        assert_eq!(tall(&["done", "> one", "  two", "  three", ""]).unwrap().text, "one two three");
        assert_eq!(tall(&["done", "", "", "> Yes", "  No", "", ""]), None, "it is not high enough");
        assert_eq!(tall(&["> asked", "  more", "• works", "  on it"]), None, "something else follows");
    }

    #[test]
    fn a_composer_may_compose_accents() {
        let adapter = parse("boxed.toml", ADAPTER).unwrap();
        let shows = |text: &str| found(&["----", &format!("> {text}"), "----"]).unwrap();
        assert!(
            holds(&adapter, &shows("caf\u{e9}"), "cafe\u{301}") && holds(&adapter, &shows("cafe\u{301}"), "caf\u{e9}")
        );
        assert!(!holds(&adapter, &shows("caf\u{e9}"), "cafs"));
        assert!(holds(&adapter, &shows("^Ione^Itwo"), "\tone\ttwo"), "tabs may be shown as keys");
    }

    #[test]
    fn a_line_that_was_taken_is_not_held_any_more() {
        let line = ADAPTER.split("composer").next().unwrap().to_owned() + "composer = { kind = \"cursor-row\" }\n";
        let adapter = parse("line.toml", &line).unwrap();
        let held = |row: &str| {
            let screen = Screen { rows: vec![row.to_owned()], ..Screen::default() };
            still_holds(&adapter, &screen, &find(&adapter, &screen).unwrap(), "first\nls -l")
        };
        assert!(held("user@box:~$ ls -l"));
        assert!(!held("user@box:~$"), "an empty prompt holds nothing");
        let begun = Screen { rows: vec!["user@box:~$ rm -rf ./x".to_owned()], ..Screen::default() };
        let found = find(&adapter, &begun).unwrap();
        assert!(!found.text.is_empty() && !holds(&adapter, &found, "echo hello"), "a person's half line is not ours");
        assert!(!held(""));
    }

    #[test]
    fn a_placeholder_is_no_text() {
        assert_eq!(found(&["----", "> Say", "----"]).unwrap().text, "");
    }

    #[test]
    fn a_composer_holds_a_prompt_however_it_is_wrapped_and_nothing_else() {
        let adapter = parse("boxed.toml", ADAPTER).unwrap();
        let holds = |rows: &[&str], prompt| holds(&adapter, &found(rows).unwrap(), prompt);
        assert!(holds(&["----", "> mend the t", "  est now", "----"], "mend the test\nnow"));
        assert!(holds(&["----", "> [Pasted text #1 +9 lines]", "----"], "long"));
        assert!(!holds(&["----", "> mend", "----"], "mend the test"), "a short part may be anything");
        assert!(!holds(&["----", "> Say", "----"], "mend the test"), "an empty composer holds nothing");
        assert!(holds(&["----", "> mend it \u{200b}", "----"], "mend it"), "a cursor without width is no text");
        assert!(!holds(&["----", "> mend the test now please", "----"], "mend the test"), "more than ours is not ours");
    }
}
