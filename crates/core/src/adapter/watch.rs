//! Watches the screens and marks of one launch and says what is new in them.
//!
//! A rule that goes on holding is no news: its observation keeps the time when it began to hold, so that it cannot overrule
//! what another source said since. It decides nothing: that is the arbiter's part.

use super::{Adapter, observe};
use crate::activity::{Activity, Observation};
use crate::screen::{Mark, Screen};
use crate::time::{Millis, Time};
use std::collections::BTreeMap;

/// What was seen of one launch so far.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// Offset of the newest mark taken.
    offset: Option<u64>,
    /// What the last mark of each number said.
    said: BTreeMap<u16, Activity>,
    /// A weak mark that the screen has not confirmed yet.
    weak: Option<Observation>,
    /// The screen rule that holds.
    rule: Option<String>,
    /// A turn began: what comes from now on is no start-up.
    begun: bool,
    /// What waits for the screen to settle, the newest of each source, and since when.
    unsettled: Vec<Observation>,
    since: Option<Time>,
}

/// Some footers never stand still: after this long what waits is believed all the same.
const SETTLES_WITHIN: Millis = Millis::secs(3);

impl Watch {
    /// Whether a turn was seen to begin: what is asked from then on is no start-up.
    #[must_use]
    pub const fn begun(&self) -> bool {
        self.begun
    }

    /// What is new on this screen, oldest first: marks not seen before, then the screen, then a weak mark that the screen
    /// confirms now. To be called for every push, and again when rules with `hold_ms` may have come to hold.
    pub fn look(&mut self, adapter: &Adapter, screen: &Screen, at: Time) -> Vec<Observation> {
        let news = self.news(adapter, screen, at);
        let settles = !self.begun && adapter.settle_ms > 0;
        let works = |seen: &Observation| matches!(seen.activity, Activity::Working { .. } | Activity::Retrying);
        self.begun |= news.iter().any(works);
        if !settles {
            return news;
        }
        if self.begun {
            self.unsettled.clear();
            return news;
        }
        for seen in news {
            self.unsettled.retain(|old| old.source != seen.source);
            self.unsettled.push(seen);
        }
        if self.unsettled.is_empty() {
            return Vec::new();
        }
        let since = *self.since.get_or_insert(at);
        // Nothing is typed into a dialog unseen, so one that stays is told of even while something else on the screen moves.
        let asks = self.unsettled.iter().all(|seen| matches!(seen.activity, Activity::NeedsInput { .. }));
        let limit = if asks { Millis(adapter.settle_ms) } else { SETTLES_WITHIN };
        if screen.quiet_ms < adapter.settle_ms && at.since(since) < limit {
            return Vec::new();
        }
        self.since = None;
        // A daemon that comes back finds a screen that stood so before it looked: what others said since then is newer.
        let at = screen.changed_at(at);
        std::mem::take(&mut self.unsettled).into_iter().map(|seen| Observation { at, ..seen }).collect()
    }

    fn news(&mut self, adapter: &Adapter, screen: &Screen, at: Time) -> Vec<Observation> {
        let mut news = Vec::new();
        // Marks of one read may share an offset: they are compared with what was seen before this look.
        let seen_to = self.offset;
        for mark in screen.marks.iter().filter(|mark| seen_to.is_none_or(|seen| mark.offset > seen)) {
            self.offset = self.offset.max(Some(mark.offset));
            // Nothing was said after the newest byte.
            self.take(adapter, mark, screen.changed_at(at), &mut news);
        }
        let rule = observe::rule(adapter, screen);
        let says = observe::screen(adapter, screen, at);
        let name = rule.map(|rule| rule.name.clone());
        if name != self.rule {
            self.rule = name;
            news.extend(says.clone());
        }
        if let Some(weak) = self.weak.take_if(|weak| says.as_ref().is_some_and(|says| says.activity == weak.activity)) {
            news.push(Observation { at: says.map_or(at, |says| says.at), ..weak });
        }
        news
    }

    fn take(&mut self, adapter: &Adapter, mark: &Mark, at: Time, news: &mut Vec<Observation>) {
        let rule = observe::mark_rule(adapter, mark, self.said.get(&mark.osc));
        let seen = rule.and_then(|rule| observe::mark(rule, mark, at));
        let said = seen.as_ref().map(|seen| seen.activity.clone());
        // A title is drawn again and again while a turn goes on; it is news when it says something else.
        let new = mark.osc != 0 || said.as_ref() != self.said.get(&mark.osc);
        match said {
            Some(said) => self.said.insert(mark.osc, said),
            None => self.said.remove(&mark.osc),
        };
        match (rule, seen) {
            (Some(rule), Some(seen)) if new && rule.weak => self.weak = Some(seen),
            (_, Some(seen)) if new => {
                self.weak = None;
                news.push(seen);
            }
            (_, Some(_) | None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::Source;
    use crate::adapter::parse;

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
[[marks]]
osc = 0
text = "^perhaps"
activity = "idle"
weak = true
[[rules]]
name = "box"
region = { footer = 2 }
all = ["^>"]
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
        assert!(watch.look(&adapter, &screen(&[], &[(6, "busy /")]), Time(2)).is_empty(), "the host repeats its marks");
    }

    #[test]
    fn a_weak_title_is_news_only_when_the_screen_says_the_same() {
        let adapter = parse("x.toml", ADAPTER).unwrap();
        let mut watch = Watch::default();
        let mut names = |screen: &Screen| {
            let seen = watch.look(&adapter, screen, Time(1));
            seen.iter().map(|o| (o.source, o.activity.name())).collect::<Vec<_>>()
        };
        names(&screen(&["> "], &[(1, "busy")]));
        assert_eq!(names(&screen(&["may I"], &[(2, "perhaps")])), [(Source::Screen, "needs_input")]);
        assert_eq!(names(&screen(&["nothing"], &[])), []);
        assert_eq!(names(&screen(&["> "], &[])), [(Source::Screen, "idle"), (Source::Title, "idle")]);
        // A turn so short that the screen never showed it: the title alone tells that it is over.
        assert_eq!(names(&screen(&["> "], &[(3, "busy")])), [(Source::Title, "working")]);
        assert_eq!(names(&screen(&["> "], &[(4, "perhaps")])), [(Source::Title, "idle")]);
    }

    #[test]
    fn until_the_first_turn_a_screen_must_stand_still_to_be_believed() {
        let adapter = parse("x.toml", &ADAPTER.replacen("memory_mb = 1", "memory_mb = 1\nsettle_ms = 500", 1)).unwrap();
        let mut watch = Watch::default();
        let names = |watch: &mut Watch, screen: &Screen, quiet_ms, at| {
            let seen = watch.look(&adapter, &Screen { quiet_ms, ..screen.clone() }, Time(at));
            seen.iter().map(|o| o.activity.name().to_owned()).collect::<Vec<_>>()
        };
        let (prompt, asks) = (screen(&["> "], &[]), screen(&["may I"], &[]));
        assert_eq!(names(&mut watch, &prompt, 0, 1), Vec::<String>::new());
        assert_eq!(names(&mut watch, &asks, 100, 200), Vec::<String>::new());
        assert_eq!(names(&mut watch, &asks, 500, 600), ["needs_input"], "the newest counts");
        assert_eq!(names(&mut watch, &prompt, 0, 2_000), Vec::<String>::new());
        assert_eq!(names(&mut watch, &prompt, 100, 4_999), Vec::<String>::new());
        assert_eq!(names(&mut watch, &prompt, 10, 5_000), ["idle"], "it never stands still");
        assert_eq!(names(&mut watch, &screen(&["> "], &[(1, "busy")]), 0, 6_000), ["working"]);
        assert_eq!(names(&mut watch, &asks, 0, 7_000), ["needs_input"], "this is no start-up");
    }

    #[test]
    fn a_screen_that_stood_so_before_anybody_looked_is_dated_back() {
        let settling = ADAPTER.replacen("memory_mb = 1", "memory_mb = 1\nsettle_ms = 500", 1);
        let held = settling.replacen("all = [\"^>\"]", "all = [\"^>\"]\nhold_ms = 200", 1);
        for (text, began) in [(ADAPTER, 1_000), (settling.as_str(), 1_000), (held.as_str(), 1_000)] {
            let adapter = parse("x.toml", text).unwrap();
            let stood = Screen { quiet_ms: 4_000, ..screen(&["> "], &[(1, "free")]) };
            let seen = Watch::default().look(&adapter, &stood, Time(5_000));
            assert!(seen.iter().all(|o| o.at <= Time(began + 200)), "{seen:?}");
            assert!(seen.iter().any(|o| o.source == Source::Screen), "{seen:?}");
        }
    }

    #[test]
    fn a_mark_may_mean_something_else_after_another() {
        let adapter = r#"
[[marks]]
osc = 9
text = "^free"
after = ["working"]
activity = "interrupted"
[[marks]]
osc = 9
text = "^busy"
activity = "working"
[[marks]]
osc = 9
text = "^(free|done)"
activity = "idle"
"#;
        let adapter = parse("x.toml", &format!("{ADAPTER}{adapter}")).unwrap();
        let marks = ["free", "busy", "done", "free", "busy", "free"].into_iter().enumerate();
        let marks = marks.map(|(n, text)| Mark { offset: n as u64 + 1, osc: 9, text: text.to_owned() }).collect();
        let seen = Watch::default().look(&adapter, &Screen { marks, ..Screen::default() }, Time(1));
        let names: Vec<_> = seen.iter().map(|o| o.activity.name()).collect();
        assert_eq!(names, ["idle", "working", "idle", "idle", "working", "interrupted"]);
    }
}
