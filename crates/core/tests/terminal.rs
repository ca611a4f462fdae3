//! What programs say to the person before their terminal: what becomes of it, and that floods of it stay small.

use ao_core::screen::{Mark, Screen};
use ao_core::terminal::{BURST, Heard, LONGEST_NOTIFICATION, LONGEST_TITLE, REFILL, Said, Terminal};
use ao_core::time::{Millis, Time};

const NOW: Time = Time(1_000_000_000);

fn screen(bells: u64, marks: &[(u64, u16, &str)]) -> Screen {
    let marks = marks.iter().map(|(offset, osc, text)| Mark { offset: *offset, osc: *osc, text: (*text).to_owned() });
    Screen { bells, marks: marks.collect(), ..Screen::default() }
}

/// Everything that is told of these marks, and the facts that it makes.
fn told(marks: &[(u64, u16, &str)]) -> Terminal {
    let mut facts = Terminal::default();
    let mut heard = Heard::default();
    for said in heard.look(&screen(0, marks), NOW) {
        assert!(facts.take(&said) > 0, "{said:?}");
    }
    facts
}

fn title(text: &str) -> String {
    told(&[(1, 0, text)]).title
}

fn notification(osc: u16, text: &str) -> Option<String> {
    told(&[(1, osc, text)]).notification.map(|n| n.text)
}

#[test]
fn a_program_that_never_stops_talking_makes_few_records_and_none_of_it_is_lost() {
    let mut facts = Terminal::default();
    let mut heard = Heard::default();
    let (mut records, mut offset) = (0_u64, 0);
    // An hour of ten looks a second: a title, a bell, a notification and a command in each.
    for tick in 0..36_000_u64 {
        let now = NOW.after(Millis(tick * 100));
        let (title, note) = (format!("title {tick}"), format!("note {tick}"));
        let texts = [(0, title.as_str()), (9, note.as_str()), (133, "C"), (133, "D;1")];
        let marks: Vec<(u64, u16, &str)> = texts.iter().map(|(osc, text)| (offset + 1, *osc, *text)).collect();
        let marks: Vec<_> = marks.into_iter().zip(1..).map(|((at, osc, text), n)| (at + n, osc, text)).collect();
        offset += 10;
        for said in heard.look(&screen(tick + 1, &marks), now) {
            records += 1;
            facts.take(&said);
        }
    }
    let most = 4 * (u64::from(BURST) + 3_600_000 / REFILL.0);
    assert!(records > 0 && records <= most, "{records} records, at most {most} expected");
    for said in heard.rest() {
        facts.take(&said);
    }
    assert_eq!((facts.bells, facts.notifications, facts.commands), (36_000, 36_000, 36_000));
    assert_eq!(facts.title, "title 35999");
    assert_eq!(facts.notification.map(|n| n.text).as_deref(), Some("note 35999"));
}

#[test]
fn what_a_person_does_is_told_at_once_and_the_rest_of_a_flood_when_its_time_comes() {
    let mut heard = Heard::default();
    for n in 1..=u64::from(BURST) {
        assert_eq!(heard.look(&screen(n, &[]), NOW), [Said::Bells { total: n, at: NOW }]);
        assert_eq!(heard.due(), None);
    }
    assert_eq!(heard.look(&screen(50, &[]), NOW), []);
    assert_eq!(heard.look(&screen(90, &[]), NOW), []);
    let due = heard.due().unwrap();
    assert_eq!(due, NOW.after(REFILL));
    assert_eq!(heard.ripe(Time(due.0 - 1)), []);
    assert_eq!(heard.ripe(due), [Said::Bells { total: 90, at: NOW }]);
    assert_eq!((heard.due(), heard.rest()), (None, Vec::new()), "it is told once");
}

#[test]
fn a_daemon_that_comes_back_tells_nothing_twice_and_misses_nothing() {
    let said = [(10, 0, "one"), (20, 9, "hello"), (30, 133, "D;3")];
    let mut facts = Terminal::default();
    for said in Heard::default().look(&screen(4, &said), NOW) {
        facts.take(&said);
    }
    let before = facts.clone();
    // The host tells the next daemon everything that it kept.
    assert_eq!(Heard::after(&facts).look(&screen(4, &said), NOW), []);
    let more = [&said[..], &[(40, 0, "two"), (50, 777, "notify;t;b"), (60, 133, "D;0")]].concat();
    let news = Heard::after(&facts).look(&screen(6, &more), NOW);
    assert_eq!(news.len(), 4, "{news:?}");
    let new: Vec<u64> = news.iter().map(|said| facts.take(said)).collect();
    assert_eq!(new, [1, 1, 1, 2]);
    // Nor does an event that comes a second time change the facts, or one that is older.
    let after = facts.clone();
    assert!(news.iter().all(|said| facts.take(said) == 0));
    assert!(Heard::default().look(&screen(4, &said), NOW).iter().all(|said| facts.take(said) == 0));
    assert_eq!(facts, after);
    assert_eq!((before.title.as_str(), after.title.as_str()), ("one", "two"));
}

#[test]
fn when_it_was_is_not_when_the_daemon_came_back() {
    let late = Screen { quiet_ms: 60_000, ..screen(1, &[(1, 133, "D;2")]) };
    let news = Heard::default().look(&late, NOW);
    let ago = Time(NOW.0 - 60_000);
    assert!(matches!(&news[0], Said::Commands { last, .. } if last.at == ago && last.code == Some(2)), "{news:?}");
    assert_eq!(news[1], Said::Bells { total: 1, at: ago });
}

#[test]
fn a_title_that_only_turns_its_sign_is_one_title() {
    let mut heard = Heard::default();
    let turns = ["⠂ Fix it", "⠐ Fix it", "✳ Fix it", "* Fix it"];
    let marks: Vec<(u64, u16, &str)> = (1..).zip(turns).map(|(n, text)| (n, 0, text)).collect();
    let told: Vec<Said> = marks.iter().flat_map(|mark| heard.look(&screen(0, &[*mark]), NOW)).collect();
    assert_eq!(told, [Said::Title { text: "Fix it".to_owned(), offset: 1 }]);
    for kept in ["~ home", "a b", "世 界", "/ root", "-", ""] {
        assert_eq!(title(kept), kept);
    }
    assert_eq!(heard.look(&screen(0, &[(9, 0, "")]), NOW), [Said::Title { text: String::new(), offset: 9 }]);
}

#[test]
fn words_of_programs_are_cleaned_and_cut() {
    assert_eq!(title("a\u{1b}[31m\u{7}b\u{202e}c\u{200b}d\u{9b}e\nf"), "a[31mbcde f");
    assert_eq!(notification(9, "\u{1b}\u{202e} \n"), None, "nothing is left to read");
    let long = "é".repeat(5000);
    assert_eq!(title(&long).chars().count(), LONGEST_TITLE);
    let cut = notification(9, &long).unwrap();
    assert!(cut.chars().count() == LONGEST_NOTIFICATION && cut.ends_with('…'));
}

#[test]
fn numbers_that_are_no_notifications_are_none() {
    assert_eq!(notification(9, "Build failed").as_deref(), Some("Build failed"));
    assert_eq!(notification(9, "100 tests").as_deref(), Some("100 tests"));
    assert_eq!(notification(777, "notify;Done;3 files").as_deref(), Some("Done: 3 files"));
    assert_eq!(notification(777, "notify;Done").as_deref(), Some("Done"));
    for progress in ["4;1;50", "4", "9;/home", "12;x", ""] {
        assert_eq!(notification(9, progress), None, "{progress:?}");
    }
    assert_eq!(notification(777, "preexec"), None);
    assert_eq!(notification(7501, "idle"), None);
}

#[test]
fn a_command_has_begun_or_has_a_code() {
    let ends = |marks: &[&str]| {
        let marks: Vec<(u64, u16, &str)> = (1..).zip(marks).map(|(n, text)| (n, 133, *text)).collect();
        let facts = told(&marks);
        (facts.commands, facts.command.and_then(|c| c.code))
    };
    assert_eq!(ends(&["A", "B", "C", "D;0", "A", "B", "C", "D;127;aid=1"]), (2, Some(127)));
    assert_eq!(ends(&["A", "B", "C", "D"]), (1, None), "a shell that does not say its code");
    assert_eq!(ends(&["A", "D", "A", "D"]), (0, None), "empty lines");
    assert_eq!(ends(&["D;-1"]), (1, Some(-1)));
    assert_eq!(ends(&["D;x", "Dx;1", "", ";", "D;99999999999"]), (0, None));
}
