//! Watches the screens and marks of one launch and says what is new in them.
//!
//! A rule that goes on holding is no news: its observation keeps the time when it began to hold, so that it cannot overrule
//! what another source said since. It decides nothing: that is the arbiter's part.

use super::{Adapter, observe};
use crate::activity::{Activity, Observation, Source};
use crate::screen::Screen;
use crate::time::Time;

/// What was seen of one launch so far.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// Offset of the newest mark taken.
    offset: Option<u64>,
    /// What the titles said last.
    title: Option<Activity>,
    /// The screen rule that holds.
    rule: Option<String>,
}

impl Watch {
    /// What is new on this screen, oldest first: marks not seen before, then the screen.
    pub fn look(&mut self, adapter: &Adapter, screen: &Screen, at: Time) -> Vec<Observation> {
        let mut news = Vec::new();
        // Marks of one read may share an offset: they are compared with what was seen before this look.
        let seen_to = self.offset;
        for mark in &screen.marks {
            if seen_to.is_some_and(|seen| mark.offset <= seen) {
                continue;
            }
            self.offset = self.offset.max(Some(mark.offset));
            let Some(seen) = observe::mark(adapter, mark, at) else { continue };
            // A title is drawn again and again while a turn goes on; it is news when it says something else.
            if seen.source != Source::Title || self.title.as_ref() != Some(&seen.activity) {
                news.push(seen.clone());
            }
            if seen.source == Source::Title {
                self.title = Some(seen.activity);
            }
        }
        let rule = observe::rule(adapter, screen).map(|rule| rule.name.clone());
        if rule != self.rule {
            self.rule = rule;
            news.extend(observe::screen(adapter, screen, at));
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::parse;
    use crate::screen::Mark;

    const ADAPTER: &str = r#"
name = "x"
about = "x"
program = "x"
memory_mb = 1
[door]
composer = { kind = "cursor-row" }
[[marks]]
osc = 0
text = "^busy"
activity = "working"
[[marks]]
osc = 0
text = "^free"
activity = "idle"
[[rules]]
name = "asks"
region = { footer = 2 }
all = ["may I"]
activity = "needs_input"
"#;

    fn screen(rows: &[&str], marks: &[(u64, &str)]) -> Screen {
        let marks = marks.iter().map(|(offset, text)| Mark { offset: *offset, osc: 0, text: (*text).to_owned() });
        Screen { rows: rows.iter().map(|r| (*r).to_owned()).collect(), marks: marks.collect(), ..Screen::default() }
    }

    #[test]
    fn a_rule_is_news_when_it_begins_to_hold_and_not_while_it_holds() {
        let adapter = parse("x.toml", ADAPTER).unwrap();
        let mut watch = Watch::default();
        let asks = screen(&["may I?"], &[]);
        assert_eq!(watch.look(&adapter, &asks, Time(1)).len(), 1);
        assert!(watch.look(&adapter, &asks, Time(2)).is_empty());
        assert!(watch.look(&adapter, &screen(&["ok"], &[]), Time(3)).is_empty());
        assert_eq!(watch.look(&adapter, &asks, Time(4)).len(), 1, "it began to hold again");
    }

    #[test]
    fn a_title_is_news_when_it_says_something_else() {
        let adapter = parse("x.toml", ADAPTER).unwrap();
        let mut watch = Watch::default();
        let seen =
            watch.look(&adapter, &screen(&[], &[(1, "busy |"), (2, "busy /"), (3, "free"), (4, "busy |")]), Time(1));
        assert_eq!(seen.iter().map(|o| o.offset).collect::<Vec<_>>(), [Some(1), Some(3), Some(4)]);
        assert!(watch.look(&adapter, &screen(&[], &[(4, "busy |")]), Time(2)).is_empty(), "the host repeats its marks");
    }
}
