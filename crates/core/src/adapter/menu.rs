//! Reads the choices of a dialog off the screen, and says what to press for one of them: by its label, never blindly.
//!
//! One key at a time: after an arrow the screen is read again, and Enter is pressed only on the row that is seen to be
//! selected. What is not understood is for a person.

use super::look::{Keys, Look};
use super::{Adapter, Pattern, composer};
use crate::question::{self, Choice};
use crate::screen::Screen;

/// The arrow keys, as terminals in their usual mode send them.
const DOWN: &str = "\u{1b}[B";
const UP: &str = "\u{1b}[A";
const ENTER: &str = "\r";

/// A dialog's choices, from top to bottom or from left to right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Menu {
    /// Never empty.
    pub choices: Vec<Choice>,
    /// The screen's row of the first choice.
    pub first: usize,
    /// The screen's row of the last choice.
    pub last: usize,
    keys: Keys,
}

/// What to press next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The keys.
    pub press: String,
    /// That chooses it; otherwise the screen is to be read again.
    pub last: bool,
}

/// The choices on a screen that shows a dialog; none when there are none, or when they are not understood.
#[must_use]
pub fn read(adapter: &Adapter, screen: &Screen) -> Option<Menu> {
    let look = adapter.menu.as_ref()?;
    if composer::find(adapter, screen).is_some() && look.inline.is_none() {
        return None;
    }
    let rows: Vec<&str> = screen.rows.iter().map(String::as_str).collect();
    let mut found = listed(look, &rows);
    if found.is_empty() {
        found = inline(look, &rows);
    }
    let (first, last) = (found.first()?.0, found.last()?.0);
    let mut choices: Vec<Choice> = found.into_iter().map(|(_, choice)| choice).collect();
    let selected = choices.iter().filter(|c| c.selected).count();
    if selected == 0
        && let Some(first) = choices.iter_mut().find(|c| !look.preselected.is_empty() && c.label == look.preselected)
    {
        first.selected = true;
    }
    // Two cursors are none: something else on the screen looks like a choice.
    (selected <= 1 && choices.len() > 1).then_some(Menu { choices, first, last, keys: look.keys })
}

/// Rows between two choices of one menu, at the most: three were seen.
const BETWEEN: u32 = 3;

/// The rows of the last menu on the screen: upwards to the choice `1`, or to a gap.
fn listed(look: &Look, rows: &[&str]) -> Vec<(usize, Choice)> {
    let Some(pattern) = &look.row else { return Vec::new() };
    let mut found: Vec<(usize, Choice)> = Vec::new();
    let mut gap = 0;
    for (n, row) in rows.iter().enumerate().rev() {
        match choice(pattern, row) {
            Some(choice) => {
                let first = choice.key.as_deref() == Some("1");
                found.push((n, choice));
                gap = 0;
                if first {
                    break;
                }
            }
            None if found.is_empty() => {}
            // A long label takes more rows, a choice may have a line that explains it.
            None => gap += 1,
        }
        if gap > BETWEEN {
            break;
        }
    }
    found.reverse();
    found
}

fn inline(look: &Look, rows: &[&str]) -> Vec<(usize, Choice)> {
    let (Some(pattern), Some(row)) = (&look.inline, &look.inline_row) else { return Vec::new() };
    let Some((n, row)) = rows.iter().enumerate().rfind(|(_, r)| row.0.is_match(r)) else { return Vec::new() };
    pattern.0.captures_iter(row).filter_map(|found| Some((n, captured(&found)?))).collect()
}

fn choice(pattern: &Pattern, row: &str) -> Option<Choice> {
    captured(&pattern.0.captures(row)?)
}

fn captured(found: &regex::Captures<'_>) -> Option<Choice> {
    let key = found.name("key").map(|key| key.as_str());
    let label = match found.name("label") {
        Some(label) => label.as_str().trim().to_owned(),
        None => [key?, found.name("rest")?.as_str()].concat(),
    };
    let key = key.map(str::to_lowercase);
    (!label.is_empty()).then(|| Choice { label, key, selected: found.name("selected").is_some() })
}

impl Menu {
    /// The choice that is meant, see [`question::find`].
    #[must_use]
    pub fn find(&self, wanted: &str) -> Option<usize> {
        question::find(&self.choices, wanted)
    }

    /// What to press for a choice; none when it is not there, or when it is not known where the menu's cursor stands.
    #[must_use]
    pub fn step(&self, wanted: &str) -> Option<Step> {
        self.step_to(self.find(wanted)?)
    }

    /// What to press for the choice of this number, from 0; as [`Menu::step`].
    #[must_use]
    pub fn step_to(&self, target: usize) -> Option<Step> {
        let key = self.choices.get(target)?.key.clone();
        match (self.keys, key) {
            (Keys::Choose, Some(press)) => return Some(Step { press, last: true }),
            (Keys::Line, Some(key)) => return Some(Step { press: key + ENTER, last: true }),
            (Keys::Nothing, _) | (Keys::Choose | Keys::Line, None) => {}
        }
        let selected = self.choices.iter().position(|c| c.selected)?;
        let (press, last) = match selected.cmp(&target) {
            std::cmp::Ordering::Equal => (ENTER, true),
            std::cmp::Ordering::Less => (DOWN, false),
            std::cmp::Ordering::Greater => (UP, false),
        };
        Some(Step { press: press.to_owned(), last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::parse;

    fn menu(look: &str, rows: &[&str]) -> Option<Menu> {
        let adapter = format!(
            "name='x'\nabout='x'\nprogram='x'\nmemory_mb=1\n[door]\ncomposer={{kind='rows', first='^> '}}\n[menu]\n{look}\n"
        );
        let rows = rows.iter().map(|r| (*r).to_owned()).collect();
        read(&parse("x.toml", &adapter).unwrap(), &Screen { rows, ..Screen::default() })
    }

    const LISTED: &str = r"row = '^ (?P<selected>❯)? *(?P<key>\d)\. (?P<label>.+)$'";

    #[test]
    fn a_choice_is_gone_to_by_what_is_selected_and_never_blindly() {
        let asks = |selected: usize| {
            let sign = |n| if selected == n { "❯" } else { " " };
            [format!(" {} 1. Yes", sign(1)), format!(" {} 2. No (recommended)", sign(2)), " Esc to cancel".to_owned()]
        };
        let step = |selected, wanted: &str| {
            let rows = asks(selected);
            menu(LISTED, &rows.each_ref().map(String::as_str)).unwrap().step(wanted)
        };
        assert_eq!(step(2, "Yes"), Some(Step { press: UP.to_owned(), last: false }));
        assert_eq!(step(1, "yes"), Some(Step { press: "\r".to_owned(), last: true }));
        assert_eq!(step(1, "2"), Some(Step { press: DOWN.to_owned(), last: false }));
        assert_eq!(step(1, "No"), Some(Step { press: DOWN.to_owned(), last: false }), "its label begins so");
        assert_eq!(step(1, "Perhaps"), None);
        assert_eq!(step(3, "Yes"), None, "nothing is selected: it is not known where Enter would fall");
    }

    #[test]
    fn only_the_last_menu_counts_and_a_label_may_take_more_rows() {
        let rows = [
            " ❯ 1. old",
            "   2. older",
            "text",
            "",
            "",
            "",
            " ❯ 1. Yes",
            "   2. Yes, and don't ask again for",
            "      this",
            "   3. No",
        ];
        let menu = menu(LISTED, &rows).unwrap();
        assert_eq!(
            menu.choices.iter().map(|c| c.label.as_str()).collect::<Vec<_>>(),
            ["Yes", "Yes, and don't ask again for", "No"]
        );
        assert_eq!(menu.find("Yes"), Some(0), "a whole label before labels that begin so");
        assert_eq!(super::tests::menu(LISTED, &[" ❯ 1. a", " ❯ 2. b"]), None, "two cursors");
    }

    #[test]
    fn choices_in_one_row_are_chosen_by_their_keys() {
        let look = r"inline = '\((?P<key>\w)\)(?P<rest>\w+)'
inline_row = '\(Y\)es/\(N\)o.*\]: *$'
keys = 'line'";
        let menu = menu(look, &["Create new file? (Y)es/(N)o [Yes]:"]).unwrap();
        assert_eq!(menu.choices.iter().map(|c| c.label.as_str()).collect::<Vec<_>>(), ["Yes", "No"]);
        assert_eq!(menu.step("n"), Some(Step { press: "n\r".to_owned(), last: true }));
        let look = r"inline = '(?P<label>Allow once|Allow always|Reject)'
inline_row = '^   Allow once '
preselected = 'Allow once'";
        let menu = super::tests::menu(look, &["   Allow once   Allow always   Reject"]).unwrap();
        assert_eq!(menu.step("Allow once"), Some(Step { press: "\r".to_owned(), last: true }));
    }
}
