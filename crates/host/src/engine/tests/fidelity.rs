//! The fidelity table: what a terminal must do, what this engine does, and what the two candidates do.
//!
//! Every row is written down from the manuals (VT220, xterm's control sequences); none of them is the measure.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::judge::{Alacritty, Judge, Ours, Vt100};
use super::table::{Expect, GAPS, ROWS};

/// What was seen differs from what was expected, in words.
fn verdict(judge: &mut dyn Judge, input: &str, expectations: &[Expect]) -> Result<(), String> {
    judge.feed(input.as_bytes());
    for expected in expectations {
        let (seen, wanted) = match expected {
            Expect::Row(row, text) => (judge.row(*row), (*text).to_owned()),
            Expect::At(row, col) => (format!("{:?}", judge.cursor()), format!("{:?}", (*row, *col))),
            Expect::Style(row, col, style) => (judge.style(*row, *col), (*style).to_owned()),
            Expect::Link(row, col, uri) => (judge.link(*row, *col), (*uri).to_owned()),
            Expect::Reply(text) => (judge.reply(), (*text).to_owned()),
            Expect::Title(text) => (judge.title(), (*text).to_owned()),
        };
        if seen != wanted {
            return Err(format!("{seen:?} instead of {wanted:?}"));
        }
    }
    Ok(())
}

#[test]
fn this_engine_passes_every_row() {
    let failures: Vec<String> = ROWS
        .iter()
        .filter_map(|(group, name, input, expected)| {
            let why = verdict(&mut Ours::new(), input, expected).err()?;
            Some(format!("{group}, {name}: {why}"))
        })
        .collect();
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn a_gap_that_was_closed_is_moved_to_the_rows_that_must_pass() {
    for (group, name, input, expected) in GAPS {
        assert!(verdict(&mut Ours::new(), input, expected).is_err(), "{group}, {name} passes now");
    }
}

#[test]
fn a_snapshot_in_the_middle_changes_no_row() {
    for (group, name, input, expected) in ROWS {
        for cut in (1..input.len()).filter(|cut| input.is_char_boundary(*cut)) {
            let mut judge = Ours::new();
            judge.feed(&input.as_bytes()[..cut]);
            let pending = judge.rebuild();
            let rest = [&input.as_bytes()[..cut][cut - pending..], &input.as_bytes()[cut..]].concat();
            let rest = String::from_utf8(rest).expect("cut at characters");
            let result = verdict(&mut judge, &rest, expected);
            let replied = expected.iter().any(|expected| matches!(expected, Expect::Reply(_)));
            assert!(result.is_ok() || replied, "{group}, {name}, cut at {cut}: {result:?}");
        }
    }
}

fn table() -> String {
    let mut text =
        String::from("| group | what | ao | alacritty_terminal 0.26 | vt100 0.18 |\n| --- | --- | --- | --- | --- |\n");
    let [mut ours, mut theirs, mut third] = [0, 0, 0];
    for (group, name, input, expected) in ROWS.iter().chain(GAPS) {
        let mark = |result: Result<(), String>, count: &mut usize| match result {
            Ok(()) => {
                *count += 1;
                "pass"
            }
            Err(_) => "**fails**",
        };
        let own = mark(verdict(&mut Ours::new(), input, expected), &mut ours);
        let other = mark(verdict(&mut Alacritty::new(), input, expected), &mut theirs);
        // It panics on some input, which is a failure, too.
        let seen = std::panic::catch_unwind(|| verdict(&mut Vt100::new(), input, expected));
        let last = mark(seen.unwrap_or_else(|_| Err("a panic".to_owned())), &mut third);
        writeln!(text, "| {group} | {name} | {own} | {other} | {last} |").expect("writing to a String cannot fail");
    }
    let all = ROWS.len() + GAPS.len();
    writeln!(text, "| | **of {all} rows** | **{ours}** | **{theirs}** | **{third}** |")
        .expect("writing to a String cannot fail");
    text
}

/// The page's table is what the tests see; `AO_UPDATE_DOCS=1` writes it anew.
#[test]
fn the_page_shows_the_table_as_it_is() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/fidelity.md");
    let page = std::fs::read_to_string(&path).expect("docs/fidelity.md");
    let (begin, end) = ("<!-- table: begin -->\n", "<!-- table: end -->");
    let (head, rest) = page.split_once(begin).expect("the mark where the table begins");
    let (old, tail) = rest.split_once(end).expect("the mark where the table ends");
    let new = table();
    if std::env::var_os("AO_UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{head}{begin}{new}{end}{tail}")).expect("docs/fidelity.md can be written");
    } else {
        assert_eq!(old, new, "run the test with AO_UPDATE_DOCS=1");
    }
}
