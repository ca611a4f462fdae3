//! What is read of dialogs: words, choices, and the address and code of a login.

use super::*;
use crate::adapter::parse;

const ADAPTER: &str = r#"
name = "x"
about = "x"
program = "x"
memory_mb = 1
[door]
composer = { kind = "rows", first = '^> ' }
[menu]
row = '^ (?P<selected>❯)? *(?P<key>\d)\. (?P<label>.+)$'
writes = '^ Paste code here'
[[rules]]
name = "permission"
region = "dialog"
all = ['^ Do you want to proceed\?']
activity = "needs_input"
[[rules]]
name = "login"
region = "dialog"
all = ['Open this link']
activity = "needs_input"
what = "login"
"#;

fn screen(rows: &[&str]) -> Screen {
    Screen { rows: rows.iter().map(|row| (*row).to_owned()).collect(), cols: 40, ..Screen::default() }
}

fn adapter() -> Adapter {
    parse("x.toml", ADAPTER).unwrap()
}

const ASKS: [&str; 10] = [
    "what was said before",
    "────────────────────────────────────────",
    " Bash command",
    "",
    "   make everything",
    "",
    " Do you want to proceed?",
    " ❯ 1. Yes",
    "   2. No",
    " Esc to cancel",
];

#[test]
fn a_dialog_is_its_words_below_the_line_and_its_choices() {
    let shown = read(&adapter(), &screen(&ASKS)).unwrap();
    assert_eq!(shown.dialog.text, "Bash command\n\nmake everything\n\nDo you want to proceed?");
    let options: Vec<_> =
        shown.dialog.options.iter().map(|o| (o.key.as_deref().unwrap(), o.label.as_str(), o.selected)).collect();
    assert_eq!(options, [("1", "Yes", true), ("2", "No", false)]);
    assert_eq!(shown.dialog.kind, InputKind::Permission);
    let region = shown.region(&screen(&ASKS));
    assert_eq!((region.from, region.to), (2, 9), "its footer may move");
    assert!(read(&adapter(), &screen(&["> "])).is_none());
}

#[test]
fn a_login_has_its_address_also_over_two_rows_and_its_code() {
    let rows = [
        " Open this link in your browser:",
        " https://login.example/device?a=aaaaaaaa",
        "bbbb&c=d",
        " Enter this one-time code: XY5F-UHM74",
        " Paste code here if prompted >",
    ];
    let dialog = read(&adapter(), &screen(&rows)).unwrap().dialog;
    assert_eq!(dialog.url.as_deref(), Some("https://login.example/device?a=aaaaaaaabbbb&c=d"));
    assert_eq!(dialog.code.as_deref(), Some("XY5F-UHM74"));
    assert!(dialog.takes_text);
    assert!(!read(&adapter(), &screen(&ASKS)).unwrap().dialog.takes_text, "a menu takes no words");
}

#[test]
fn half_a_dialog_is_not_told_and_a_whole_one_once() {
    let (adapter, mut dialogs) = (adapter(), Dialogs::default());
    let at = |rows: &[&str], quiet_ms| Screen { quiet_ms, ..screen(rows) };
    assert!(dialogs.look(&adapter, &at(&ASKS[..8], 0), Time(0)).is_none(), "it is being drawn");
    let told = dialogs.look(&adapter, &at(&ASKS, SETTLED_MS), Time(200)).flatten().unwrap();
    assert_eq!(told.options.len(), 2);
    assert!(dialogs.look(&adapter, &at(&ASKS, 400), Time(600)).is_none(), "no news");
    assert_eq!(dialogs.look(&adapter, &at(&["> "], SETTLED_MS), Time(800)), Some(None), "it is gone");
    // Something else on the screen moves all the time.
    assert!(dialogs.look(&adapter, &at(&ASKS, 0), Time(1000)).is_none());
    assert!(dialogs.look(&adapter, &at(&ASKS, 0), Time(1500)).is_some());
}
