//! Questions that an agent asks before its first prompt, and that an adapter may answer by itself: what to press next.

use super::menu::{self, Step};
use super::{Adapter, observe};
use crate::screen::Screen;

/// What to press for the question on this screen. None when there is none, when it is a person's, when the screen still
/// moves, or when it is not seen where a key would fall.
#[must_use]
pub fn step(adapter: &Adapter, screen: &Screen) -> Option<Step> {
    if screen.quiet_ms < adapter.settle_ms || screen.person_at.is_some() {
        return None;
    }
    let rule = observe::rule(adapter, screen)?;
    if !rule.dismiss.is_empty() {
        return Some(Step { press: rule.dismiss.clone(), last: true });
    }
    if rule.answer.is_empty() {
        return None;
    }
    menu::read(adapter, screen)?.step(&rule.answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::parse;

    const ADAPTER: &str = r#"
name = "x"
about = "x"
program = "x"
memory_mb = 1
settle_ms = 100
[door]
composer = { kind = "rows", first = '^> ' }
[menu]
row = '^(?P<selected>\*)? *(?P<key>\d)\. (?P<label>.+)$'
[[rules]]
name = "trust"
region = "dialog"
all = ['^Trust this folder\?']
activity = "needs_input"
what = "trust"
answer = "Yes"
[[rules]]
name = "advert"
region = "dialog"
all = ['^Buy now']
activity = "needs_input"
what = "onboarding"
dismiss = "q"
[[rules]]
name = "permission"
region = "dialog"
all = ['^May I']
activity = "needs_input"
"#;

    #[test]
    fn only_what_the_adapter_answers_is_answered_and_only_where_the_key_is_seen_to_fall() {
        let adapter = parse("x.toml", ADAPTER).unwrap();
        let screen = |rows: &[&str]| Screen {
            rows: rows.iter().map(|r| (*r).to_owned()).collect(),
            quiet_ms: 100,
            ..Screen::default()
        };
        let press = |screen: &Screen| step(&adapter, screen).map(|s| s.press);
        let no_first = screen(&["Trust this folder?", "* 1. No, exit", "  2. Yes"]);
        assert_eq!(press(&no_first).as_deref(), Some("\u{1b}[B"), "Enter would end it");
        assert_eq!(press(&screen(&["Trust this folder?", "  1. No, exit", "* 2. Yes"])).as_deref(), Some("\r"));
        assert_eq!(press(&screen(&["Trust this folder?", "  1. No, exit", "  2. Yes"])), None);
        assert_eq!(press(&screen(&["Buy now"])).as_deref(), Some("q"));
        assert_eq!(press(&screen(&["May I?", "* 1. Yes", "  2. No"])), None, "leave is a person's to give");
        assert_eq!(press(&Screen { quiet_ms: 99, ..no_first.clone() }), None, "it still moves");
        assert_eq!(press(&Screen { person_at: Some(1), ..no_first }), None, "a person is there");
    }
}
